/** What a call's failure means to those who keep trying, and how long they wait. */

/** The first wait (ms), doubled after each failure in a row up to the longest. */
const FIRST_WAIT = 100
const LONGEST_WAIT = 2_000

/** Failures after which the same call may go well. (By its code, as a browser has no class in common with the client.) */
const PASSING = new Set(['TIMEOUT', 'UNAVAILABLE', 'BUSY', 'SESSION_EXPIRED', 'INCOMPATIBLE'])

/** The stable code of an error; empty if it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Whether it may go well another time. */
export function mayPass(error: unknown): boolean {
  return PASSING.has(codeOf(error))
}

/** Whether what failed may have been done nevertheless. */
export function mayHaveHappened(error: unknown): boolean {
  return error instanceof Error && 'mayHaveHappened' in error && error.mayHaveHappened === true
}

/** Waits between tries. */
export class Patience {
  #failures = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #end: (() => void) | undefined

  /** It went well: the next wait is a short one again. */
  worked(): void {
    this.#failures = 0
  }

  /** Resolves after a while, or when there is reason to {@link hurry}. */
  async wait(): Promise<void> {
    const wait = Math.min(FIRST_WAIT * 2 ** this.#failures++, LONGEST_WAIT)
    await new Promise<void>((resolve) => {
      this.#end = resolve
      this.#timer = setTimeout(resolve, wait)
    })
  }

  /** Ends the wait; the next one is a short one again. */
  hurry(): void {
    this.#failures = 0
    clearTimeout(this.#timer)
    this.#end?.()
  }
}
