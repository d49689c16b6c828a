/** Installs a snapshot: what is in it becomes the state, and the core's part of it the core's. */
import type { Clock } from '../clock.js'
import type { CoreSnapshot } from '../protocol/snapshot.js'
import type { StateHolder } from '../service/state-holder.js'
import type { SnapshotInfo, Snapshots } from '../storage/snapshots.js'
import { StorageError } from '../storage/storage.js'
import { SnapshotReader } from './snapshot-codec.js'
import type { SliceLimits } from './slices.js'
import { Slices } from './slices.js'

/** No turn is held longer than about `longest`. At a start there is little else to be done. */
export const AT_START: SliceLimits = { longest: 8, steps: 8, rest: 0 }
/** While the server runs, most of the time is for other work: it votes, and may share its machine with those that serve. */
export const AT_RUN_TIME: SliceLimits = { ...AT_START, rest: 4 }

/** The core, as whoever installs a snapshot sees it. */
export interface LoaderCore {
  /** Nothing is executed until {@link install}. */
  suspend(): void
  install(snapshot: CoreSnapshot): void
}

export class Loader {
  readonly #snapshots: Pick<Snapshots, 'read' | 'forget'>
  readonly #holder: StateHolder
  readonly #clock: Clock
  readonly #core: LoaderCore
  readonly #warn: (text: string) => void
  readonly #slices: SliceLimits
  #loading: Promise<boolean> | null = null
  #stopped = false
  #progress = 0

  constructor(
    snapshots: Pick<Snapshots, 'read' | 'forget'>,
    holder: StateHolder,
    clock: Clock,
    core: LoaderCore,
    warn: (text: string) => void,
    slices: SliceLimits,
  ) {
    this.#snapshots = snapshots
    this.#holder = holder
    this.#clock = clock
    this.#core = core
    this.#warn = warn
    this.#slices = slices
  }

  /** Whether a snapshot is being installed: the state is not whole. */
  get loading(): boolean {
    return this.#loading !== null
  }

  /** How much of the snapshot was read, from 0 to 1. */
  get progress(): number {
    return this.#progress
  }

  /**
   * Installs a snapshot. False if it turned out damaged: it is not the newest any more, the state is empty then, and the core
   * is suspended until another one is installed. False, too, if {@link stop} was called. Throws StorageError `DISK_FAILED`, and SynodError `STATE_FAILED` if
   * the state does not take it. One at a time.
   */
  async load(info: SnapshotInfo): Promise<boolean> {
    this.#progress = 0
    this.#loading = this.#load(info)
    try {
      return await this.#loading
    } finally {
      this.#loading = null
    }
  }

  /** Nothing is installed any more. Resolves when nothing is read. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#loading?.catch(() => undefined) // who loads it is told
  }

  async #load(info: SnapshotInfo): Promise<boolean> {
    this.#core.suspend()
    this.#holder.reset()
    let snapshot: CoreSnapshot | null
    try {
      snapshot = await this.#read(info)
    } catch (error) {
      if (error instanceof StorageError && error.code === 'BAD_SNAPSHOT') return this.#damaged(info, error)
      throw error
    }
    if (snapshot === null) return false
    this.#core.install(snapshot)
    return true
  }

  /** Null if it was stopped. */
  async #read(info: SnapshotInfo): Promise<CoreSnapshot | null> {
    const reader = new SnapshotReader()
    const slices = new Slices(this.#clock, this.#slices)
    const kept: (readonly unknown[])[] = []
    let read = 0
    const { slot, size } = info
    for await (const chunk of this.#snapshots.read(info)) {
      slices.do(() => {
        const entries = reader.take(chunk)
        if (entries !== null && reader.pieces) this.#holder.restore(entries)
        else if (entries !== null) kept.push(entries)
      })
      read += chunk.payload.length
      this.#progress = Math.min(1, read / size)
      if (slices.over) await slices.rest()
      if (this.#stopped) return null
    }
    const snapshot = reader.finish()
    if (snapshot.head.slot !== slot)
      throw new StorageError(
        'BAD_SNAPSHOT',
        `the snapshot cannot be used: its name says slot ${slot}, its head slot ${snapshot.head.slot}`,
      )
    if (!reader.pieces) this.#holder.restore(kept.flat())
    return snapshot
  }

  #damaged(info: SnapshotInfo, error: StorageError): false {
    this.#snapshots.forget(info) // nothing is to be collected because of it, and no peer to be given it
    this.#holder.reset()
    this.#warn(`the snapshot through slot ${info.slot} is not used: ${error.message}`)
    return false
  }
}
