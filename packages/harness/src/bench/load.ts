/** A load on a store: virtual clients, each with one operation under way at a time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'hdr-histogram-js'
import type { Histogram } from 'hdr-histogram-js'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Distribution } from './keys.js'
import { drawer, keyOf } from './keys.js'
import { Pacer } from './pacer.js'

/** What is loaded, over one connection; a `KvClient` is one. */
export interface Store {
  get(key: string): Promise<unknown>
  set(key: string, value: string): Promise<unknown>
  /** Makes the value `value` if it is `expected`. */
  cas(key: string, expected: string, value: string): Promise<unknown>
}

/** How often each operation comes, in proportion to the others. */
export interface Mix {
  readonly read: number
  readonly write: number
  readonly cas: number
}

export interface LoadOptions {
  /** The clients share them. */
  readonly connections: readonly Store[]
  /** So many operations are under way at once, at most. */
  readonly clients: number
  /** In bytes. */
  readonly valueSize: number
  readonly keys: number
  /** Default: in turns. */
  readonly distribution?: Distribution
  /** Default: writes only. */
  readonly mix?: Mix
  /** Operations a second that are begun, be the answers as late as they may; else each that ends begins the next. */
  readonly rate?: number | undefined
}

/** In ms, of operations that succeeded. In an open loop they count from when the operation was due. */
export interface Latency {
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface LoadResult extends Latency {
  /** Those that succeeded, in all and a second. */
  readonly operations: number
  readonly rate: number
  /** How long it took (s). */
  readonly seconds: number
  /** Those that failed, by the code of their error. */
  readonly failures: Readonly<Record<string, number>>
  /** Of an open loop: operations that were due, and were not begun by the end; their latency counts up to then. */
  readonly late: number
}

/** After a failure a client rests for so long (ms): a store that refuses at once is not asked without end. */
const REST = 10
const WRITES: Mix = { read: 0, write: 1, cas: 0 }
const SEED = 1

/** Runs from when it is made until it is stopped. */
export class Load {
  /** How many succeeded. */
  operations = 0
  readonly #options: LoadOptions
  readonly #histogram = histogram()
  readonly #began = performance.now()
  readonly #pacer: Pacer | undefined
  readonly #operation: (store: Store) => Promise<unknown>
  readonly #lanes: Promise<unknown>
  readonly #failures: Record<string, number> = {}
  #stopped = false

  constructor(options: LoadOptions) {
    this.#options = options
    this.#operation = operations(options)
    if (options.rate !== undefined) this.#pacer = new Pacer(options.rate)
    this.#lanes = Promise.all(Array.from({ length: options.clients }, (_, index) => this.#lane(index)))
  }

  /** Waits for what is under way. */
  async stop(): Promise<LoadResult> {
    this.#stopped = true
    const left = this.#pacer?.stop() ?? []
    const now = performance.now()
    for (const due of left) this.#record(now - due)
    await this.#lanes
    const seconds = (performance.now() - this.#began) / 1000
    const { operations } = this
    const rate = operations / seconds
    return {
      operations,
      rate,
      seconds,
      ...latencyOf(this.#histogram),
      failures: this.#failures,
      late: left.length,
    }
  }

  async #lane(index: number): Promise<void> {
    const { connections } = this.#options
    const store = connections[index % connections.length]
    if (store === undefined) throw new RangeError('a load needs at least one connection')
    while (!this.#stopped) {
      const from = this.#pacer === undefined ? performance.now() : await this.#pacer.next()
      if (from === null) return
      try {
        await this.#operation(store)
        this.operations++
        this.#record(performance.now() - from)
      } catch (error) {
        const code = codeOf(error)
        this.#failures[code] = (this.#failures[code] ?? 0) + 1
        await sleep(REST)
      }
    }
  }

  #record(ms: number): void {
    this.#histogram.recordValue(Math.max(1, Math.round(ms * 1000)))
  }
}

/** A {@link Load} of so many seconds. */
export async function load(options: LoadOptions & { readonly seconds: number }): Promise<LoadResult> {
  const running = new Load(options)
  await sleep(options.seconds * 1000)
  return running.stop()
}

/** Throws if an operation failed. */
export function faultless(result: LoadResult): LoadResult {
  if (Object.keys(result.failures).length > 0)
    throw new Error(`operations failed, by code: ${JSON.stringify(result.failures)}`)
  return result
}

/** Of latencies in µs. */
function histogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: 3 })
}

function latencyOf(histogram: Histogram): Latency {
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000
  const [mean, max] = [histogram.mean / 1000, histogram.maxValue / 1000]
  return { mean, p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max }
}

/** Begins the next operation of the mix. */
function operations(options: LoadOptions): (store: Store) => Promise<unknown> {
  const { keys, valueSize, distribution = 'turns', mix = WRITES } = options
  const draw = drawer(distribution, keys, SEED)
  const value = 'x'.repeat(valueSize)
  const prng = new Prng(SEED)
  const reads = mix.read
  const writes = reads + mix.write
  const all = writes + mix.cas
  return (store) => {
    const key = keyOf(draw())
    const kind = writes === all && (reads === 0 || reads === all) ? 0 : prng.below(all)
    if (kind < reads) return store.get(key)
    if (kind < writes) return store.set(key, value)
    return store.cas(key, value, value)
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  return error instanceof Error ? error.message : String(error)
}
