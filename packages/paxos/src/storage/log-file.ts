/** The log file that is being written. */
import type { BatchBuilder } from './batch.js'
import type { Disk, DiskFile } from './disk.js'
import { codeOf, diskFailed, diskFull, isFull } from './failure.js'
import type { FileHeader } from './file-header.js'
import { encodeHeader, fileName, fileSeed, SECTOR, temporaryName } from './file-header.js'

/** Where the checksum of a header stands in it: the first batch is chained to it. */
export function headerChecksum(header: Buffer): number {
  return header.readUInt32LE(12)
}

/** Bytes, and where they go in a file. */
export interface Piece {
  readonly bytes: Uint8Array
  readonly position: number
}

/**
 * A file has room written ahead of its batches, as zeros: batches then meet no full disk, and no change of the file's size
 * must be made durable with them.
 */
export class LogFile {
  readonly header: FileHeader
  readonly seed: number
  readonly #disk: Disk
  readonly #file: DiskFile
  readonly #zeros: Uint8Array
  #position: number
  #reserved: number
  #previous: number
  #reserving: Promise<void> | null = null

  /** @param zeros as much as is reserved at a time */
  private constructor(
    disk: Disk,
    file: DiskFile,
    header: FileHeader,
    zeros: Uint8Array,
    position: number,
    previous: number,
  ) {
    this.#disk = disk
    this.#file = file
    this.header = header
    this.seed = fileSeed(header)
    this.#zeros = zeros
    this.#position = position
    this.#reserved = position
    this.#previous = previous
  }

  /**
   * Makes a new file, with its first room reserved. See {@link LogFile.make}.
   *
   * @param first the first batch, if the file is not to be without one at any time; its number is 1
   */
  static async create(
    disk: Disk,
    header: FileHeader,
    zeros: Uint8Array,
    first: BatchBuilder | null = null,
  ): Promise<LogFile> {
    const bytes = encodeHeader(header)
    const batch = first?.finish(1, headerChecksum(bytes), fileSeed(header), SECTOR)
    const pieces: Piece[] = [{ bytes, position: 0 }]
    if (batch !== undefined) pieces.push({ bytes: batch.bytes, position: SECTOR })
    const position = SECTOR + (batch?.bytes.length ?? 0)
    pieces.push({ bytes: zeros, position })
    const file = await LogFile.make(disk, header, pieces, zeros, position, batch?.header ?? headerChecksum(bytes))
    file.#reserved += zeros.length
    return file
  }

  /**
   * Makes a file of these pieces, in place of any older one of its number: under a temporary name first, so that whatever
   * is found under the real one, at any time, is whole. Throws DISK_FULL, with nothing changed, or DISK_FAILED.
   *
   * @param position where the next batch goes
   * @param previous the checksum of the last header before that
   */
  static async make(
    disk: Disk,
    header: FileHeader,
    pieces: readonly Piece[],
    zeros: Uint8Array,
    position: number,
    previous: number,
  ): Promise<LogFile> {
    const temporary = temporaryName(header.file)
    let file: DiskFile | null = null
    try {
      await removeIfThere(disk, temporary)
      file = await disk.create(temporary)
      for (const piece of pieces) await file.write(piece.bytes, piece.position)
    } catch (error) {
      if (!isFull(error)) throw diskFailed(disk.directory, `writing ${temporary}`, error)
      await file?.close().catch(() => undefined)
      await removeIfThere(disk, temporary)
      throw diskFull(disk.directory, error)
    }
    try {
      await file.sync()
      await disk.rename(temporary, fileName(header.file))
      await disk.syncDirectory()
    } catch (error) {
      throw diskFailed(disk.directory, `making ${fileName(header.file)} durable`, error)
    }
    return new LogFile(disk, file, header, zeros, position, previous)
  }

  /** Where the next batch goes. */
  get position(): number {
    return this.#position
  }

  /** Where the reserved room ends. */
  get reserved(): number {
    return this.#reserved
  }

  /** The checksum of the last header: the next batch is chained to it. */
  get previous(): number {
    return this.#previous
  }

  /** Reserves room up to `end` at least. Throws DISK_FULL, with nothing changed, or DISK_FAILED. */
  async reserve(end: number): Promise<void> {
    while (this.#reserved < end) {
      this.#reserving ??= this.#reserveUpTo(end).finally(() => {
        this.#reserving = null
      })
      await this.#reserving
    }
  }

  /** Adds a batch, for which room was reserved; durable when resolved. Throws DISK_FAILED. */
  async append(bytes: Uint8Array, checksum: number): Promise<void> {
    try {
      await this.#file.writeDurably(bytes, this.#position)
    } catch (error) {
      throw diskFailed(this.#disk.directory, `writing ${fileName(this.header.file)}`, error)
    }
    this.#position += bytes.length
    this.#previous = checksum
  }

  /** Waits for a reservation that is under way. What was appended is durable, so nothing can fail that matters. */
  async close(): Promise<void> {
    await this.#reserving?.catch(() => undefined)
    await this.#file.close().catch(() => undefined)
  }

  async #reserveUpTo(end: number): Promise<void> {
    const { directory } = this.#disk
    const doing = `reserving room in ${fileName(this.header.file)}`
    let reserved = this.#reserved
    try {
      for (; reserved < end; reserved += this.#zeros.length) await this.#file.write(this.#zeros, reserved)
    } catch (error) {
      throw isFull(error) ? diskFull(directory, error) : diskFailed(directory, doing, error)
    }
    try {
      await this.#file.sync()
    } catch (error) {
      throw diskFailed(directory, doing, error)
    }
    this.#reserved = reserved
  }
}

async function removeIfThere(disk: Disk, name: string): Promise<void> {
  try {
    await disk.remove(name)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw diskFailed(disk.directory, `removing ${name}`, error)
  }
}
