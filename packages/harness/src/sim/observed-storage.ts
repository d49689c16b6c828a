/** A server's storage, over which somebody watches: what it found at the start, and what has become durable since. */
import type { Snapshots, SnapshotChunk, SnapshotInfo, SnapshotWriter } from '@synod/paxos/internal/storage/snapshots'
import type {
  FoundRecords,
  Opened,
  OpenOptions,
  Owner,
  Storage,
  StoredRecord,
} from '@synod/paxos/internal/storage/storage'

/** Who watches. */
export interface StorageObserver {
  /** Just before the directory is opened; `repair`: what is damaged in it may be set aside. */
  opening(repair: boolean): void
  /** What was found; false if the server must not get to see the end of it. */
  opened(records: readonly StoredRecord[], batch: number): boolean
  /** These records are about to be written. */
  appending(records: readonly StoredRecord[]): void
  /** These records, in this batch or in one before it, are durable. */
  durable(records: readonly StoredRecord[], batch: number): void
  /** A snapshot is durable: one that was made here, of these chunks, or (null) received. */
  snapshot(info: SnapshotInfo, chunks: readonly SnapshotChunk[] | null): void
  /** A snapshot was read to its end: these chunks are in it. */
  read(info: SnapshotInfo, chunks: readonly SnapshotChunk[]): void
  /** A snapshot could not be read. */
  unreadable(info: SnapshotInfo, error: unknown): void
}

export class ObservedStorage implements Storage {
  readonly snapshots: Snapshots
  readonly #storage: Storage
  readonly #observer: StorageObserver

  constructor(storage: Storage, observer: StorageObserver) {
    this.#storage = storage
    this.#observer = observer
    this.snapshots = new ObservedSnapshots(storage.snapshots, observer)
  }

  async open(owner: Owner, options: OpenOptions = { repair: false }): Promise<Opened> {
    this.#observer.opening(options.repair)
    const opened = await this.#storage.open(owner, options)
    return { ...opened, records: this.#observed(opened.records) }
  }

  form(clusterId: string): Promise<void> {
    return this.#storage.form(clusterId)
  }

  async append(records: readonly StoredRecord[]): Promise<void> {
    this.#observer.appending(records)
    await this.#storage.append(records)
    this.#observer.durable(records, this.#storage.batch)
  }

  get batch(): number {
    return this.#storage.batch
  }

  get failure(): Storage['failure'] {
    return this.#storage.failure
  }

  statistics(): ReturnType<Storage['statistics']> {
    return this.#storage.statistics()
  }

  close(): Promise<void> {
    return this.#storage.close()
  }

  async *#observed(found: AsyncIterable<FoundRecords>): AsyncGenerator<FoundRecords, undefined> {
    const all: StoredRecord[] = []
    for await (const some of found) {
      all.push(...some.records)
      yield some
    }
    if (!this.#observer.opened(all, this.#storage.batch)) await new Promise(() => undefined)
  }
}

class ObservedSnapshots implements Snapshots {
  readonly #snapshots: Snapshots
  readonly #observer: StorageObserver

  constructor(snapshots: Snapshots, observer: StorageObserver) {
    this.#snapshots = snapshots
    this.#observer = observer
  }

  get newest(): SnapshotInfo | null {
    return this.#snapshots.newest
  }

  pathOf(info: SnapshotInfo): string {
    return this.#snapshots.pathOf(info)
  }

  async create(slot: number): Promise<SnapshotWriter> {
    const writer = await this.#snapshots.create(slot)
    const chunks: SnapshotChunk[] = []
    return {
      add: (chunk) => {
        chunks.push(copyOf(chunk))
        return writer.add(chunk)
      },
      finish: async () => {
        const info = await writer.finish()
        this.#observer.snapshot(info, chunks)
        return info
      },
      abandon: () => writer.abandon(),
    }
  }

  async *read(info: SnapshotInfo): AsyncGenerator<SnapshotChunk, undefined> {
    const chunks: SnapshotChunk[] = []
    try {
      for await (const chunk of this.#snapshots.read(info)) {
        chunks.push(copyOf(chunk))
        yield chunk
      }
    } catch (error) {
      this.#observer.unreadable(info, error)
      throw error
    }
    this.#observer.read(info, chunks)
  }

  forget(info: SnapshotInfo): void {
    this.#snapshots.forget(info)
  }

  bytes(slot: number, id: string, offset: number, length: number): Promise<Uint8Array | null> {
    return this.#snapshots.bytes(slot, id, offset, length)
  }

  get incoming(): Snapshots['incoming'] {
    return this.#snapshots.incoming
  }

  receive(info: SnapshotInfo): ReturnType<Snapshots['receive']> {
    return this.#snapshots.receive(info)
  }

  take(bytes: Uint8Array): ReturnType<Snapshots['take']> {
    return this.#snapshots.take(bytes)
  }

  async install(): Promise<SnapshotInfo> {
    const info = await this.#snapshots.install()
    this.#observer.snapshot(info, null)
    return info
  }
}

function copyOf({ section, payload }: SnapshotChunk): SnapshotChunk {
  return { section, payload: Uint8Array.from(payload) }
}
