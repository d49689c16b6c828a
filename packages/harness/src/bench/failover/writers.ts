/** Clients that set keys without a pause, and how long they had to do without an acknowledgement. */
import { kvstore } from '@synod/kvstore'
import type { KvEvent, KvOp, KvResult } from '@synod/kvstore'
import { connect } from '@synod/paxos'
import type { Client } from '@synod/paxos'
import { until } from '../../process.js'

/** How long one set may take (ms). */
const PATIENCE = 30_000

/** The longest time (ms) between two acknowledgements. */
export interface Gaps {
  /** Whichever client they came to. */
  readonly any: number
  /** When that began, after the gaps began to count (ms). */
  readonly at: number
  /** Both to the same client: of the one that had the longest. */
  readonly worst: number
  /** Sets that failed. */
  readonly failed: number
}

/** The longest time between two beats. */
class Pulse {
  beats = 0
  /** When the longest began. */
  began = 0
  #last = performance.now()
  #longest = 0

  beat(now: number): void {
    this.beats++
    if (now - this.#last > this.#longest) this.began = this.#last
    this.#longest = Math.max(this.#longest, now - this.#last)
    this.#last = now
  }

  /** What counts from now on is time that passes from now on. */
  reset(now: number): void {
    this.#last = now
    this.#longest = 0
  }

  longest(now: number): number {
    return Math.max(this.#longest, now - this.#last)
  }
}

export interface WritersOptions {
  readonly addresses: readonly string[]
  readonly clients: number
  /** Sets under way at once, of all clients together. */
  readonly outstanding: number
  /** Bytes. */
  readonly valueSize: number
  /** Whether clients go to addresses that servers tell, too. */
  readonly discover: boolean
}

export class Writers {
  readonly #all = new Pulse()
  readonly #each: { readonly client: Client<KvOp, KvResult, KvEvent>; readonly pulse: Pulse }[]
  readonly #lanes: Promise<unknown>
  #failed = 0
  #from = 0
  #stopped = false

  constructor({ addresses, clients, outstanding, valueSize, discover }: WritersOptions) {
    this.#each = Array.from({ length: clients }, () => {
      return { client: connect(kvstore, { servers: addresses, discover, timeout: PATIENCE }), pulse: new Pulse() }
    })
    const value = 'x'.repeat(valueSize)
    this.#lanes = Promise.all(Array.from({ length: outstanding }, (_, index) => this.#lane(index, value)))
  }

  get acknowledged(): number {
    return this.#all.beats
  }

  /** Gaps count from now on. */
  reset(): void {
    const now = performance.now()
    this.#failed = 0
    this.#from = now
    this.#all.reset(now)
    for (const { pulse } of this.#each) pulse.reset(now)
  }

  /** Since the last {@link reset}. */
  gaps(): Gaps {
    const now = performance.now()
    const worst = Math.max(...this.#each.map(({ pulse }) => pulse.longest(now)))
    return { any: this.#all.longest(now), at: Math.max(0, this.#all.began - this.#from), worst, failed: this.#failed }
  }

  /** Waits until each client got so many acknowledgements more. */
  async flow(count: number): Promise<void> {
    const before = this.#each.map(({ pulse }) => pulse.beats)
    await until('writes are acknowledged again', () =>
      this.#each.every(({ pulse }, index) => pulse.beats >= (before[index] ?? 0) + count),
    )
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#each.map(({ client }) => client.close()))
    await this.#lanes
  }

  async #lane(index: number, value: string): Promise<void> {
    const one = this.#each[index % this.#each.length]
    if (one === undefined) throw new RangeError('writers need at least one client')
    for (let round = 0; !this.#stopped; round++) {
      try {
        await one.client.submit({ type: 'set', key: `key-${index}-${round % 100}`, value })
      } catch {
        this.#failed++
        continue
      }
      const now = performance.now()
      one.pulse.beat(now)
      this.#all.beat(now)
    }
  }
}
