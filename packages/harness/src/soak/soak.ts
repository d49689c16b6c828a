/**
 * A cluster of real processes under constant load for as long as it is told, with one server down for a third of the time:
 * whether memory, disk and descriptors stay flat, and whether all that was acknowledged is there in the end.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { ProcessCluster } from '../process.js'
import { Guard } from '../processes/guard.js'
import { Questions } from '../processes/questions.js'
import { descriptorsOf, diskOf, memoryOf } from './gauge.js'
import { LIVE_SHIM, liveMemoryOf } from './live.js'
import { Visitors } from './visitors.js'
import type { SoakResult } from './verdict.js'
import { judged } from './verdict.js'
import { Writers } from './writers.js'

export interface SoakOptions {
  readonly seconds: number
  readonly servers: number
  readonly keys: number
  /** Bytes of a value. */
  readonly valueSize: number
  readonly clients: number
  readonly outstanding: number
  /** Sets a second, at most; Infinity: as many as there can be. */
  readonly rate: number
  /** Sessions that are opened, in all, beside those of the clients. */
  readonly sessions: number
  /** Servers collect their garbage before each look: what is measured is what they hold, so that a short run can tell, too. */
  readonly gc: boolean
}

/** One look at all servers. */
export interface SoakSample {
  /** ms since the load began. */
  readonly time: number
  /** The server that is down now; null: none is. */
  readonly down: number | null
  readonly acknowledged: number
  readonly servers: readonly ServerSample[]
}

export interface ServerSample {
  /** Bytes, resident, or with `gc` live; null while it is down, or has not answered yet. */
  readonly memory: number | null
  readonly disk: number
  readonly descriptors: number | null
  /** By its own word; null without an answer. */
  readonly sessions: number | null
  readonly snapshot: number | null
  readonly installed: number | null
}

/** A third of each round the last server is down. The rounds are at most so long (ms), and there are four of them at least. */
const ROUND = 90_000
const ROUNDS = 4
/** How long a status may take (ms). */
const PATIENCE = 1_000
/** How long the servers may take to come to one state in the end, and to tell it (ms). */
const END = 120_000

export async function soak(options: SoakOptions, told: (sample: SoakSample) => void): Promise<SoakResult> {
  const directory = mkdtempSync(join(tmpdir(), 'synod-soak-'))
  const guard = new Guard(directory, () => undefined)
  const cluster = await ProcessCluster.prepare({
    ...{ directory, count: options.servers, detached: true },
    nodeFlags: options.gc ? [LIVE_SHIM] : [],
  })
  try {
    return await new Soak(options, cluster, guard, told).run()
  } finally {
    await cluster.stop('SIGKILL')
    await guard.close()
  }
}

/** A server that nobody had killed is gone: there is no more to be measured. */
class ServerEnded extends Error {}

class Soak {
  readonly #options: SoakOptions
  readonly #cluster: ProcessCluster
  readonly #guard: Guard
  readonly #told: (sample: SoakSample) => void
  readonly #questions = new Questions()
  readonly #samples: SoakSample[] = []
  /** Ends what goes on when one part of it has failed. */
  readonly #over = new AbortController()
  #down: number | null = null
  #outages = 0

  constructor(options: SoakOptions, cluster: ProcessCluster, guard: Guard, told: (sample: SoakSample) => void) {
    this.#options = options
    this.#cluster = cluster
    this.#guard = guard
    this.#told = told
  }

  async run(): Promise<SoakResult> {
    const { seconds, sessions } = this.#options
    const { addresses } = this.#cluster
    try {
      for (const id of addresses.keys()) this.#start(id)
      await this.#cluster.serving()
      const writers = new Writers({ ...this.#options, servers: addresses })
      const visitors = new Visitors(addresses, sessions / seconds)
      const problems: string[] = []
      try {
        const began = performance.now()
        const left = (): number => began + seconds * 1000 - performance.now()
        await Promise.all([this.#outagesUntil(left), this.#sampleUntil(left, began, writers)])
      } catch (error) {
        if (!(error instanceof ServerEnded)) throw error
        problems.push(error.message)
      } finally {
        this.#over.abort()
        await Promise.all([writers.stop(), visitors.stop()])
      }
      return judged({
        options: this.#options,
        samples: this.#samples,
        outages: this.#outages,
        acknowledged: writers.acknowledged,
        unknown: writers.unknown,
        sessions: visitors.opened,
        problems: problems.length > 0 ? problems : await this.#verify(writers),
      })
    } finally {
      await this.#questions.close()
    }
  }

  #start(id: number): void {
    const { pid } = this.#cluster.startServer(id)
    if (pid !== undefined) this.#guard.watch(pid)
  }

  /** The last server is killed in each round, and comes back. */
  async #outagesUntil(left: () => number): Promise<void> {
    const { servers, seconds } = this.#options
    if (servers < 3) return this.#sleep(left())
    const round = Math.min(ROUND, (seconds * 1000) / ROUNDS)
    const victim = servers - 1
    // The first third of a round, the server is up; the second, it is down; the last, it catches up.
    while (left() > round / 2) {
      await this.#sleep(round / 3)
      const pid = this.#cluster.child(victim)?.pid
      if (pid === undefined) throw this.#ended(victim)
      this.#down = victim
      this.#outages++
      await this.#cluster.kill(victim)
      this.#guard.release(pid)
      await this.#sleep(round / 3)
      this.#start(victim)
      this.#down = null
      await this.#sleep(round / 3)
    }
    await this.#sleep(left())
  }

  async #sampleUntil(left: () => number, began: number, writers: Writers): Promise<void> {
    const every = Math.max(250, Math.min(5_000, this.#options.seconds))
    while (left() > 0) {
      const servers = await Promise.all([...this.#cluster.addresses.keys()].map((id) => this.#look(id)))
      const time = performance.now() - began
      const sample = { time, down: this.#down, acknowledged: writers.acknowledged, servers }
      this.#samples.push(sample)
      this.#told(sample)
      await this.#sleep(Math.min(every, left()))
    }
  }

  async #look(id: number): Promise<ServerSample> {
    const pid = this.#cluster.child(id)?.pid
    if (pid === undefined && id !== this.#down) throw this.#ended(id)
    const status = pid === undefined ? null : await this.#questions.status(this.#cluster.address(id), PATIENCE)
    const here = pid !== undefined && status !== null
    return {
      memory: here ? await this.#memory(id, pid) : null,
      disk: diskOf(this.#cluster.dataDir(id)),
      descriptors: here ? descriptorsOf(pid) : null,
      sessions: status?.sessions ?? null,
      snapshot: status?.snapshot.bytes ?? null,
      installed: status?.installed ?? null,
    }
  }

  #ended(id: number): ServerEnded {
    return new ServerEnded(
      `server ${id} ended by itself; it said last: ${this.#cluster.log(id).trimEnd().split('\n').at(-1) ?? ''}`,
    )
  }

  /** Throws when something else has failed. */
  async #sleep(ms: number): Promise<void> {
    await sleep(Math.max(0, ms), undefined, { signal: this.#over.signal })
  }

  #memory(id: number, pid: number): Promise<number | null> | number | null {
    return this.#options.gc ? liveMemoryOf(this.#cluster, id) : memoryOf(pid)
  }

  /** What was acknowledged is there, on all servers. */
  async #verify(writers: Writers): Promise<string[]> {
    const problems: string[] = []
    try {
      await this.#cluster.caughtUp(END)
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)]
    }
    let first: { readonly slot: number; readonly entries: readonly unknown[] } | null = null
    for (const [id, address] of this.#cluster.addresses.entries()) {
      const dump = await this.#questions.dump(address, END)
      if (dump === null) problems.push(`server ${id} did not tell its state within ${END} ms`)
      else if (first === null) {
        first = dump
        problems.push(...writers.missing(dump.entries))
      } else if (dump.slot !== first.slot || !isDeepStrictEqual(dump.entries, first.entries))
        problems.push(
          `the state of server ${id} at slot ${dump.slot} differs from that of another one at ${first.slot}`,
        )
    }
    return problems
  }
}
