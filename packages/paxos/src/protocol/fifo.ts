/** First in, first out, with O(1) amortised a thing: what was taken leaves the array in bulk. */
export class Fifo<T> {
  #items: T[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** The item at this place, 0 being the oldest. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index]
  }

  /** Takes the oldest `count`. */
  take(count: number): T[] {
    const taken = this.#items.slice(this.#head, this.#head + count)
    this.#head += taken.length
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return taken
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }
}
