/** What is wrong with a file, and what it hit. */
import type { FileRecord, RecordKind } from '../storage/record.js'
import { decodeRecord, kindOf } from '../storage/record.js'
import type { StorageCode } from '../storage/storage.js'

/** Something that is not as it was written. */
export interface Damage {
  readonly type: 'damage'
  /** What a server that starts on it would say. */
  readonly code: Extract<StorageCode, 'CORRUPT' | 'MISSING_FILE' | 'NEWER_FORMAT' | 'BAD_SNAPSHOT'>
  readonly file: string
  /** Offset in the file (bytes); null if the file is not there. */
  readonly offset: number | null
  /** The number of the batch, or of the one before it if its own is lost; null if there is none. */
  readonly batch: number | null
  /** The record that it hit, if it hit one. */
  readonly record: HitRecord | null
  /** A sentence that begins with what was hit. */
  readonly what: string
}

/** What can still be told of a damaged record. */
export interface HitRecord {
  /** Its place in its batch, from 1. */
  readonly index: number
  readonly count: number
  /** What its bytes say, which may be wrong; null if they say nothing that makes sense. */
  readonly kind: RecordKind | null
  readonly slots: SlotRange | null
}

/** From the first to the last slot. */
export type SlotRange = readonly [from: number, to: number]

/** The slots of the commands in a record; null if it has none. */
export function slotsOf(record: FileRecord): SlotRange | null {
  const run = record.type === 'accept' ? record.run : record.type === 'learn' ? record : null
  return run === null ? null : [run.first, run.first + run.commands.length - 1]
}

/** `slot 5`, `slots 5-9` */
export function showSlots([from, to]: SlotRange): string {
  return from === to ? `slot ${from}` : `slots ${from}-${to}`
}

/** Damage in what was durable once. */
export function corrupt(file: string, offset: number, batch: number | null, what: string): Damage {
  return { type: 'damage', code: 'CORRUPT', file, offset, batch, record: null, what }
}

/** A file that is not there, or all of them up to another. */
export function missing(file: string, through = file): Damage {
  const what = file === through ? 'the file is missing' : `all files from it to ${through} are missing`
  return { type: 'damage', code: 'MISSING_FILE', file, offset: null, batch: null, record: null, what }
}

/** A snapshot that cannot be used. */
export function badSnapshot(file: string, offset: number | null, what: string): Damage {
  return { type: 'damage', code: 'BAD_SNAPSHOT', file, offset, batch: null, record: null, what }
}

/** The damage of a record that does not fit its checksum. @param bytes the payload as it is now; @param place from 1 */
export function damagedRecordAt(
  file: string,
  offset: number,
  batch: number,
  [index, count]: readonly [place: number, count: number],
  bytes: Uint8Array | null,
): Damage {
  const found = bytes === null ? null : tryDecode(bytes)
  const slots = found === null ? null : slotsOf(found)
  const record = { index, count, kind: found?.type ?? (bytes === null ? null : kindOf(bytes)), slots }
  return { ...corrupt(file, offset, batch, `${showRecord(record, batch)} does not fit its checksum`), record }
}

/** `record 2 of 3 of batch 7 (accept, slots 12-19)` */
export function showRecord({ index, count, kind, slots }: HitRecord, batch: number): string {
  const what =
    kind === null ? 'of a kind that cannot be told' : `${kind}${slots === null ? '' : `, ${showSlots(slots)}`}`
  return `record ${index} of ${count} of batch ${batch} (${what})`
}

/** The damage in one line, without its end. */
export function showDamage({ file, offset, what }: Damage): string {
  return `${file}${offset === null ? '' : `, byte ${offset}`}: ${what}`
}

function tryDecode(bytes: Uint8Array): FileRecord | null {
  try {
    return decodeRecord(bytes)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}
