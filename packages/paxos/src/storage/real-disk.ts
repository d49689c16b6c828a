/** The real disk (Linux). */
import { close, constants, fdatasync, fstat, open, read, write } from 'node:fs'
import { access, mkdir, open as openHandle, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import type { Server } from 'node:net'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Disk, DiskFile, DiskReader, FileUse } from './disk.js'

const openFile = promisify(open)
const closeFile = promisify(close)
const syncFile = promisify(fdatasync)
const statFile = promisify(fstat)

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

  async openReader(name: string): Promise<DiskReader> {
    const descriptor = await openFile(join(this.directory, name), constants.O_RDONLY)
    try {
      return new RealReader(descriptor, (await statFile(descriptor)).size)
    } catch (error) {
      await closeFile(descriptor)
      throw error
    }
  }

  async openWriter(name: string): Promise<DiskFile> {
    return new RealFile(await openFile(join(this.directory, name), constants.O_WRONLY), false)
  }

  async create(name: string, use: FileUse = 'log'): Promise<DiskFile> {
    // With O_DSYNC, a write that is durable is one trip through libuv's thread pool instead of two.
    const synchronous = use === 'log'
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (synchronous ? constants.O_DSYNC : 0)
    return new RealFile(await openFile(join(this.directory, name), flags, 0o600), synchronous)
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

/** Closes once: the number of a descriptor that is closed may soon be another file's. */
class Descriptor {
  #number: number

  constructor(number: number) {
    this.#number = number
  }

  /** −1 when it is closed: no operation takes that. */
  get number(): number {
    return this.#number
  }

  async close(): Promise<void> {
    const number = this.#number
    this.#number = -1
    if (number >= 0) await closeFile(number)
  }
}

class RealReader implements DiskReader {
  readonly size: number
  readonly #descriptor: Descriptor

  constructor(descriptor: number, size: number) {
    this.#descriptor = new Descriptor(descriptor)
    this.size = size
  }

  read(position: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, this.size - position)))
    return new Promise((done, fail) => {
      // The system may read less than it was asked to; nothing at all only at the end of the file.
      const from = (offset: number): void => {
        read(this.#descriptor.number, bytes, offset, bytes.length - offset, position + offset, (error, count) => {
          if (error !== null) fail(error)
          else if (count > 0 && offset + count < bytes.length) from(offset + count)
          else done(bytes.subarray(0, offset + count))
        })
      }
      from(0)
    })
  }

  close(): Promise<void> {
    return this.#descriptor.close()
  }
}

class RealFile implements DiskFile {
  readonly #descriptor: Descriptor
  readonly #synchronous: boolean

  /** @param synchronous opened with O_DSYNC: every write to it is durable when it returns */
  constructor(descriptor: number, synchronous: boolean) {
    this.#descriptor = new Descriptor(descriptor)
    this.#synchronous = synchronous
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return new Promise((done, fail) => {
      // The system may write less than it was asked to; why, it says at the next try.
      const from = (offset: number): void => {
        write(this.#descriptor.number, bytes, offset, bytes.length - offset, position + offset, (error, written) => {
          if (error !== null) fail(error)
          else if (offset + written < bytes.length) from(offset + written)
          else done()
        })
      }
      from(0)
    })
  }

  writeDurably(bytes: Uint8Array, position: number): Promise<void> {
    const written = this.write(bytes, position)
    return this.#synchronous ? written : written.then(() => this.sync())
  }

  sync(): Promise<void> {
    return syncFile(this.#descriptor.number)
  }

  close(): Promise<void> {
    return this.#descriptor.close()
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
