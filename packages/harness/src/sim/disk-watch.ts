/** Tells the checker what a machine's disk holds, and what is left of it after damage. */
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import type { Damage } from './acceptor-watch.js'
import type { Checker } from './checker.js'
import type { SimDisk } from './disk.js'
import { intactBatches } from './intact.js'
import type { StorageObserver } from './observed-storage.js'

export interface DiskWatchHost {
  /** A check failed. */
  broken(error: unknown): void
  /** What is gone looked like a torn write to the server, which must not go on. */
  condemned(lost: string): void
}

export class DiskWatch implements StorageObserver {
  readonly #server: number
  readonly #disk: SimDisk
  readonly #checker: Checker
  readonly #host: DiskWatchHost
  /** Since the last start that found all that it should. */
  #damage: Damage = null

  constructor(server: number, disk: SimDisk, checker: Checker, host: DiskWatchHost) {
    this.#server = server
    this.#disk = disk
    this.#checker = checker
    this.#host = host
  }

  /** A start that fails half-way may write behind the damage: what counts is what was whole before the first one. */
  opening(): void {
    const { damage } = this.#disk
    this.#disk.damage = null
    if (damage === 'wiped') this.#damage = 'wiped'
    if (damage !== 'damaged' || this.#damage === 'wiped') return
    const intact = intactBatches(this.#disk)
    this.#damage = this.#damage?.filter((batch) => intact.includes(batch)) ?? intact
  }

  opened(records: readonly StoredRecord[], batch: number): boolean {
    const damage = this.#damage
    this.#damage = null
    try {
      const loss = this.#checker.recovered(this.#server, records, batch, damage)
      if (loss !== null) this.#host.condemned(loss.what)
      return loss === null
    } catch (error) {
      this.#host.broken(error)
      return false
    }
  }

  durable(records: readonly StoredRecord[], batch: number): void {
    try {
      this.#checker.durable(this.#server, records, batch)
    } catch (error) {
      this.#host.broken(error)
    }
  }
}
