/** Long work in slices: so that it never holds a turn of the event loop for long, and leaves time for the rest. */
import type { Clock } from '../clock.js'

/** How long work is cut. */
export interface SliceLimits {
  /** A slice ends once so much was worked in it (ms). */
  readonly longest: number
  /** It ends after so many steps, too: in the simulator no time passes while something is done. */
  readonly steps: number
  /** After a slice the work rests for so many times as long as that took. */
  readonly rest: number
}

export class Slices {
  readonly #clock: Clock
  readonly #limits: SliceLimits
  /** In this slice: ms, and steps. What is waited for between the steps is no work. */
  #worked = 0
  #steps = 0

  constructor(clock: Clock, limits: SliceLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Does a step of the work. */
  do<T>(step: () => T): T {
    const began = this.#clock.now()
    const result = step()
    this.#worked += this.#clock.now() - began
    this.#steps++
    return result
  }

  /** Whether this slice is over: then {@link rest} before the next step. */
  get over(): boolean {
    return this.#steps >= this.#limits.steps || this.#worked >= this.#limits.longest
  }

  /** How long was worked in this slice (ms). */
  get worked(): number {
    return this.#worked
  }

  /**
   * Resolves in a later turn, at the beginning of the next slice.
   *
   * @param ms how long it rests
   */
  async rest(ms = this.#worked * this.#limits.rest): Promise<void> {
    await new Promise<void>((resolve) => {
      if (ms > 0) this.#clock.after(ms, resolve)
      else this.#clock.defer(resolve)
    })
    this.#worked = 0
    this.#steps = 0
  }
}
