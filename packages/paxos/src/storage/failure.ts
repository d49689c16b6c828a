/** What goes wrong with a directory, in sentences. */
import type { StorageCode } from './storage.js'
import { StorageError } from './storage.js'

/** Votes may be lost. What can be done about that depends on the number of servers: see {@link advised}. */
class VotesLost extends StorageError {
  /** @param first the beginning of the advice */
  constructor(
    code: StorageCode,
    message: string,
    data: Readonly<Record<string, unknown>>,
    readonly first = '',
  ) {
    super(code, message, data)
  }
}

/** The error, with what to do about lost votes in a cluster of so many servers if it says that some are. */
export function advised(error: unknown, servers: number): unknown {
  if (!(error instanceof VotesLost)) return error
  const { code, message, data, first } = error
  const advice =
    servers > 2
      ? 'start it with --repair, and it gets from the other servers what it lost'
      : 'make a new cluster of a back-up, or of the newest snapshot that is whole (synod-log restore): ' +
        'in one of fewer than three servers none can be repaired'
  return new StorageError(code, `${message}; ${first}${advice}`, data)
}

/** A file that cannot be believed. `offset` is in bytes; `what` ends the sentence that begins with the file's name. */
export function corrupt(directory: string, file: string, offset: number, what: string): StorageError {
  return new VotesLost(
    'CORRUPT',
    `${directory}/${file} ${what} (byte ${offset}), in what was durable once: votes may be lost, so this server must not start as it is`,
    { directory, file, offset },
  )
}

export function missingFile(directory: string, file: string): StorageError {
  return new VotesLost(
    'MISSING_FILE',
    `${directory}/${file} is missing: votes are lost with it, so this server must not start as it is`,
    { directory, file },
    'put the file back, or ',
  )
}

/** A file whose bytes the disk does not give. */
export function unreadable(directory: string, file: string, error: unknown): StorageError {
  return new VotesLost(
    'CORRUPT',
    `${directory}/${file} cannot be read (${reason(error)}): votes may be lost, so this server must not start as it is`,
    { directory, file, offset: 0 },
    'check the disk, or put the directory on another one; if the file stays as it is, ',
  )
}

/** There is no log, but something that only a directory with a log has. */
export function logIsGone(directory: string, remains: string): StorageError {
  return new VotesLost(
    'MISSING_FILE',
    `${directory} holds ${remains}, but no log: it is no new directory, and its votes are lost`,
    { directory, file: remains },
  )
}

/** A repair was asked for, and there is nothing to be repaired. */
export function notDamaged(directory: string): StorageError {
  return new StorageError('NOT_DAMAGED', `${directory} is whole: start it without --repair`, { directory })
}

/** A snapshot that cannot be used. `what` ends the sentence that begins with the file's name. */
export function badSnapshot(directory: string, file: string, offset: number, what: string): StorageError {
  return new StorageError('BAD_SNAPSHOT', `${directory}/${file} ${what} (byte ${offset})`, { directory, file, offset })
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

/** An error's own words. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
