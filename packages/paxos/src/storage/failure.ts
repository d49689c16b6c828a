/** What goes wrong with a directory, in sentences. */
import { StorageError } from './storage.js'

/** A file that cannot be believed. `offset` is in bytes; `what` ends the sentence that begins with the file's name. */
export function corrupt(directory: string, file: string, offset: number, what: string): StorageError {
  return new StorageError(
    'CORRUPT',
    `${directory}/${file} ${what} (byte ${offset}), in what was durable once: votes may be lost, so this server must not start; ` +
      'put the newest copy of the directory back',
    { directory, file, offset },
  )
}

export function missingFile(directory: string, file: string): StorageError {
  return new StorageError(
    'MISSING_FILE',
    `${directory}/${file} is missing: votes are lost with it, so this server must not start; ` +
      'put the file, or the newest copy of the directory, back',
    { directory, file },
  )
}

/** An operation failed, and what it left on the disk is unknown. */
export function diskFailed(directory: string, doing: string, error: unknown): StorageError {
  return new StorageError(
    'DISK_FAILED',
    `${doing} in ${directory} failed (${reason(error)}): the disk may have lost what was written; check it, then start again`,
    { directory, code: codeOf(error) },
  )
}

/** There was no room to reserve. */
export function diskFull(directory: string, error: unknown): StorageError {
  return new StorageError('DISK_FULL', `there is no room in ${directory} (${reason(error)}): make some`, {
    directory,
    code: codeOf(error),
  })
}

/** Why a directory could not be opened. */
export function cannotOpen(directory: string, error: unknown): StorageError {
  const code = codeOf(error)
  const data = { directory, code }
  if (code === 'EADDRINUSE') {
    return new StorageError(
      'LOCKED',
      `${directory} is in use by another process: stop that one, or use another directory`,
      data,
    )
  }
  return new StorageError('UNUSABLE', `${directory} cannot be used as a data directory (${reason(error)})`, data)
}

/** Whether the error says that there is no room, rather than that the disk is broken. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(codeOf(error))
}

/** Node's code of the error, such as ENOENT; empty if it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
