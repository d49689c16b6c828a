/** How long clients wait for the outcomes of their commands: samples of the last ten to twenty seconds. */
import { createHistogram } from 'node:perf_hooks'
import type { RecordableHistogram } from 'node:perf_hooks'
import type { Clock } from '../clock.js'
import type { Reply } from '../protocol/command.js'
import type { ServerStatus } from '../transport/wire.js'

/** After so long (ms) the samples move to the older half, and from there out. */
const HALF = 10_000
/** A command without an outcome after this time (ms) is timed no more: perhaps that comes over another connection. */
const GIVE_UP = 60_000
/** Of a sample (µs). */
const LONGEST = 600_000_000
/** Samples are known to within one per cent. */
const FIGURES = 2

export class Latency {
  readonly #clock: Clock
  #recent = histogram()
  #older = histogram()
  /** Since when the recent half is filled (ms). */
  #since: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.now()
  }

  /** Takes in that a command that arrived at this time (ms) has its outcome now. */
  record(arrived: number): void {
    const now = this.#clock.now()
    this.#rotate(now)
    this.#recent.record(Math.min(Math.max(Math.round((now - arrived) * 1000), 1), LONGEST))
  }

  /** null without samples. */
  summary(): ServerStatus['latency'] {
    this.#rotate(this.#clock.now())
    const all = histogram()
    all.add(this.#older)
    all.add(this.#recent)
    if (all.count === 0) return null
    return { p50Ms: all.percentile(50) / 1000, p99Ms: all.percentile(99) / 1000, count: all.count }
  }

  #rotate(now: number): void {
    const passed = now - this.#since
    if (passed >= 0 && passed < HALF) return
    this.#older.reset()
    // A clock that jumped back has lost the times of all samples.
    if (passed >= 0 && passed < 2 * HALF) [this.#older, this.#recent] = [this.#recent, this.#older]
    else this.#recent.reset()
    this.#since = now
  }
}

function histogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: LONGEST, figures: FIGURES })
}

/** Times one command of a connection at a time, so that it costs the others nothing. */
export class Stopwatch {
  readonly #latency: Latency
  readonly #clock: Clock
  #timed: { readonly clientId: string; readonly localId: number; readonly at: number } | null = null

  constructor(latency: Latency, clock: Clock) {
    this.#latency = latency
    this.#clock = clock
  }

  /** A command has arrived. */
  start(clientId: string, localId: number): void {
    const now = this.#clock.now()
    if (this.#timed === null || now - this.#timed.at > GIVE_UP) this.#timed = { clientId, localId, at: now }
  }

  /** A command has its outcome. */
  stop({ clientId, localId, result }: Reply): void {
    const timed = this.#timed
    if (timed?.localId !== localId || timed.clientId !== clientId) return
    this.#timed = null
    if (result.status !== 'busy') this.#latency.record(timed.at)
  }
}
