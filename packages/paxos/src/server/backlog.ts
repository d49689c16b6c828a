/**
 * Executes what this server is behind by, in slices. It rests between them, as long as it gets on all the same: the servers
 * that it follows may have to share a machine with it, or be waiting for its votes.
 */
import type { Clock } from '../clock.js'
import type { Input, PaxosStatus } from '../protocol/ready.js'
import { Slices } from './slices.js'

/** Four fifths of the time are for other work. */
const SLICES = { longest: 8, steps: 16, rest: 4 }
/** It rests less where more new decisions would come meanwhile than this share of what it executes. */
const MOST_NEW = 0.5
/** What was seen longer ago than this (ms) says nothing of what comes now. */
const STALE = 1_000

/** What is executed. */
export interface BacklogHost {
  status(): Pick<PaxosStatus, 'applied' | 'decided' | 'role' | 'leader'>
  /** Whether there is something that waits to be executed. */
  isBehind(): boolean
  /** Whether the server runs: else nothing more is executed. */
  running(): boolean
  step(input: Input): void
}

/** How things stood when a slice was over. */
interface Seen {
  readonly at: number
  readonly applied: number
  readonly decided: number
  /** How long it rested then (ms). */
  readonly rested: number
}

export class Backlog {
  readonly #clock: Clock
  readonly #host: BacklogHost
  readonly #slices: Slices
  #working = false
  #seen: Seen = { at: -Infinity, applied: 0, decided: 0, rested: 0 }

  constructor(clock: Clock, host: BacklogHost) {
    this.#clock = clock
    this.#host = host
    this.#slices = new Slices(clock, SLICES)
  }

  /** Begins, if something waits to be executed; to be called at the end of each turn. */
  begin(): void {
    if (!this.#working && this.#host.isBehind()) void this.#work()
  }

  async #work(): Promise<void> {
    const host = this.#host
    this.#working = true
    await new Promise<void>((resolve) => {
      this.#clock.defer(resolve) // not within the turn that found it
    })
    while (host.isBehind() && host.running()) {
      this.#slices.do(() => {
        host.step({ type: 'goOn', now: this.#clock.now() })
      })
      if (this.#slices.over) await this.#slices.rest(this.#restFor())
    }
    this.#working = false
  }

  /** How long it rests after a slice (ms). */
  #restFor(): number {
    const last = this.#seen
    const { applied, decided, role, leader } = this.#host.status()
    const at = this.#clock.now()
    const [elapsed, executed, came] = [at - last.at, applied - last.applied, decided - last.decided]
    let rested = 0
    // While no other server leads, a rest would only keep clients waiting.
    if (role === 'follower' && leader !== null && elapsed < STALE) {
      // In so long as many come as are to come at most; and it takes so long without a rest.
      const [most, busy] = [came > 0 ? (elapsed / came) * executed * MOST_NEW : Infinity, elapsed - last.rested]
      rested = Math.max(0, Math.min(most - busy, this.#slices.worked * SLICES.rest))
    }
    this.#seen = { at, applied, decided, rested }
    return rested
  }
}
