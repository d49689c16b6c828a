/** The sequence of log files: which one is written, which one comes after it, and the numbers of the batches. */
import type { Clock } from '../clock.js'
import type { Disk } from './disk.js'
import { SALT_BYTES } from './file-header.js'
import type { Filling } from './filling.js'
import { LogFile } from './log-file.js'
import type { LogFiles } from './log-files.js'
import { encodeRecord } from './record.js'
import type { StorageStatistics } from './storage.js'
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

/** What a log is written with. */
export interface LogParts {
  readonly disk: Disk
  readonly clock: Clock
  readonly limits: LogLimits
  /** {@link LogLimits.reserveBytes} zeros. */
  readonly zeros: Uint8Array
  readonly files: LogFiles
}

/** Writes one batch after the other. */
export class LogWriter {
  readonly #parts: LogParts
  #file: LogFile
  #batch: number
  #sealed: boolean
  /** Bytes of batches since the last `base` record. */
  #sinceBase: number
  /** The file after this one, or its making; and the file, once it is made. */
  #next: Promise<LogFile> | null = null
  #ready: LogFile | null = null
  /** What failed behind the back of the appends. */
  #failure: StorageError | null = null
  /** The last try to get room ahead of its need found none: the next try is when it is needed. */
  #full = false
  #syncs = 0
  #written = 0

  /**
   * @param file the one to write on, the last of the parts' files
   * @param batch the last batch's number, or 0
   * @param sinceBase bytes of batches since the last `base` record
   * @param sealed whether the last batch is a seal, or there is none
   */
  constructor(parts: LogParts, file: LogFile, batch: number, sinceBase: number, sealed = true) {
    this.#parts = parts
    this.#file = file
    this.#batch = batch
    this.#sinceBase = sinceBase
    this.#sealed = sealed
  }

  /** What failed while nothing was written. */
  get failure(): StorageError | null {
    return this.#failure
  }

  /** The last durable batch. */
  get batch(): number {
    return this.#batch
  }

  /** Whether the last batch is a seal. */
  get sealed(): boolean {
    return this.#sealed
  }

  get statistics(): StorageStatistics {
    const { bytes: logBytes } = this.#parts.files
    return { logBytes, sinceBase: this.#sinceBase, syncs: this.#syncs, bytesWritten: this.#written }
  }

  /**
   * Writes a batch, behind all those before; durable when resolved. Calls must not overlap. Throws DISK_FULL, with nothing
   * written, or DISK_FAILED.
   */
  async write({ batch, base, highest }: Filling): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    const seal = batch.count === 0
    const file = this.#file
    const isLast = !seal && file.position + batch.size >= this.#parts.limits.fileBytes
    // What stands before a base record can go at the next one, if its file ends here; that must not cost an append more.
    const next = isLast ? await this.#makeNext() : base !== null ? this.#ready : null
    if (next !== null) batch.add(encodeRecord({ type: 'next', file: next.header.file, salt: next.header.salt }))
    await file.reserve(file.position + batch.size)
    this.#full = false
    const { bytes, header } = batch.finish(this.#batch + 1, file.previous, file.seed, file.position)
    await file.append(bytes, header)
    this.#batch++
    this.#syncs++
    this.#written += bytes.length
    this.#sinceBase = base === null ? this.#sinceBase + bytes.length : 0
    this.#sealed = seal
    this.#parts.files.added(bytes.length, highest)
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
    this.#ready = null
    this.#parts.files.wentOn(next.header.file, next.position)
    await ended.close()
  }

  /** Gets room, and the next file, before they are needed, beside the writing of batches. */
  #lookAhead(): void {
    const { position, reserved } = this.#file
    const { fileBytes, reserveBytes } = this.#parts.limits
    if (this.#full) return
    if (reserved < fileBytes && reserved - position < reserveBytes / 2) {
      this.#file.reserve(reserved + 1).catch(this.#aheadFailed)
    }
    if (position > fileBytes / 4) this.#makeNext().catch(this.#aheadFailed)
  }

  readonly #aheadFailed = (error: unknown): void => {
    if (error instanceof StorageError && error.code === 'DISK_FULL') this.#full = true
    else if (error instanceof StorageError) this.#failure ??= error
    else throw error
  }

  #makeNext(): Promise<LogFile> {
    if (this.#next !== null) return this.#next
    const { disk, clock, zeros } = this.#parts
    const { clusterId, owner, file } = this.#file.header
    const header = { clusterId, owner, file: file + 1, salt: clock.random(SALT_BYTES) }
    const made = LogFile.create(disk, header, zeros)
    this.#next = made
    made.then(
      (next) => {
        this.#ready = next
      },
      () => {
        this.#next = null
      },
    )
    return made
  }
}
