/**
 * The log in files of a directory (`00000001.paxos` and so on; docs/ARCHITECTURE.md has their format). This file is the
 * queue in front of it: what is appended while a write is under way forms the next batch.
 */
import type { Cancel, Clock } from '../clock.js'
import { BatchBuilder } from './batch.js'
import type { Disk } from './disk.js'
import { cannotOpen, diskFailed } from './failure.js'
import { SALT_BYTES } from './file-header.js'
import { LogFile } from './log-file.js'
import type { LogLimits } from './log-writer.js'
import { DEFAULT_LOG_LIMITS, LogWriter } from './log-writer.js'
import { encodeRecord } from './record.js'
import { readLog, readRecords } from './recovery.js'
import type { Opened, Owner, Storage, StorageStatistics, StoredRecord } from './storage.js'
import { StorageError } from './storage.js'
import { makeTailDurable } from './tail.js'

/** One append that waits. */
interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: StorageError) => void
}

export class FileStorage implements Storage {
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #limits: LogLimits
  readonly #zeros: Uint8Array
  #owner: Owner | null = null
  #writer: LogWriter | null = null
  /** What the next write takes, and who waits for it. */
  #filling = new BatchBuilder()
  #waiting: Waiter[] = []
  /** Empty, or what is being written. */
  #spare = new BatchBuilder()
  /** The writing, while it goes on. */
  #working: Promise<void> | null = null
  #sealWanted = false
  #failure: StorageError | null = null
  #closing = false
  #lastWrite = 0
  #cancelSeal: Cancel | null = null

  constructor(disk: Disk, clock: Clock, limits: Partial<LogLimits> = {}) {
    this.#disk = disk
    this.#clock = clock
    this.#limits = { ...DEFAULT_LOG_LIMITS, ...limits }
    this.#zeros = new Uint8Array(this.#limits.reserveBytes)
  }

  get batch(): number {
    return this.#writer?.batch ?? 0
  }

  async open(owner: Owner): Promise<Opened> {
    try {
      await this.#disk.open()
    } catch (error) {
      throw cannotOpen(this.#disk.directory, error)
    }
    try {
      return await this.#recover(owner)
    } catch (error) {
      await this.#disk.close()
      throw error
    }
  }

  async form(clusterId: string): Promise<void> {
    const owner = this.#owner
    if (owner === null || this.#writer !== null) throw new Error('form needs an open, empty storage')
    if (!/^[0-9a-f]{32}$/.test(clusterId)) throw new Error('a cluster id has 32 hexadecimal digits')
    const header = { clusterId, owner, file: 1, salt: this.#clock.random(SALT_BYTES) }
    const file = await LogFile.createEmpty(this.#disk, header, this.#zeros)
    this.#writer = new LogWriter(this.#disk, this.#clock, this.#limits, this.#zeros, file, 0, 0)
  }

  append(records: readonly StoredRecord[]): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    if (this.#writer === null || this.#closing) return Promise.reject(new Error('append needs an open, formed storage'))
    try {
      for (const record of records) this.#filling.add(encodeRecord(record))
    } catch (error) {
      return Promise.reject(this.#noteFailure(error))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#work()
    })
  }

  statistics(): StorageStatistics {
    return this.#writer?.statistics ?? { logBytes: 0, syncs: 0, bytesWritten: 0 }
  }

  async close(): Promise<void> {
    if (this.#owner === null || this.#closing) return
    this.#closing = true
    this.#cancelSeal?.()
    this.#sealWanted = true
    this.#work()
    await this.#working
    await this.#writer?.close()
    await this.#disk.close()
  }

  async #recover(owner: Owner): Promise<Opened> {
    const found = await readLog(this.#disk, owner)
    this.#owner = owner
    if (found === null) return { formation: 'empty', clusterId: null, records: [], notes: [] }
    const { files, notes } = found
    const [file, batch] = await makeTailDurable(this.#disk, found, this.#zeros)
    const before = files.slice(0, -1).reduce((sum, { end }) => sum + end, 0)
    this.#writer = new LogWriter(this.#disk, this.#clock, this.#limits, this.#zeros, file, batch, before)
    const formation = files.some(({ formed }) => formed) ? 'formed' : 'forming'
    return { formation, clusterId: file.header.clusterId, records: readRecords(this.#disk.directory, files), notes }
  }

  /** Writes all that waits, then the seal if one is wanted; unless that is going on already. */
  #work(): void {
    const writer = this.#writer
    if (writer !== null) this.#working ??= this.#workOn(writer)
  }

  async #workOn(writer: LogWriter): Promise<void> {
    // Lets what is appended in the same turn into the first write.
    await Promise.resolve()
    for (;;) {
      if (this.#waiting.length > 0) await this.#writeWaiting(writer)
      else if (this.#sealWanted) await this.#seal(writer)
      else break
    }
    // At once, so that whoever appends from now on begins anew.
    this.#working = null
  }

  async #writeWaiting(writer: LogWriter): Promise<void> {
    const [batch, waiters] = [this.#filling, this.#waiting]
    this.#filling = this.#spare
    this.#waiting = []
    try {
      if (batch.count > 0) await writer.write(batch)
      this.#lastWrite = this.#clock.now()
      if (!this.#closing) this.#cancelSeal ??= this.#sealLater(this.#limits.sealAfter)
      for (const { resolve } of waiters) resolve()
    } catch (error) {
      this.#refuse(error, waiters)
    }
    batch.clear()
    this.#spare = batch
  }

  /** Whoever waits is refused too: what was appended after what is not there must not get in before it. */
  #refuse(error: unknown, waiters: readonly Waiter[]): void {
    const told = this.#noteFailure(error)
    const later = this.#waiting
    this.#waiting = []
    this.#filling.clear()
    for (const { reject } of [...waiters, ...later]) reject(told)
  }

  /** Says that the last batch was durable. On a full disk that is left unsaid. */
  async #seal(writer: LogWriter): Promise<void> {
    this.#sealWanted = false
    if (writer.sealed || this.#failure !== null) return
    try {
      await writer.write(this.#spare)
    } catch (error) {
      this.#noteFailure(error)
    }
    this.#spare.clear()
  }

  /** What fails once fails for good, but for a full disk. Gives back the error as it is to be told. */
  #noteFailure(error: unknown): StorageError {
    const told = error instanceof StorageError ? error : diskFailed(this.#disk.directory, 'writing', error)
    if (told.code !== 'DISK_FULL') this.#failure ??= told
    return told
  }

  /** One timer, however many appends: it looks again when something was written meanwhile. */
  #sealLater(ms: number): Cancel {
    return this.#clock.after(ms, () => {
      this.#cancelSeal = null
      const left = this.#lastWrite + this.#limits.sealAfter - this.#clock.now()
      if (left > 0) {
        this.#cancelSeal = this.#sealLater(left)
      } else {
        this.#sealWanted = true
        this.#work()
      }
    })
  }
}
