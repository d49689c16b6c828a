/** Tells the checker what a machine's disk holds, and what is left of it after damage. */
import { createHash } from 'node:crypto'
import type { Slot } from '@synod/paxos/internal/protocol/command'
import type { SnapshotChunk, SnapshotInfo } from '@synod/paxos/internal/storage/snapshots'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import { StorageError } from '@synod/paxos/internal/storage/storage'
import type { Damage } from './acceptor-watch.js'
import type { Checker } from './checker.js'
import type { SimDisk } from './disk.js'
import { intactBatches } from './intact.js'
import type { StorageObserver } from './observed-storage.js'
import { Violation } from './violation.js'

export interface DiskWatchHost {
  /** A check failed. */
  broken(error: unknown): void
  /** What is gone looked like a torn write to the server, which must not go on. */
  condemned(lost: string): void
}

/** The files of snapshots whose content was found right, by their SHA-256: the last slot that is in each. */
export type GoodSnapshots = Map<string, Slot>

export class DiskWatch implements StorageObserver {
  readonly #server: number
  readonly #disk: SimDisk
  readonly #checker: Checker
  readonly #good: GoodSnapshots
  readonly #host: DiskWatchHost
  /** Since the last start that found all that it should. */
  #damage: Damage = null
  /** The last start was to set aside what is damaged. */
  #repair = false
  /** Snapshots may be damaged or gone, until there is a new one. */
  #rotten = false

  /** @param good shared by all servers: they take snapshots from each other */
  constructor(server: number, disk: SimDisk, checker: Checker, good: GoodSnapshots, host: DiskWatchHost) {
    this.#server = server
    this.#disk = disk
    this.#checker = checker
    this.#good = good
    this.#host = host
  }

  /** Whether all that the server must remember is on the disk: nothing is lost that was not made good by a repair. */
  get intact(): boolean {
    const { damage, astray } = this.#disk
    if (damage !== null || astray || this.#damage !== null) return false
    return this.#checker.remembers(this.#server) && this.#checker.collected(this.#server) <= this.#saved()
  }

  /** A start that fails half-way may write behind the damage: what counts is what was whole before the first one. */
  opening(repair: boolean): void {
    const { damage } = this.#disk
    this.#disk.damage = null
    this.#repair = repair
    if (damage !== null) this.#rotten = true
    if (damage === 'wiped') this.#damage = 'wiped'
    if (damage !== 'damaged' || this.#damage === 'wiped') return
    const intact = intactBatches(this.#disk)
    this.#damage = this.#damage?.filter((batch) => intact.includes(batch)) ?? intact
  }

  opened(records: readonly StoredRecord[], batch: number): boolean {
    const damage = this.#repair && this.#damage !== null ? 'wiped' : this.#damage
    this.#damage = null
    let mayGoOn = false
    this.#check(() => {
      const loss = this.#checker.recovered(this.#server, records, batch, damage)
      if (loss !== null) return this.#host.condemned(loss.what)
      this.#checkSaved(this.#checker.collected(this.#server))
      mayGoOn = true
    })
    return mayGoOn
  }

  /** Once this is written the log may be deleted: what takes its place must be there by then. */
  appending(records: readonly StoredRecord[]): void {
    for (const record of records) if (record.type === 'base') this.#check(() => this.#checkSaved(record.collected))
  }

  durable(records: readonly StoredRecord[], batch: number): void {
    this.#check(() => this.#checker.durable(this.#server, records, batch))
  }

  snapshot({ slot }: SnapshotInfo, chunks: readonly SnapshotChunk[] | null): void {
    this.#check(() => {
      const content = this.#disk.content(nameOf(slot))
      if (!this.#isDurable(slot)) throw this.#violation(`has a snapshot through slot ${slot} that is not durable`)
      if (chunks !== null) this.#found(slot, chunks)
      else if (this.#good.get(digestOf(content)) !== slot && this.#disk.damage === null)
        throw this.#violation(`installs a snapshot through slot ${slot} that is none of those that were made`)
      this.#checker.snapshotted(this.#server, slot)
      // An older one than was lost may have come from another server: the rest comes from there, too, slot by slot.
      if (slot >= this.#checker.collected(this.#server)) this.#rotten = false
    })
  }

  /** It may be one that was not durable yet when the process that wrote it was killed. */
  read({ slot }: SnapshotInfo, chunks: readonly SnapshotChunk[]): void {
    this.#check(() => {
      this.#found(slot, chunks)
      if (this.#isDurable(slot)) this.#checker.snapshotted(this.#server, slot)
      this.#checker.installs(this.#server, slot)
    })
  }

  unreadable({ slot }: SnapshotInfo, error: unknown): void {
    const isBad = error instanceof StorageError && error.code === 'BAD_SNAPSHOT'
    if (!isBad || this.#rotten || this.#disk.damage !== null) return
    const what = `cannot read its snapshot through slot ${slot}, which nobody has damaged: ${error.message}`
    this.#host.broken(this.#violation(what))
  }

  /** What is in a snapshot must be right, whoever made it. */
  #found(slot: Slot, chunks: readonly SnapshotChunk[]): void {
    this.#checker.snapshot(this.#server, slot, chunks)
    this.#good.set(digestOf(this.#disk.content(nameOf(slot))), slot)
  }

  #isDurable(slot: Slot): boolean {
    const durable = this.#disk.durable(nameOf(slot))
    return durable !== null && Buffer.from(durable).equals(this.#disk.content(nameOf(slot)))
  }

  /** The last slot that is in a whole snapshot on the disk; 0 without one. */
  #saved(): Slot {
    let saved = 0
    for (const { name } of this.#disk.files()) {
      if (!SNAPSHOT.test(name)) continue
      const content = this.#disk.durable(name)
      if (content !== null) saved = Math.max(saved, this.#good.get(digestOf(content)) ?? 0)
    }
    return saved
  }

  #checkSaved(collected: Slot): void {
    if (this.#rotten || this.#disk.damage !== null || collected <= this.#saved()) return
    throw new Violation(
      'collection',
      `server ${this.#server} collects its log through slot ${collected}, and has no whole, durable snapshot so far`,
    )
  }

  #check(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#host.broken(error)
    }
  }

  #violation(what: string): Violation {
    return new Violation('snapshot', `server ${this.#server} ${what}`)
  }
}

const SNAPSHOT = /^snapshot-\d+\.paxos$/

function nameOf(slot: Slot): string {
  return `snapshot-${slot}.paxos`
}

function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
