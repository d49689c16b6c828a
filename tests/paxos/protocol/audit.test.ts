import t from 'tap'
import { BLOCK, Chain } from '@synod/paxos/internal/protocol/audit'
import type { Command } from '@synod/paxos/internal/protocol/command'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { bytes, commands } from '../../support/transcript.js'

/** The chain of these commands, in slots from 1 on. */
function chainOf(list: readonly Command[]): Chain {
  const chain = new Chain()
  list.forEach((command, index) => {
    chain.add(index + 1, command)
  })
  return chain
}

/** So many commands, the same for the same seed. */
function drawn(count: number, seed = 1): Command[] {
  const prng = new Prng(seed)
  return Array.from({ length: count }, () => {
    const op = bytes('x'.repeat(prng.below(9)) + String(prng.below(1000)))
    return { kind: 'op', clientId: `${prng.below(99)}.n`, localId: prng.below(2 ** 33), acked: prng.below(99), op }
  })
}

t.test('the same commands have the same hash wherever they run: these values never change', (t) => {
  const list = commands('open n, 1.n/1 x, 1.n/2^1 emit-long-operation, mark m, end 1.n, noop')
  t.strictSame(chainOf([]).end, { slot: 0, hash: '9e3779b185ebca77' })
  const hashes = list.map((_, index) => chainOf(list.slice(0, index + 1)).end.hash)
  t.strictSame(hashes, [
    'eef79a06ebcf6435',
    '89ce77ab16ddd65d',
    '73c80f2c6b59fa0f',
    '5f25ab320473c3a3',
    '7d0707c72ca62713',
    '27e3cbe620ff6963',
  ])
  t.end()
})

t.test('a difference in any part of any command shows, and in what order they came', (t) => {
  const op = { kind: 'op', clientId: '1.n', localId: 7, acked: 3, op: bytes('abcdefgh') } as const
  const others: Command[] = [
    op,
    { ...op, clientId: '1.m' },
    { ...op, clientId: '1.n.' },
    { ...op, localId: 8 },
    { ...op, localId: 7 + 2 ** 32 },
    { ...op, acked: 4 },
    { ...op, localId: 3, acked: 7 },
    { ...op, op: bytes('abcdefgi') },
    { ...op, op: bytes('abcdefg') },
    { ...op, op: new Uint8Array([...bytes('abcdefgh'), 0]) },
    { ...op, op: bytes('') },
    ...commands('open 1.n, mark 1.n, end 1.n, noop, open 1.m'),
  ]
  const before = drawn(20)
  const after = drawn(300, 2)
  const hashes = others.map((command) => chainOf([...before, command, ...after]).end.hash)
  t.equal(new Set(hashes).size, others.length)
  t.not(chainOf(commands('open a, open b')).end.hash, chainOf(commands('open b, open a')).end.hash)
  t.end()
})

t.test('any flipped bit shows, and half of the hash changes by it', (t) => {
  const list = drawn(1)
  const [first] = list
  if (first?.kind !== 'op') throw new Error('not an operation')
  const op = bytes('The quick brown fox jumps over the lazy dog.')
  let changed = 0
  for (let bit = 0; bit < op.length * 8; bit++) {
    const flipped = op.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const hash = BigInt(`0x${chainOf([{ ...first, op: flipped }, ...drawn(3)]).end.hash}`)
    const same = BigInt(`0x${chainOf([{ ...first, op }, ...drawn(3)]).end.hash}`)
    if (hash === same) t.fail(`bit ${bit} does not show`)
    changed += (hash ^ same).toString(2).replaceAll('0', '').length
  }
  const average = changed / (op.length * 8)
  t.ok(average > 28 && average < 36, `${average} bits of 64 change`)
  t.end()
})

t.test('it knows its own end, and the ends of blocks behind it', (t) => {
  const list = drawn(3 * BLOCK + 5)
  const chain = chainOf(list)
  t.equal(chain.end.slot, 3 * BLOCK + 5)
  t.equal(chain.block.slot, 3 * BLOCK)
  for (const slot of [BLOCK, 2 * BLOCK, 3 * BLOCK, 3 * BLOCK + 5])
    t.equal(chain.at(slot), chainOf(list.slice(0, slot)).end.hash, `slot ${slot}`)
  for (const slot of [0, 1, BLOCK - 1, BLOCK + 1, 3 * BLOCK + 4, 3 * BLOCK + 6, 4 * BLOCK])
    t.equal(chain.at(slot), null, `slot ${slot}`)
  t.strictSame(
    chain.marks.map(({ slot }) => slot),
    [BLOCK, 2 * BLOCK, 3 * BLOCK, 3 * BLOCK + 5],
  )
  t.strictSame(
    chainOf(list.slice(0, BLOCK)).marks.map(({ slot }) => slot),
    [BLOCK],
    'an end of a block is told once',
  )
  t.strictSame(new Chain().block, { slot: 0, hash: '0'.repeat(16) })
  t.end()
})

t.test('it goes on behind a snapshot with the same hashes, wherever that was taken', (t) => {
  const list = drawn(3 * BLOCK + 9)
  const whole = chainOf(list)
  for (const slot of [0, 1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 8]) {
    const first = chainOf(list.slice(0, slot))
    const chain = chainOf(drawn(3, 9)) // what was there before is of no account
    chain.restore(first.end, first.block)
    t.strictSame(chain.end, first.end)
    t.strictSame(chain.block, first.block)
    list.slice(slot).forEach((command, index) => {
      chain.add(slot + index + 1, command)
    })
    t.strictSame(chain.end, whole.end, `after slot ${slot}`)
    t.strictSame(chain.block, whole.block)
    for (let block = BLOCK; block <= 3 * BLOCK; block += BLOCK)
      t.equal(chain.at(block), block >= first.block.slot ? whole.at(block) : null)
  }
  t.end()
})

t.test('the ends of blocks that it remembers are bounded', (t) => {
  const chain = new Chain()
  const noop: Command = { kind: 'noop' }
  const blocks = 5_000
  for (let slot = 1; slot <= blocks * BLOCK; slot++) chain.add(slot, noop)
  const { marks } = chain
  t.ok(marks.length >= 1_024 && marks.length <= 2_048, `${marks.length} are kept`)
  t.equal(chain.at(BLOCK), null)
  for (const { slot, hash } of marks) if (chain.at(slot) !== hash) t.fail(`slot ${slot} is not found`)
  t.equal(marks[0]?.slot, (blocks - marks.length + 1) * BLOCK, 'the oldest went first')
  t.end()
})
