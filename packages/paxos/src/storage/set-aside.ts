/** Makes a damaged directory an empty one, and keeps what was in it. */
import type { Disk } from './disk.js'
import { diskFailed } from './failure.js'
import { fileNumber } from './file-header.js'
import { snapshotSlot } from './snapshot-file.js'

const MARK = '.damaged'

/** Whether a file of a log or a snapshot was set aside under this name. */
export function isSetAside(name: string): boolean {
  return name.endsWith(MARK) && isKept(name.slice(0, -MARK.length))
}

/**
 * Renames the files of the log, from the first one on, then the snapshots, over those that were set aside before. Each
 * rename is durable before the next: so whenever this is cut short, a file that the log needs is gone, and the directory is
 * refused until it is done again. Gives back the new names. Throws DISK_FAILED.
 */
export async function setAside(disk: Disk): Promise<string[]> {
  try {
    const names = (await disk.list()).filter(isKept) // sorted: the log's files first
    for (const name of names) {
      await disk.rename(name, name + MARK)
      await disk.syncDirectory()
    }
    return names.map((name) => name + MARK)
  } catch (error) {
    throw diskFailed(disk.directory, 'setting files aside', error)
  }
}

function isKept(name: string): boolean {
  return fileNumber(name) !== null || snapshotSlot(name) !== null
}
