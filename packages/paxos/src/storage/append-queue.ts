/**
 * The queue in front of the log: what is appended while a write is under way forms the next batch. A log that nothing is
 * appended to is sealed after a while.
 */
import type { Cancel, Clock } from '../clock.js'
import { diskFailed } from './failure.js'
import { Filling } from './filling.js'
import type { LogFiles } from './log-files.js'
import type { LogWriter } from './log-writer.js'
import type { FileBase } from './record.js'
import type { StoredRecord } from './storage.js'
import { StorageError } from './storage.js'

/** One append that waits. */
interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: StorageError) => void
}

/** What a queue works on. */
export interface QueueHost {
  readonly directory: string
  readonly clock: Clock
  readonly writer: LogWriter
  readonly files: LogFiles
  /** A log without appends for this long is sealed (ms). */
  readonly sealAfter: number
  /** A `base` record is durable. */
  collect(base: FileBase): void
}

export class AppendQueue {
  readonly #host: QueueHost
  /** What the next write takes, and who waits for it. */
  #filling: Filling
  #waiting: Waiter[] = []
  /** Empty, or what is being written. */
  #spare: Filling
  /** The writing, while it goes on. */
  #working: Promise<void> | null = null
  #sealWanted = false
  #failure: StorageError | null = null
  #closing = false
  #lastWrite = 0
  #cancelSeal: Cancel | null = null

  constructor(host: QueueHost) {
    this.#host = host
    this.#filling = new Filling(host.files)
    this.#spare = new Filling(host.files)
  }

  /** See `Storage.failure`. */
  get failure(): StorageError | null {
    return this.#failure ?? this.#host.writer.failure
  }

  /** See `Storage.append`. */
  append(records: readonly StoredRecord[]): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    if (this.#closing) return Promise.reject(new Error('append needs an open, formed storage'))
    try {
      for (const record of records) this.#filling.add(record)
    } catch (error) {
      return Promise.reject(this.fail(error))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#work()
    })
  }

  /** What fails once fails for good, but for a full disk. Gives back the error as it is to be told. */
  fail(error: unknown): StorageError {
    const told = error instanceof StorageError ? error : diskFailed(this.#host.directory, 'writing', error)
    if (told.code !== 'DISK_FULL') this.#failure ??= told
    return told
  }

  /** Writes what waits, and a seal. */
  async close(): Promise<void> {
    this.#closing = true
    this.#cancelSeal?.()
    this.#sealWanted = true
    this.#work()
    await this.#working
  }

  /** Writes all that waits, then the seal if one is wanted; unless that is going on already. */
  #work(): void {
    this.#working ??= this.#workOn()
  }

  async #workOn(): Promise<void> {
    // Lets what is appended in the same turn into the first write.
    await Promise.resolve()
    for (;;) {
      if (this.#waiting.length > 0) await this.#writeWaiting()
      else if (this.#sealWanted) await this.#seal()
      else break
    }
    // At once, so that whoever appends from now on begins anew.
    this.#working = null
  }

  async #writeWaiting(): Promise<void> {
    const [filling, waiters] = [this.#filling, this.#waiting]
    this.#filling = this.#spare
    this.#waiting = []
    try {
      if (filling.batch.count > 0) await this.#host.writer.write(filling)
      this.#lastWrite = this.#host.clock.now()
      if (!this.#closing) this.#cancelSeal ??= this.#sealLater(this.#host.sealAfter)
      for (const { resolve } of waiters) resolve()
      if (filling.base !== null) this.#host.collect(filling.base)
    } catch (error) {
      this.#refuse(error, waiters)
    }
    filling.clear()
    this.#spare = filling
  }

  /** Whoever waits is refused too: what was appended after what is not there must not get in before it. */
  #refuse(error: unknown, waiters: readonly Waiter[]): void {
    const told = this.fail(error)
    const later = this.#waiting
    this.#waiting = []
    this.#filling.clear()
    for (const { reject } of [...waiters, ...later]) reject(told)
  }

  /** Says that the last batch was durable. On a full disk that is left unsaid. */
  async #seal(): Promise<void> {
    this.#sealWanted = false
    if (this.#host.writer.sealed || this.#failure !== null) return
    try {
      await this.#host.writer.write(this.#spare)
    } catch (error) {
      this.fail(error)
    }
    this.#spare.clear()
  }

  /** One timer, however many appends: it looks again when something was written meanwhile. */
  #sealLater(ms: number): Cancel {
    return this.#host.clock.after(ms, () => {
      this.#cancelSeal = null
      const left = this.#lastWrite + this.#host.sealAfter - this.#host.clock.now()
      if (left > 0) {
        this.#cancelSeal = this.#sealLater(left)
      } else {
        this.#sealWanted = true
        this.#work()
      }
    })
  }
}
