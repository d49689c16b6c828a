/** What the next write takes: records as bytes, and what must be known of them once they are durable. */
import type { Slot } from '../protocol/command.js'
import { lastSlot } from '../protocol/command.js'
import { BatchBuilder } from './batch.js'
import type { LogFiles } from './log-files.js'
import type { FileBase } from './record.js'
import { encodeRecord } from './record.js'
import type { StoredRecord } from './storage.js'

export class Filling {
  readonly batch = new BatchBuilder()
  readonly #files: LogFiles
  #highest: Slot = 0
  #base: FileBase | null = null

  constructor(files: LogFiles) {
    this.#files = files
  }

  /** The highest slot that an `accept` or a `learn` in it tells of; 0 without any. */
  get highest(): Slot {
    return this.#highest
  }

  /** The last `base` record in it. */
  get base(): FileBase | null {
    return this.#base
  }

  /** Throws RangeError for a number that could not be read back. */
  add(record: StoredRecord): void {
    if (record.type === 'base') return this.#addBase(record)
    this.batch.add(encodeRecord(record))
    if (record.type === 'accept') this.#highest = Math.max(this.#highest, lastSlot(record.run))
    else if (record.type === 'learn') this.#highest = Math.max(this.#highest, lastSlot(record))
    else if (record.type === 'repairing') this.#files.repairing = true
    else if (record.type === 'repaired') this.#files.repairing = false
  }

  clear(): void {
    this.batch.clear()
    this.#highest = 0
    this.#base = null
  }

  #addBase(record: Extract<StoredRecord, { type: 'base' }>): void {
    const base = { ...record, firstFile: this.#files.firstNeeded(record.collected) }
    this.batch.add(encodeRecord(base))
    this.#base = base
  }
}
