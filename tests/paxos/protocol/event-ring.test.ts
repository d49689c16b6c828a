import type { RingLimits } from '@synod/paxos/internal/protocol/event-ring'
import { EventRing } from '@synod/paxos/internal/protocol/event-ring'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { bytes, text } from '../../support/transcript.js'

const show = (ring: EventRing, from: number, most = Infinity): string[] =>
  ring.read(from, most).map(({ slot, events }) => `${slot}: ${events.map(text).join(' ')}`)

t.test('events are read by slot, a whole slot at a time', (t) => {
  const ring = new EventRing()
  for (const [slot, event] of [
    [3, 'a'],
    [3, 'b'],
    [7, 'c'],
    [8, 'd'],
  ] as const)
    ring.add(slot, bytes(event))
  t.strictSame(show(ring, 0), ['3: a b', '7: c', '8: d'])
  t.strictSame(show(ring, 3), ['3: a b', '7: c', '8: d'])
  t.strictSame(show(ring, 4), ['7: c', '8: d'])
  t.strictSame(show(ring, 9), [])
  t.strictSame(show(ring, 0, 1), ['3: a b'], 'at least one slot')
  t.strictSame(show(ring, 0, 3 * 33), ['3: a b', '7: c'])
  t.equal(ring.oldest, 1)
  t.equal(ring.emitted, 4)
  t.end()
})

t.test('past its bounds the oldest slots go, whole; the last slot stays, however large it is', (t) => {
  const ring = new EventRing({ events: 3, bytes: 1 << 20 })
  for (const slot of [1, 2, 2, 5]) ring.add(slot, bytes(`e${slot}`))
  t.equal(ring.oldest, 2)
  t.strictSame(show(ring, 1), ['2: e2 e2', '5: e5'])
  for (let i = 0; i < 10; i++) ring.add(9, bytes('x'))
  t.equal(ring.oldest, 6, 'every event behind slot 5 is there')
  t.strictSame(ring.read(0, Infinity).length, 1)
  const small = new EventRing({ events: 1000, bytes: 100 })
  small.add(1, bytes('y'.repeat(500)))
  small.add(2, bytes('z'))
  t.strictSame(show(small, 0), ['2: z'])
  t.end()
})

t.test('it has what the events since its oldest slot were, and a snapshot brings it back, at random', (t) => {
  for (let seed = 1; seed <= 40; seed++) {
    const prng = new Prng(seed)
    const limits: RingLimits = { events: 1 + prng.below(40), bytes: 50 + prng.below(4000) }
    let ring = new EventRing(limits)
    const all: { slot: number; event: string }[] = []
    for (let slot = 1; slot < 3000; slot += 1 + prng.below(4)) {
      for (let n = prng.below(4); n > 0; n--) {
        const event = 'e'.repeat(prng.below(30)) + String(slot)
        all.push({ slot, event })
        ring.add(slot, bytes(event))
      }
      if (!prng.chance(0.01)) continue
      const copy = new EventRing(limits)
      copy.restore(ring.snapshot())
      if (copy.oldest !== ring.oldest) t.fail(`seed ${seed}: a copy begins with ${copy.oldest}, not ${ring.oldest}`)
      ring = copy
    }
    const expected = all.filter(({ slot }) => slot >= ring.oldest).map(({ event }) => event)
    const found = ring.read(0, Infinity).flatMap(({ events }) => events.map(text))
    t.strictSame(found, expected, `seed ${seed}`)
    t.ok(found.length <= limits.events || ring.read(0, Infinity).length === 1)
  }
  t.end()
})

t.test('of an event larger than all others nothing stays when it is dropped', (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const held = (): number => {
    collect()
    collect() // the first one may leave the sweeping of memory to a thread
    return process.memoryUsage().arrayBuffers
  }
  const ring = new EventRing({ events: 1000, bytes: 64 << 20 })
  const before = held()
  ring.add(1, new Uint8Array(32 << 20))
  t.ok(held() > before + (30 << 20))
  for (let slot = 2; slot <= 5000; slot++) ring.add(slot, bytes('e'.repeat(500)))
  t.ok(held() < before + (4 << 20), `${(held() - before) >> 20} MiB more than before`)
  t.end()
})

t.test('many events cost no more than a few: the dropped ones are let go', (t) => {
  const ring = new EventRing({ events: 1000, bytes: 1 << 20 })
  for (let slot = 1; slot <= 200_000; slot++) ring.add(slot, bytes('e'))
  t.equal(ring.oldest, 199_001)
  t.equal(ring.read(199_990, Infinity).length, 11)
  t.end()
})

t.test('a snapshot of it is fixed when it is taken, though events come and go before and while it is read', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const prng = new Prng(seed)
    const limits: RingLimits = { events: 200, bytes: 1 << 20 }
    const [ring, twin] = [new EventRing(limits), new EventRing(limits)]
    let slot = 0
    const add = (most: number, ...rings: EventRing[]): void => {
      for (let n = prng.below(most); n > 0; n--) {
        slot += prng.below(2)
        const event = bytes(`${'e'.repeat(prng.below(3000))}@${slot + 1}`)
        for (const each of rings) each.add(slot + 1, event)
      }
    }
    add(400, ring)
    twin.restore(ring.snapshot())
    add(400, ring, twin)
    const snapshot = ring.snapshot()
    if (seed % 2 === 0) add(3000, ring)
    const read: string[] = []
    let told = 0
    for (const item of snapshot) {
      if (typeof item === 'number') told = item
      else read.push(`${item.slot}: ${item.events.map(text).join(' ')}`)
      add(20, ring)
    }
    t.equal(told, twin.oldest)
    t.strictSame(read, show(twin, 0), `seed ${seed}`)
  }
  t.end()
})

t.test('what was read from it stays as it was, whatever comes after it', (t) => {
  const ring = new EventRing({ events: 100, bytes: 1 << 20 })
  const read: [slot: number, events: readonly Uint8Array[]][] = []
  for (let slot = 1; slot <= 5000; slot++) {
    ring.add(slot, new Uint8Array(3000).fill(slot))
    if (slot % 250 === 0) for (const { slot: of, events } of ring.read(slot - 3, Infinity)) read.push([of, events])
  }
  t.equal(read.length, 80)
  t.ok(read.every(([slot, events]) => events.length === 1 && events[0]?.every((byte) => byte === slot % 256)))
  t.end()
})

t.test('restored over another one, it is the one that was saved, and whoever follows it looks again', (t) => {
  const ring = new EventRing({ events: 4, bytes: 1 << 20 })
  for (let slot = 1; slot <= 9; slot++) ring.add(slot, bytes('old'))
  const { emitted } = ring
  const saved = new EventRing({ events: 4, bytes: 1 << 20 })
  saved.restore([20])
  ring.restore(saved.snapshot())
  t.strictSame(show(ring, 0), [], 'it has no events')
  t.equal(ring.oldest, 20)
  t.ok(ring.emitted > emitted)
  for (const slot of [25, 26, 27, 28, 29]) ring.add(slot, bytes('new'))
  t.strictSame(show(ring, 0), ['26: new', '27: new', '28: new', '29: new'])
  t.equal(ring.oldest, 26)
  t.end()
})
