/**
 * Small pieces of bytes one behind the other in one piece of memory, which is used again. As objects of their own, tens
 * of thousands that live for a while would cost more than much of the rest of an operation; and as garbage, so would the
 * memory of those that are gone.
 */
export class Slab {
  readonly #bytes: Uint8Array
  /** Where each piece ends; those from {@link count} on are of an earlier use. */
  readonly #ends: number[] = []
  #count = 0
  #isLent = false

  constructor(size: number) {
    this.#bytes = new Uint8Array(size)
  }

  /** How many pieces it holds. */
  get count(): number {
    return this.#count
  }

  /** Bytes of all pieces that it can hold. */
  get size(): number {
    return this.#bytes.length
  }

  /** Whether a piece of so many bytes would still find room. */
  fits(bytes: number): boolean {
    return this.#startOf(this.#count) + bytes <= this.#bytes.length
  }

  /** Adds a copy of a piece that fits. */
  push(piece: Uint8Array): void {
    const start = this.#startOf(this.#count)
    this.#bytes.set(piece, start)
    this.#ends[this.#count++] = start + piece.length
  }

  lengthOf(index: number): number {
    return (this.#ends[index] ?? 0) - this.#startOf(index)
  }

  /** A view of a piece. Whoever got one may keep it. */
  at(index: number): Uint8Array {
    this.lend()
    return this.#bytes.subarray(this.#startOf(index), this.#ends[index])
  }

  /** From now on, what is in it stays as it is. */
  lend(): void {
    this.#isLent = true
  }

  /** Empties it, so that it can be filled anew; false if it is lent. */
  clear(): boolean {
    if (!this.#isLent) this.#count = 0
    return !this.#isLent
  }

  #startOf(index: number): number {
    return this.#ends[index - 1] ?? 0
  }
}
