/** A snapshot that comes from a peer, as bytes of its file: written and checked as they come, continued after a restart. */
import type { Disk, DiskFile } from './disk.js'
import { badSnapshot } from './failure.js'
import { SECTOR } from './file-header.js'
import { removeFiles } from './log-files.js'
import type { Turn } from './log-scan.js'
import { infoOf, partName, sameSnapshot, SnapshotDamage, snapshotName } from './snapshot-file.js'
import type { SnapshotHeader } from './snapshot-file.js'
import { SnapshotScanner } from './snapshot-scanner.js'
import { snapshotFailed, SYNC_BYTES } from './snapshot-writer.js'
import type { Incoming, SnapshotInfo } from './snapshots.js'

/** As much of what is here is read at a time (bytes). */
const READ = 1 << 20

/** Says why a snapshot with this header is not for this server; null if it is. */
export type Fits = (header: SnapshotHeader) => string | null

export class IncomingSnapshot implements Incoming {
  readonly info: SnapshotInfo
  readonly #disk: Disk
  readonly #file: DiskFile
  readonly #scanner: SnapshotScanner
  readonly #fits: Fits
  #synced: number

  private constructor(disk: Disk, file: DiskFile, info: SnapshotInfo, scanner: SnapshotScanner, fits: Fits) {
    this.#disk = disk
    this.#file = file
    this.info = info
    this.#scanner = scanner
    this.#fits = fits
    this.#synced = scanner.position
  }

  get received(): number {
    return this.#scanner.position
  }

  /** Begins one. Throws DISK_FULL or DISK_FAILED. */
  static async begin(disk: Disk, info: SnapshotInfo, fits: Fits): Promise<IncomingSnapshot> {
    const name = partName(info.slot)
    await removeFiles(disk, [name])
    try {
      const file = await disk.create(name, 'bulk')
      await disk.syncDirectory()
      return new IncomingSnapshot(disk, file, info, new SnapshotScanner(), fits)
    } catch (error) {
      throw snapshotFailed(disk.directory, name, error)
    }
  }

  /** Goes on with what a former life left, as far as whole chunks go; null if that is nothing, or cannot be read. */
  static async resume(disk: Disk, name: string, fits: Fits, turn: Turn): Promise<IncomingSnapshot | null> {
    try {
      const scanner = await scan(disk, name, turn)
      const { header } = scanner
      if (header === null || partName(header.slot) !== name || fits(header) !== null) return null
      return new IncomingSnapshot(disk, await disk.openWriter(name), infoOf(header), scanner, fits)
    } catch {
      return null // A peer has it.
    }
  }

  /** See `Snapshots.take`. */
  async take(bytes: Uint8Array): Promise<void> {
    const position = this.received
    await this.#or(async () => {
      if (position + bytes.length > this.info.size)
        throw new SnapshotDamage('is longer than it was to be', this.info.size)
      this.#scanner.push(bytes)
      const { header } = this.#scanner
      if (header !== null && position < SECTOR) this.#check(header)
      await this.#file.write(bytes, position)
      if (this.received - this.#synced < SYNC_BYTES) return
      await this.#file.sync()
      this.#synced = this.received
    })
  }

  /** See `Snapshots.install`. */
  async install(): Promise<void> {
    await this.#or(async () => {
      if (!this.#scanner.whole) throw new SnapshotDamage('ends before its end mark', this.received)
      await this.#file.sync()
      await this.#file.close()
      await this.#disk.rename(partName(this.info.slot), snapshotName(this.info.slot))
      await this.#disk.syncDirectory()
    })
  }

  /** Nothing of it remains. */
  async giveUp(): Promise<void> {
    await this.close()
    await removeFiles(this.#disk, [partName(this.info.slot)])
  }

  /** It can be continued after the next start. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => undefined)
  }

  #check(header: SnapshotHeader): void {
    const why = sameSnapshot(infoOf(header), this.info) ? this.#fits(header) : 'is another one than was promised'
    if (why !== null) throw new SnapshotDamage(why, 0)
  }

  async #or(attempt: () => Promise<void>): Promise<void> {
    try {
      await attempt()
    } catch (error) {
      await this.giveUp().catch(() => undefined)
      const name = partName(this.info.slot)
      if (!(error instanceof SnapshotDamage)) throw snapshotFailed(this.#disk.directory, name, error)
      throw badSnapshot(this.#disk.directory, name, error.offset, error.message)
    }
  }
}

/** Checks what there is of a file; what stands behind its last whole chunk is to be written again. */
async function scan(disk: Disk, name: string, turn: Turn): Promise<SnapshotScanner> {
  const scanner = new SnapshotScanner()
  const reader = await disk.openReader(name)
  try {
    for (let at = 0; at < reader.size; at += READ) {
      scanner.push(await reader.read(at, READ))
      await turn()
    }
  } catch (error) {
    if (!(error instanceof SnapshotDamage)) throw error
  } finally {
    await reader.close()
  }
  if (!scanner.whole) scanner.rewind()
  return scanner
}
