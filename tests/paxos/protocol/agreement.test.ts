/** Whatever is lost, delayed, repeated, wiped and repaired: all servers have one history, and in the end they go on. */
import t from 'tap'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { isRepairing } from '../../support/saved.js'
import { Network } from '../../support/network.js'

/** So many things happen in one run. */
const STEPS = 1_500

class Chaos {
  readonly network: Network
  readonly #prng: Prng
  readonly #count: number
  /** Messages on their way, in the order in which they were sent. */
  #pool: (() => void)[] = []
  /** Those that take long: their senders may be other ones when they arrive. */
  readonly #late: (() => void)[] = []
  /** The chain's hash after each slot, as the first server had it. */
  readonly #chain = new Map<number, string>()
  readonly #down = new Set<number>()
  readonly #wiped = new Set<number>()
  #operations = 0
  readonly seen = { wiped: 0, lost: 0 }

  constructor(count: number, seed: number) {
    this.#prng = new Prng(seed)
    this.#count = count
    const tail = 1 + this.#prng.below(6)
    const limits = { runCommands: 1 + this.#prng.below(3), tailCommands: tail, window: 4 + this.#prng.below(20) }
    this.network = new Network(count, { seed, limits })
    this.network.elect(this.#prng.below(count))
    this.network.submit(0, 'open n')
    this.network.settle()
  }

  /** Throws where two servers differ. */
  run(): void {
    for (let step = 0; step < STEPS; step++) {
      this.#act()
      this.#pool.push(...this.network.delayEach())
      while (this.#pool.length > 200) this.#pool.splice(this.#prng.below(this.#pool.length), 1)
      this.check()
    }
  }

  /** All is well again: the servers come back, and what was not told is told. */
  heal(): void {
    const { network } = this
    for (const id of this.#down) this.#start(id)
    network.run(15_000, 50)
    for (const id of network.ids) network.submit(id, `1.n/${++this.#operations} last`)
    network.run(10_000, 50)
    this.check()
  }

  check(): void {
    const { network } = this
    for (const id of network.ids) {
      if (this.#down.has(id)) continue
      const end = network.core(id).chain.at(-1)
      if (end === undefined) continue
      const known = this.#chain.get(end.slot)
      if (known === undefined) this.#chain.set(end.slot, end.hash)
      else if (known !== end.hash) throw new Error(`server ${id} has another history at slot ${end.slot}`)
    }
  }

  #act(): void {
    const [prng, { network }] = [this.#prng, this]
    const dice = prng.below(1000)
    const id = prng.below(this.#count)
    if (dice < 550) this.#deliver()
    else if (dice < 700) network.syncOne(id)
    else if (dice < 850) network.tick(prng.below(120), id)
    else if (dice < 930) network.submit(id, `1.n/${++this.#operations}^${Math.max(0, this.#operations - 40)} x`)
    else if (dice < 950) network.serve()
    else if (dice < 965) network.snapshot(id)
    else if (dice < 975) this.#toggle(id)
    else if (dice < 981) this.#wipe(id)
    else if (dice < 985) this.#pool = []
    else if (this.#down.size > 0) this.#start(prng.pick([...this.#down]))
  }

  #deliver(): void {
    const [prng, pool] = [this.#prng, this.#pool]
    if (this.#late.length > 0 && prng.chance(0.02)) this.#late.splice(prng.below(this.#late.length), 1)[0]?.()
    if (pool.length === 0) return
    const index = prng.chance(0.7) ? 0 : prng.below(pool.length)
    const [arrive] = prng.chance(0.05) ? [pool[index]] : pool.splice(index, 1)
    if (prng.chance(0.04) && arrive !== undefined) this.#late.push(arrive)
    else if (!prng.chance(0.03)) arrive?.()
  }

  #toggle(id: number): void {
    if (this.#down.has(id)) return this.#start(id)
    this.network.crash(id)
    this.#down.add(id)
  }

  /** A server loses its disk, if it is one of so few that the others can bear it. */
  #wipe(id: number): void {
    if (!this.#mayFail(id)) return
    this.network.wipe(id)
    this.#down.add(id)
    this.#wiped.add(id)
    this.seen.wiped++
  }

  /** Whether the others can bear that this one loses its votes, or its state: a majority of all has both. */
  #mayFail(id: number): boolean {
    const { network } = this
    const frail = network.ids.filter(
      (each) => this.#wiped.has(each) || isRepairing(network.durable(each)) || network.core(each).lacksState,
    )
    return frail.includes(id) || frail.length < Math.ceil(this.#count / 2) - 1
  }

  #start(id: number): void {
    const [prng, { network }] = [this.#prng, this]
    this.#down.delete(id)
    if (this.#wiped.delete(id)) return network.repair(id)
    if (network.snapshotOf(id) !== null && prng.chance(0.2) && this.#mayFail(id)) {
      network.loseSnapshot(id)
      this.seen.lost++
    }
    network.start(id)
  }
}

for (const [count, seeds] of [
  [3, 30],
  [5, 30],
  [7, 10],
] as const) {
  t.test(`${count} servers`, (t) => {
    for (let seed = 1; seed <= seeds; seed++) {
      const chaos = new Chaos(count, seed)
      try {
        chaos.run()
        chaos.heal()
      } catch (error) {
        t.fail(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`)
        continue
      }
      const { network } = chaos
      const applied = network.ids.map((id) => network.status(id).applied)
      t.equal(
        new Set(applied).size,
        1,
        `seed ${seed}: all are at slot ${applied.join()}, ${JSON.stringify(chaos.seen)}`,
      )
      for (const id of network.ids) t.strictSame(network.executed(id), network.executed(0), `seed ${seed}`)
      t.ok(network.executed(0).filter((each) => each.startsWith('last')).length >= count)
    }
    t.end()
  })
}
