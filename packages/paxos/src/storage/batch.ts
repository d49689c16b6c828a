/**
 * A batch: what one durable write adds to a file. A header, then the records, then zeros up to the next sector; one
 * without records is a *seal*. All integers are little-endian.
 *
 * | header | bytes |   | record | bytes |
 * |---|---|---|---|---|
 * | `SYNB` | 4 |     | checksum of the rest of the record | 4 |
 * | checksum of the rest of the header | 4 | | length of the payload | 4 |
 * | batch number | 8 | | payload | |
 * | checksum of the header before it (of the batch before, or of the file) | 4 |
 * | bytes of records, count of records | 4, 4 |
 */
import { checksum, seedAt } from './checksum.js'
import { SECTOR } from './file-header.js'

const MAGIC = 0x424e5953
const HEADER = 28
const TWO_32 = 0x1_0000_0000

/** Bytes before a record's payload. */
export const RECORD_HEADER = 8

/** A buffer that grew for a large batch is given back after it (bytes). */
const KEEP = 1 << 20

/** The offset of the next sector, if this one is begun. */
export function alignUp(offset: number): number {
  return Math.ceil(offset / SECTOR) * SECTOR
}

/** Collects the records of a batch in one buffer, which is used again for the next. */
export class BatchBuilder {
  #bytes = Buffer.alloc(64 << 10)
  #end = HEADER
  #count = 0

  /** How many records are in it. */
  get count(): number {
    return this.#count
  }

  /** Bytes on the disk. */
  get size(): number {
    return alignUp(this.#end)
  }

  /** Copies a record into it. */
  add(payload: Uint8Array): void {
    const end = this.#end + RECORD_HEADER + payload.length
    if (alignUp(end) > this.#bytes.length) this.#grow(alignUp(end))
    this.#bytes.writeUInt32LE(payload.length, this.#end + 4)
    this.#bytes.set(payload, this.#end + RECORD_HEADER)
    this.#end = end
    this.#count++
  }

  /** Fills in what depends on where the batch goes. The bytes are the builder's own, to be written before {@link clear}. */
  finish(number: number, previous: number, seed: number, offset: number): { bytes: Buffer; header: number } {
    const bytes = this.#bytes
    for (let at = HEADER; at < this.#end;) {
      const end = at + RECORD_HEADER + bytes.readUInt32LE(at + 4)
      bytes.writeUInt32LE(checksum(bytes, at + 4, end, seedAt(seed, offset + at)), at)
      at = end
    }
    bytes.writeUInt32LE(MAGIC, 0)
    bytes.writeUInt32LE(number % TWO_32, 8)
    bytes.writeUInt32LE(Math.floor(number / TWO_32), 12)
    bytes.writeUInt32LE(previous, 16)
    bytes.writeUInt32LE(this.#end - HEADER, 20)
    bytes.writeUInt32LE(this.#count, 24)
    const header = checksum(bytes, 8, HEADER, seedAt(seed, offset))
    bytes.writeUInt32LE(header, 4)
    bytes.fill(0, this.#end, this.size)
    return { bytes: bytes.subarray(0, this.size), header }
  }

  /** Empties it; what {@link finish} gave out may change from now on. */
  clear(): void {
    if (this.#bytes.length > KEEP) this.#bytes = Buffer.alloc(64 << 10)
    this.#end = HEADER
    this.#count = 0
  }

  #grow(size: number): void {
    const larger = Buffer.alloc(Math.max(size, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#end)
    this.#bytes = larger
  }
}

/** A batch's header, as found. */
export interface BatchHeader {
  readonly number: number
  /** The checksum of the header before it. */
  readonly previous: number
  /** Its own checksum. */
  readonly checksum: number
  /** Where its records end (offset in the file). */
  readonly end: number
  readonly count: number
}

/** The header at the offset; null if there is none that belongs there. */
export function readBatchHeader(file: Buffer, offset: number, seed: number): BatchHeader | null {
  if (offset + HEADER > file.length || file.readUInt32LE(offset) !== MAGIC) return null
  const found = file.readUInt32LE(offset + 4)
  if (checksum(file, offset + 8, offset + HEADER, seedAt(seed, offset)) !== found) return null
  return {
    number: file.readUInt32LE(offset + 8) + file.readUInt32LE(offset + 12) * TWO_32,
    previous: file.readUInt32LE(offset + 16),
    checksum: found,
    end: offset + HEADER + file.readUInt32LE(offset + 20),
    count: file.readUInt32LE(offset + 24),
  }
}

/** The offset of the first damaged record of a batch; null if all are whole. */
export function damagedRecord(file: Buffer, offset: number, header: BatchHeader, seed: number): number | null {
  let at = offset + HEADER
  for (let i = 0; i < header.count; i++) {
    if (at + RECORD_HEADER > Math.min(header.end, file.length)) return at
    const end = at + RECORD_HEADER + file.readUInt32LE(at + 4)
    if (end > Math.min(header.end, file.length)) return at
    if (checksum(file, at + 4, end, seedAt(seed, at)) !== file.readUInt32LE(at)) return at
    at = end
  }
  return at === header.end ? null : at
}

/** Where the first record of the batch at an offset begins. */
export function firstRecord(offset: number): number {
  return offset + HEADER
}

/** Where the record of a whole batch that begins here ends. */
export function recordEnd(file: Buffer, at: number): number {
  return at + RECORD_HEADER + file.readUInt32LE(at + 4)
}

/** The records of a whole batch: views of the file, and their offsets. */
export function* payloads(file: Buffer, offset: number, header: BatchHeader): Generator<{ at: number; bytes: Buffer }> {
  for (let at = firstRecord(offset); at < header.end;) {
    const end = recordEnd(file, at)
    yield { at, bytes: file.subarray(at + RECORD_HEADER, end) }
    at = end
  }
}
