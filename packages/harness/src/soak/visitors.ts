/** Clients that come, do one thing, and go: some say farewell, most vanish, so that their sessions stay behind. */
import { kvstore } from '@synod/kvstore'
import { ClientError } from '@synod/paxos'
import { ProcessClient } from '../processes/process-client.js'

/** One in so many ends its session. */
const POLITE = 4
/** Keys that they write: few, so that the state does not grow by them. */
const KEYS = 100
/** How long one may take (ms). */
const PATIENCE = 30_000
/** Visitors that are there at once, at most: the cluster may be slower than they come. */
const MOST = 200
/** Between two arrivals of some (ms). */
const TICK = 50

export class Visitors {
  /** Sessions that were opened. */
  opened = 0
  failed = 0
  readonly #servers: readonly string[]
  readonly #perTick: number
  readonly #present = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout
  #due = 0
  #came = 0
  #bug: Error | null = null

  /** @param rate sessions a second */
  constructor(servers: readonly string[], rate: number) {
    this.#servers = servers
    this.#perTick = (rate * TICK) / 1000
    this.#timer = setInterval(() => this.#tick(), TICK)
  }

  /** Resolves when the last one has gone. Throws what no client error is. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#present)
    if (this.#bug !== null) throw this.#bug
  }

  #tick(): void {
    this.#due = Math.min(this.#due + this.#perTick, MOST)
    for (; this.#due >= 1 && this.#present.size < MOST; this.#due--) {
      const visit = this.#visit(this.#came++)
        .catch((error: unknown) => {
          this.#bug ??= error instanceof Error ? error : new Error(String(error))
        })
        .finally(() => this.#present.delete(visit))
      this.#present.add(visit)
    }
  }

  async #visit(number: number): Promise<void> {
    const from = number % this.#servers.length
    const servers = [...this.#servers.slice(from), ...this.#servers.slice(0, from)]
    const client = new ProcessClient(servers, () => Promise.resolve(kvstore))
    try {
      await client.submit({ type: 'set', key: `visitor-${number % KEYS}`, value: String(number) }, PATIENCE)
      this.opened++
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      this.failed++
    } finally {
      await (number % POLITE === 0 ? client.close() : client.vanish())
    }
  }
}
