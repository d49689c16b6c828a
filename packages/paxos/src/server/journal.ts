/**
 * The records' way to the disk, and what must wait for it. One append is under way at a time; what comes meanwhile forms
 * the next one. So what a full disk refused is simply tried again, and nothing can get in before it.
 */
import type { Envelope } from '../protocol/ready.js'
import type { Storage, StoredRecord } from '../storage/storage.js'
import { StorageError } from '../storage/storage.js'
import type { Cancel, Clock } from '../clock.js'

/** How long a full disk is left alone before the next try (ms). */
const FULL_RETRY = 1_000

/** What the journal tells its server. */
export interface JournalHost {
  /** These may leave now, in order: all that was appended before them is durable; the last of it were these records. */
  durable(released: readonly Envelope[], records: readonly StoredRecord[]): void
  /** The disk is full (the same records are tried again), or no longer. */
  full(isFull: boolean): void
  /** The storage failed: nothing may leave any more. */
  failed(error: unknown): void
}

export class Journal {
  readonly #storage: Storage
  readonly #clock: Clock
  readonly #host: JournalHost
  /** Under way, and what leaves once it is durable. */
  #writing: readonly StoredRecord[] | null = null
  #afterWriting: Envelope[] = []
  /** For the next append, and what leaves after that. */
  #waiting: StoredRecord[] = []
  #afterWaiting: Envelope[] = []
  #full = false
  #stopped = false
  #cancel: Cancel = () => undefined

  constructor(storage: Storage, clock: Clock, host: JournalHost) {
    this.#storage = storage
    this.#clock = clock
    this.#host = host
  }

  /** Whether the disk refused the last append. */
  get full(): boolean {
    return this.#full
  }

  /** Whether records wait for the next {@link write}. */
  get pending(): boolean {
    return this.#waiting.length > 0
  }

  /**
   * Takes records, and what may leave only after they and all earlier ones are durable. Gives back what may leave now: all
   * of that, if nothing is on its way. The records are written from the next {@link write} on.
   */
  add(records: readonly StoredRecord[], after: readonly Envelope[]): readonly Envelope[] {
    for (const record of records) this.#waiting.push(record)
    if (after.length === 0) return after
    if (this.#waiting.length === 0 && this.#writing === null) return after
    const queue = this.#waiting.length > 0 ? this.#afterWaiting : this.#afterWriting
    for (const envelope of after) queue.push(envelope)
    return []
  }

  /** Writes what was added, unless an append is under way: then it follows that. */
  write(): void {
    if (this.#writing !== null || this.#waiting.length === 0 || this.#stopped) return
    this.#writing = this.#waiting
    this.#afterWriting = this.#afterWaiting
    this.#waiting = []
    this.#afterWaiting = []
    this.#append()
  }

  /** Nothing is written or told after this (but for what is under way). */
  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #append(): void {
    this.#storage.append(this.#writing ?? []).then(this.#done, this.#refused)
  }

  readonly #done = (): void => {
    if (this.#stopped) return
    const released = this.#afterWriting
    const written = this.#writing ?? []
    this.#writing = null
    this.#afterWriting = []
    this.#setFull(false)
    this.write()
    this.#host.durable(released, written)
  }

  readonly #refused = (error: unknown): void => {
    if (this.#stopped) return
    if (!(error instanceof StorageError) || error.code !== 'DISK_FULL') return this.#host.failed(error)
    this.#setFull(true)
    this.#cancel = this.#clock.after(FULL_RETRY, () => {
      this.#append()
    })
  }

  #setFull(full: boolean): void {
    if (this.#full === full) return
    this.#full = full
    this.#host.full(full)
  }
}
