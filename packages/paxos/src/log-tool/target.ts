/** What the user named: a data directory, or a file in one. */
import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Disk } from '../storage/disk.js'
import { codeOf } from '../storage/failure.js'
import { fileNumber } from '../storage/file-header.js'
import { RealDisk } from '../storage/real-disk.js'
import { UsageError } from './usage.js'

/** A directory, or a file of the directory that the disk is. */
export type Target =
  | { readonly type: 'directory'; readonly path: string; readonly disk: Disk }
  | { readonly type: 'log' | 'snapshot'; readonly path: string; readonly disk: Disk; readonly file: string }

/** Looks at the path. Throws {@link UsageError} if there is nothing that can be read. */
export async function targetAt(path: string): Promise<Target> {
  if ((await kindOf(path)) === 'directory') return { type: 'directory', path, disk: new RealDisk(path) }
  const file = basename(path)
  // A copy of a snapshot may have any name.
  const type = fileNumber(file) === null ? 'snapshot' : 'log'
  return { type, path, disk: new RealDisk(dirname(path)), file }
}

async function kindOf(path: string): Promise<'directory' | 'file'> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) return 'directory'
    if (found.isFile()) return 'file'
  } catch (error) {
    const code = codeOf(error)
    if (code === '') throw error
    throw new UsageError(
      ['ENOENT', 'ENOTDIR'].includes(code) ? `there is no ${path}` : `${path} cannot be read (${code})`,
    )
  }
  throw new UsageError(`${path} is neither a directory nor a file`)
}
