/** How a report becomes what its page draws. */
import type { HistoryEvent } from '@synod/harness/internal/history/history'
import { OUTCOMES } from '@synod/harness/internal/report/page/data'
import { pageData } from '@synod/harness/internal/report/page-data'
import type { Sample } from '@synod/harness/internal/report/report'
import t from 'tap'
import { sampleReport } from './sample.js'

const nothing = { ...sampleReport(), bands: [], samples: [], history: [], checks: [], elapsed: 100 }

/** The operations of a history, their texts in place. */
function operationsOf(history: readonly HistoryEvent[]) {
  const { operations, texts } = pageData({ ...nothing, history })
  const text = (place: number): string | null => texts[place] ?? null
  return operations.map(([process, f, key, value, outcome, result, error, from, to]) => ({
    said: [process, f, key, value].map(text),
    outcome: OUTCOMES[outcome],
    answer: [result, error].map(text),
    times: [from, to],
  }))
}

t.test('events are paired to operations, by their processes', (t) => {
  const history: HistoryEvent[] = [
    { process: 'a', type: 'invoke', f: 'write', key: 'k', value: '1', time: 1 },
    { process: 'b', type: 'invoke', f: 'read', key: 'k', time: 2 },
    { process: 'b', type: 'ok', f: 'read', key: 'k', value: null, time: 3.0004 },
    { process: 'a', type: 'info', f: 'write', key: 'k', error: 'TIMEOUT', time: 4 },
    { process: 'b', type: 'invoke', f: 'cas', key: 'k', value: [null, '2'], time: 5 },
    { process: 'b', type: 'fail', f: 'cas', key: 'k', time: 6 },
    { process: 'a', type: 'invoke', f: 'list', key: null, time: 7 },
  ]
  t.strictSame(operationsOf(history), [
    { said: ['a', 'write', 'k', '"1"'], outcome: 'info', answer: [null, 'TIMEOUT'], times: [1, 4] },
    { said: ['b', 'read', 'k', null], outcome: 'ok', answer: ['null', null], times: [2, 3] },
    { said: ['b', 'cas', 'k', '[null,"2"]'], outcome: 'fail', answer: [null, null], times: [5, 6] },
    { said: ['a', 'list', null, null], outcome: 'info', answer: [null, null], times: [7, null] },
  ])
  t.end()
})

t.test('an operation stays without an outcome when its process begins another', (t) => {
  const history: HistoryEvent[] = [
    { process: 1, type: 'invoke', f: 'write', value: 'x', time: 1 },
    { process: 1, type: 'invoke', f: 'write', value: 'y', time: 2 },
    { process: 1, type: 'ok', f: 'write', time: 3 },
  ]
  t.strictSame(
    operationsOf(history).map(({ outcome, times }) => [outcome, ...times]),
    [
      ['info', 1, null],
      ['ok', 2, 3],
    ],
  )
  t.end()
})

t.test('values that JSON has no words for are shown all the same', (t) => {
  const [operation] = operationsOf([{ process: 1, type: 'invoke', f: 'submit', value: { by: 12n }, time: 1 }])
  t.equal(operation?.said[3], '{"by":"12n"}')
  t.end()
})

t.test('clients come in the order in which people count', (t) => {
  const history = ['10', 'w2', '2', '0.1', 'final state', '0', '0.10', '0.2'].map((process): HistoryEvent => {
    return { process, type: 'invoke', f: 'read', time: 1 }
  })
  const { processes, texts } = pageData({ ...nothing, history })
  t.strictSame(
    processes.map((place) => texts[place]),
    ['0', '0.1', '0.2', '0.10', '2', '10', 'final state', 'w2'],
  )
  t.end()
})

t.test('a server stands as it was seen until it is seen to stand otherwise, the last time to the end', (t) => {
  const seen = (time: number, server: number, role: string, ballot: string, applied: number): Sample => {
    return { time, server, role, ballot, leader: role === 'leader' ? server : null, applied }
  }
  const samples = [
    seen(0, 0, 'follower', '0.0', 0),
    seen(0, 1, 'follower', '0.0', 0),
    seen(10, 0, 'leader', '1.0', 1),
    seen(50, 0, 'leader', '1.0', 90),
    seen(60, 0, 'leader', '2.0', 95),
  ]
  t.strictSame(pageData({ ...nothing, samples }).spans, [
    { server: 0, role: 'follower', ballot: '0.0', leader: null, applied: 0, from: 0, to: 10 },
    { server: 1, role: 'follower', ballot: '0.0', leader: null, applied: 0, from: 0, to: 100 },
    { server: 0, role: 'leader', ballot: '1.0', leader: 0, applied: 1, from: 10, to: 60 },
    { server: 0, role: 'leader', ballot: '2.0', leader: 0, applied: 95, from: 60, to: 100 },
  ])
  t.end()
})

t.test('only checks that failed mark a part of the run', (t) => {
  const window = { from: 1, to: 2 }
  const checks = [
    { name: 'a', ok: true, detail: '', window },
    { name: 'b', ok: null, detail: '', window },
    { name: 'c', ok: false, detail: '' },
    { name: 'd', ok: false, detail: 'why', window },
  ]
  t.strictSame(pageData({ ...nothing, checks }).offences, [{ check: 'd', detail: 'why', from: 1, to: 2 }])
  t.end()
})

t.test('the time axis ends with the last thing that happened', (t) => {
  t.equal(pageData(nothing).end, 100)
  t.equal(pageData({ ...nothing, history: [{ process: 1, type: 'invoke', f: 'read', time: 250 }] }).end, 250)
  t.end()
})
