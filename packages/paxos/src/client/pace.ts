/** How many commands a client has under way at once: as many as its session may have, until servers are too busy for them. */
import { SESSION_WINDOW } from '../protocol/session.js'
import type { Clock } from '../clock.js'
import { busyWait } from './patience.js'

/** Each outcome adds so much: a sixteenth in the time that one command takes. */
const INCREASE = 1 / 16

export class Pace {
  readonly #clock: Clock
  #window = SESSION_WINDOW
  /** Rests since an outcome came. */
  #rests = 0
  #restsUntil = 0
  /** Half of what was under way when this rest began. */
  #least = 1

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many commands may be under way. */
  get window(): number {
    return this.#window
  }

  /** The moment before which nothing is sent (ms). */
  get restsUntil(): number {
    return this.#restsUntil
  }

  /** Whether servers were too busy lately for as many commands as there may be. */
  get isBusy(): boolean {
    return this.#window < SESSION_WINDOW
  }

  /**
   * A server was too busy for a command: from now on as many may be under way as it took in, but for half of them at least.
   * Those that it refuses while this rests are of the same moment.
   *
   * @param left how many are still under way
   */
  refused(left: number): void {
    const now = this.#clock.now()
    if (now >= this.#restsUntil) {
      this.#least = Math.max(1, (left + 1) / 2)
      this.#restsUntil = now + busyWait(this.#clock, this.#rests++)
    }
    this.#window = Math.max(this.#least, left)
  }

  /** A command had an outcome. */
  worked(): void {
    this.#rests = 0
    if (this.#window < SESSION_WINDOW) this.#window = Math.min(SESSION_WINDOW, this.#window + INCREASE)
  }

  /** Another server may have more room. */
  linkReady(): void {
    this.#restsUntil = 0
  }
}
