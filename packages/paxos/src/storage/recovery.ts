/** What a directory holds, read back and judged; docs/ARCHITECTURE.md says what is refused and why. */
import { alignUp } from './batch.js'
import { checksum } from './checksum.js'
import type { Disk } from './disk.js'
import { codeOf, corrupt, diskFailed, logIsGone, missingFile, unreadable } from './failure.js'
import type { FileHeader } from './file-header.js'
import { decodeHeader, fileName, fileNumber, HeaderError, SECTOR } from './file-header.js'
import type { FoundFile, Turn } from './log-scan.js'
import { scanFile, TURN } from './log-scan.js'
import type { NextFile } from './record.js'
import { isSetAside } from './set-aside.js'
import { snapshotSlot } from './snapshot-file.js'
import type { Formation, Owner } from './storage.js'
import { sameOwner, showOwner, StorageError } from './storage.js'

/** A log that is fit to go on. */
export interface FoundLog {
  /** In order; the last one is to be written on. */
  readonly files: FoundFile[]
  /** A file that was made for later and not used yet: to be removed. */
  readonly spare: string | null
  /** Files before the first that is needed, in order: whatever is in them, they are to be removed. */
  readonly leftovers: readonly string[]
  readonly notes: readonly string[]
}

/**
 * Reads the log, one file at a time, from the last one back to the first that is needed; writes nothing. Null if there is
 * none. Throws StorageError: CORRUPT, MISSING_FILE, WRONG_OWNER, NEWER_FORMAT, or DISK_FAILED.
 *
 * @param owner whose it must be; null: anybody's
 */
export async function readLog(disk: Disk, owner: Owner | null, turn: Turn): Promise<FoundLog | null> {
  const names = await reading(disk, disk.list())
  const numbers = names.map(fileNumber).filter((number) => number !== null)
  const last = numbers.at(-1)
  if (last === undefined) {
    const remains = names.find((name) => isSetAside(name) || snapshotSlot(name) !== null)
    if (remains !== undefined) throw logIsGone(disk.directory, remains)
    return null
  }
  const files: FoundFile[] = []
  let first = 1
  for (let number = last; number >= first; number--) {
    if (!numbers.includes(number)) throw missingFile(disk.directory, fileName(number))
    const file = await readFile(disk, number, owner, turn)
    checkFile(disk.directory, file, files)
    first = Math.max(first, firstFileOf(disk.directory, file))
    files.unshift(file)
  }
  const leftovers = numbers.filter((number) => number < first).map(fileName)
  // A file that was made for later, and that no record names yet, is not part of the log.
  const spare = files.length > 1 && files.at(-2)?.next === null ? files.pop() : undefined
  return { files, spare: spare?.name ?? null, leftovers, notes: notesOn(disk.directory, files) }
}

/** Reads a file again, of which the whole batches are to be as they were found. Throws CORRUPT, or DISK_FAILED. */
export async function readAgain(disk: Disk, { name, end, checksum: found }: FoundFile, turn: Turn): Promise<Buffer> {
  const bytes = await contentOf(disk, name)
  let again = 0
  for (let at = SECTOR; at < Math.min(end, bytes.length); at += TURN) {
    again = checksum(bytes, at, Math.min(at + TURN, end, bytes.length), again)
    await turn()
  }
  if (again !== found) throw corrupt(disk.directory, name, SECTOR, 'changed while it was read')
  return bytes
}

async function contentOf(disk: Disk, name: string): Promise<Buffer> {
  const read = await disk.read(name).catch((error: unknown) => {
    if (codeOf(error) === 'EIO') throw unreadable(disk.directory, name, error)
    throw diskFailed(disk.directory, 'reading', error)
  })
  const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength)
  // Of a file that was cut off within the zeros behind its last record nothing is lost: they count as there.
  const missing = alignUp(bytes.length) - bytes.length
  return missing === 0 || bytes.length < SECTOR ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)])
}

/** Where the directory stands. */
export function formationOf(files: readonly FoundFile[]): Formation {
  const repair = files.findLast(({ repair }) => repair !== null)?.repair ?? null
  if (repair === 'repairing') return 'repairing'
  return repair === 'repaired' || files.some(({ formed }) => formed) ? 'formed' : 'forming'
}

async function reading<T>(disk: Disk, result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (error) {
    throw diskFailed(disk.directory, 'reading', error)
  }
}

async function readFile(disk: Disk, number: number, owner: Owner | null, turn: Turn): Promise<FoundFile> {
  const bytes = await contentOf(disk, fileName(number))
  const header = readHeader(disk.directory, number, bytes)
  if (owner !== null && !sameOwner(header.owner, owner)) {
    throw new StorageError(
      'WRONG_OWNER',
      `${disk.directory} belongs to ${showOwner(header.owner)}, not to ${showOwner(owner)}: ` +
        'start it with the command, --id and --count that it was made with, or use another directory',
      { directory: disk.directory, ...header.owner },
    )
  }
  if (header.file !== number) {
    throw corrupt(disk.directory, fileName(number), 0, `says that it is ${fileName(header.file)}`)
  }
  return scanFile(disk.directory, bytes, header, turn)
}

function readHeader(directory: string, number: number, bytes: Buffer): FileHeader {
  const name = fileName(number)
  try {
    return decodeHeader(bytes)
  } catch (error) {
    if (!(error instanceof HeaderError)) throw error
    if (error.newer === null) throw corrupt(directory, name, 0, error.message)
    throw new StorageError(
      'NEWER_FORMAT',
      `${directory}/${name} ${error.message}, which this release does not know: start a newer release`,
      { directory, file: name, version: error.newer },
    )
  }
}

/**
 * Judges a file before those that were found behind it. A batch is written only after the one before is durable, and a
 * file is used only after the record that names it is: so what is broken before anything else is corruption, and at the
 * very end a torn write.
 */
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
  if (after.end > SECTOR && after.firstBatch <= file.batch) {
    throw corrupt(directory, after.name, SECTOR, `goes on with an older batch than ${file.name} ends with`)
  }
}

/** From which file on the log is needed, as the file says. */
function firstFileOf(directory: string, { base, header, name, end }: FoundFile): number {
  if (base === null) return 1
  const { firstFile } = base.record
  if (firstFile > header.file) throw corrupt(directory, name, end, 'says that the log begins behind it')
  return firstFile
}

function notesOn(directory: string, files: readonly FoundFile[]): string[] {
  const last = files.at(-1)
  if (last?.rest !== 'bytes') return []
  return [
    `${directory}/${last.name}: the last write was torn off (byte ${last.damage}); ` +
      `nothing of it was acknowledged, and it was cut off at byte ${last.end}`,
  ]
}
