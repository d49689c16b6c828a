/** The real disk (Linux). */
import { close, constants, fdatasync, open, write } from 'node:fs'
import { access, mkdir, open as openHandle, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import type { Server } from 'node:net'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Disk, DiskFile } from './disk.js'

const openFile = promisify(open)
const closeFile = promisify(close)
const syncFile = promisify(fdatasync)

/** A directory of the file system. */
export class RealDisk implements Disk {
  readonly directory: string
  #lock: Server | null = null

  constructor(directory: string) {
    this.directory = resolve(directory)
  }

  async open(): Promise<void> {
    // What was made is durable once the directories that it is named in are.
    for (const made of await makeDirectories(this.directory)) await syncDirectory(dirname(made))
    await access(this.directory, constants.R_OK | constants.W_OK | constants.X_OK)
    this.#lock = await lock(this.directory)
  }

  async list(): Promise<string[]> {
    return (await readdir(this.directory)).sort()
  }

  read(name: string): Promise<Uint8Array> {
    return readFile(join(this.directory, name))
  }

  async create(name: string): Promise<DiskFile> {
    // With O_DSYNC, a write that is durable is one trip through libuv's thread pool instead of two.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_DSYNC
    return new RealFile(await openFile(join(this.directory, name), flags, 0o600))
  }

  rename(from: string, to: string): Promise<void> {
    return rename(join(this.directory, from), join(this.directory, to))
  }

  remove(name: string): Promise<void> {
    return rm(join(this.directory, name))
  }

  syncDirectory(): Promise<void> {
    return syncDirectory(this.directory)
  }

  async close(): Promise<void> {
    const held = this.#lock
    this.#lock = null
    if (held !== null) await new Promise((done) => held.close(done))
  }
}

/** A file that was opened with O_DSYNC: every write to it is durable when it returns. */
class RealFile implements DiskFile {
  readonly #descriptor: number

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return new Promise((done, fail) => {
      // The system may write less than it was asked to; why, it says at the next try.
      const from = (offset: number): void => {
        write(this.#descriptor, bytes, offset, bytes.length - offset, position + offset, (error, written) => {
          if (error !== null) fail(error)
          else if (offset + written < bytes.length) from(offset + written)
          else done()
        })
      }
      from(0)
    })
  }

  writeDurably(bytes: Uint8Array, position: number): Promise<void> {
    return this.write(bytes, position)
  }

  sync(): Promise<void> {
    return syncFile(this.#descriptor)
  }

  close(): Promise<void> {
    return closeFile(this.#descriptor)
  }
}

/**
 * Makes the directory, and those above it that are missing; gives what it made. (Node's own `recursive` never ends where
 * nothing can be made, as in /proc.)
 */
export async function makeDirectories(path: string): Promise<string[]> {
  const first = await makeDirectory(path)
  if (first !== 'ENOENT' || dirname(path) === path) return outcome(path, first)
  const above = await makeDirectories(dirname(path))
  return [...above, ...outcome(path, await makeDirectory(path))]
}

/** `made`, or the code of what went wrong. */
async function makeDirectory(path: string): Promise<string> {
  try {
    await mkdir(path)
    return 'made'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

function outcome(path: string, made: string): string[] {
  if (made === 'made') return [path]
  if (made === 'EEXIST') return []
  throw Object.assign(new Error(`${made}: the directory ${path} cannot be made`), { code: made })
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await openHandle(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/**
 * An abstract Unix socket, named after the directory's device and inode: whatever path leads to the directory, a second
 * one gets EADDRINUSE, and the kernel frees it with the process, however that ends. (Abstract names are per network
 * namespace: containers that share a directory but no network do not see each other's.)
 */
async function lock(directory: string): Promise<Server> {
  if (process.platform !== 'linux') {
    throw Object.assign(new Error('data directories can be locked on Linux only'), { code: 'ENOTSUP' })
  }
  const { dev, ino } = await stat(directory, { bigint: true })
  const server = createServer((connection) => connection.destroy())
  await new Promise<void>((done, fail) => {
    server.once('error', fail)
    server.listen(`\0synod-${dev}-${ino}`, done)
  })
  return server.unref()
}
