/**
 * Makes this server's snapshots: when the log has grown by enough since the last one, when the core wants one for a peer, and
 * when somebody asks. One is made in slices, with rests between them, while the server goes on.
 */
import type { Clock } from '../clock.js'
import type { Slot } from '../protocol/command.js'
import { SynodError } from '../protocol/error.js'
import type { CoreSnapshot } from '../protocol/snapshot.js'
import type { StateHolder } from '../service/state-holder.js'
import type { SnapshotChunk, SnapshotInfo } from '../storage/snapshots.js'
import type { Storage } from '../storage/storage.js'
import { StorageError } from '../storage/storage.js'
import { asSynodError } from './failure.js'
import { Slices } from './slices.js'
import { coreChunks, stateChunks, unsavable } from './snapshot-codec.js'

/** When a snapshot is made: once the log since the last one has more bytes than the larger of these two. */
export interface SnapshotPolicy {
  readonly minBytes: number
  /** Of the size of the newest snapshot. */
  readonly multiple: number
}

/**
 * The larger the multiple, the less is written, and the longer is the log that a start executes again: with 1,000,000 keys of
 * 100 bytes a snapshot is 125 MB, and 50 MB of log are 260,000 commands, which take 2 s.
 */
export const DEFAULT_SNAPSHOTS: SnapshotPolicy = { minBytes: 32 << 20, multiple: 0.4 }

/** No turn is held longer than about `longest`; a snapshot takes a quarter of the server's time. */
const SLICES = { longest: 4, steps: 8, rest: 3 }
/** A snapshot that failed is tried again when the log has grown by this part of it, */
const GROWTH = 1.25
/** or, if the disk was full, after this time (ms). */
const FULL_RETRY = 30_000

/** What the snapshotter needs of its server. */
export interface SnapshotterHost {
  /** The core as it is now; asked for in a turn of its own. */
  capture(): CoreSnapshot
  /** A snapshot through this slot is durable. */
  durable(slot: Slot): void
  /** A person should know. */
  warn(text: string): void
  /** The server cannot go on. */
  failed(error: unknown): void
}

/** Who waits for a snapshot. */
interface Taker {
  resolve(info: SnapshotInfo): void
  reject(error: SynodError): void
}

/** It is given up: another one is installed, or the server stops. */
class GivenUp extends Error {}

export class Snapshotter {
  readonly #storage: Pick<Storage, 'snapshots' | 'statistics'>
  readonly #holder: StateHolder
  readonly #clock: Clock
  readonly #policy: SnapshotPolicy
  readonly #host: SnapshotterHost
  /** The one that is under way. */
  #making: Promise<void> | null = null
  #takers: Taker[] = []
  #wanted = false
  #held = false
  #stopped = false
  /** The last one failed: none is made by itself until the log has so many bytes since the last base, or until a time. */
  #after: { readonly bytes: number; readonly time: number } | null = null
  /** The log since the last base, when a snapshot was made last: its own base may be on its way yet. */
  #made = 0
  /** The newest snapshot that was there went through this slot. */
  #newest: Slot = 0
  /** What kept the last one from being made: what lasts is said once. */
  #told = ''

  constructor(
    storage: Pick<Storage, 'snapshots' | 'statistics'>,
    holder: StateHolder,
    clock: Clock,
    policy: SnapshotPolicy,
    host: SnapshotterHost,
  ) {
    this.#storage = storage
    this.#holder = holder
    this.#clock = clock
    this.#policy = policy
    this.#host = host
  }

  /** Makes one, if it is time for one. To be called now and then, once the server runs. */
  consider(): void {
    if (this.#making !== null || this.#held || this.#stopped) return
    if (this.#takers.length === 0 && !this.#due()) return
    this.#making = this.#make()
  }

  /** One is wanted, however short the log is. */
  wanted(): void {
    this.#wanted = true
    this.consider()
  }

  /**
   * Makes one of the state as it is now, or later; resolves when it is durable. Rejects with StorageError `DISK_FULL`, or
   * SynodError `STATE_UNSAVABLE`, `NOTHING_TO_SAVE` (nothing was executed yet) or `NOT_SERVING` (the server stops).
   */
  take(): Promise<SnapshotInfo> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) return reject(stopping())
      this.#takers.push({ resolve, reject })
      this.consider()
    })
  }

  /** No more are made until {@link release}, as the state is to be replaced. Resolves when none is under way. */
  async hold(): Promise<void> {
    this.#held = true
    await this.#making
  }

  release(): void {
    this.#held = false
    this.#after = null // the state is another one now
    this.consider()
  }

  /** None is made any more. Resolves when none is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#rejectTakers(stopping())
    await this.#making
  }

  #due(): boolean {
    const { sinceBase } = this.#storage.statistics()
    if (sinceBase < this.#made) this.#made = 0
    if (this.#after !== null && sinceBase < this.#after.bytes && this.#clock.now() < this.#after.time) return false
    const { slot, size } = this.#storage.snapshots.newest ?? { slot: 0, size: 0 }
    // It turned out damaged, as a peer was given it: the log that it stands for is gone, so another one has to be there.
    if (this.#wanted || slot < this.#newest) return true
    this.#newest = slot
    const { minBytes, multiple } = this.#policy
    return sinceBase - this.#made > Math.max(minBytes, multiple * size)
  }

  async #make(): Promise<void> {
    const slices = new Slices(this.#clock, SLICES)
    await slices.rest() // whoever asked may be in the middle of a turn
    const takers = this.#takers
    this.#takers = []
    this.#wanted = false
    try {
      const info = await this.#write(slices)
      for (const taker of takers) taker.resolve(info)
    } catch (error) {
      if (error instanceof GivenUp) this.#takers.unshift(...takers)
      else this.#refused(error, takers)
    }
    this.#making = null
    if (this.#stopped) this.#rejectTakers(stopping())
    else this.consider()
  }

  async #write(slices: Slices): Promise<SnapshotInfo> {
    this.#checkGoing()
    const core = this.#host.capture()
    const { slot } = core.head
    const { newest } = this.#storage.snapshots
    if (slot === 0) throw new SynodError('NOTHING_TO_SAVE', 'nothing was executed yet: there is nothing to save')
    const isNew = newest === null || newest.slot < slot
    const info = isNew ? await this.#writeChunks(slot, this.#chunksOf(core), slices) : newest
    this.#after = null
    this.#told = ''
    this.#made = this.#storage.statistics().sinceBase
    if (!this.#stopped) this.#host.durable(info.slot)
    return info
  }

  /** The chunks, to be made as they are written; those of a state that is not fixed are all made now. */
  #chunksOf(core: CoreSnapshot): Iterable<SnapshotChunk> {
    let view: ReturnType<StateHolder['snapshot']>
    try {
      view = this.#holder.snapshot()
    } catch (error) {
      throw unsavable(error)
    }
    const { entries, pieces } = view
    const state = pieces ? stateChunks(entries) : [...stateChunks(entries)]
    return (function* () {
      yield* coreChunks(core, pieces)
      yield* state
    })()
  }

  async #writeChunks(slot: Slot, chunks: Iterable<SnapshotChunk>, slices: Slices): Promise<SnapshotInfo> {
    const writer = await this.#storage.snapshots.create(slot)
    const iterator = chunks[Symbol.iterator]()
    try {
      for (;;) {
        const next = slices.do(() => iterator.next())
        if (next.done === true) break
        await writer.add(next.value)
        if (slices.over) await slices.rest()
        this.#checkGoing()
      }
    } catch (error) {
      iterator.return?.()
      if (!(error instanceof StorageError)) await writer.abandon()
      throw error
    }
    return writer.finish()
  }

  #checkGoing(): void {
    if (this.#held || this.#stopped) throw new GivenUp()
  }

  /** None could be made. What has to do with the room on the disk, or the state alone, is no reason to end. */
  #refused(error: unknown, takers: readonly Taker[]): void {
    const reason = asSynodError(error)
    const { code } = reason
    if (code === 'DISK_FULL') this.#tell(code, 'there is no room for a snapshot: the log grows on until there is')
    else if (code === 'STATE_UNSAVABLE')
      this.#tell(code, `no snapshot is made, and the log grows on: ${reason.message}`)
    else if (code !== 'NOTHING_TO_SAVE') this.#host.failed(error)
    const { sinceBase } = this.#storage.statistics()
    this.#after = {
      bytes: sinceBase * GROWTH,
      time: code === 'DISK_FULL' ? this.#clock.now() + FULL_RETRY : Infinity,
    }
    for (const taker of takers) taker.reject(reason)
  }

  #tell(code: string, text: string): void {
    if (this.#told !== code) this.#host.warn(text)
    this.#told = code
  }

  #rejectTakers(reason: SynodError): void {
    const takers = this.#takers
    this.#takers = []
    for (const taker of takers) taker.reject(reason)
  }
}

function stopping(): SynodError {
  return new SynodError('NOT_SERVING', 'the server stops')
}
