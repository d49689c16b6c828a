/**
 * A server's directory: the log in files (`00000001.paxos` and so on; docs/ARCHITECTURE.md has their format), and the
 * snapshots beside it. This file opens and closes it, and deletes what is not needed any more.
 */
import type { Clock } from '../clock.js'
import { AppendQueue } from './append-queue.js'
import { BatchBuilder } from './batch.js'
import type { Disk } from './disk.js'
import { advised, cannotOpen, notDamaged } from './failure.js'
import { SALT_BYTES } from './file-header.js'
import { FileSnapshots } from './file-snapshots.js'
import { readRecords } from './found-records.js'
import { LogFile } from './log-file.js'
import { LogFiles, removeFiles } from './log-files.js'
import type { FoundFile, Turn } from './log-scan.js'
import type { LogLimits } from './log-writer.js'
import { DEFAULT_LOG_LIMITS, LogWriter } from './log-writer.js'
import type { FileBase } from './record.js'
import { encodeRecord } from './record.js'
import type { FoundLog } from './recovery.js'
import { formationOf, readLog } from './recovery.js'
import { setAside } from './set-aside.js'
import type { Snapshots } from './snapshots.js'
import type { FoundRecords, Opened, OpenOptions, Owner, Storage, StorageStatistics, StoredRecord } from './storage.js'
import { StorageError } from './storage.js'
import { makeTailDurable } from './tail.js'

const NOTHING_YET: StorageStatistics = { logBytes: 0, sinceBase: 0, syncs: 0, bytesWritten: 0 }

/** The log, once there is one. */
interface Log {
  readonly files: LogFiles
  readonly writer: LogWriter
  readonly queue: AppendQueue
}

export class FileStorage implements Storage {
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #limits: LogLimits
  readonly #zeros: Uint8Array
  readonly #snapshots: FileSnapshots
  readonly #turn: Turn
  #owner: Owner | null = null
  /** The directory is empty, and its votes are lost: it joins its cluster as one that repairs. */
  #lost = false
  #log: Log | null = null
  /** Deletes what is not needed any more, one thing after the other. */
  #collecting = Promise.resolve()
  #closing = false

  constructor(disk: Disk, clock: Clock, limits: Partial<LogLimits> = {}) {
    this.#disk = disk
    this.#clock = clock
    this.#limits = { ...DEFAULT_LOG_LIMITS, ...limits }
    this.#zeros = new Uint8Array(this.#limits.reserveBytes)
    this.#snapshots = new FileSnapshots(disk, clock)
    this.#turn = () => new Promise((resolve) => clock.defer(resolve))
  }

  get batch(): number {
    return this.#log?.writer.batch ?? 0
  }

  get snapshots(): Snapshots {
    return this.#snapshots
  }

  async open(owner: Owner, { repair }: OpenOptions = { repair: false }): Promise<Opened> {
    try {
      await this.#disk.open()
    } catch (error) {
      throw cannotOpen(this.#disk.directory, error)
    }
    try {
      const opened = await this.#find(owner, repair)
      this.#owner = owner
      return opened
    } catch (error) {
      await this.#log?.writer.close()
      this.#log = null
      await this.#disk.close()
      throw advised(error, owner.count)
    }
  }

  async form(clusterId: string): Promise<void> {
    const owner = this.#owner
    if (owner === null || this.#log !== null) throw new Error('form needs an open, empty storage')
    if (!/^[0-9a-f]{32}$/.test(clusterId)) throw new Error('a cluster id has 32 hexadecimal digits')
    const header = { clusterId, owner, file: 1, salt: this.#clock.random(SALT_BYTES) }
    // In one with the file: no crash may leave a directory that has joined, and does not know that it must not vote.
    const first = this.#lost ? new BatchBuilder() : null
    first?.add(encodeRecord({ type: 'repairing' }))
    const file = await LogFile.create(this.#disk, header, this.#zeros, first)
    const files = new LogFiles(this.#disk, [{ file: 1, bytes: file.position }], this.#lost)
    files.read(1, 0)
    this.#log = this.#writeOn(files, file, first === null ? 0 : 1, first?.size ?? 0, first === null)
    this.#snapshots.begin({ clusterId, owner })
  }

  append(records: readonly StoredRecord[]): Promise<void> {
    if (this.#log === null || this.#closing) return Promise.reject(new Error('append needs an open, formed storage'))
    return this.#log.queue.append(records)
  }

  get failure(): StorageError | null {
    return this.#log?.queue.failure ?? null
  }

  statistics(): StorageStatistics {
    return this.#log?.writer.statistics ?? NOTHING_YET
  }

  async close(): Promise<void> {
    if (this.#owner === null || this.#closing) return
    this.#closing = true
    await this.#log?.queue.close()
    await this.#collecting
    await this.#snapshots.close()
    await this.#log?.writer.close()
    await this.#disk.close()
  }

  async #find(owner: Owner, repair: boolean): Promise<Opened> {
    const [found, notes] = repair ? await this.#findDamaged(owner) : [await readLog(this.#disk, owner, this.#turn), []]
    if (found !== null) return this.#recover(owner, found)
    this.#lost = repair
    return { formation: 'empty', clusterId: null, collected: 0, records: NOTHING, logBytes: 0, notes }
  }

  /** What is damaged is set aside: then there is nothing. What is whole is refused, but for a repair that was begun. */
  async #findDamaged(owner: Owner): Promise<[FoundLog | null, readonly string[]]> {
    try {
      const found = await readLog(this.#disk, owner, this.#turn)
      if (found !== null && formationOf(found.files) !== 'repairing') throw notDamaged(this.#disk.directory)
      return [found, []]
    } catch (error) {
      if (!(error instanceof StorageError) || !['CORRUPT', 'MISSING_FILE'].includes(error.code)) throw error
      const names = await setAside(this.#disk)
      const aside = names.length === 0 ? 'nothing was left to be set aside' : `set aside as ${names.join(', ')}`
      return [null, [`${error.message} (${aside})`]]
    }
  }

  async #recover(owner: Owner, log: FoundLog): Promise<Opened> {
    const { files: all, notes, leftovers } = log
    const parts = { disk: this.#disk, zeros: this.#zeros, turn: this.#turn }
    const [file, batch] = await makeTailDurable(parts, log)
    // Only now: the base record that says that they are not needed is durable.
    await removeFiles(this.#disk, leftovers)
    const formation = formationOf(all)
    const facts = all.map(({ header, end }) => ({ file: header.file, bytes: end }))
    const files = new LogFiles(this.#disk, facts, formation === 'repairing')
    this.#log = this.#writeOn(files, file, batch, sinceBase(all))
    const { clusterId } = file.header
    const collected = all.findLast(({ base }) => base !== null)?.base?.record.collected ?? 0
    const aboutSnapshots = await this.#snapshots.open({ clusterId, owner }, collected)
    const found = readRecords(this.#disk, all, this.#turn, (number, highest) => files.read(number, highest))
    const records = withAdvice(found, owner.count)
    const logBytes = all.reduce((sum, { end }) => sum + end, 0)
    return { formation, clusterId, collected, records, logBytes, notes: [...notes, ...aboutSnapshots] }
  }

  #writeOn(files: LogFiles, file: LogFile, batch: number, since: number, sealed = true): Log {
    const [disk, clock, limits, zeros] = [this.#disk, this.#clock, this.#limits, this.#zeros]
    const writer = new LogWriter({ disk, clock, limits, zeros, files }, file, batch, since, sealed)
    const { sealAfter } = limits
    const collect = (base: FileBase): void => {
      this.#collecting = this.#collecting.then(() => this.#collect(base, files, queue))
    }
    const queue = new AppendQueue({ directory: disk.directory, clock, writer, files, sealAfter, collect })
    return { files, writer, queue }
  }

  async #collect({ firstFile, collected }: FileBase, files: LogFiles, queue: AppendQueue): Promise<void> {
    try {
      await files.removeBelow(firstFile)
      await this.#snapshots.removeOlder(collected)
    } catch (error) {
      queue.fail(error)
    }
  }
}

/** Bytes of batches behind the last `base` record. */
function sinceBase(files: readonly FoundFile[]): number {
  let bytes = 0
  for (const { end, base } of files) bytes = base === null ? bytes + end : end - base.end
  return bytes
}

async function* withAdvice(records: AsyncGenerator<FoundRecords>, servers: number): AsyncGenerator<FoundRecords> {
  try {
    yield* records
  } catch (error) {
    throw advised(error, servers)
  }
}

/** The records of an empty directory. */
const NOTHING: AsyncIterable<FoundRecords> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
}
