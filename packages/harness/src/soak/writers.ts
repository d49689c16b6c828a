/** Clients that overwrite all keys, round after round, and remember what they were told. */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { ClientError } from '@synod/paxos'
import type { KvClient } from '@synod/kvstore'
import { connectKvstore } from '@synod/kvstore'

export interface WritersOptions {
  readonly servers: readonly string[]
  readonly keys: number
  /** Bytes of a value. */
  readonly valueSize: number
  /** Connections, each with a session. */
  readonly clients: number
  /** Operations under way at once, of all together. */
  readonly outstanding: number
  /** Operations a second, at most, of all together. */
  readonly rate: number
}

/** After an operation that failed (ms): a cluster without a majority would be asked without end. */
const PAUSE = 100
/** Who was held up catches up on so much time (ms), and no more. */
const ARREARS = 1_000

/** Each key is written by one lane only, one value after the other: what it may hold is known exactly. */
export class Writers {
  /** Operations that were acknowledged, and those whose outcome is unknown. */
  acknowledged = 0
  unknown = 0
  readonly #options: WritersOptions
  readonly #clients: KvClient[]
  /** By key: the number of the last value that was tried, and of the last one that was acknowledged; 0: none. */
  readonly #tried: Uint32Array
  readonly #known: Uint32Array
  readonly #lanes: Promise<void>[]
  #stopped = false

  constructor(options: WritersOptions) {
    const { servers, keys, clients, outstanding } = options
    this.#options = options
    this.#tried = new Uint32Array(keys)
    this.#known = new Uint32Array(keys)
    this.#clients = Array.from({ length: clients }, (_, index) =>
      connectKvstore({ servers: rotated(servers, index), timeout: 30_000 }),
    )
    const lanes = Math.min(outstanding, keys)
    this.#lanes = Array.from({ length: lanes }, (_, lane) => this.#write(lane, lanes))
    for (const lane of this.#lanes) lane.catch(() => undefined) // stop() tells
  }

  /** Ends with what is under way. Throws what no client error is. */
  async stop(): Promise<void> {
    this.#stopped = true
    try {
      await Promise.all(this.#lanes)
    } finally {
      await Promise.all(this.#clients.map((client) => client.close()))
    }
  }

  /** What must be in the store, and is not, in words; at most ten of them. */
  missing(entries: readonly unknown[]): string[] {
    const pairs = new Map(entries as readonly (readonly [string, string])[])
    const problems: string[] = []
    for (let key = 0; key < this.#options.keys && problems.length < 10; key++) {
      const [known, tried] = [this.#known[key] ?? 0, this.#tried[key] ?? 0]
      const found = Number(pairs.get(nameOf(key))?.split(' ')[0] ?? 0)
      if (found !== known && found !== tried)
        problems.push(`${nameOf(key)} holds value ${found}, and ${known} was acknowledged (${tried} was tried last)`)
    }
    return problems
  }

  async #write(lane: number, lanes: number): Promise<void> {
    const { keys, valueSize, rate } = this.#options
    const pace = (lanes / rate) * 1000
    let due = performance.now()
    const client = this.#clients[lane % this.#clients.length]
    for (let key = lane; !this.#stopped && client !== undefined; key = key + lanes < keys ? key + lanes : lane) {
      if (this.#known[key] !== this.#tried[key]) {
        await turn() // a value whose outcome is unknown may still come into effect: nothing is written over it
        continue
      }
      due = Math.max(due + pace, performance.now() - ARREARS)
      if (due > performance.now()) await sleep(due - performance.now())
      const number = (this.#tried[key] ?? 0) + 1
      this.#tried[key] = number
      try {
        await client.set(nameOf(key), `${number} `.padEnd(valueSize, 'x'))
        this.#known[key] = number
        this.acknowledged++
      } catch (error) {
        if (!(error instanceof ClientError)) throw error
        if (error.mayHaveHappened) this.unknown++
        else this.#tried[key] = number - 1
        await sleep(PAUSE)
      }
    }
  }
}

function nameOf(key: number): string {
  return `key-${String(key).padStart(7, '0')}`
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const from = by % items.length
  return [...items.slice(from), ...items.slice(0, from)]
}
