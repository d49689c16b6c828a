/** Records as bytes. */
import { Packr } from 'msgpackr'
import t from 'tap'
import { decodeRecord, encodeRecord } from '@synod/paxos/internal/storage/record'
import { numbered } from './fixtures.js'

t.test('a decoded operation keeps nothing else in memory', (t) => {
  const file = Buffer.alloc(1 << 20)
  const bytes = encodeRecord(numbered(3, 100))
  file.set(bytes, 5000)
  const record = decodeRecord(file.subarray(5000, 5000 + bytes.length))
  const command = record.type === 'accept' ? record.run.commands[0] : undefined
  const op = command?.kind === 'op' ? command.op : undefined
  t.equal(op?.length, 100)
  t.equal(op?.buffer.byteLength, 100)
  t.end()
})

t.test('commands cost few bytes beside their operations', (t) => {
  t.ok(encodeRecord(numbered(3, 100)).length < 130, String(encodeRecord(numbered(3, 100)).length))
  t.end()
})

t.test('what could not be read back is not written', (t) => {
  const ballot = { round: 1, server: 0, start: 0 }
  for (const number of [-1, 1.5, NaN, 2 ** 53, Infinity]) {
    t.throws(() => encodeRecord({ type: 'decide', ballot, decided: number }), RangeError)
    t.throws(() => encodeRecord({ type: 'promise', ballot: { ...ballot, round: number } }), RangeError)
  }
  t.throws(() => encodeRecord(numbered(-1)), RangeError)
  t.end()
})

t.test('what no record looks like is refused', (t) => {
  const packr = new Packr({ useRecords: false })
  const wrong: readonly unknown[] = [
    'text',
    {},
    [],
    [99],
    ['1'],
    [1, 2],
    [2, 5],
    [2, [1, -1]],
    [3, 1, 2],
    [3, 1, 2, 1.5],
    [3, 1, 2, 3, 4],
    [4, 1, 2, 3, 1, []],
    [4, 1, 2, 3, 1, [[9]]],
    [4, 1, 2, 3, 1, [[0, 'c', 1, 0, 'op']]],
    [4, 1, 2, 3, 1, [[0, 7, 1, 0, Buffer.alloc(1)]]],
    [4, 1, 2, 3, 1, [[2, Infinity, 1]]],
    [5, 1, 2, 3, Number.MAX_VALUE],
    [6, 1, 2, 3, 1, 7],
    [0, 2, 'salt'],
  ]
  for (const value of wrong) t.throws(() => decodeRecord(packr.pack(value)), RangeError, JSON.stringify(value))
  t.throws(() => decodeRecord(Buffer.from([0xc1])), RangeError)
  t.throws(() => decodeRecord(Buffer.alloc(0)), RangeError)
  t.throws(() => decodeRecord(encodeRecord(numbered(1)).subarray(0, 20)), RangeError)
  t.end()
})
