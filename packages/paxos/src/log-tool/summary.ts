/** What is in one log file, counted. */
import type { FileHeader } from '../storage/file-header.js'
import { FORMAT_VERSION, SECTOR } from '../storage/file-header.js'
import type { FileRecord, RecordKind } from '../storage/record.js'
import type { SlotRange } from './damage.js'
import { slotsOf } from './damage.js'
import type { FileBegin, FileEnd } from './log.js'
import type { FoundBatch } from './walk.js'

/** Records of one kind. */
export interface KindCount {
  records: number
  /** Commands in them. */
  commands: number
  /** With their checksums and lengths. */
  bytes: number
}

/** By kind; a kind that does not occur is not in it. */
export type KindCounts = Partial<Record<RecordKind, KindCount>>

/** Where the bytes of a file are. Together they are its size. */
export interface FileBytes {
  /** The file's header. */
  header: number
  batchHeaders: number
  records: number
  /** Zeros behind a batch, up to where the next may begin. */
  padding: number
  /** Torn off, or damaged. */
  lost: number
  /** Zeros at the end, for what comes. */
  reserved: number
}

/** One file, counted. Its fields have the names that `--json` shows. */
export interface FileSummary {
  readonly file: string
  readonly format: number
  readonly clusterId: string
  readonly service: string
  readonly server: number
  readonly count: number
  readonly number: number
  readonly salt: string
  size: number
  /** Batches without records are seals. */
  batches: number
  seals: number
  /** 0 without batches. */
  firstBatch: number
  lastBatch: number
  records: KindCounts
  slots: SlotRange | null
  bytes: FileBytes
  /** The file that the log goes on in, if this one is full. */
  next: number | null
}

export function beginSummary({ file, header }: FileBegin): FileSummary {
  const { owner, clusterId, salt, file: number }: FileHeader = header
  return {
    file,
    format: FORMAT_VERSION,
    clusterId,
    service: owner.service,
    server: owner.id,
    count: owner.count,
    number,
    salt: Buffer.from(salt).toString('hex'),
    size: 0,
    batches: 0,
    seals: 0,
    firstBatch: 0,
    lastBatch: 0,
    records: {},
    slots: null,
    bytes: { header: SECTOR, batchHeaders: 0, records: 0, padding: 0, lost: 0, reserved: 0 },
    next: null,
  }
}

/** Counts a batch in. */
export function addBatch(summary: FileSummary, { number, count, records, header, padding }: FoundBatch): void {
  summary.batches++
  if (count === 0) summary.seals++
  if (summary.firstBatch === 0) summary.firstBatch = number
  summary.lastBatch = number
  summary.bytes.batchHeaders += header
  summary.bytes.padding += padding
  for (const { size, record } of records) {
    addKind(summary.records, record, size)
    summary.bytes.records += size
    const slots = slotsOf(record)
    if (slots !== null) summary.slots = union(summary.slots, slots)
  }
}

/** Counts what is left: zeros at the end, and what is lost, which is all that nothing else accounts for. */
export function endSummary(summary: FileSummary, { size, walked }: FileEnd): void {
  const { header, batchHeaders, records, padding } = summary.bytes
  summary.size = size
  summary.next = walked.next?.file ?? null
  summary.bytes.reserved = Math.max(0, size - walked.used)
  summary.bytes.lost = size - summary.bytes.reserved - header - batchHeaders - records - padding
}

function addKind(counts: KindCounts, record: FileRecord, size: number): void {
  const count = (counts[record.type] ??= { records: 0, commands: 0, bytes: 0 })
  count.records++
  count.bytes += size
  const slots = slotsOf(record)
  if (slots !== null) count.commands += slots[1] - slots[0] + 1
}

/** Adds up the counts of several files. */
export function totalOf(all: readonly KindCounts[]): KindCounts {
  const total: KindCounts = {}
  for (const counts of all) {
    for (const [kind, { records, commands, bytes }] of Object.entries(counts)) {
      const sum = (total[kind as RecordKind] ??= { records: 0, commands: 0, bytes: 0 })
      sum.records += records
      sum.commands += commands
      sum.bytes += bytes
    }
  }
  return total
}

function union(a: SlotRange | null, b: SlotRange): SlotRange {
  return a === null ? b : [Math.min(a[0], b[0]), Math.max(a[1], b[1])]
}
