/** Work that goes on while servers are killed. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { KvClient } from '@synod/kvstore'
import { COMMANDS, until, type Owner } from './cluster.js'
import type { Outcome } from './command.js'
import { jsonLine, type TextPair } from './text.js'

/** How long a client may wait for one answer, ms: longer than any of the outages here. */
export const CLIENT_PATIENCE = 60_000

/** `kvstore-client load`, which is given its pairs through a pipe, as far as they are allowed. */
export class Load {
  readonly ended: Promise<Outcome>
  readonly #pairs: readonly TextPair[]
  #allowed = 0
  #hasEnded = false
  #said = ''

  constructor(owner: Owner, servers: string, pairs: readonly TextPair[]) {
    this.#pairs = pairs
    const command = [join(COMMANDS, 'kvstore-client.js'), '--servers', servers]
    const options = ['--json', '--timeout', String(CLIENT_PATIENCE), 'load', '-']
    const child = spawn(process.execPath, [...command, ...options], { stdio: ['pipe', 'pipe', 'pipe'] })
    const code = new Promise<number | null>((resolve) => {
      child.once('close', (code) => {
        this.#hasEnded = true
        resolve(code)
      })
    })
    // A pipe that breaks is seen in how the command ends.
    void pipeline(Readable.from(this.#lines()), child.stdin).catch(() => undefined)
    this.ended = Promise.all([code, text(child.stdout), text(child.stderr)]).then(([code, stdout, stderr]) => {
      this.#said = stdout + stderr
      return { code, stdout, stderr }
    })
    const kill = (): void => {
      child.kill('SIGKILL')
    }
    process.once('exit', kill)
    owner.teardown(async () => {
      process.off('exit', kill)
      kill()
      await code
    })
  }

  /** Lets it have the pairs before this index. */
  allow(end: number): void {
    this.#allowed = end
  }

  assertRunning(): void {
    if (this.#hasEnded) throw new Error(`the load has ended, though it was not given all its pairs yet:\n${this.#said}`)
  }

  async *#lines(): AsyncGenerator<string> {
    for (let from = 0; from < this.#pairs.length; from += 500) {
      await until('the load may go on', () => this.#hasEnded || from < this.#allowed, { patience: 2 * CLIENT_PATIENCE })
      yield this.#pairs
        .slice(from, from + 500)
        .map(jsonLine)
        .join('')
    }
  }
}

/** How many counters there are. */
const COUNTERS = 16

/**
 * Counters of one client that go up side by side, each by one compare-and-swap after the other: an acknowledged step that
 * is lost breaks the chain, and so does one that is told the outcome of a second execution.
 */
export class Counters {
  readonly #store: KvClient
  readonly #counts = new Map<string, number>()
  readonly #answeredAt = [performance.now()]
  readonly #ended: Promise<unknown>
  #failure: Error | undefined
  #stopped = false

  constructor(store: KvClient) {
    this.#store = store
    const keys = Array.from({ length: COUNTERS }, (_, index) => `counter ${index}`)
    this.#ended = Promise.all(
      keys.map((key) =>
        // Kept for stop(): a rejection that nobody awaits yet would end the process.
        this.#count(key).catch((error: unknown) => (this.#failure ??= error as Error)),
      ),
    )
  }

  /** Ends with the steps under way, and answers with where the counters stand; throws what went wrong. */
  async stop(): Promise<TextPair[]> {
    this.#stopped = true
    await this.#ended
    if (this.#failure !== undefined) throw this.#failure
    return [...this.#counts].map(([key, count]) => [key, String(count)])
  }

  /** Of the times between two answers, the longest one that has a part between these moments; ms. */
  longestGap(from: number, to: number): number {
    const gaps = this.#answeredAt.map((at, index) => {
      const before = this.#answeredAt[index - 1] ?? at
      return at >= from && before <= to ? at - before : 0
    })
    return Math.round(gaps.reduce((a, b) => Math.max(a, b), 0))
  }

  async #count(key: string): Promise<void> {
    for (let count = 0; !this.#stopped; count += 1) {
      const result = await this.#store.cas(key, count === 0 ? null : String(count), String(count + 1))
      if (!result.swapped) throw new Error(`step ${count + 1} of ${key} met ${result.current ?? 'nothing'}`)
      this.#counts.set(key, count + 1)
      this.#answeredAt.push(performance.now())
    }
  }
}
