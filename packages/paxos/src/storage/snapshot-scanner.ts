/** Checks a snapshot's bytes as they come, in pieces of any size. */
import { crc32 } from 'node:zlib'
import { SECTOR } from './file-header.js'
import type { ChunkHeader, SnapshotHeader } from './snapshot-file.js'
import {
  CHUNK_HEADER,
  chunkSeed,
  decodeChunkHeader,
  decodeEnd,
  requireSnapshotHeader,
  SnapshotDamage,
  snapshotSeed,
} from './snapshot-file.js'

/** A payload that is coming. */
interface Coming {
  readonly header: ChunkHeader
  /** Where the chunk begins. */
  readonly offset: number
  left: number
  checksum: number
}

export class SnapshotScanner {
  #header: SnapshotHeader | null = null
  #seed = 0
  #position = 0
  #verified = 0
  #whole = false
  /** The beginning of a header: of the file, or of a chunk. */
  #begun = Buffer.alloc(0)
  #coming: Coming | null = null
  /** The end mark's payload, as far as it came. */
  #end = Buffer.alloc(0)
  #chunks = 0
  #bytes = 0

  /** The file's header, once it is here. */
  get header(): SnapshotHeader | null {
    return this.#header
  }

  /** Bytes that were taken. */
  get position(): number {
    return this.#position
  }

  /** Where the last whole chunk ends; 0 before the header is here. */
  get verified(): number {
    return this.#verified
  }

  /** The end mark is here, and all before it. */
  get whole(): boolean {
    return this.#whole
  }

  /** Takes the next bytes. Throws {@link SnapshotDamage}: it is not to be used any more then, but by {@link rewind}. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const taken = this.#take(bytes.subarray(at))
      at += taken
      this.#position += taken
      this.#complete()
    }
  }

  /** Goes back to where the last whole chunk ends. */
  rewind(): void {
    this.#position = this.#verified
    this.#begun = Buffer.alloc(0)
    this.#coming = null
    this.#end = Buffer.alloc(0)
  }

  /** Takes of the bytes what belongs to the same header or payload; gives back how many. */
  #take(bytes: Uint8Array): number {
    if (this.#whole) throw new SnapshotDamage('goes on behind its end mark', this.#position)
    const coming = this.#coming
    if (coming === null) {
      const missing = (this.#header === null ? SECTOR : CHUNK_HEADER) - this.#begun.length
      const taken = bytes.subarray(0, missing)
      this.#begun = Buffer.concat([this.#begun, taken])
      return taken.length
    }
    const taken = bytes.subarray(0, coming.left)
    coming.left -= taken.length
    coming.checksum = crc32(taken, coming.checksum)
    if (coming.header.section === 'end') this.#end = Buffer.concat([this.#end, taken])
    return taken.length
  }

  /** Judges a header or a payload that is complete. */
  #complete(): void {
    if (this.#header === null) {
      if (this.#begun.length === SECTOR) this.#completeHeader()
    } else if (this.#coming === null) {
      if (this.#begun.length === CHUNK_HEADER) this.#begin()
    }
    if (this.#coming?.left === 0) this.#completeChunk(this.#coming)
  }

  #completeHeader(): void {
    this.#header = requireSnapshotHeader(this.#begun)
    this.#seed = snapshotSeed(this.#header)
    this.#verified = this.#position
    this.#begun = Buffer.alloc(0)
  }

  #begin(): void {
    const offset = this.#verified
    const header = decodeChunkHeader(this.#begun, this.#seed, offset)
    this.#coming = { header, offset, left: header.length, checksum: chunkSeed(this.#seed, offset) }
    this.#begun = Buffer.alloc(0)
  }

  #completeChunk({ header, offset, checksum }: Coming): void {
    if (checksum !== header.checksum) throw new SnapshotDamage('is damaged', offset)
    this.#coming = null
    this.#verified = this.#position
    if (header.section === 'end') return this.#completeFile(offset)
    this.#chunks++
    this.#bytes += header.length
  }

  #completeFile(offset: number): void {
    const { chunks, bytes } = decodeEnd(this.#end)
    if (chunks !== this.#chunks || bytes !== this.#bytes || this.#position !== this.#header?.size) {
      throw new SnapshotDamage('ends with another end mark', offset)
    }
    this.#whole = true
  }
}
