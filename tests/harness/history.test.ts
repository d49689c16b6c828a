/** Histories as files, and as operations. */
import type { HistoryEvent } from '@synod/harness/internal/history/history'
import { parseHistory, writeHistory } from '@synod/harness/internal/history/jsonl'
import { MalformedHistory } from '@synod/harness/internal/history/malformed'
import { operationsOf } from '@synod/harness/internal/history/operations'
import t from 'tap'

const lines = (...events: readonly object[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join('')

/** What reading the file, and then pairing its events, says is wrong with it. */
function complaint(text: string): string {
  try {
    const { events, lines } = parseHistory(text)
    operationsOf(events, lines)
    return 'nothing'
  } catch (error) {
    if (error instanceof MalformedHistory) return error.message
    throw error
  }
}

t.test('what is written is read again', (t) => {
  const events: HistoryEvent[] = [
    { process: 1, type: 'invoke', f: 'write', key: 'x', value: { deep: ['é', null] }, time: 0.25 },
    { process: 'two', type: 'invoke', f: 'cas', key: null, value: [null, 'a\nb'], time: 1 },
    { process: 1, type: 'info', f: 'write', key: 'x', time: 2, error: 'TIMEOUT' },
    { process: 'two', type: 'fail', f: 'cas', key: null, time: 3 },
  ]
  t.strictSame(parseHistory(writeHistory(events)), { events, lines: [1, 2, 3, 4] })
  t.end()
})

t.test('events are ordered by their times, and by their lines where those are equal', (t) => {
  const text = [
    '{"process":1,"type":"invoke","f":"read","time":5}',
    '',
    '{"process":2,"type":"invoke","f":"read","time":3}',
    '  {"process":3,"type":"invoke","f":"read","time":5,"node":"n1","index":7}\r',
    '{"process":4,"type":"invoke","f":"read","time":-1}',
  ].join('\n')
  const { events, lines } = parseHistory(text)
  t.strictSame(
    events.map(({ process }) => process),
    [4, 2, 1, 3],
  )
  t.strictSame(lines, [5, 3, 1, 4])
  t.notOk(
    events.some((event) => 'node' in event),
    'what nobody asked for is left out',
  )
  t.end()
})

t.test('a completion says what it leaves out as its invocation does', (t) => {
  const { events } = parseHistory(
    lines({ process: 1, type: 'invoke', f: 'write', key: 7, value: 1, time: 0 }, { process: 1, type: 'ok', time: 1 }),
  )
  t.strictSame(events[1], { process: 1, type: 'ok', f: 'write', key: '7', time: 1 })
  t.end()
})

t.test('a malformed file is refused, with the line and the field', (t) => {
  const invoke = { process: 1, type: 'invoke', f: 'write', key: 'x', value: 1, time: 0 }
  const ok = { ...invoke, type: 'ok', time: 1 }
  const wrong: readonly (readonly [string, string, string])[] = [
    ['no JSON', `${lines(invoke)}{"process"`, 'line 2: not JSON'],
    ['no object', '\n\n[]\n', 'line 3: '],
    ['no process', lines({ ...invoke, process: null }), 'line 1: process: '],
    ['an unknown type', lines({ ...invoke, type: 'begin' }), 'line 1: type: '],
    ['an unknown f', lines(invoke, { ...ok, f: 'push' }), 'line 2: f: '],
    ['no f', lines({ ...invoke, f: undefined }), 'line 1: f: must be one of read, write'],
    ['a key that is none', lines({ ...invoke, key: ['x'] }), 'line 1: key: '],
    ['no time', lines({ ...invoke, time: '1' }), 'line 1: time: '],
    ['an error that is no text', lines(invoke, { ...ok, error: 3 }), 'line 2: error: '],
    ['an end without a begin', lines(ok), 'line 1: process 1 has no operation that could have ended'],
    ['an end without a begin and without f', lines({ ...ok, f: undefined }), 'line 1: process 1 has no operation'],
    ['two ends', lines(invoke, ok, { ...ok, time: 2 }), 'line 3: process 1 has no operation'],
    [
      'two begins',
      lines(invoke, { ...invoke, process: 2 }, { ...invoke, f: 'read', time: 1 }),
      'line 3: process 1 begins a read, and has not ended the write of line 1',
    ],
    ['another f', lines(invoke, { ...ok, f: 'read' }), 'line 2: f: process 1 began a write, not a read'],
    [
      'another key',
      lines(invoke, { ...ok, key: 'y' }),
      'line 2: key: process 1 began the write with "x", not with "y"',
    ],
    ['nothing to write', lines({ ...invoke, value: undefined }), 'line 1: value: '],
    ['a cas of one value', lines({ ...invoke, f: 'cas' }), 'line 1: value: of a cas must be [old,new]'],
    [
      'a read that found what?',
      lines({ ...invoke, f: 'read' }, { process: 1, type: 'ok', time: 1 }),
      'line 2: value: ',
    ],
    [
      'lines in another order than times',
      lines({ ...ok, time: 1 }, { ...invoke, time: 2 }),
      'line 1: process 1 has no',
    ],
  ]
  for (const [what, text, expected] of wrong) t.match(complaint(text), expected, what)
  t.equal(complaint(lines(invoke, ok)), 'nothing')
  t.equal(complaint(lines(ok, { ...invoke, time: 0 })), 'nothing', 'the times count, not the lines')
  t.equal(
    complaint(lines(invoke, { ...ok, type: 'info' }, { ...invoke, time: 2 })),
    'nothing',
    'after an info it goes on',
  )
  t.end()
})

t.test('operations are what can tell something of the state', (t) => {
  const told = (f: string, value: unknown, end: object | null): string => {
    const events = [
      { process: 1, type: 'invoke', f, value, time: 0 },
      ...(end === null ? [] : [{ process: 1, f, time: 1, ...end }]),
    ]
    const { operations, invoked } = operationsOf(events as HistoryEvent[])
    t.equal(invoked, 1)
    return operations.map(({ outcome, end }) => `${outcome} ${end}`).join()
  }
  t.equal(told('write', 1, { type: 'ok' }), 'ok 1')
  t.equal(told('write', 1, { type: 'info' }), 'info Infinity')
  t.equal(told('write', 1, null), 'info Infinity', 'one that never ended may have happened')
  t.equal(told('write', 1, { type: 'fail', error: 'BUSY' }), '', 'it had no effect')
  t.equal(told('cas', [1, 2], { type: 'fail' }), 'fail 1', 'there was another value')
  t.equal(told('cas', [1, 2], { type: 'fail', error: 'BUSY' }), '')
  t.equal(told('read', undefined, { type: 'info' }), '')
  t.equal(told('list', undefined, null), '')
  t.equal(told('submit', 1, { type: 'fail', value: { refused: 'NO' } }), 'fail 1', 'a refusal is a result')
  t.equal(told('submit', 1, { type: 'fail', error: 'BUSY' }), '')
  t.end()
})
