/**
 * Gives peers the bytes of snapshot files. A file of which bytes were given is kept open for a while: so it can be had to
 * its end, though it was removed meanwhile because there is a newer one. What is given from the beginning on is checked on
 * the way, so that a peer is not sent the same damage again and again.
 */
import type { Cancel, Clock } from '../clock.js'
import type { Slot } from '../protocol/command.js'
import type { Disk, DiskReader } from './disk.js'
import { snapshotName } from './snapshot-file.js'
import { SnapshotScanner } from './snapshot-scanner.js'
import type { SnapshotInfo } from './snapshots.js'

/** How long a file is kept open after its last use (ms). */
const KEEP = 60_000

/** A file that is open. */
interface Open {
  readonly reader: DiskReader
  readonly scanner: SnapshotScanner
  lastUse: number
  /** Reads that are under way. */
  uses: number
  /** It is to be closed behind the last of them. */
  over: boolean
  cancel: Cancel
}

export class SnapshotPieces {
  readonly #disk: Disk
  readonly #clock: Clock
  /** By the snapshot's id; also those that are being opened. */
  readonly #open = new Map<string, Promise<Open>>()

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk
    this.#clock = clock
  }

  /** Whether the file of this id is open, though it may have no name any more. */
  has(id: string): boolean {
    return this.#open.has(id)
  }

  /** Bytes of the file; it has its name, or {@link has} says so. Throws SnapshotDamage, or what the disk does. */
  async read({ slot, id }: Pick<SnapshotInfo, 'slot' | 'id'>, offset: number, length: number): Promise<Uint8Array> {
    const opening = this.#open.get(id) ?? this.#begin(slot, id)
    this.#open.set(id, opening)
    try {
      const open = await opening
      return await this.#readOf(open, offset, length)
    } catch (error) {
      await this.#end(id, opening)
      throw error
    }
  }

  /** Closes all files, when what is being read was read. */
  async close(): Promise<void> {
    for (const [id, opening] of [...this.#open]) await this.#end(id, opening)
  }

  async #begin(slot: Slot, id: string): Promise<Open> {
    const reader = await this.#disk.openReader(snapshotName(slot))
    const scanner = new SnapshotScanner()
    const open: Open = { reader, scanner, lastUse: this.#clock.now(), uses: 0, over: false, cancel: () => undefined }
    this.#endLater(id, open, KEEP)
    return open
  }

  async #readOf(open: Open, offset: number, length: number): Promise<Uint8Array> {
    open.lastUse = this.#clock.now()
    open.uses++
    try {
      const bytes = await open.reader.read(offset, length)
      if (offset === open.scanner.position && !open.scanner.whole) open.scanner.push(bytes)
      return bytes
    } finally {
      open.uses--
      if (open.over) await closeUnused(open)
    }
  }

  #endLater(id: string, open: Open, ms: number): void {
    open.cancel = this.#clock.after(ms, () => {
      const left = open.lastUse + KEEP - this.#clock.now()
      const opening = this.#open.get(id)
      if (left > 0) this.#endLater(id, open, left)
      else if (opening !== undefined) void this.#end(id, opening)
    })
  }

  async #end(id: string, opening: Promise<Open>): Promise<void> {
    if (this.#open.get(id) === opening) this.#open.delete(id)
    const open = await opening.catch(() => null)
    if (open === null) return
    open.cancel()
    open.over = true
    await closeUnused(open)
  }
}

async function closeUnused({ reader, uses }: Open): Promise<void> {
  if (uses === 0) await reader.close().catch(() => undefined)
}
