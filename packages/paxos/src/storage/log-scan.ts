/** One log file, as it is found: which batches in it are whole, and what stands behind them. */
import type { Slot } from '../protocol/command.js'
import { lastSlot } from '../protocol/command.js'
import type { BatchHeader } from './batch.js'
import { alignUp, damagedRecord, firstRecord, readBatchHeader, RECORD_HEADER, recordEnd } from './batch.js'
import { checksum } from './checksum.js'
import { corrupt } from './failure.js'
import type { FileHeader } from './file-header.js'
import { fileName, fileSeed, SECTOR } from './file-header.js'
import { headerChecksum } from './log-file.js'
import type { FileBase, FileRecord, NextFile } from './record.js'
import { decodeRecord, kindOf } from './record.js'

/** As much is checked in one turn of the event loop (bytes). */
export const TURN = 4 << 20

/** Lets others have their turn. */
export type Turn = () => Promise<void>

/** A file as it was found. */
export interface FoundFile {
  readonly name: string
  readonly header: FileHeader
  readonly seed: number
  /** Where its whole batches end. */
  readonly end: number
  /** Where the first thing after them is that is not as it should be: {@link end}, or within the batch that begins there. */
  readonly damage: number
  /** What stands behind the whole batches: nothing, bytes without a batch (a torn write), or a later batch. */
  readonly rest: 'nothing' | 'bytes' | 'batch'
  /** The checksum of all of them together: tells a file that changed since. */
  readonly checksum: number
  /** The checksum of the last header among the whole ones. */
  readonly previous: number
  /** The number of its first batch, and the highest in it, the torn one's included; 0 without batches. */
  readonly firstBatch: number
  readonly batch: number
  readonly formed: boolean
  /** The last that it says of a repair. */
  readonly repair: 'repairing' | 'repaired' | null
  /** The last `base` record, and where its batch ends. */
  readonly base: { readonly record: FileBase; readonly end: number } | null
  /** Its last record, if the log goes on in another file. */
  readonly next: NextFile | null
}

type Draft = { -readonly [Field in keyof FoundFile]: FoundFile[Field] }

/** Scans a file, whose header was read. Throws StorageError CORRUPT for what no server writes. */
export async function scanFile(directory: string, bytes: Buffer, header: FileHeader, turn: Turn): Promise<FoundFile> {
  const found = emptyFile(bytes, header)
  let rested = SECTOR
  while (found.next === null) {
    if (found.end - rested > TURN) {
      rested = found.end
      await turn()
    }
    const head = readBatchHeader(bytes, found.end, found.seed)
    if (head === null) return { ...found, rest: await restFrom(bytes, found.end, found.seed, turn) }
    // No torn write makes a header that fits here, and not to the batch before.
    if (head.previous !== found.previous || head.number <= found.batch) return { ...found, rest: 'batch' }
    const damage = damagedRecord(bytes, found.end, head, found.seed)
    if (damage !== null) {
      const behind = await restFrom(bytes, found.end + SECTOR, found.seed, turn)
      return { ...found, damage, batch: head.number, rest: behind === 'batch' ? 'batch' : 'bytes' }
    }
    takeIn(directory, bytes, found, head)
  }
  return found
}

/** What a record is decoded to; it stands at this offset of the file. Throws StorageError CORRUPT. */
export function orCorrupt(directory: string, file: string, offset: number, decode: () => FileRecord): FileRecord {
  try {
    return decode()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw corrupt(directory, file, offset, `holds ${error.message}`)
  }
}

/** The highest slot that a record tells of; 0 without any. */
export function highestSlot(record: FileRecord): Slot {
  return record.type === 'accept' ? lastSlot(record.run) : record.type === 'learn' ? lastSlot(record) : 0
}

function emptyFile(bytes: Buffer, header: FileHeader): Draft {
  return {
    name: fileName(header.file),
    header,
    seed: fileSeed(header),
    end: SECTOR,
    damage: SECTOR,
    checksum: 0,
    rest: 'nothing',
    previous: headerChecksum(bytes),
    firstBatch: 0,
    batch: 0,
    formed: false,
    repair: null,
    base: null,
    next: null,
  }
}

/** Notes what recovery must know before it decodes the records. */
function takeIn(directory: string, bytes: Buffer, found: Draft, head: BatchHeader): void {
  const batchEnd = alignUp(head.end)
  for (let at = firstRecord(found.end); at < head.end;) {
    const [start, end] = [at + RECORD_HEADER, recordEnd(bytes, at)]
    const kind = kindOf(bytes, start)
    if (kind === 'formed') found.formed = true
    else if (kind === 'repairing' || kind === 'repaired') found.repair = kind
    else if (kind === 'next' || kind === 'base') {
      const record = orCorrupt(directory, found.name, at, () => decodeRecord(bytes.subarray(start, end)))
      if (record.type === 'next') found.next = record
      else if (record.type === 'base') found.base = { record, end: batchEnd }
    }
    at = end
  }
  if (found.batch === 0) found.firstBatch = head.number
  found.batch = head.number
  found.previous = head.checksum
  found.checksum = checksum(bytes, found.end, batchEnd, found.checksum)
  found.end = found.damage = batchEnd
}

async function restFrom(bytes: Buffer, from: number, seed: number, turn: Turn): Promise<FoundFile['rest']> {
  let rest: FoundFile['rest'] = 'nothing'
  for (let offset = from; offset < bytes.length; offset += SECTOR) {
    if ((offset - from) % TURN === TURN - SECTOR) await turn()
    if (readBatchHeader(bytes, offset, seed) !== null) return 'batch'
    if (rest === 'nothing' && !isZero(bytes, offset)) rest = 'bytes'
  }
  return rest
}

const ZERO = Buffer.alloc(SECTOR)

function isZero(bytes: Buffer, sector: number): boolean {
  const end = Math.min(sector + SECTOR, bytes.length)
  return bytes.compare(ZERO, 0, end - sector, sector, end) === 0
}
