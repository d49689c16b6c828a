/** Writes one snapshot file, chunk by chunk, under a temporary name until it is complete and durable. */
import type { Disk, DiskFile } from './disk.js'
import { diskFailed, diskFull, isFull } from './failure.js'
import { SECTOR } from './file-header.js'
import { removeFiles } from './log-files.js'
import type { SnapshotHeader } from './snapshot-file.js'
import {
  encodeChunk,
  encodeEnd,
  encodeSnapshotHeader,
  infoOf,
  newSnapshotName,
  snapshotName,
  snapshotSeed,
} from './snapshot-file.js'
import type { SnapshotChunk, SnapshotInfo, SnapshotWriter } from './snapshots.js'
import { StorageError } from './storage.js'

/** As much is made durable at a time (bytes), so that the log's writes never wait behind a whole snapshot. */
export const SYNC_BYTES = 8 << 20

export class FileSnapshotWriter implements SnapshotWriter {
  readonly #disk: Disk
  readonly #file: DiskFile
  readonly #header: Omit<SnapshotHeader, 'size'>
  readonly #seed: number
  readonly #ended: (info: SnapshotInfo | null) => void
  #position = SECTOR
  #synced = 0
  #chunks = 0
  #bytes = 0
  #over = false

  private constructor(
    disk: Disk,
    file: DiskFile,
    header: Omit<SnapshotHeader, 'size'>,
    ended: (info: SnapshotInfo | null) => void,
  ) {
    this.#disk = disk
    this.#file = file
    this.#header = header
    this.#seed = snapshotSeed(header)
    this.#ended = ended
  }

  /**
   * Begins a file. Throws DISK_FULL or DISK_FAILED, and leaves nothing.
   *
   * @param ended called once, when the snapshot is there under its name, or nothing remains of it (null)
   */
  static async begin(
    disk: Disk,
    header: Omit<SnapshotHeader, 'size'>,
    ended: (info: SnapshotInfo | null) => void,
  ): Promise<FileSnapshotWriter> {
    const name = newSnapshotName(header.slot)
    await removeFiles(disk, [name])
    try {
      return new FileSnapshotWriter(disk, await disk.create(name, 'bulk'), header, ended)
    } catch (error) {
      throw snapshotFailed(disk.directory, name, error)
    }
  }

  add(chunk: SnapshotChunk): Promise<void> {
    return this.#or(async () => {
      await this.#write(encodeChunk(this.#seed, this.#position, chunk))
      this.#chunks++
      this.#bytes += chunk.payload.length
      if (this.#position - this.#synced < SYNC_BYTES) return
      await this.#file.sync()
      this.#synced = this.#position
    })
  }

  finish(): Promise<SnapshotInfo> {
    return this.#or(async () => {
      await this.#write(encodeEnd(this.#seed, this.#position, this.#chunks, this.#bytes))
      const header = { ...this.#header, size: this.#position }
      await this.#file.write(encodeSnapshotHeader(header), 0)
      await this.#file.sync()
      await this.#file.close()
      await this.#disk.rename(newSnapshotName(header.slot), snapshotName(header.slot))
      await this.#disk.syncDirectory()
      const info = infoOf(header)
      this.#over = true
      this.#ended(info)
      return info
    })
  }

  async abandon(): Promise<void> {
    if (this.#over) return
    this.#over = true
    try {
      await this.#file.close().catch(() => undefined)
      await removeFiles(this.#disk, [newSnapshotName(this.#header.slot)])
    } finally {
      this.#ended(null)
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes, this.#position)
    this.#position += bytes.length
  }

  async #or<T>(attempt: () => Promise<T>): Promise<T> {
    if (this.#over) throw new Error('this snapshot is written, or given up')
    try {
      return await attempt()
    } catch (error) {
      await this.abandon().catch(() => undefined)
      throw snapshotFailed(this.#disk.directory, newSnapshotName(this.#header.slot), error)
    }
  }
}

/** A failure while a snapshot is written or received, as it is to be told. */
export function snapshotFailed(directory: string, name: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error
  return isFull(error) ? diskFull(directory, error) : diskFailed(directory, `writing ${name}`, error)
}
