/** What a directory holds, read back and judged; docs/ARCHITECTURE.md says what is refused and why. */
import { damagedRecord, alignUp, payloads, readBatchHeader } from './batch.js'
import type { Disk } from './disk.js'
import { corrupt, diskFailed, missingFile } from './failure.js'
import type { FileHeader } from './file-header.js'
import { decodeHeader, fileName, fileNumber, fileSeed, HeaderError, SECTOR } from './file-header.js'
import { headerChecksum } from './log-file.js'
import type { NextFile } from './record.js'
import { decodeRecord, isFormed, isNext } from './record.js'
import type { Owner, StoredRecord } from './storage.js'
import { sameOwner, showOwner, StorageError } from './storage.js'

/** A file as it was found. */
export interface FoundFile {
  readonly name: string
  readonly header: FileHeader
  readonly seed: number
  readonly bytes: Buffer
  /** Where its whole batches end. */
  readonly end: number
  /** Where the first thing after them is that is not as it should be: {@link end}, or within the batch that begins there. */
  readonly damage: number
  /** What stands behind the whole batches: nothing, bytes without a batch (a torn write), or a later batch. */
  readonly rest: 'nothing' | 'bytes' | 'batch'
  /** The checksum of the last header among the whole ones. */
  readonly previous: number
  /** The highest batch number in it, the torn batch's included; 0 without batches. */
  readonly batch: number
  readonly formed: boolean
  /** Its last record, if the log goes on in another file. */
  readonly next: NextFile | null
}

/** A log that is fit to go on. */
export interface FoundLog {
  /** In order; the last one is to be written on. */
  readonly files: FoundFile[]
  /** A file that was made for later and not used yet: to be removed. */
  readonly spare: string | null
  readonly notes: readonly string[]
}

/**
 * Reads the log; null if there is none. Throws StorageError: CORRUPT, MISSING_FILE, WRONG_OWNER, NEWER_FORMAT, or
 * DISK_FAILED if it cannot be read.
 */
export async function readLog(disk: Disk, owner: Owner): Promise<FoundLog | null> {
  const numbers = (await reading(disk, disk.list())).map(fileNumber).filter((number) => number !== null)
  const files: FoundFile[] = []
  for (let number = 1; number <= (numbers.at(-1) ?? 0); number++) {
    if (!numbers.includes(number)) throw missingFile(disk.directory, fileName(number))
    const read = await reading(disk, disk.read(fileName(number)))
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength)
    files.push(scan(disk.directory, bytes, readHeader(disk.directory, number, bytes, owner)))
  }
  return files.length === 0 ? null : join(disk.directory, files)
}

/** The records of all files, decoded as they are asked for. Takes the files out of the array as it passes them. */
export function* readRecords(directory: string, files: FoundFile[]): Generator<StoredRecord> {
  for (let file = files.shift(); file !== undefined; file = files.shift()) {
    for (let offset = SECTOR; offset < file.end;) {
      const header = readBatchHeader(file.bytes, offset, file.seed)
      if (header === null) throw corrupt(directory, file.name, offset, 'changed while it was read')
      for (const { at, bytes } of payloads(file.bytes, offset, header)) {
        const record = decode(directory, file.name, at, bytes)
        if (record.type !== 'next') yield record
      }
      offset = alignUp(header.end)
    }
  }
}

async function reading<T>(disk: Disk, result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (error) {
    throw diskFailed(disk.directory, 'reading', error)
  }
}

function readHeader(directory: string, number: number, bytes: Buffer, owner: Owner): FileHeader {
  const name = fileName(number)
  let header: FileHeader
  try {
    header = decodeHeader(bytes)
  } catch (error) {
    if (!(error instanceof HeaderError)) throw error
    if (error.newer === null) throw corrupt(directory, name, 0, error.message)
    throw new StorageError(
      'NEWER_FORMAT',
      `${directory}/${name} ${error.message}, which this release does not know: start a newer release`,
      { directory, file: name, version: error.newer },
    )
  }
  if (!sameOwner(header.owner, owner)) {
    throw new StorageError(
      'WRONG_OWNER',
      `${directory} belongs to ${showOwner(header.owner)}, not to ${showOwner(owner)}: ` +
        'start it with the command, --id and --count that it was made with, or use another directory',
      { directory, ...header.owner },
    )
  }
  if (header.file !== number) throw corrupt(directory, name, 0, `says that it is ${fileName(header.file)}`)
  return header
}

function scan(directory: string, bytes: Buffer, header: FileHeader): FoundFile {
  const name = fileName(header.file)
  const seed = fileSeed(header)
  let [end, batch, previous, formed] = [SECTOR, 0, headerChecksum(bytes), false]
  let next: NextFile | null = null
  const found = (damage: number, rest: FoundFile['rest']): FoundFile => {
    return { name, header, seed, bytes, end, damage, rest, previous, batch, formed, next }
  }
  for (;;) {
    if (next !== null) return found(end, 'nothing')
    const head = readBatchHeader(bytes, end, seed)
    if (head === null) return found(end, restFrom(bytes, end, seed))
    // No torn write makes a header that fits here, and not to the batch before.
    if (head.previous !== previous || head.number <= batch) return found(end, 'batch')
    const damage = damagedRecord(bytes, end, head, seed)
    if (damage !== null) {
      batch = head.number
      return found(damage, restFrom(bytes, end + SECTOR, seed) === 'batch' ? 'batch' : 'bytes')
    }
    for (const payload of payloads(bytes, end, head)) {
      formed ||= isFormed(payload.bytes)
      if (!isNext(payload.bytes)) continue
      const record = decode(directory, name, payload.at, payload.bytes)
      if (record.type === 'next') next = record
    }
    ;[end, batch, previous] = [alignUp(head.end), head.number, head.checksum]
  }
}

function restFrom(bytes: Buffer, from: number, seed: number): FoundFile['rest'] {
  let rest: FoundFile['rest'] = 'nothing'
  for (let offset = from; offset < bytes.length; offset += SECTOR) {
    if (readBatchHeader(bytes, offset, seed) !== null) return 'batch'
    if (rest === 'nothing' && !isZero(bytes, offset)) rest = 'bytes'
  }
  return rest
}

function isZero(bytes: Buffer, sector: number): boolean {
  const end = Math.min(sector + SECTOR, bytes.length)
  for (let at = sector; at < end; at++) if (bytes[at] !== 0) return false
  return true
}

/**
 * Judges the files together. A batch is written only after the one before is durable, and a file is used only after the
 * record that names it is: so what is broken before anything else is corruption, and at the very end a torn write.
 */
function join(directory: string, files: FoundFile[]): FoundLog {
  files.forEach((file, index) => {
    checkFile(directory, file, files.slice(index + 1))
  })
  const spare = files.length > 1 && files.at(-2)?.next === null ? files.pop() : undefined
  const notes: string[] = []
  const last = files.at(-1)
  if (last?.rest === 'bytes') {
    notes.push(
      `${directory}/${last.name}: the last write was torn off (byte ${last.damage}); ` +
        `nothing of it was acknowledged, and it was cut off at byte ${last.end}`,
    )
  }
  return { files, spare: spare?.name ?? null, notes }
}

function checkFile(directory: string, file: FoundFile, later: readonly FoundFile[]): void {
  const after = later[0]
  if (file.rest === 'batch') throw corrupt(directory, file.name, file.damage, 'is damaged')
  if (file.next === null) {
    if (after === undefined) return
    const used = after.end > SECTOR || after.rest !== 'nothing' || later.length > 1
    if (used) throw corrupt(directory, file.name, file.damage, `is damaged before the log goes on in ${after.name}`)
  } else if (after === undefined) {
    throw missingFile(directory, fileName(file.next.file))
  } else {
    checkLink(directory, file, file.next, after)
  }
}

function checkLink(directory: string, file: FoundFile, next: NextFile, after: FoundFile): void {
  const sameFile = next.file === after.header.file && Buffer.compare(next.salt, after.header.salt) === 0
  if (!sameFile || after.header.clusterId !== file.header.clusterId) {
    throw corrupt(directory, after.name, 0, `is not the file that ${file.name} goes on in`)
  }
  if (after.end === SECTOR) return
  const first = readBatchHeader(after.bytes, SECTOR, after.seed)
  if (first === null || first.number <= file.batch) {
    throw corrupt(directory, after.name, SECTOR, `goes on with an older batch than ${file.name} ends with`)
  }
}

function decode(directory: string, file: string, offset: number, bytes: Buffer): ReturnType<typeof decodeRecord> {
  try {
    return decodeRecord(bytes)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw corrupt(directory, file, offset, `holds ${error.message}`)
  }
}
