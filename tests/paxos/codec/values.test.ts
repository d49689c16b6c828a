/** Plain values as bytes: MessagePack, which another implementation reads and writes alike. */
import { isDeepStrictEqual } from 'node:util'
import { SynodError } from '@synod/paxos'
import { Packr, Unpackr } from 'msgpackr'
import t from 'tap'
import { packValue, unpackValue } from '@synod/paxos/internal/codec/values'

const theirs = new Packr({ useRecords: false, variableMapSize: true })
const reader = new Unpackr({ useRecords: false, mapsAsObjects: true })

/** What the tests' random choices come from: the same every time. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    yield state >>> 8
  }
}
const chance = numbers(7)
const below = (bound: number): number => (chance.next().value as number) % bound

const LEAVES: readonly unknown[] = [
  ...[undefined, null, true, false, 0, 1, 31, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32],
  ...[-1, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1, 1.5, NaN, Infinity, 2 ** 53],
  ...[10n, -5n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n)],
  ...[0, 1, 23, 24, 25, 31, 32, 255, 256].flatMap((length) => ['x'.repeat(length), 'é'.repeat(length >> 1)]),
  ...['😀\ufffd', '\ufffd'.repeat(40), new Date(0), new Date(1_700_000_000_000)],
  ...[0, 255, 256].map((length) => Buffer.alloc(length, 7)),
]
const LARGE: readonly unknown[] = [
  ...['x'.repeat(65_536), 'é'.repeat(32_768), Buffer.alloc(65_536), new Array<number>(65_536).fill(1)],
  Object.fromEntries(Array.from({ length: 65_536 }, (_, at) => [`key ${at}`, at])),
]
const KEYS = ['key', 'type', 'value', 'é', 'constructor', 'a longer key than those that are known', '']

/** A value of any kind. */
function any(depth = 0): unknown {
  const kind = below(depth > 2 ? 1 : 3)
  if (kind === 0) return LEAVES[below(LEAVES.length)]
  const items = Array.from({ length: below(depth > 1 ? 4 : 18) }, () => any(depth + 1))
  return kind === 1
    ? items
    : Object.fromEntries(items.map((item, at) => [`${KEYS[below(KEYS.length)]}${at % 3}`, item]))
}

t.test('another implementation of MessagePack writes the same bytes, and reads the same values', (t) => {
  for (const value of [...LEAVES, ...LARGE, ...Array.from({ length: 200 }, () => any())]) {
    const bytes = packValue(value)
    t.equal(Buffer.compare(bytes, theirs.pack(value)), 0)
    t.ok(isDeepStrictEqual(reader.unpack(bytes), value))
    t.ok(isDeepStrictEqual(unpackValue(bytes), value))
  }
  t.end()
})

t.test('points in time come back to the millisecond', (t) => {
  for (const ms of [5, -5, -1000, 2 ** 32 * 1000, 2 ** 34 * 1000 + 7, 8.64e15, -8.64e15])
    t.equal((unpackValue(packValue(new Date(ms))) as Date).getTime(), ms)
  // Of 64 bits: seconds in the lower 34, nanoseconds above. These are not written, but read.
  const timestamp = Buffer.from(
    'd7ff' + ((250_000_000n << 34n) | (2n ** 33n + 1n)).toString(16).padStart(16, '0'),
    'hex',
  )
  t.equal((unpackValue(timestamp) as Date).getTime(), (2 ** 33 + 1) * 1000 + 250)
  t.throws(() => unpackValue(Buffer.from('c70cff00000000' + '7f'.repeat(8), 'hex')), { code: 'BAD_FRAME' })
  t.end()
})

t.test('forms that are longer than need be are read', (t) => {
  t.strictSame(
    unpackValue(Buffer.from('df00000002' + 'd903616263' + 'ce00000001' + 'db0000000164' + 'dd00000000', 'hex')),
    {
      abc: 1,
      d: [],
    },
  )
  t.equal(unpackValue(Buffer.from('ca3f000000', 'hex')), 0.5)
  t.end()
})

t.test('maps and sets are written as objects and arrays', (t) => {
  t.strictSame(unpackValue(packValue(new Map([['a', new Set([1, 2])]]))), { a: [1, 2] })
  t.throws(() => packValue(new Map([[1, 2]])), { code: 'BAD_FRAME', message: /a key that is not a text/ })
  t.end()
})

t.test('what is no plain data is refused', (t) => {
  const odd = [
    Symbol('s'),
    () => 1,
    /a/,
    new Error('e'),
    new ArrayBuffer(1),
    new Float64Array(1),
    new Date(NaN),
    2n ** 64n,
  ]
  for (const value of odd)
    for (const place of [value, [value], { value }]) t.throws(() => packValue(place), { code: 'BAD_FRAME' })
  t.equal(unpackValue(packValue('as ever')), 'as ever', 'nothing is left of what was begun')
  t.end()
})

t.test('values are nested a hundred deep, and no deeper', (t) => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
  t.strictSame(unpackValue(packValue(nested(100))), nested(100))
  t.throws(() => packValue(nested(101)), { code: 'BAD_FRAME', message: /deeper than 100/ })
  t.throws(() => unpackValue(theirs.pack(nested(101))), { code: 'BAD_FRAME', message: /deeper than 100/ })
  t.end()
})

t.test(
  'bytes that are cut off, or changed, are refused or read as some value, and never as more than they are',
  (t) => {
    const refused = { cut: 0, changed: 0 }
    const read = (bytes: Buffer): { value: unknown } | null => {
      try {
        return { value: unpackValue(bytes) }
      } catch (error) {
        if (error instanceof SynodError && error.code === 'BAD_FRAME') return null
        throw error
      }
    }
    for (let round = 0; round < 3_000; round++) {
      const bytes = Buffer.from(packValue(any(1)))
      if (read(bytes.subarray(0, below(bytes.length))) === null) refused.cut++
      bytes[below(bytes.length)] = below(256)
      const found = read(bytes)
      if (found === null) refused.changed++
      else if (packValue(found.value).length > bytes.length) t.fail(bytes.toString('hex'))
    }
    t.equal(refused.cut, 3_000)
    t.ok(refused.changed > 300 && refused.changed < 2_700, String(refused.changed))
    t.end()
  },
)
