/** A server's storage, over which somebody watches: what it found at the start, and what has become durable since. */
import type { Opened, Owner, Storage, StoredRecord } from '@synod/paxos/internal/storage/storage'

/** Who watches. */
export interface StorageObserver {
  /** Just before the directory is opened. */
  opening(): void
  /** What was found; false if the server must not get to see it. */
  opened(records: readonly StoredRecord[], batch: number): boolean
  /** These records, in this batch or in one before it, are durable. */
  durable(records: readonly StoredRecord[], batch: number): void
}

export class ObservedStorage implements Storage {
  readonly #storage: Storage
  readonly #observer: StorageObserver

  constructor(storage: Storage, observer: StorageObserver) {
    this.#storage = storage
    this.#observer = observer
  }

  async open(owner: Owner): Promise<Opened> {
    this.#observer.opening()
    const opened = await this.#storage.open(owner)
    const records = [...opened.records]
    if (!this.#observer.opened(records, this.#storage.batch)) return new Promise(() => undefined)
    return { ...opened, records }
  }

  form(clusterId: string): Promise<void> {
    return this.#storage.form(clusterId)
  }

  async append(records: readonly StoredRecord[]): Promise<void> {
    await this.#storage.append(records)
    this.#observer.durable(records, this.#storage.batch)
  }

  get batch(): number {
    return this.#storage.batch
  }

  statistics(): ReturnType<Storage['statistics']> {
    return this.#storage.statistics()
  }

  close(): Promise<void> {
    return this.#storage.close()
  }
}
