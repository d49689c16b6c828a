/** Which files the log consists of, and which of them are still needed. */
import type { Slot } from '../protocol/command.js'
import type { Disk } from './disk.js'
import { codeOf, diskFailed } from './failure.js'
import { fileName } from './file-header.js'

/** A file of the log. */
interface Facts {
  readonly file: number
  /** Used bytes. */
  bytes: number
  /** The highest slot that an `accept` or a `learn` in it tells of, as far as is known; 0 without any. */
  highest: Slot
  /** A start found it, and has not read its records yet. */
  unread: boolean
}

export class LogFiles {
  readonly #disk: Disk
  /** In order; the last one is written on. */
  #files: Facts[]
  /** The log says `repairing`, and not `repaired`. */
  repairing: boolean

  /** @param found what a start found, or the one that was just made */
  constructor(disk: Disk, found: readonly { readonly file: number; readonly bytes: number }[], repairing: boolean) {
    this.#disk = disk
    this.#files = found.map(({ file, bytes }) => ({ file, bytes, highest: 0, unread: true }))
    this.repairing = repairing
  }

  /** Used bytes of all of them. */
  get bytes(): number {
    return this.#files.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** So many bytes were added to the last one, which tell of slots up to this. */
  added(bytes: number, highest: Slot): void {
    const last = this.#files.at(-1)
    if (last === undefined) throw new Error('a log has at least one file')
    last.bytes += bytes
    last.highest = Math.max(last.highest, highest)
  }

  /** The log goes on in this file. */
  wentOn(file: number, bytes: number): void {
    this.#files.push({ file, bytes, highest: 0, unread: false })
  }

  /** What a start found in the file was read: it tells of slots up to this. */
  read(file: number, highest: Slot): void {
    const facts = this.#files.find((facts) => facts.file === file)
    if (facts === undefined) return
    facts.highest = Math.max(facts.highest, highest)
    facts.unread = false
  }

  /**
   * The first file that is needed once a `base` record says that nothing at or below `collected` is: never one behind that
   * which is written on now. A repair that is under way needs all of them.
   */
  firstNeeded(collected: Slot): number {
    const needed = ({ highest, unread }: Facts): boolean => this.repairing || unread || highest > collected
    const first = this.#files.find(needed) ?? this.#files.at(-1)
    if (first === undefined) throw new Error('a log has at least one file')
    return first.file
  }

  /** Removes the files below the one that a durable `base` record names. Throws DISK_FAILED. */
  async removeBelow(first: number): Promise<void> {
    const gone = this.#files.filter(({ file }) => file < first)
    if (gone.length === 0) return
    this.#files = this.#files.filter(({ file }) => file >= first)
    await removeFiles(
      this.#disk,
      gone.map(({ file }) => fileName(file)),
    )
  }
}

/** Removes files in this order; they need not be there. Durable when resolved. Throws DISK_FAILED. */
export async function removeFiles(disk: Disk, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  for (const name of names) {
    try {
      await disk.remove(name)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw diskFailed(disk.directory, `removing ${name}`, error)
    }
  }
  try {
    await disk.syncDirectory()
  } catch (error) {
    throw diskFailed(disk.directory, 'syncing the directory', error)
  }
}
