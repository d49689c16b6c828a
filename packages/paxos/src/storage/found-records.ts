/** The records of a log that was found to be good, read file by file, some at a time. */
import type { Slot } from '../protocol/command.js'
import { alignUp, firstRecord, readBatchHeader, RECORD_HEADER, recordEnd } from './batch.js'
import type { Disk } from './disk.js'
import { corrupt } from './failure.js'
import { SECTOR } from './file-header.js'
import type { FoundFile, Turn } from './log-scan.js'
import { highestSlot, orCorrupt } from './log-scan.js'
import type { FileRecord } from './record.js'
import { decodeShared } from './record.js'
import { readAgain } from './recovery.js'
import type { FoundRecords, StoredRecord } from './storage.js'

/** As much is given out at a time (bytes of the log): a few milliseconds to decode. */
const SLICE = 256 << 10

/** Records that follow each other share so much memory (bytes). */
const SLAB = 32 << 10

/**
 * Reads the records of these files. Throws StorageError: CORRUPT if a file is not as it was found, or DISK_FAILED.
 *
 * @param passed called behind each file, with the highest slot that it tells of
 */
export async function* readRecords(
  disk: Disk,
  files: readonly FoundFile[],
  turn: Turn,
  passed: (file: number, highest: Slot) => void,
): AsyncGenerator<FoundRecords> {
  let before = 0
  for (const file of files) {
    const bytes = await readAgain(disk, file, turn)
    const slabs = new Slabs(bytes)
    let [records, highest, given]: [StoredRecord[], Slot, number] = [[], 0, 0]
    for (let offset = SECTOR; offset < file.end;) {
      const header = readBatchHeader(bytes, offset, file.seed)
      if (header === null) throw corrupt(disk.directory, file.name, offset, 'changed while it was read')
      for (let next = firstRecord(offset); next < header.end;) {
        const at = next
        const end = recordEnd(bytes, at)
        const record = orCorrupt(disk.directory, file.name, at, () => slabs.decode(at + RECORD_HEADER, end))
        highest = Math.max(highest, highestSlot(record))
        if (record.type !== 'next') records.push(stored(record))
        next = end
        if (end - given < SLICE) continue
        yield { records, read: before + end }
        ;[records, given] = [[], end]
        await turn()
      }
      offset = alignUp(header.end)
    }
    passed(file.header.file, highest)
    before += file.end
    yield { records, read: before }
  }
}

/**
 * Decodes records of a file. Their operations are views of copies of a part of it: without copies, one small operation would
 * keep the whole file in memory; with a copy for each, most of a start would go into making them.
 */
class Slabs {
  readonly #file: Buffer
  #copy = Buffer.alloc(0)
  /** Where the copy begins in the file. */
  #start = 0

  constructor(file: Buffer) {
    this.#file = file
  }

  decode(start: number, end: number): FileRecord {
    if (end > this.#start + this.#copy.length) {
      const length = Math.max(end - start, Math.min(SLAB, this.#file.length - start))
      this.#copy = Buffer.allocUnsafeSlow(length)
      this.#file.copy(this.#copy, 0, start, start + length)
      this.#start = start
    }
    return decodeShared(this.#copy, start - this.#start, end - this.#start)
  }
}

/** What the record was when it was appended. */
function stored(record: Exclude<FileRecord, { type: 'next' }>): StoredRecord {
  if (record.type !== 'base') return record
  const { firstFile: _, ...base } = record
  return base
}
