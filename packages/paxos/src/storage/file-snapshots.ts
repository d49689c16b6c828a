/** The snapshots of a directory; snapshot-file.ts has the format of their files. */
import { join } from 'node:path'
import type { Clock } from '../clock.js'
import type { Slot } from '../protocol/command.js'
import type { Disk } from './disk.js'
import { badSnapshot, codeOf, diskFailed, reason } from './failure.js'
import { SALT_BYTES } from './file-header.js'
import { IncomingSnapshot } from './incoming-snapshot.js'
import { removeFiles } from './log-files.js'
import type { SnapshotHeader } from './snapshot-file.js'
import { infoOf, partSlot, sameSnapshot, SnapshotDamage, snapshotName, snapshotSlot } from './snapshot-file.js'
import { SnapshotPieces } from './snapshot-pieces.js'
import { readChunks, readSnapshotHeader } from './snapshot-reader.js'
import { FileSnapshotWriter } from './snapshot-writer.js'
import type { Incoming, SnapshotChunk, SnapshotInfo, Snapshots, SnapshotWriter } from './snapshots.js'
import type { Owner, StorageError } from './storage.js'

/** Whose snapshots they are. */
export interface SnapshotOwner {
  readonly clusterId: string
  readonly owner: Owner
}

export class FileSnapshots implements Snapshots {
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #pieces: SnapshotPieces
  #whose: SnapshotOwner | null = null
  /** Those that can be used, as far as is known, by slot. */
  #known: SnapshotInfo[] = []
  #writing = false
  #incoming: IncomingSnapshot | null = null

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk
    this.#clock = clock
    this.#pieces = new SnapshotPieces(disk, clock)
  }

  get newest(): SnapshotInfo | null {
    return this.#known.at(-1) ?? null
  }

  get incoming(): Incoming | null {
    return this.#incoming
  }

  /**
   * Finds what is there, and removes what was left over. Gives back what is worth a line in the log. Throws DISK_FAILED.
   *
   * @param collected the slot up to which the log is not there any more: older snapshots are of no use
   */
  async open(whose: SnapshotOwner, collected: Slot): Promise<string[]> {
    this.#whose = whose
    this.#known = []
    this.#incoming = null
    const names = await this.#list()
    const notes: string[] = []
    const slots = names.map(snapshotSlot).filter((slot) => slot !== null)
    for (const slot of slots.filter((slot) => slot >= collected).sort((a, b) => a - b)) {
      const found = await this.#look(slot)
      if (typeof found === 'string') notes.push(found)
      else this.#known.push(found)
    }
    await this.#resume(names.filter((name) => partSlot(name) !== null))
    const temporary = names.filter((name) => name.endsWith('.new') && snapshotSlot(name.slice(0, -4)) !== null)
    const parts = names.filter((name) => partSlot(name) !== null && partSlot(name) !== this.#incoming?.info.slot)
    const old = this.#known.length > 0 ? slots.filter((slot) => slot < collected) : []
    await removeFiles(this.#disk, [...temporary, ...parts, ...old.map(snapshotName)])
    return notes
  }

  /** Those of an empty directory that joins a cluster: none. */
  begin(whose: SnapshotOwner): void {
    this.#whose = whose
  }

  pathOf({ slot }: SnapshotInfo): string {
    return join(this.#disk.directory, snapshotName(slot))
  }

  async create(slot: Slot): Promise<SnapshotWriter> {
    const { clusterId, owner } = this.#own()
    if (this.#writing) throw new Error('a snapshot is being written already')
    if (slot <= (this.newest?.slot ?? 0)) throw new Error(`a snapshot through slot ${slot} is no newer one`)
    this.#writing = true
    const id = Buffer.from(this.#clock.random(SALT_BYTES)).toString('hex')
    const header = { clusterId, service: owner.service, count: owner.count, id, maker: owner.id, slot }
    const ended = (info: SnapshotInfo | null): void => {
      this.#writing = false
      if (info !== null) this.#add(info)
    }
    try {
      return await FileSnapshotWriter.begin(this.#disk, header, ended)
    } catch (error) {
      ended(null)
      throw error
    }
  }

  async *read(info: SnapshotInfo): AsyncGenerator<SnapshotChunk> {
    const name = snapshotName(info.slot)
    try {
      const reader = await this.#disk.openReader(name)
      try {
        const header = await readSnapshotHeader(reader)
        if (!sameSnapshot(infoOf(header), info)) throw new SnapshotDamage('is another one than it was', 0)
        for await (const { section, payload } of readChunks(reader, header)) yield { section, payload }
      } finally {
        await reader.close()
      }
    } catch (error) {
      if (!isLost(error)) throw diskFailed(this.#disk.directory, `reading ${name}`, error)
      this.forget(info)
      throw this.#unreadable(name, error)
    }
  }

  forget({ id }: SnapshotInfo): void {
    this.#known = this.#known.filter((info) => info.id !== id)
  }

  async bytes(slot: Slot, id: string, offset: number, length: number): Promise<Uint8Array | null> {
    const known = this.#known.find((info) => info.slot === slot && info.id === id)
    if (known === undefined && !this.#pieces.has(id)) return null
    try {
      return await this.#pieces.read({ slot, id }, offset, length)
    } catch (error) {
      if (isLost(error) && known !== undefined) this.forget(known)
      return null
    }
  }

  async receive(info: SnapshotInfo): Promise<Incoming> {
    this.#own()
    const before = this.#incoming
    if (before !== null && sameSnapshot(before.info, info)) return before
    this.#incoming = null
    await before?.giveUp()
    this.#incoming = await IncomingSnapshot.begin(this.#disk, info, this.#fits)
    return this.#incoming
  }

  async take(bytes: Uint8Array): Promise<Incoming> {
    const incoming = this.#begun()
    await this.#orForget(incoming.take(bytes))
    return incoming
  }

  async install(): Promise<SnapshotInfo> {
    const incoming = this.#begun()
    await this.#orForget(incoming.install())
    this.#incoming = null
    this.#add(incoming.info)
    return incoming.info
  }

  /** Removes the snapshots that a durable `base` record makes superfluous. Throws DISK_FAILED. */
  async removeOlder(collected: Slot): Promise<void> {
    const { newest } = this
    if (newest === null || newest.slot < collected) return
    const names = await this.#list()
    this.#known = this.#known.filter(({ slot }) => slot >= collected)
    const old = names.filter((name) => (snapshotSlot(name) ?? Infinity) < collected)
    await removeFiles(this.#disk, old)
  }

  /** What is being received can be continued after the next {@link open}. */
  async close(): Promise<void> {
    await this.#pieces.close()
    await this.#incoming?.close()
    this.#incoming = null
    this.#writing = false
  }

  async #list(): Promise<string[]> {
    try {
      return await this.#disk.list()
    } catch (error) {
      throw diskFailed(this.#disk.directory, 'reading', error)
    }
  }

  /** A snapshot, if it seems to be whole and is of this cluster; else why not, in a sentence. */
  async #look(slot: Slot): Promise<SnapshotInfo | string> {
    const name = snapshotName(slot)
    try {
      const reader = await this.#disk.openReader(name)
      try {
        const header = await readSnapshotHeader(reader)
        const why = this.#fits(header) ?? (header.slot === slot ? null : `says that it is ${snapshotName(header.slot)}`)
        if (why !== null) throw new SnapshotDamage(why, 0)
        return infoOf(header)
      } finally {
        await reader.close()
      }
    } catch (error) {
      return `${this.#unreadable(name, error).message}: it is not used`
    }
  }

  readonly #fits = (header: SnapshotHeader): string | null => {
    const { clusterId, owner } = this.#own()
    if (header.clusterId !== clusterId) return `is of another cluster, ${header.clusterId}`
    if (header.service !== owner.service) return `is of another service, "${header.service}"`
    return header.count === owner.count ? null : `is of a cluster of ${header.count} servers`
  }

  /** Goes on with the newest snapshot that was being received. */
  async #resume(names: readonly string[]): Promise<void> {
    const turn = (): Promise<void> => new Promise((resolve) => this.#clock.defer(resolve))
    const byAge = [...names].sort((a, b) => (partSlot(b) ?? 0) - (partSlot(a) ?? 0))
    for (const name of byAge) {
      if ((partSlot(name) ?? 0) <= (this.newest?.slot ?? 0)) return
      this.#incoming = await IncomingSnapshot.resume(this.#disk, name, this.#fits, turn)
      if (this.#incoming !== null) return
    }
  }

  #own(): SnapshotOwner {
    if (this.#whose === null) throw new Error('snapshots need an open, formed storage')
    return this.#whose
  }

  #begun(): IncomingSnapshot {
    if (this.#incoming === null) throw new Error('no snapshot is being received')
    return this.#incoming
  }

  #add(info: SnapshotInfo): void {
    this.#known = [...this.#known.filter(({ slot }) => slot !== info.slot), info].sort((a, b) => a.slot - b.slot)
  }

  async #orForget(doing: Promise<void>): Promise<void> {
    try {
      await doing
    } catch (error) {
      this.#incoming = null
      throw error
    }
  }

  #unreadable(name: string, error: unknown): StorageError {
    if (error instanceof SnapshotDamage) return badSnapshot(this.#disk.directory, name, error.offset, error.message)
    return badSnapshot(this.#disk.directory, name, 0, `cannot be read (${reason(error)})`)
  }
}

/** Whether a snapshot that was not read is of no use any more, rather than that it could not be read just now. */
function isLost(error: unknown): boolean {
  return error instanceof SnapshotDamage || ['EIO', 'ENOENT'].includes(codeOf(error))
}
