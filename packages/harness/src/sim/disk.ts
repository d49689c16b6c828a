/**
 * The simulator's disk: it keeps to the contract of `Disk`, and within that does the worst. All chance comes from its PRNG,
 * and an operation happens, and completes, when the scheduler says so; so a seed says all.
 *
 * | fault | what it does |
 * |---|---|
 * | {@link SimDisk.kill} | the process ends: what is under way happens, in part, or not; what was written stays readable |
 * | {@link SimDisk.powerLoss} | that, and of what was not synced, any sectors and any directory entries are lost |
 * | {@link SimDisk.ambush} | somebody is called amid an operation, to {@link SimDisk.kill} its process |
 * | {@link SimDisk.rot} | a bit flips |
 * | {@link SimDisk.truncate} | the end of a file is gone |
 * | {@link SimDisk.misdirect} | a synchronous write lands in another place of its file, and is reported as done |
 * | {@link SimDisk.wipe} | all files are gone |
 * | {@link SimDisk.capacity} | what does not fit fails with ENOSPC |
 * | {@link SimDisk.fail} | writes, or syncs, fail with EIO; a failed sync forgets what it should have made durable |
 */
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Disk, DiskFile, DiskReader } from '@synod/paxos/internal/storage/disk'
import { errno } from './errno.js'
import type { FileFacts } from './sim-directory.js'
import { SimDirectory } from './sim-directory.js'
import { SECTOR, SimFile } from './sim-file.js'

/** What can be made to fail. */
export type Failing = 'write' | 'sync'

/** One operation that has not happened yet. */
interface Operation {
  /** What becomes of it when its process ends before it was done. */
  readonly interrupted: () => void
}

const NOTHING = (): void => undefined

/** How operations of a disk come about. */
export interface DiskSchedule {
  /** Calls later, whenever it pleases, in any order; one call for each operation. */
  readonly delay: (call: () => void) => void
  /** Lets the process hear that an operation is done: at once, or later if it is paused. */
  readonly complete: (call: () => void) => void
}

export class SimDisk implements Disk {
  readonly directory: string
  /** Whether anything was damaged, or everything wiped, since this was last set to null. */
  damage: 'damaged' | 'wiped' | null = null
  /** Bytes that all files together may have. */
  capacity = Infinity
  /** How many operations were begun. */
  operations = 0
  readonly #prng: Prng
  readonly #schedule: DiskSchedule
  readonly #files = new SimDirectory()
  readonly #underWay = new Set<Operation>()
  readonly #failing = new Map<Failing, 'once' | 'always'>()
  /** Counts the processes that had it open; null between them. */
  #life: number | null = null
  #lives = 0
  #astray = false
  #ambush: (() => void) | undefined
  /** So many operations may still happen before it strikes. */
  #patience = 0

  /** @param schedule only `delay`, for a disk whose process is never paused */
  constructor(prng: Prng, schedule: DiskSchedule | DiskSchedule['delay'], directory = 'disk') {
    this.#prng = prng
    this.#schedule =
      typeof schedule === 'function' ? { delay: schedule, complete: (call: () => void) => call() } : schedule
    this.directory = directory
  }

  /** The process that has it open ends, as by SIGKILL. None of its operations completes any more; the lock is free. */
  kill(): void {
    this.#life = null
    this.#ambush = undefined
    for (const { interrupted } of this.#underWay) if (this.#prng.chance(0.5)) interrupted()
    this.#underWay.clear()
  }

  /** The machine's power fails (with the process, if there is one). */
  powerLoss(): void {
    this.kill()
    this.#files.losePower(this.#prng)
  }

  /** All files, sorted by name. */
  files(): FileFacts[] {
    return this.#files.list()
  }

  /** What a reader would see of a file. */
  content(name: string): Uint8Array {
    return this.#files.file(name).read()
  }

  /** What would be left of a file if everything that was not synced were lost; null if not even its name would. */
  durable(name: string): Uint8Array | null {
    return this.#files.durable(name)?.durable ?? null
  }

  /** Bytes that all files together have. */
  get used(): number {
    return this.#files.used
  }

  /** Flips a bit of the byte. Throws if it is not there. */
  rot(name: string, offset: number): void {
    this.#files.file(name).rot(offset)
    this.damage ??= 'damaged'
  }

  /** Cuts so many bytes off the end of what was written of a file. */
  truncate(name: string, bytes: number): void {
    const file = this.#files.file(name)
    file.truncate(Math.max(0, file.written - bytes))
    this.damage ??= 'damaged'
  }

  /** The next synchronous write lands in another place of its file, at the beginning of a sector. */
  misdirect(): void {
    this.#astray = true
  }

  /** Removes everything. No process may have the disk open. */
  wipe(): void {
    this.#files.wipe()
    this.damage = 'wiped'
  }

  /**
   * Calls once, amid the next operation: before it happens, when a part of it has, or before anybody hears that it is done.
   * The call must {@link kill}.
   *
   * @param skip so many operations happen before
   */
  ambush(strike: () => void, skip = 0): void {
    this.#ambush = strike
    this.#patience = skip
  }

  /** Whether a write is to go astray. */
  get astray(): boolean {
    return this.#astray
  }

  /** Calls off what {@link misdirect} and {@link ambush} ordered. */
  disarm(): void {
    this.#astray = false
    this.#ambush = undefined
  }

  /** Lets the next such operation fail, or all from now on. */
  fail(what: Failing, how: 'once' | 'always'): void {
    this.#failing.set(what, how)
  }

  /** Ends all failing. */
  heal(): void {
    this.#failing.clear()
  }

  open(): Promise<void> {
    return this.#operate(() => {
      if (this.#life !== null) throw errno('EADDRINUSE', 'open')
      this.#life = ++this.#lives
    })
  }

  list(): Promise<string[]> {
    return this.#inLife(this.#life, () => this.#files.names())
  }

  read(name: string): Promise<Uint8Array> {
    return this.#inLife(this.#life, () => this.#files.file(name).read())
  }

  openReader(name: string): Promise<DiskReader> {
    const life = this.#life
    return this.#inLife(life, () => {
      const file = this.#files.file(name)
      const { size } = file
      return {
        size,
        read: (position, length) =>
          this.#inLife(life, () => file.slice(position, Math.max(0, Math.min(length, size - position)))),
        close: () => this.#inLife(life, NOTHING),
      }
    })
  }

  openWriter(name: string): Promise<DiskFile> {
    const life = this.#life
    return this.#inLife(life, () => this.#open(this.#files.file(name), life))
  }

  create(name: string): Promise<DiskFile> {
    const life = this.#life
    return this.#change(() => {
      if (this.#files.has(name)) throw errno('EEXIST', name)
      const file = new SimFile(this.#prng)
      this.#files.change((names) => names.set(name, file))
      return this.#open(file, life)
    })
  }

  rename(from: string, to: string): Promise<void> {
    return this.#change(() => {
      const file = this.#files.file(from)
      this.#files.change((names) => {
        if (names.get(from) === file) names.delete(from)
        names.set(to, file)
      })
    })
  }

  remove(name: string): Promise<void> {
    return this.#change(() => {
      const file = this.#files.file(name)
      this.#files.change((names) => {
        if (names.get(name) === file) names.delete(name)
      })
    })
  }

  syncDirectory(): Promise<void> {
    return this.#change(() => {
      this.#check('sync')
      this.#files.sync()
    })
  }

  close(): Promise<void> {
    if (this.#life === null) return Promise.resolve() // closed already
    return this.#inLife(this.#life, () => {
      this.#life = null
    })
  }

  #open(file: SimFile, life: number | null): DiskFile {
    const partly = (bytes: Uint8Array, position: number) => () => {
      file.write(bytes.subarray(0, this.#prng.below(bytes.length + 1)), position)
    }
    return {
      write: (bytes, position) => this.#inLife(life, () => this.#write(file, bytes, position), partly(bytes, position)),
      writeDurably: (bytes, position) =>
        this.#inLife(
          life,
          () => {
            const place = this.#placeOf(file, bytes, position)
            this.#write(file, bytes, place)
            this.#sync(file)
            file.persistRange(place, bytes.length)
          },
          partly(bytes, position),
        ),
      sync: () => {
        const promised = file.dirty()
        return this.#inLife(
          life,
          () => {
            this.#sync(file)
            file.persist(promised)
          },
          () => file.writeBack(0.5),
        )
      },
      close: () => this.#inLife(life, NOTHING),
    }
  }

  /** Where a write goes: where it should, but for {@link misdirect}. */
  #placeOf(file: SimFile, bytes: Uint8Array, position: number): number {
    if (!this.#astray) return position
    this.#astray = false
    this.damage ??= 'damaged'
    const sectors = Math.max(1, Math.floor(Math.max(file.size, position + bytes.length) / SECTOR))
    const place = this.#prng.below(sectors) * SECTOR
    return place === position ? position + SECTOR : place
  }

  #write(file: SimFile, bytes: Uint8Array, position: number): void {
    const room = Math.max(0, file.size + this.capacity - this.used - position)
    if (position + bytes.length > file.size && bytes.length > room) {
      file.write(bytes.subarray(0, this.#prng.below(room + 1)), position)
      throw errno('ENOSPC', 'write')
    }
    try {
      this.#check('write')
    } catch (error) {
      file.write(bytes.subarray(0, this.#prng.below(bytes.length + 1)), position)
      throw error
    }
    file.write(bytes, position)
  }

  #sync(file: SimFile): void {
    try {
      this.#check('sync')
    } catch (error) {
      file.dropDirty()
      throw error
    }
  }

  #check(what: Failing): void {
    const how = this.#failing.get(what)
    if (how === undefined) return
    if (how === 'once') this.#failing.delete(what)
    throw errno('EIO', what)
  }

  /** An operation on the directory: it may happen although its process ended. */
  #change<T>(apply: () => T): Promise<T> {
    return this.#inLife(this.#life, apply, () => {
      try {
        apply()
      } catch {
        // Nobody is left to be told.
      }
    })
  }

  /** An operation of a process: once that has ended, it does nothing and never completes. */
  #inLife<T>(life: number | null, apply: () => T, interrupted: () => void = NOTHING): Promise<T> {
    if (life === null || life !== this.#life) return new Promise(NOTHING)
    return this.#operate(apply, interrupted)
  }

  #operate<T>(apply: () => T, interrupted: () => void = NOTHING): Promise<T> {
    return new Promise((resolve, reject) => {
      this.operations++
      const operation = { interrupted }
      this.#underWay.add(operation)
      this.#schedule.delay(() => {
        if (!this.#underWay.delete(operation)) return
        if (this.#ambush !== undefined && this.#patience-- <= 0) return this.#strike(this.#ambush, apply, interrupted)
        try {
          const result = apply()
          this.#schedule.complete(() => resolve(result))
        } catch (error) {
          this.#schedule.complete(() => reject(error instanceof Error ? error : new Error(String(error))))
        }
      })
    })
  }

  #strike(ambush: () => void, apply: () => unknown, interrupted: () => void): void {
    this.#ambush = undefined
    const moment = this.#prng.pick(['before', 'amid', 'after'])
    if (moment === 'amid') interrupted()
    if (moment === 'after') {
      try {
        apply()
      } catch {
        // Nobody will be told.
      }
    }
    ambush()
  }
}
