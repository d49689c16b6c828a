import { Digests } from '@synod/paxos/internal/server/digests'
import t from 'tap'
import { fixed, laborious, NumbersHolder, passing, running, WorkClock } from './snapshots-support.js'

const CHAIN = '00000000000000aa'

class Rig {
  readonly clock = new WorkClock()
  readonly holder = new NumbersHolder()
  readonly warnings: string[] = []
  readonly digests = new Digests(this.holder, this.clock, (text) => this.warnings.push(text))

  constructor(entries: number[] = [1, 2, 3]) {
    this.holder.entries = entries
    this.digests.begin()
  }

  mark(slot: number): void {
    this.holder.onMark?.(slot, CHAIN)
  }

  digest(slot: number) {
    return running(this.clock.manual, this.digests.digest(slot))
  }
}

t.test('a mark has a digest of the state as it was there', async (t) => {
  const rig = new Rig()
  rig.mark(5)
  rig.holder.entries.push(4)
  rig.mark(6)
  const [five, six] = [await rig.digest(5), await rig.digest(6)]
  t.match(five, { chain: CHAIN, entries: 3, state: /^[0-9a-f]{16}$/ })
  t.match(six, { chain: CHAIN, entries: 4 })
  t.not(five?.state, six?.state)
  t.equal(await rig.digest(7), null, 'and what is no mark has none')
})

t.test('states that are the same have the same digest, in pieces or not, in whatever order', async (t) => {
  const digestOf = async (entries: number[], pieces: boolean): Promise<unknown> => {
    const rig = new Rig(entries)
    if (pieces) rig.holder.view = fixed
    rig.mark(1)
    return rig.digest(1)
  }
  const digest = await digestOf([1, 2, 3], false)
  t.strictSame(await digestOf([1, 2, 3], true), digest)
  t.strictSame(await digestOf([3, 1, 2], true), digest)
  const others = [[], [1, 2], [1, 2, 4], [1, 2, 3, 3], [2, 2, 2]].map((entries) => digestOf(entries, true))
  for (const other of await Promise.all(others)) t.notSame(other, digest)
})

t.test('no turn is held for long by a state in pieces', async (t) => {
  const rig = new Rig(Array.from({ length: 100_000 }, (_, at) => at))
  rig.holder.view = (all) => laborious(rig.clock, all)
  rig.mark(1)
  rig.holder.entries = []
  t.match(await rig.digest(1), { entries: 100_000 })
  t.ok(rig.clock.turns > 10)
  t.ok(rig.clock.longestTurn < 5, `${rig.clock.longestTurn} ms`)
})

t.test('the last sixteen are kept', async (t) => {
  const rig = new Rig()
  for (let slot = 1; slot <= 20; slot++) rig.mark(slot)
  t.equal(await rig.digest(4), null)
  t.match(await rig.digest(5), { entries: 3 })
  t.match(await rig.digest(20), { entries: 3 })
})

t.test('marks that come too fast have none, rather than many views of the state', async (t) => {
  const rig = new Rig()
  rig.holder.view = fixed
  for (let slot = 1; slot <= 6; slot++) rig.mark(slot)
  t.match(await rig.digest(4), { entries: 3 })
  t.equal(await rig.digest(5), null)
  rig.mark(7)
  t.match(await rig.digest(7), { entries: 3 }, 'and later ones have one again')
})

t.test('a state that fails costs the digest, not the server', async (t) => {
  const rig = new Rig()
  rig.holder.view = () => ({ entries: [Symbol('no')], pieces: true })
  rig.mark(1)
  t.equal(await rig.digest(1), null)
  rig.holder.view = () => {
    throw new Error('a bug')
  }
  rig.mark(2)
  t.equal(await rig.digest(2), null)
  t.match(rig.warnings, [/^there is no digest of the state: /, /a bug/])
  rig.holder.view = fixed
  rig.mark(3)
  t.match(await rig.digest(3), { entries: 3 })
})

t.test('before it begins, and when it has stopped, marks mean nothing', async (t) => {
  const holder = new NumbersHolder()
  const clock = new WorkClock()
  const digests = new Digests(holder, clock, () => undefined)
  t.equal(holder.onMark, null)
  digests.begin()
  holder.entries = Array.from({ length: 100_000 }, (_, at) => at)
  holder.view = (all) => laborious(clock, all)
  holder.onMark?.(1, CHAIN)
  await passing(clock.manual, 5)
  digests.stop()
  t.equal(await running(clock.manual, digests.digest(1)), null)
  t.equal(holder.onMark, null)
})
