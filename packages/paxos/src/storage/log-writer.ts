/** The sequence of log files: which one is written, which one comes after it, and the numbers of the batches. */
import type { Clock } from '../clock.js'
import type { BatchBuilder } from './batch.js'
import type { Disk } from './disk.js'
import { SALT_BYTES } from './file-header.js'
import { LogFile } from './log-file.js'
import { encodeRecord } from './record.js'
import { StorageError } from './storage.js'

/** Sizes and times of a log. */
export interface LogLimits {
  /** The batch that reaches this size is its file's last (bytes). */
  readonly fileBytes: number
  /** As much room is reserved at a time (bytes; a multiple of 512). */
  readonly reserveBytes: number
  /** A log without appends for this long is sealed (ms). */
  readonly sealAfter: number
}

export const DEFAULT_LOG_LIMITS: LogLimits = { fileBytes: 64 << 20, reserveBytes: 2 << 20, sealAfter: 100 }

/** Writes one batch after the other. */
export class LogWriter {
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #limits: LogLimits
  readonly #zeros: Uint8Array
  #file: LogFile
  #batch: number
  #sealed = true
  /** Used bytes of the files before this one. */
  #before: number
  /** The file after this one, or its making. */
  #next: Promise<LogFile> | null = null
  /** What failed behind the back of the appends. */
  #failure: StorageError | null = null
  /** The last try to get room ahead of its need found none: the next try is when it is needed. */
  #full = false
  #syncs = 0
  #written = 0

  /**
   * @param zeros {@link LogLimits.reserveBytes} zeros
   * @param file the one to write on
   * @param batch the last batch's number, which is a seal, or 0
   * @param before used bytes of the files before
   */
  constructor(
    disk: Disk,
    clock: Clock,
    limits: LogLimits,
    zeros: Uint8Array,
    file: LogFile,
    batch: number,
    before: number,
  ) {
    this.#disk = disk
    this.#clock = clock
    this.#limits = limits
    this.#zeros = zeros
    this.#file = file
    this.#batch = batch
    this.#before = before
  }

  /** The last durable batch. */
  get batch(): number {
    return this.#batch
  }

  /** Whether the last batch is a seal. */
  get sealed(): boolean {
    return this.#sealed
  }

  get statistics(): { logBytes: number; syncs: number; bytesWritten: number } {
    return { logBytes: this.#before + this.#file.position, syncs: this.#syncs, bytesWritten: this.#written }
  }

  /**
   * Writes a batch, behind all those before; durable when resolved. Calls must not overlap. Throws DISK_FULL, with nothing
   * written, or DISK_FAILED.
   */
  async write(batch: BatchBuilder): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    const seal = batch.count === 0
    const file = this.#file
    const endsFile = !seal && file.position + batch.size >= this.#limits.fileBytes
    const next = endsFile ? await this.#makeNext() : null
    if (next !== null) batch.add(encodeRecord({ type: 'next', file: next.header.file, salt: next.header.salt }))
    await file.reserve(file.position + batch.size)
    this.#full = false
    const { bytes, header } = batch.finish(this.#batch + 1, file.previous, file.seed, file.position)
    await file.append(bytes, header)
    this.#batch++
    this.#syncs++
    this.#written += bytes.length
    this.#sealed = seal
    if (next !== null) await this.#goOnIn(next)
    this.#lookAhead()
  }

  /** Closes the files, when what is under way has ended. */
  async close(): Promise<void> {
    const next = await this.#next?.catch(() => null)
    await next?.close()
    await this.#file.close()
  }

  async #goOnIn(next: LogFile): Promise<void> {
    const ended = this.#file
    this.#file = next
    this.#next = null
    this.#before += ended.position
    await ended.close()
  }

  /** Gets room, and the next file, before they are needed, beside the writing of batches. */
  #lookAhead(): void {
    const { position, reserved } = this.#file
    const { fileBytes, reserveBytes } = this.#limits
    if (this.#full) return
    if (reserved < fileBytes && reserved - position < reserveBytes / 2) {
      this.#file.reserve(reserved + 1).catch(this.#aheadFailed)
    }
    if (position > fileBytes / 2) this.#makeNext().catch(this.#aheadFailed)
  }

  readonly #aheadFailed = (error: unknown): void => {
    if (error instanceof StorageError && error.code === 'DISK_FULL') this.#full = true
    else if (error instanceof StorageError) this.#failure ??= error
    else throw error
  }

  #makeNext(): Promise<LogFile> {
    if (this.#next !== null) return this.#next
    const { clusterId, owner, file } = this.#file.header
    const header = { clusterId, owner, file: file + 1, salt: this.#clock.random(SALT_BYTES) }
    this.#next = LogFile.createEmpty(this.#disk, header, this.#zeros).catch((error: unknown) => {
      this.#next = null
      throw error
    })
    return this.#next
  }
}
