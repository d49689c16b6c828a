/** When the operations of an open loop are to begin, whether those before them have ended or not. */

/** Operations that are due, at a fixed rate; several of one millisecond are due together, for no timer is finer. */
export class Pacer {
  /** Operations that were handed out. */
  begun = 0
  readonly #perMs: number
  readonly #began: number
  readonly #waiting: ((due: number | null) => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  /** @param rate operations a second; the first is due now */
  constructor(rate: number) {
    this.#perMs = rate / 1000
    this.#began = performance.now()
  }

  /** Waits until the next operation is due; gives when that was (ms, as `performance.now` counts), or null: it was stopped. */
  next(): Promise<number | null> {
    if (this.#stopped) return Promise.resolve(null)
    const due = this.#dueOf(this.begun)
    if (this.#waiting.length === 0 && due <= performance.now()) {
      this.begun++
      return Promise.resolve(due)
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#arm()
    })
  }

  /** Ends all waiting; gives when those were due that nobody had time to begin. */
  stop(): number[] {
    this.#stopped = true
    clearTimeout(this.#timer)
    for (const resolve of this.#waiting.splice(0)) resolve(null)
    const now = performance.now()
    const left: number[] = []
    for (let index = this.begun, due = 0; (due = this.#dueOf(index)) <= now; index++) left.push(due)
    return left
  }

  #dueOf(index: number): number {
    return this.#began + Math.floor(index / this.#perMs)
  }

  #arm(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined
        this.#release()
      },
      Math.max(0, this.#dueOf(this.begun) - performance.now()),
    )
  }

  #release(): void {
    const now = performance.now()
    let released = 0
    for (let due = this.#dueOf(this.begun); released < this.#waiting.length && due <= now; released++) {
      this.#waiting[released]?.(due)
      due = this.#dueOf(++this.begun)
    }
    this.#waiting.splice(0, released)
    if (this.#waiting.length > 0) this.#arm()
  }
}
