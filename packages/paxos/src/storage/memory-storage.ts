/** For tests: a storage that lives as long as its object. What was appended survives `close` and the next `open`. */
import type { Formation, Opened, Owner, Storage, StorageStatistics, StoredRecord } from './storage.js'
import { sameOwner, showOwner, StorageError } from './storage.js'

export class MemoryStorage implements Storage {
  /** Whose it is, from the first write on. */
  #owner: Owner | null = null
  /** Who opened it last. */
  #opener: Owner | null = null
  #clusterId: string | null = null
  #open = false
  readonly #records: StoredRecord[] = []
  #batch = 0
  /** Appended in this turn, to be kept at its end. */
  #waiting: StoredRecord[] = []
  #keeping: Promise<void> | null = null

  get batch(): number {
    return this.#batch
  }

  async open(owner: Owner): Promise<Opened> {
    if (this.#open) throw new StorageError('LOCKED', 'this storage is open already: close it first')
    if (this.#owner !== null && !sameOwner(this.#owner, owner)) {
      throw new StorageError('WRONG_OWNER', `this storage belongs to ${showOwner(this.#owner)}`)
    }
    this.#open = true
    this.#opener = owner
    return { formation: this.#formation(), clusterId: this.#clusterId, records: [...this.#records], notes: [] }
  }

  async form(clusterId: string): Promise<void> {
    if (!this.#open || this.#clusterId !== null) throw new Error('form needs an open, empty storage')
    this.#owner = this.#opener
    this.#clusterId = clusterId
  }

  append(records: readonly StoredRecord[]): Promise<void> {
    if (!this.#open || this.#clusterId === null)
      return Promise.reject(new Error('append needs an open, formed storage'))
    this.#waiting.push(...records)
    this.#keeping ??= this.#keep()
    return this.#keeping
  }

  statistics(): StorageStatistics {
    return { logBytes: 0, syncs: this.#batch, bytesWritten: 0 }
  }

  async close(): Promise<void> {
    await this.#keeping
    this.#open = false
  }

  async #keep(): Promise<void> {
    await Promise.resolve()
    this.#keeping = null
    if (this.#waiting.length === 0) return
    for (const record of this.#waiting) this.#records.push(record)
    this.#waiting = []
    this.#batch++
  }

  #formation(): Formation {
    if (this.#clusterId === null) return 'empty'
    return this.#records.some(({ type }) => type === 'formed') ? 'formed' : 'forming'
  }
}
