/** A closed loop: so many operations are always outstanding; each that ends begins the next. */
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'hdr-histogram-js'
import type { KvClient } from '@synod/kvstore'

export interface LoadOptions {
  /** They share the outstanding operations. */
  readonly clients: readonly KvClient[]
  readonly outstanding: number
  /** In bytes. */
  readonly valueSize: number
  readonly keys: number
}

/** Latencies in ms. */
export interface LoadResult {
  readonly operations: number
  readonly rate: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Sets keys, one after the other and round after round, from when it is made until it is stopped. */
export class Load {
  /** How many were acknowledged. */
  operations = 0
  readonly #options: LoadOptions
  readonly #histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  })
  readonly #began = performance.now()
  readonly #lanes: Promise<unknown>
  #begun = 0
  #stopped = false

  constructor(options: LoadOptions) {
    this.#options = options
    this.#lanes = Promise.all(Array.from({ length: options.outstanding }, (_, index) => this.#lane(index)))
    this.#lanes.catch(() => undefined) // stop() tells
  }

  /** Waits for what is outstanding. Throws what an operation threw. */
  async stop(): Promise<LoadResult> {
    this.#stopped = true
    await this.#lanes
    const elapsed = (performance.now() - this.#began) / 1000
    const at = (percentile: number): number => this.#histogram.getValueAtPercentile(percentile) / 1000
    const { operations } = this
    const max = this.#histogram.maxValue / 1000
    return { operations, rate: operations / elapsed, p50: at(50), p99: at(99), max }
  }

  async #lane(index: number): Promise<void> {
    const { clients, keys, valueSize } = this.#options
    const client = clients[index % clients.length]
    if (client === undefined) throw new RangeError('a load needs at least one client')
    const value = 'x'.repeat(valueSize)
    for (let at = performance.now(); !this.#stopped;) {
      await client.set(`key-${this.#begun++ % keys}`, value)
      this.operations++
      const done = performance.now()
      this.#histogram.recordValue(Math.max(1, Math.round((done - at) * 1000)))
      at = done
    }
  }
}

/** A {@link Load} of so many seconds. */
export async function load(options: LoadOptions & { readonly seconds: number }): Promise<LoadResult> {
  const running = new Load(options)
  await sleep(options.seconds * 1000)
  return running.stop()
}
