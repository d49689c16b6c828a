/**
 * The log of a directory as it is at this moment, also while a server writes on it: nothing is locked or changed. One file
 * is in memory at a time.
 */
import { asBuffer } from '../codec/bytes.js'
import type { Disk } from '../storage/disk.js'
import { codeOf, reason } from '../storage/failure.js'
import type { FileHeader } from '../storage/file-header.js'
import { decodeHeader, fileName, fileNumber, HeaderError, SECTOR } from '../storage/file-header.js'
import { sameOwner, showOwner } from '../storage/storage.js'
import type { Damage } from './damage.js'
import { corrupt, missing } from './damage.js'
import type { FoundBatch, Walked } from './walk.js'
import { isZeroFrom, walk } from './walk.js'

/** A log file with a whole header; its batches follow. */
export interface FileBegin {
  readonly type: 'file'
  readonly file: string
  readonly header: FileHeader
}

/** The end of a log file. */
export interface FileEnd {
  readonly type: 'end'
  readonly file: string
  /** Of the file (bytes). */
  readonly size: number
  readonly walked: Walked
}

/** Something that is no damage, but worth to be said. */
export interface Note {
  readonly type: 'note'
  readonly file: string
  readonly offset: number | null
  readonly what: string
}

/** What comes of a log, in its order. */
export type LogStep = FileBegin | FoundBatch | Damage | FileEnd | Note

/** So many bytes are looked at at a time. */
const PIECE = 1 << 20

/** The file that was read before. */
interface Before {
  readonly number: number
  readonly header: FileHeader
  readonly walked: Walked
}

/**
 * Goes through all files of the log, and through what ties them together.
 *
 * @param only the name of the one file that is of interest
 */
export async function* readLog(disk: Disk, only: string | null = null): AsyncGenerator<LogStep> {
  const numbersNow = async (): Promise<number[]> => {
    const names = only === null ? await disk.list() : [only]
    return names.map(fileNumber).filter((number) => number !== null)
  }
  let waiting = await numbersNow()
  if (only === null) {
    let first = await firstNeeded(disk, waiting)
    // A collection has come between: what was listed is not there any more.
    for (let tries = 1; first === null && tries < MOST_TRIES; tries++) {
      waiting = await numbersNow()
      first = await firstNeeded(disk, waiting)
    }
    first ??= waiting[0] ?? 1
    for (; waiting[0] !== undefined && waiting[0] < first; waiting.shift()) {
      yield note(fileName(waiting[0]), null, LEFT_OVER)
    }
    if (waiting[0] !== undefined && waiting[0] > first) yield missing(fileName(first), fileName(waiting[0] - 1))
  }
  /** null: none yet, or what it was cannot be told. */
  let before: Before | null = null
  let owner: FileHeader | null = null
  for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
    const file = fileName(number)
    const [behind] = waiting
    // Asked before this one is read: a server that runs may fill this one and go on in the next at any time.
    const goesOn = behind !== undefined && (waiting.length > 1 || (await isUsed(disk, fileName(behind))))
    const bytes = await readNow(disk, file)
    if (bytes === null) {
      yield note(file, null, 'was removed while this was read: by a collection, if the server runs')
      before = null
      continue
    }
    if ('what' in bytes) {
      yield bytes
      before = null
      continue
    }
    const header = headerOf(number, bytes)
    if ('what' in header) {
      yield header
      before = null
      continue
    }
    yield* strangeness(file, header, owner)
    owner ??= header
    if (before !== null) yield* linkDamage(before, number, header)
    yield { type: 'file', file, header }
    const walked: Walked = yield* walk(file, bytes, header)
    yield { type: 'end', file, size: bytes.length, walked }
    if (before !== null) yield* orderDamage(before, file, walked)
    before = { number, header, walked }
    if (behind !== undefined && !goesOn && walked.next === null) {
      yield* spare(disk, behind)
      break
    }
    // A server that runs may have gone on in a new file meanwhile.
    if (waiting.length === 0 && walked.next !== null) waiting = (await numbersNow()).filter((other) => other > number)
  }
  if (before === null) return
  const { tail, next } = before.walked
  if (next !== null && only === null) yield missing(fileName(next.file))
  if (tail !== null) {
    const what = 'ends in a write that was torn off, or is under way: what was acknowledged stands before it'
    yield note(tail.file, tail.offset, what)
  }
}

/** A server that collects again and again while its files are looked for is a slow one to look at. */
const MOST_TRIES = 20

const LEFT_OVER = 'is left over from a collection: the next one, or the next start, removes it'

/**
 * The number of the log's first file, as its last base record says; null if one of these files is not there any more. Where
 * damage may hide a newer base record, nothing before the first of these files can be said to be missing.
 */
async function firstNeeded(disk: Disk, numbers: readonly number[]): Promise<number | null> {
  const [present = 1] = numbers
  let [hidden, isUsedBehind] = [false, false]
  for (const number of numbers.toReversed()) {
    const file = fileName(number)
    const bytes = await readNow(disk, file)
    if (bytes === null) return null
    const header = 'what' in bytes ? bytes : headerOf(number, bytes)
    if ('what' in bytes || 'what' in header) {
      hidden = true
      continue
    }
    const { firstFile, isDamagedBehind, walked } = lastBase(file, bytes, header)
    // What would be a torn write at the end of the log is damage where the log goes on.
    hidden ||= isDamagedBehind || (isUsedBehind && walked.tail !== null)
    if (firstFile !== null) return hidden ? present : firstFile
    isUsedBehind ||= walked.first > 0
  }
  return hidden ? present : 1
}

/** What the last base record of a file says, and whether there is damage behind it. */
interface LastBase {
  /** null: there is no such record. */
  readonly firstFile: number | null
  readonly isDamagedBehind: boolean
  readonly walked: Walked
}

function lastBase(file: string, bytes: Buffer, header: FileHeader): LastBase {
  const steps = walk(file, bytes, header)
  let firstFile: number | null = null
  let isDamagedBehind = false
  for (;;) {
    const step = steps.next()
    if (step.done === true) return { firstFile, isDamagedBehind, walked: step.value }
    if (step.value.type === 'damage') {
      isDamagedBehind = true
      continue
    }
    for (const { record } of step.value.records) {
      if (record.type === 'base') [firstFile, isDamagedBehind] = [record.firstFile, false]
    }
  }
}

/** Whether anything was written into a file behind its header. */
async function isUsed(disk: Disk, file: string): Promise<boolean> {
  try {
    const reader = await disk.openReader(file)
    try {
      for (let at = SECTOR; at < reader.size; at += PIECE) {
        if (!isZeroFrom(asBuffer(await reader.read(at, PIECE)), 0)) return true
      }
      return false
    } finally {
      await reader.close()
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    if (codeOf(error) === 'EIO') return true // that is told when it is its turn
    throw error
  }
}

/** A file that was made for later. */
async function* spare(disk: Disk, number: number): AsyncGenerator<LogStep> {
  const file = fileName(number)
  const bytes = await readNow(disk, file)
  if (bytes === null) return
  if ('what' in bytes) {
    yield bytes
    return
  }
  const header = headerOf(number, bytes)
  if ('what' in header) {
    yield header
    return
  }
  yield { type: 'file', file, header }
  const walked = { end: SECTOR, used: SECTOR, tail: null, first: 0, last: 0, next: null }
  yield { type: 'end', file, size: bytes.length, walked }
}

/** The file's bytes; null if it is not there any more. What the disk does not give is damaged: a server takes it for that, too. */
async function readNow(disk: Disk, file: string): Promise<Buffer | Damage | null> {
  try {
    return asBuffer(await disk.read(file))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    if (codeOf(error) === 'EIO') return corrupt(file, 0, null, `the file cannot be read (${reason(error)})`)
    throw error
  }
}

function headerOf(number: number, bytes: Buffer): FileHeader | Damage {
  const file = fileName(number)
  try {
    const header = decodeHeader(bytes)
    return header.file === number ? header : corrupt(file, 0, null, `the file says that it is ${fileName(header.file)}`)
  } catch (error) {
    if (!(error instanceof HeaderError)) throw error
    const { message, newer } = error
    if (newer === null) return corrupt(file, 0, null, `the file ${message}`)
    return { ...corrupt(file, 0, null, `the file ${message}, which this release does not know`), code: 'NEWER_FORMAT' }
  }
}

/** Whether the file is of another cluster or server than the first one. */
function* strangeness(file: string, header: FileHeader, owner: FileHeader | null): Generator<Damage> {
  if (owner === null) return
  if (header.clusterId !== owner.clusterId) {
    yield corrupt(
      file,
      0,
      null,
      `the file is of cluster ${header.clusterId}, and the log of cluster ${owner.clusterId}`,
    )
  } else if (!sameOwner(header.owner, owner.owner)) {
    yield corrupt(file, 0, null, `the file is of ${showOwner(header.owner)}, and the log of ${showOwner(owner.owner)}`)
  }
}

/** What is wrong between the end of a file and the beginning of the one behind it, which has been used. */
function* linkDamage({ number, walked }: Before, behind: number, header: FileHeader): Generator<Damage> {
  const { next, tail, end, last } = walked
  const file = fileName(number)
  if (next === null) {
    // What would be a torn write at the end of the log was durable once, since the log goes on behind it.
    yield (
      tail ?? corrupt(file, end, last || null, `the log ends behind batch ${last}, and goes on in ${fileName(behind)}`)
    )
  }
  if (number + 1 < behind) yield missing(fileName(number + 1), fileName(behind - 1))
  if (next === null || number + 1 < behind) return
  if (next.file === behind && Buffer.compare(next.salt, header.salt) === 0) return
  yield corrupt(fileName(behind), 0, null, `the file is not the one that ${file} goes on in`)
}

function* orderDamage({ number, walked }: Before, file: string, { first }: Walked): Generator<Damage> {
  if (first === 0 || first > walked.last) return
  const what = `the file begins with batch ${first}, and ${fileName(number)} ends with batch ${walked.last}`
  yield corrupt(file, SECTOR, first, what)
}

function note(file: string, offset: number | null, what: string): Note {
  return { type: 'note', file, offset, what }
}
