/** One timer for everything that waits for a moment. */
import type { Cancel, Clock } from '../clock.js'

/** The longest that a timer can be set for (ms). */
const LONGEST_TIMER = 1 << 30

export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #next: { readonly at: number; readonly cancel: Cancel } | undefined

  /** `ring` is called at the moments that were asked for, or before them. */
  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Rings at this moment (ms of the clock) at the latest. */
  set(at: number): void {
    if (at === Infinity || (this.#next !== undefined && this.#next.at <= at)) return
    this.#next?.cancel()
    const wait = Math.min(Math.max(1, at - this.#clock.now()), LONGEST_TIMER)
    // Behind what has arrived: a process that did not run for a while hears first what came meanwhile, before it misses it.
    const cancel = this.#clock.after(wait, () => {
      this.#clock.defer(() => {
        if (this.#next !== next) return
        this.#next = undefined
        this.#ring()
      })
    })
    const next = { at, cancel }
    this.#next = next
  }

  cancel(): void {
    this.#next?.cancel()
    this.#next = undefined
  }
}
