/** Work in flight, bounded in number and bytes, one after the other where it has the same key. */

export class Window {
  readonly #maxCount: number
  readonly #maxBytes: number
  #count = 0
  #bytes = 0
  readonly #last = new Map<string, Promise<void>>()
  #settled = (): void => undefined

  constructor(limits: { readonly count: number; readonly bytes: number }) {
    this.#maxCount = limits.count
    this.#maxBytes = limits.bytes
  }

  /** Starts the work, which must not reject, once there is room; behind all work of the same key. */
  async add(key: string, bytes: number, work: () => Promise<void>): Promise<void> {
    while (this.#count > 0 && (this.#count >= this.#maxCount || this.#bytes + bytes > this.#maxBytes)) {
      await this.#anySettled()
    }
    this.#count += 1
    this.#bytes += bytes
    const before = this.#last.get(key)
    const running = before === undefined ? work() : before.then(work)
    const done = running.then(() => {
      this.#count -= 1
      this.#bytes -= bytes
      if (this.#last.get(key) === done) this.#last.delete(key)
      this.#settled()
    })
    this.#last.set(key, done)
  }

  /** Resolves when nothing is in flight. */
  async drained(): Promise<void> {
    while (this.#count > 0) await this.#anySettled()
  }

  #anySettled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled = resolve
    })
  }
}
