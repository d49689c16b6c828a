/**
 * Nothing that was read back is trusted before it is durable. A process that was killed between a write and its sync finds
 * the batch in the page cache; a power failure may still take it, after this server voted by it. And after a failed sync
 * the cache says nothing about the disk. So what may not be durable yet is copied into a fresh file, which takes the old
 * one's place. At whatever moment this is cut short, the next start finds the old file or the copy, and does it again.
 */
import { BatchBuilder } from './batch.js'
import type { Disk } from './disk.js'
import { SECTOR } from './file-header.js'
import { LogFile } from './log-file.js'
import { removeFiles } from './log-files.js'
import type { FoundFile, Turn } from './log-scan.js'
import type { FoundLog } from './recovery.js'
import { readAgain } from './recovery.js'
import { StorageError } from './storage.js'

/** What the end of a log is made durable with. */
export interface TailParts {
  readonly disk: Disk
  readonly zeros: Uint8Array
  readonly turn: Turn
}

/**
 * Makes the end of the log durable. A seal follows it, with a number above every one that may ever have been told to a
 * peer. Gives back the file to write on, and that number. Throws DISK_FULL, with nothing changed, DISK_FAILED, or CORRUPT
 * if a file is not any more as it was found.
 */
export async function makeTailDurable(parts: TailParts, found: FoundLog): Promise<[LogFile, number]> {
  const last = found.files.at(-1)
  const before = found.files.at(-2)
  if (last === undefined) throw new Error('a log has at least one file')
  if (found.spare !== null) await removeFiles(parts.disk, [found.spare])
  // The last file has no batch: the one before may have been written last. Its copy must be durable before this one gets a
  // batch, which says that everything before it is.
  if (last.end === SECTOR && before !== undefined) await (await copy(parts, before, null)).close()
  const batch = Math.max(...found.files.map((file) => file.batch)) + 1
  const seal = new BatchBuilder().finish(batch, last.previous, last.seed, last.end)
  try {
    return [await copy(parts, last, seal), batch]
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'DISK_FULL') throw error
    const needed = Math.ceil((last.end + seal.bytes.length) / 1_000_000)
    throw new StorageError(
      'DISK_FULL',
      `${error.message}; to start, a copy of the last file of the log takes ${needed} MB`,
      error.data,
    )
  }
}

async function copy(
  { disk, zeros, turn }: TailParts,
  file: FoundFile,
  seal: { readonly bytes: Uint8Array; readonly header: number } | null,
): Promise<LogFile> {
  const { header, end, previous } = file
  const bytes = await readAgain(disk, file, turn)
  const pieces = [{ bytes: bytes.subarray(0, end), position: 0 }]
  if (seal === null) return LogFile.make(disk, header, pieces, zeros, end, previous)
  const sealed = [...pieces, { bytes: seal.bytes, position: end }]
  return LogFile.make(disk, header, sealed, zeros, end + seal.bytes.length, seal.header)
}
