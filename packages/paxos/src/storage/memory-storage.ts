/** For tests: a storage that lives as long as its object. What was appended survives `close` and the next `open`. */
import { realClock } from '../clock.js'
import type { Slot } from '../protocol/command.js'
import { notDamaged } from './failure.js'
import { FileSnapshots } from './file-snapshots.js'
import { highestSlot } from './log-scan.js'
import { MemoryDisk } from './memory-disk.js'
import type { Snapshots } from './snapshots.js'
import type {
  Formation,
  FoundRecords,
  Opened,
  OpenOptions,
  Owner,
  Storage,
  StorageStatistics,
  StoredRecord,
} from './storage.js'
import { sameOwner, showOwner, StorageError } from './storage.js'

export class MemoryStorage implements Storage {
  readonly #disk = new MemoryDisk()
  readonly #snapshots = new FileSnapshots(this.#disk, realClock)
  /** Whose it is, from the first write on. */
  #owner: Owner | null = null
  /** Who opened it last. */
  #opener: Owner | null = null
  #clusterId: string | null = null
  #open = false
  /** It was opened to be repaired, and is empty. */
  #lost = false
  #records: StoredRecord[] = []
  #collected: Slot = 0
  #batch = 0
  /** Appended in this turn, to be kept at its end. */
  #waiting: StoredRecord[] = []
  #keeping: Promise<void> | null = null
  /** Deletes older snapshots, one base record after the other. */
  #collecting = Promise.resolve()

  get batch(): number {
    return this.#batch
  }

  readonly failure = null

  get snapshots(): Snapshots {
    return this.#snapshots
  }

  async open(owner: Owner, { repair }: OpenOptions = { repair: false }): Promise<Opened> {
    if (this.#open) throw new StorageError('LOCKED', 'this storage is open already: close it first')
    if (this.#owner !== null && !sameOwner(this.#owner, owner)) {
      throw new StorageError('WRONG_OWNER', `this storage belongs to ${showOwner(this.#owner)}`)
    }
    const formation = this.#formation()
    if (repair && (formation === 'forming' || formation === 'formed')) throw notDamaged('this storage')
    this.#open = true
    this.#opener = owner
    this.#lost = repair && formation === 'empty'
    const clusterId = this.#clusterId
    const notes = clusterId === null ? [] : await this.#snapshots.open({ clusterId, owner }, this.#collected)
    const collected = this.#collected
    return { formation, clusterId, collected, records: atOnce([...this.#records]), logBytes: 0, notes }
  }

  async form(clusterId: string): Promise<void> {
    const owner = this.#opener
    if (!this.#open || this.#clusterId !== null || owner === null) throw new Error('form needs an open, empty storage')
    this.#owner = owner
    this.#clusterId = clusterId
    this.#snapshots.begin({ clusterId, owner })
    if (this.#lost) await this.append([{ type: 'repairing' }])
  }

  append(records: readonly StoredRecord[]): Promise<void> {
    if (!this.#open || this.#clusterId === null)
      return Promise.reject(new Error('append needs an open, formed storage'))
    this.#waiting.push(...records)
    this.#keeping ??= this.#keep()
    return this.#keeping
  }

  statistics(): StorageStatistics {
    return { logBytes: 0, sinceBase: 0, syncs: this.#batch, bytesWritten: 0 }
  }

  async close(): Promise<void> {
    await this.#keeping
    await this.#collecting
    await this.#snapshots.close()
    this.#open = false
  }

  async #keep(): Promise<void> {
    await Promise.resolve()
    this.#keeping = null
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    this.#batch++
    const base = waiting.findLast((record) => record.type === 'base')
    if (base !== undefined) this.#collect(base.collected)
    for (const record of waiting) this.#records.push(record)
  }

  /** Deletes what the contract lets a `base` record delete, all of it: more than files can. */
  #collect(collected: Slot): void {
    const repairs = this.#formation() === 'repairing'
    this.#records = this.#records.filter((record) => {
      if (record.type === 'repairing') return repairs
      return (record.type === 'accept' || record.type === 'learn') && highestSlot(record) > collected
    })
    this.#collected = collected
    this.#collecting = this.#collecting.then(() => this.#snapshots.removeOlder(collected))
  }

  #formation(): Formation {
    if (this.#clusterId === null) return 'empty'
    const last = this.#records.findLast(({ type }) => type === 'repairing' || type === 'repaired')
    if (last?.type === 'repairing') return 'repairing'
    return last !== undefined || this.#records.some(({ type }) => type === 'formed') ? 'formed' : 'forming'
  }
}

async function* atOnce(records: readonly StoredRecord[]): AsyncGenerator<FoundRecords> {
  yield { records, read: 0 }
}
