/** What makes faults happen while a simulation runs. */
import type { ServerId } from '@synod/paxos/internal/protocol/ballot'
import type { Message } from '@synod/paxos/internal/protocol/message'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Cluster } from './cluster.js'
import type { FaultMix } from './faults.js'
import type { VirtualTime } from './time.js'

/** A server that crashed is back within so long (ms): before the others notice, or long after they chose another leader. */
const ABSENCES = [20, 200, 1500]

/** Crashes and partitions, at random moments, until it ends: then all servers are up and all links whole. */
export class Chaos {
  crashes = 0
  readonly #cluster: Cluster
  readonly #time: VirtualTime
  readonly #prng: Prng
  readonly #mix: FaultMix
  readonly #trace: (line: string) => void
  #over = false

  constructor(cluster: Cluster, time: VirtualTime, prng: Prng, mix: FaultMix, trace: (line: string) => void) {
    this.#cluster = cluster
    this.#time = time
    this.#prng = prng
    this.#mix = mix
    this.#trace = trace
  }

  start(): void {
    this.#repeat(this.#mix.crashes, () => {
      this.#crash(this.#victims())
    })
    this.#repeat(this.#mix.partitions, () => {
      this.#partition()
    })
  }

  /** A server sends a message: some crash soon after one that they should not forget. */
  sent(from: ServerId, message: Message): void {
    if (this.#over || (message.type !== 'p1a' && message.type !== 'p2a') || !this.#prng.chance(this.#mix.ambush)) return
    this.#time.after(this.#prng.float() * (this.#mix.diskDelay + this.#mix.delay) * 4, () => {
      if (!this.#over) this.#crash([from])
    })
  }

  end(): void {
    this.#over = true
    this.#trace('heal')
    this.#cluster.links.calm()
    this.#cluster.addresses.forEach((_, id) => {
      this.#cluster.start(id)
    })
  }

  #repeat(mean: number, call: () => void): void {
    if (mean === 0) return
    this.#time.after(mean * 2 * this.#prng.float(), () => {
      if (this.#over) return
      call()
      this.#repeat(mean, call)
    })
  }

  /** One server, or now and then all at once. */
  #victims(): readonly ServerId[] {
    const { addresses } = this.#cluster
    return this.#prng.chance(0.1) ? addresses.map((_, id) => id) : [this.#prng.below(addresses.length)]
  }

  #crash(victims: readonly ServerId[]): void {
    const powerLoss = this.#prng.chance(this.#mix.powerLoss)
    for (const id of victims) {
      if (!this.#cluster.isUp(id)) continue
      this.crashes++
      this.#cluster.crash(id, powerLoss)
      const later = !powerLoss && this.#prng.chance(0.1) // the power goes after the process did
      if (later) this.#cluster.losePower(id)
      this.#time.after(this.#prng.float() * this.#prng.pick(ABSENCES), () => {
        this.#cluster.start(id)
      })
    }
  }

  #partition(): void {
    this.#cluster.links.partition(this.#cluster.addresses)
    this.#trace('partition')
    this.#time.after(this.#prng.float() * 2000, () => {
      this.#trace('partition heals')
      this.#cluster.links.heal()
    })
  }
}
