/** For tests: a disk in memory. Nothing is ever lost, and nothing takes time. */
import type { Disk, DiskFile, DiskReader } from './disk.js'

/** A file's content; it grows. */
interface Content {
  bytes: Uint8Array
}

export class MemoryDisk implements Disk {
  readonly directory = 'memory'
  readonly #files = new Map<string, Content>()

  open(): Promise<void> {
    return Promise.resolve()
  }

  async list(): Promise<string[]> {
    return [...this.#files.keys()].sort()
  }

  async read(name: string): Promise<Uint8Array> {
    return Uint8Array.from(this.#file(name).bytes)
  }

  async openReader(name: string): Promise<DiskReader> {
    const file = this.#file(name)
    return {
      size: file.bytes.length,
      read: async (position, length) => file.bytes.slice(position, position + length),
      close: async () => undefined,
    }
  }

  async openWriter(name: string): Promise<DiskFile> {
    return writerOf(this.#file(name))
  }

  async create(name: string): Promise<DiskFile> {
    if (this.#files.has(name)) throw Object.assign(new Error(`EEXIST: ${name}`), { code: 'EEXIST' })
    const file = { bytes: new Uint8Array(0) }
    this.#files.set(name, file)
    return writerOf(file)
  }

  async rename(from: string, to: string): Promise<void> {
    const file = this.#file(from)
    this.#files.delete(from)
    this.#files.set(to, file)
  }

  async remove(name: string): Promise<void> {
    this.#file(name)
    this.#files.delete(name)
  }

  syncDirectory(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #file(name: string): Content {
    const file = this.#files.get(name)
    if (file === undefined) throw Object.assign(new Error(`ENOENT: ${name}`), { code: 'ENOENT' })
    return file
  }
}

function writerOf(file: Content): DiskFile {
  const write = async (bytes: Uint8Array, position: number): Promise<void> => {
    const grown = new Uint8Array(Math.max(file.bytes.length, position + bytes.length))
    grown.set(file.bytes)
    grown.set(bytes, position)
    file.bytes = grown
  }
  return { write, writeDurably: write, sync: async () => undefined, close: async () => undefined }
}
