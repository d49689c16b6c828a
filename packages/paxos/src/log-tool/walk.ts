/**
 * One file of the log, batch by batch, and on behind damage. What a batch and a record are is the storage's to say
 * (batch.ts, record.ts); here is only the way from one to the next.
 */
import { alignUp, damagedRecord, payloads, readBatchHeader } from '../storage/batch.js'
import type { BatchHeader } from '../storage/batch.js'
import type { FileHeader } from '../storage/file-header.js'
import { fileSeed, SECTOR } from '../storage/file-header.js'
import { headerChecksum } from '../storage/log-file.js'
import type { FileRecord, NextFile } from '../storage/record.js'
import { decodeRecord } from '../storage/record.js'
import type { Damage } from './damage.js'
import { corrupt, damagedRecordAt } from './damage.js'

/** A record, and where it stands. */
export interface FoundRecord {
  /** Offset in the file. */
  readonly at: number
  /** Its bytes in the file, checksum and length included. */
  readonly size: number
  readonly record: FileRecord
}

/** A batch with a whole header. */
export interface FoundBatch {
  readonly type: 'batch'
  readonly file: string
  readonly at: number
  readonly number: number
  /** How many records it has. */
  readonly count: number
  /** Those before the first damaged one. */
  readonly records: readonly FoundRecord[]
  /** Bytes up to where the next batch may begin. */
  readonly size: number
  /** How many of them are its header, and zeros behind the records. */
  readonly header: number
  readonly padding: number
}

/** What a file came to. */
export interface Walked {
  /** Where its whole batches end (offset). */
  readonly end: number
  /** Where the zeros at its end begin (offset). */
  readonly used: number
  /** What stands behind them and is no zeros: a write that was torn off, or damage. Which, the files behind it tell. */
  readonly tail: Damage | null
  /** The numbers of its first and of its last batch; 0 without batches. */
  readonly first: number
  readonly last: number
  /** Its last record, if the log goes on in another file. */
  readonly next: NextFile | null
}

/** Goes through a file: yields what is whole, and what is damage for sure, since a batch stands behind it. */
export function* walk(file: string, bytes: Buffer, header: FileHeader): Generator<FoundBatch | Damage, Walked> {
  const seed = fileSeed(header)
  let [at, first, last] = [SECTOR, 0, 0]
  /** The checksum of the header before; null where that is lost. */
  let previous: number | null = headerChecksum(bytes)
  const ended = (tail: Damage | null, next: NextFile | null = null): Walked => {
    return { end: at, used: tail === null ? at : zerosFrom(bytes, at), tail, first, last, next }
  }
  for (;;) {
    const head = readBatchHeader(bytes, at, seed)
    if (head === null) {
      const behind = headerFrom(bytes, at, seed)
      const lost = isZeroFrom(bytes, at) ? null : lostHeader(file, at, last)
      if (behind === null || lost === null) return ended(lost)
      yield lost
      ;[at, previous] = [behind, null]
      continue
    }
    // No torn write makes a header that fits here, and not to the batch before.
    if (head.number <= last || (previous !== null && head.previous !== previous)) yield unchained(file, at, head, last)
    const broken = damageIn(file, bytes, at, head, seed)
    const behind = broken === null ? alignUp(head.end) : headerFrom(bytes, at + SECTOR, seed)
    if (behind === null) return ended(broken)
    const [batch, nonsense] = readBatch(file, bytes, at, head, broken?.offset ?? head.end)
    yield batch
    const damage = broken ?? nonsense
    if (damage !== null) yield damage
    ;[first, last] = [first === 0 ? head.number : first, head.number]
    const end = batch.records.at(-1)?.record
    if (end?.type === 'next') {
      at += batch.size
      return ended(null, end)
    }
    previous = behind === alignUp(head.end) ? head.checksum : null
    at = behind
  }
}

/** The first damage within a batch; null if its records fit their checksums. */
function damageIn(file: string, bytes: Buffer, at: number, head: BatchHeader, seed: number): Damage | null {
  const offset = damagedRecord(bytes, at, head, seed)
  if (offset === null) return null
  let index = 0
  try {
    for (const found of payloads(bytes, at, head)) {
      index++
      if (found.at === offset) return damagedRecordAt(file, offset, head.number, [index, head.count], found.bytes)
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error // it begins behind the end of the file
  }
  return damagedRecordAt(file, offset, head.number, [index, head.count], null)
}

/** The batch's records up to an offset, and what is wrong with one that fits its checksum, but cannot be read. */
function readBatch(
  file: string,
  bytes: Buffer,
  at: number,
  head: BatchHeader,
  until: number,
): [FoundBatch, Damage | null] {
  const records: FoundRecord[] = []
  let nonsense: Damage | null = null
  let header = head.end - at
  for (const found of payloads(bytes, at, head)) {
    header = Math.min(header, found.at - at)
    if (found.at >= until) break
    const end = found.bytes.byteOffset - bytes.byteOffset + found.bytes.length
    try {
      records.push({ at: found.at, size: end - found.at, record: decodeRecord(found.bytes) })
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      const what = `record ${records.length + 1} of ${head.count} of batch ${head.number} holds ${error.message}`
      nonsense = corrupt(file, found.at, head.number, what)
      break
    }
  }
  const size = alignUp(head.end) - at
  const padding = alignUp(head.end) - head.end
  const { number, count } = head
  return [{ type: 'batch', file, at, number, count, records, size, header, padding }, nonsense]
}

function lostHeader(file: string, offset: number, last: number): Damage {
  const which = last === 0 ? 'the first batch' : `the batch behind batch ${last}`
  return corrupt(file, offset, last || null, `the header of ${which} is damaged`)
}

function unchained(file: string, offset: number, { number }: BatchHeader, last: number): Damage {
  const before = last === 0 ? "the file's header" : `batch ${last}`
  return corrupt(file, offset, number, `batch ${number} does not belong behind ${before}: what was between is lost`)
}

/** Where the next batch begins, from this offset on; null if none does. */
function headerFrom(bytes: Buffer, from: number, seed: number): number | null {
  for (let offset = from; offset < bytes.length; offset += SECTOR) {
    if (readBatchHeader(bytes, offset, seed) !== null) return offset
  }
  return null
}

/** The offset of the sector behind the last one that is not all zeros. */
function zerosFrom(bytes: Buffer, from: number): number {
  let used = from
  for (let at = from; at < bytes.length; at += SECTOR) {
    if (!isZeroFrom(bytes.subarray(at, at + SECTOR), 0)) used = Math.min(at + SECTOR, bytes.length)
  }
  return used
}

const ZEROS = Buffer.alloc(1 << 16)

/** Whether nothing but zeros stands from this offset on. */
export function isZeroFrom(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at += ZEROS.length) {
    const end = Math.min(at + ZEROS.length, bytes.length)
    if (bytes.compare(ZEROS, 0, end - at, at, end) !== 0) return false
  }
  return true
}
