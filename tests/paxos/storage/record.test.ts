/** Records as bytes. */
import { Packr } from 'msgpackr'
import t from 'tap'
import { decodeRecord, encodeRecord, kindOf } from '@synod/paxos/internal/storage/record'
import { baseAt, numbered } from './fixtures.js'

t.test('a decoded operation keeps nothing else in memory', (t) => {
  const file = Buffer.alloc(1 << 20)
  const bytes = encodeRecord(numbered(3, 100))
  file.set(bytes, 5000)
  const record = decodeRecord(file.subarray(5000, 5000 + bytes.length))
  const command = record.type === 'accept' ? record.run.commands[0] : undefined
  const op = command?.kind === 'op' ? command.op : undefined
  t.equal(op?.length, 100)
  t.ok((op?.buffer.byteLength ?? Infinity) <= Buffer.poolSize, 'a small record shares a pool with its neighbours')
  const large = decodeRecord(encodeRecord(numbered(4, 5000)))
  const kept = large.type === 'accept' && large.run.commands[0]?.kind === 'op' ? large.run.commands[0].op : undefined
  t.ok((kept?.buffer.byteLength ?? Infinity) < 5100, 'a large one has its own memory')
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

t.test('a record of the first releases is read: peers without lives', (t) => {
  const bytes = new Packr({ useRecords: false }).pack([2, [4, 0, 6]])
  t.strictSame(decodeRecord(bytes), { type: 'peers', batches: [4, 0, 6], lives: [] })
  t.end()
})

t.test('the kind of a record is told from its bytes', (t) => {
  t.equal(kindOf(encodeRecord(numbered(1))), 'accept')
  t.equal(kindOf(encodeRecord({ ...baseAt(7), firstFile: 2 })), 'base')
  t.equal(kindOf(encodeRecord({ type: 'repaired', life: 1 })), 'repaired')
  t.equal(kindOf(Buffer.of(0x91, 77)), null)
  t.equal(kindOf(Buffer.alloc(0)), null)
  t.end()
})

t.test('numbers and texts of every size come back', (t) => {
  const numbers = [0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER]
  for (const number of numbers) {
    const record = { type: 'repaired' as const, life: number }
    t.strictSame(decodeRecord(encodeRecord(record)), record)
  }
  const texts = ['', 'a', 'é', 'a'.repeat(31), 'a'.repeat(32), 'é'.repeat(31), 'a'.repeat(300), '☃'.repeat(70_000)]
  // Each twice, so that one follows itself, and another one of the same length follows.
  const commands = texts
    .flatMap((text) => [text, text, text.replace(/.$/, 'b')])
    .map((clientId) => {
      return { kind: 'end' as const, clientId }
    })
  const run = { ballot: { round: 1, server: 2, start: 2 ** 47 }, first: 9, commands }
  t.strictSame(decodeRecord(encodeRecord({ type: 'accept', run })), { type: 'accept', run })
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
    [2, [1], [0], 1],
    [1, 1],
    [7, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 5],
    [8, 1],
    [9, 1],
    [10],
    [10, -1],
    [11],
    [3, 1, 2],
    [3, 1, 2, 1.5],
    [3, 1, 2, 3, 4],
    [4, 1, 2, 3, 1, []],
    [4, 1, 2, 3, 1, [[9]]],
    [4, 1, 2, 3, 1, [[0, 'c', 1, 0, 'op']]],
    [4, 1, 2, 3, 1, [[0, 7, 1, 0, Buffer.alloc(1)]]],
    [4, 1, 2, 3, 1, [[2, Infinity, 1]]],
    [4, 1, 2, 3, 1, [[3, 1]]],
    [4, 1, 2, 3, 1, [[5]]],
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
