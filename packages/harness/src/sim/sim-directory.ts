/** The names of a simulated disk's files: as processes see them, and as they are durable. */
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import { errno } from './errno.js'
import type { SimFile } from './sim-file.js'

export type Names = Map<string, SimFile>

/** A file, for whoever wants to damage it. */
export interface FileFacts {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Where what was written ends: behind it there are only zeros. */
  readonly written: number
}

export class SimDirectory {
  #names: Names = new Map()
  #durable: Names = new Map()
  /** What was done to the names since they were synced. */
  #changes: ((names: Names) => void)[] = []

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** Throws ENOENT. */
  file(name: string): SimFile {
    const file = this.#names.get(name)
    if (file === undefined) throw errno('ENOENT', name)
    return file
  }

  /** The file that has this name on the disk. */
  durable(name: string): SimFile | undefined {
    return this.#durable.get(name)
  }

  /** Sorted by name. */
  list(): FileFacts[] {
    return [...this.#names.keys()].sort().map((name) => {
      const { size, written } = this.file(name)
      return { name, size, written }
    })
  }

  names(): string[] {
    return [...this.#names.keys()].sort()
  }

  /** Bytes that all files together have. */
  get used(): number {
    let used = 0
    for (const { size } of this.#names.values()) used += size
    return used
  }

  /** Changes names; durable after {@link sync}. */
  change(change: (names: Names) => void): void {
    change(this.#names)
    this.#changes.push(change)
  }

  sync(): void {
    this.#durable = new Map(this.#names)
    this.#changes = []
  }

  /** What was not synced is lost, names and contents; or some of it had just reached the disk. */
  losePower(prng: Prng): void {
    const kept = prng.pick([0, 0.5, 1])
    for (const change of this.#changes) if (prng.chance(kept)) change(this.#durable)
    this.#changes = []
    const files = new Set([...this.#names.values(), ...this.#durable.values()])
    for (const file of files) file.losePower()
    this.#names = new Map(this.#durable)
  }

  wipe(): void {
    this.#names.clear()
    this.#durable.clear()
    this.#changes = []
  }
}
