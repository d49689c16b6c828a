/** A file of the simulated disk: what the page cache shows of it, and what the disk holds. */
import type { Prng } from '@synod/paxos/internal/protocol/prng'

/** The smallest thing that is written whole or not at all (bytes). */
export const SECTOR = 512

/** Bytes that grow. */
class Content {
  #bytes = Buffer.alloc(0)
  size = 0

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.size)
  }

  set(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(end, this.#bytes.length * 2))
      larger.set(this.bytes)
      this.#bytes = larger
    }
    this.#bytes.set(bytes, position)
    this.size = Math.max(this.size, end)
  }

  truncate(size: number): void {
    if (size >= this.size) return
    this.#bytes.fill(0, size, this.size)
    this.size = size
  }

  copyFrom(other: Content): void {
    this.#bytes = Buffer.from(other.bytes)
    this.size = other.size
  }
}

export class SimFile {
  readonly #prng: Prng
  readonly #cache = new Content()
  readonly #disk = new Content()
  /** Sectors that the disk does not hold as the cache does, and would get by a sync. */
  readonly #dirty = new Set<number>()

  constructor(prng: Prng) {
    this.#prng = prng
  }

  get size(): number {
    return this.#cache.size
  }

  /** A copy of what a reader sees. */
  read(): Uint8Array {
    return Uint8Array.from(this.#cache.bytes)
  }

  /** A part of it: what there is of so many bytes from the position on. */
  slice(position: number, length: number): Uint8Array {
    return Uint8Array.from(this.#cache.bytes.subarray(position, position + length))
  }

  /** A copy of what the disk holds. */
  get durable(): Uint8Array {
    return Uint8Array.from(this.#disk.bytes)
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return
    this.#cache.set(bytes, position)
    const [first, last] = [Math.floor(position / SECTOR), Math.floor((position + bytes.length - 1) / SECTOR)]
    for (let sector = first; sector <= last; sector++) this.#dirty.add(sector)
    // Now and then the system writes something back of its own accord.
    if (this.#prng.chance(0.05)) this.writeBack(0.5)
  }

  /** What is dirty now; a sync that begins now promises these. */
  dirty(): number[] {
    return [...this.#dirty]
  }

  /** Puts sectors of the cache onto the disk. */
  persist(sectors: Iterable<number>): void {
    for (const sector of sectors) {
      if (!this.#dirty.delete(sector)) continue
      const start = sector * SECTOR
      this.#disk.set(this.#cache.bytes.subarray(start, start + SECTOR), start)
    }
  }

  /** The same for the sectors of one write. */
  persistRange(position: number, length: number): void {
    const sectors = []
    for (let at = Math.floor(position / SECTOR); at * SECTOR < position + length; at++) sectors.push(at)
    this.persist(sectors)
  }

  /** Puts each dirty sector onto the disk with this probability. */
  writeBack(probability: number): void {
    this.persist(this.dirty().filter(() => this.#prng.chance(probability)))
  }

  /**
   * A sync failed: the dirty sectors count as clean from now on, though the disk does not hold them. Readers may see the new
   * content, until it leaves the cache, or the old.
   */
  dropDirty(): void {
    for (const sector of this.#dirty) {
      if (this.#prng.chance(0.5)) continue
      const start = sector * SECTOR
      const length = Math.min(SECTOR, this.#cache.size - start)
      const old = Buffer.alloc(length)
      old.set(this.#disk.bytes.subarray(start, start + length))
      this.#cache.set(old, start)
    }
    this.#dirty.clear()
  }

  /** The power is gone, and with it all that the disk does not hold. Some of what was dirty had just reached it. */
  losePower(): void {
    this.writeBack(this.#prng.pick([0, 0.1, 0.5, 0.9, 1]))
    this.#dirty.clear()
    this.#cache.copyFrom(this.#disk)
  }

  /** Where what was written ends: behind it there are only zeros. */
  get written(): number {
    const { bytes } = this.#cache
    let end = bytes.length
    while (end > 0 && bytes[end - 1] === 0) end--
    return end
  }

  /** Cuts the file off, on the disk and in the cache. */
  truncate(size: number): void {
    for (const content of [this.#cache, this.#disk]) content.truncate(size)
    for (const sector of this.#dirty) if (sector * SECTOR >= size) this.#dirty.delete(sector)
  }

  /** Flips one bit, on the disk and in the cache. Throws RangeError behind the end. */
  rot(offset: number): void {
    if (offset >= this.#cache.size) throw new RangeError(`byte ${offset} of a file of ${this.#cache.size} bytes`)
    const bit = 1 << this.#prng.below(8)
    for (const content of [this.#cache, this.#disk]) {
      if (offset < content.size) content.set(Uint8Array.of((content.bytes[offset] ?? 0) ^ bit), offset)
    }
  }
}
