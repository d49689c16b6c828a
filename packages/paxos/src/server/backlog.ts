/**
 * Executes what this server is behind by, in slices. It rests between them, as long as it gets on all the same: the servers
 * that it follows may have to share a machine with it, or be waiting for its votes.
 */
import type { Clock } from '../clock.js'
import type { Input } from '../protocol/ready.js'
import { Slices } from './slices.js'

/** Half of the time is for other work. */
const SLICES = { longest: 8, steps: 16, rest: 1 }
/** It does not rest when as many new decisions came meanwhile as this share of what it executed. */
const TOO_MANY = 0.5

/** What is executed. */
export interface BacklogHost {
  /** The last slot that was executed. */
  applied(): number
  /** How many slots wait to be executed; 0 if none has to wait. */
  behind(): number
  /** Whether another server leads: else rests would only keep clients waiting. */
  follows(): boolean
  /** Whether the server runs: else nothing more is executed. */
  running(): boolean
  step(input: Input): void
}

export class Backlog {
  readonly #clock: Clock
  readonly #host: BacklogHost
  readonly #slices: Slices
  #working = false

  constructor(clock: Clock, host: BacklogHost) {
    this.#clock = clock
    this.#host = host
    this.#slices = new Slices(clock, SLICES)
  }

  /** Begins, if something waits to be executed; to be called at the end of each turn. */
  begin(): void {
    if (!this.#working && this.#host.behind() > 0) void this.#work()
  }

  async #work(): Promise<void> {
    const host = this.#host
    this.#working = true
    await this.#slices.rest(0) // not within the turn that found it
    let [left, done] = [host.behind(), host.applied()]
    while (host.behind() > 0 && host.running()) {
      this.#slices.do(() => {
        host.step({ type: 'goOn', now: this.#clock.now() })
      })
      if (!this.#slices.over) continue
      const executed = host.applied() - done
      const came = host.behind() - left + executed
      ;[left, done] = [host.behind(), host.applied()]
      await this.#slices.rest(host.follows() && came < executed * TOO_MANY ? SLICES.rest : 0)
    }
    this.#working = false
  }
}
