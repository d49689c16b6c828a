/** What the tests of snapshots need: a directory of snapshots in memory, a clock that knows how long turns are held, a state. */
import { crc32 } from 'node:zlib'
import type { Clock } from '@synod/paxos/internal/clock'
import type { ServerId } from '@synod/paxos/internal/protocol/ballot'
import type { CoreSnapshot } from '@synod/paxos/internal/protocol/snapshot'
import type { StateHolder, StateView } from '@synod/paxos/internal/service/state-holder'
import type {
  Incoming,
  Section,
  SnapshotChunk,
  SnapshotInfo,
  Snapshots,
  SnapshotWriter,
} from '@synod/paxos/internal/storage/snapshots'
import { StorageError } from '@synod/paxos/internal/storage/storage'
import type { StorageCode, StorageStatistics } from '@synod/paxos/internal/storage/storage'
import { ManualClock } from '../manual-clock.js'

const SECTIONS: readonly Section[] = ['head', 'sessions', 'events', 'state']

interface File {
  readonly info: SnapshotInfo
  bytes: Buffer
}

/** What survives a crash. */
export class Directory {
  newest: File | null = null
  /** Replaced ones, which peers may still be given. */
  older: File[] = []
  part: File | null = null
  /** Files that were made here. */
  made = 0
}

/** Snapshots of one life over a directory. */
export class MemorySnapshots implements Snapshots {
  readonly #directory: Directory
  readonly #maker: ServerId
  /** What the next call of this kind fails with. */
  readonly fails = new Map<'create' | 'add' | 'finish' | 'take' | 'install', StorageCode>()
  /** Chunks that were added so far. */
  added = 0
  abandoned = 0

  constructor(directory: Directory, maker: ServerId = 0) {
    this.#directory = directory
    this.#maker = maker
  }

  get newest(): SnapshotInfo | null {
    return this.#directory.newest?.info ?? null
  }

  pathOf({ slot }: SnapshotInfo): string {
    return `snapshot-${slot}.paxos`
  }

  get incoming(): Incoming | null {
    const { part } = this.#directory
    return part === null ? null : { info: part.info, received: part.bytes.length }
  }

  async create(slot: number): Promise<SnapshotWriter> {
    this.#mayFail('create')
    const pieces: Buffer[] = []
    return {
      add: async (chunk) => {
        this.#mayFail('add')
        this.added++
        pieces.push(encode(chunk))
      },
      finish: async () => {
        this.#mayFail('finish')
        const number = ++this.#directory.made
        const id = Buffer.from(`${this.#maker}.${slot}.${number}`.padEnd(16)).toString('hex')
        const bytes = Buffer.concat(pieces)
        const info = { slot, id, maker: this.#maker, size: bytes.length }
        this.#replace({ info, bytes })
        return info
      },
      abandon: async () => {
        this.abandoned++
      },
    }
  }

  async *read({ id }: SnapshotInfo): AsyncGenerator<SnapshotChunk, undefined> {
    const { newest } = this.#directory
    if (newest?.info.id !== id) throw bad('there is none')
    try {
      for (const chunk of decode(newest.bytes)) {
        await Promise.resolve()
        yield chunk
      }
    } catch (error) {
      this.#directory.newest = null
      throw error
    }
  }

  forget({ id }: SnapshotInfo): void {
    if (this.newest?.id === id) this.#directory.newest = null
  }

  async bytes(slot: number, id: string, offset: number, length: number): Promise<Uint8Array | null> {
    const { newest, older } = this.#directory
    const file = [newest, ...older].find((one) => one?.info.id === id && one.info.slot === slot)
    return file == null ? null : Uint8Array.from(file.bytes.subarray(offset, offset + length))
  }

  async receive(info: SnapshotInfo): Promise<Incoming> {
    const { part } = this.#directory
    if (part?.info.id !== info.id) this.#directory.part = { info, bytes: Buffer.alloc(0) }
    return this.#incoming()
  }

  async take(bytes: Uint8Array): Promise<Incoming> {
    this.#mayFail('take')
    const { part } = this.#directory
    if (part === null) throw new Error('nothing is received')
    part.bytes = Buffer.concat([part.bytes, bytes])
    return this.#incoming()
  }

  async install(): Promise<SnapshotInfo> {
    this.#mayFail('install')
    const { part } = this.#directory
    if (part === null) throw new Error('nothing is received')
    this.#directory.part = null
    for (const chunk of decode(part.bytes)) if (chunk.payload.length === 0) throw bad('an empty chunk')
    this.#replace(part)
    return part.info
  }

  #incoming(): Incoming {
    const { incoming } = this
    if (incoming === null) throw new Error('nothing is received')
    return incoming
  }

  #replace(file: File): void {
    const { newest, older } = this.#directory
    if (newest !== null) older.push(newest)
    this.#directory.newest = file
  }

  #mayFail(call: 'create' | 'add' | 'finish' | 'take' | 'install'): void {
    const code = this.fails.get(call)
    if (code === undefined) return
    this.fails.delete(call)
    if (call === 'take' || call === 'install') this.#directory.part = null
    throw new StorageError(code, `${call} fails`)
  }
}

/** A storage, as the snapshotter sees it. */
export class LittleStorage {
  readonly snapshots: MemorySnapshots
  sinceBase = 0

  constructor(snapshots = new MemorySnapshots(new Directory())) {
    this.snapshots = snapshots
  }

  statistics(): StorageStatistics {
    return { logBytes: this.sinceBase, sinceBase: this.sinceBase, syncs: 0, bytesWritten: 0 }
  }
}

function encode({ section, payload }: SnapshotChunk): Buffer {
  const head = Buffer.alloc(9)
  head[0] = SECTIONS.indexOf(section)
  head.writeUInt32BE(payload.length, 1)
  head.writeUInt32BE(crc32(payload), 5)
  return Buffer.concat([head, payload])
}

function* decode(bytes: Buffer): Generator<SnapshotChunk, undefined> {
  for (let at = 0; at < bytes.length;) {
    const end = at + 9 + bytes.readUInt32BE(at + 1)
    const section = SECTIONS[bytes[at] ?? 0]
    const payload = bytes.subarray(at + 9, end)
    if (section === undefined || end > bytes.length || crc32(payload) !== bytes.readUInt32BE(at + 5))
      throw bad(`damaged at offset ${at}`)
    yield { section, payload }
    at = end
  }
}

function bad(what: string): StorageError {
  return new StorageError('BAD_SNAPSHOT', `a bad snapshot: ${what}`)
}

/** A core's part of a snapshot, with a session and an event. */
export function coreAt(slot: number): CoreSnapshot {
  const mark = { slot, hash: '0123456789abcdef' }
  return {
    head: {
      slot,
      ballot: { round: 1, server: 0, start: 2 ** 47 + 1 },
      chain: mark,
      block: { ...mark, slot: 0 },
      servers: 3,
    },
    sessions: [{ clientId: '1.abc', acked: 4, results: [[5, 'ok', Uint8Array.of(192)]] }],
    events: [1, { slot, events: [Uint8Array.of(1, 2)] }],
  }
}

/** Holds numbers; tells how they were restored. */
export class NumbersHolder implements StateHolder {
  entries: number[] = []
  /** How many entries each call gave. */
  restored: number[] = []
  resets = 0
  onMark: StateHolder['onMark'] = null
  /** What is to become of a view. */
  view: (entries: number[]) => StateView = (entries) => ({ entries, pieces: false })

  snapshot(): StateView {
    return this.view(this.entries)
  }

  reset(): void {
    this.resets++
    this.entries = []
  }

  restore(entries: readonly unknown[]): void {
    this.restored.push(entries.length)
    for (const entry of entries) this.entries.push(entry as number)
  }
}

/** A fixed view, as `inPieces` gives it. */
export function fixed(entries: readonly unknown[]): StateView {
  const copy = [...entries]
  return { entries: { [Symbol.iterator]: () => copy[Symbol.iterator]() }, pieces: true }
}

/** The same, and each entry takes some time: 16 ms for those of one chunk. */
export function laborious(clock: WorkClock, entries: readonly unknown[]): StateView {
  const view = fixed(entries)
  const working = function* () {
    for (const entry of view.entries) {
      clock.work(0.001)
      yield entry
    }
  }
  return { entries: working(), pieces: true }
}

/** A clock by which work takes time, and which knows how long one turn was held. */
export class WorkClock implements Clock {
  readonly manual = new ManualClock()
  longestTurn = 0
  turns = 0
  #worked = 0
  #turnBegan = 0

  /** Something took so long (ms). */
  work(ms: number): void {
    this.#worked += ms
    this.longestTurn = Math.max(this.longestTurn, this.#worked - this.#turnBegan)
  }

  now(): number {
    return this.manual.now() + this.#worked
  }

  defer(call: () => void): void {
    this.manual.defer(this.#turn(call))
  }

  after(ms: number, call: () => void): () => void {
    return this.manual.after(ms, this.#turn(call))
  }

  random(bytes: number): Uint8Array {
    return this.manual.random(bytes)
  }

  #turn(call: () => void): () => void {
    return () => {
      this.turns++
      this.#turnBegan = this.#worked
      call()
    }
  }
}

/** Lets time pass by the ms, and everything happen meanwhile, until the promise is settled. Fails after `ms`. */
export async function running<T>(clock: ManualClock, promise: Promise<T>, ms = 5_000): Promise<T> {
  const state = { settled: false }
  const settle = (): void => void (state.settled = true)
  promise.then(settle, settle)
  await passing(clock, ms, () => state.settled)
  if (!state.settled) throw new Error(`waited ${ms} ms in vain`)
  return promise
}

/** Lets time pass by the ms, and everything happen meanwhile, until it is over or the condition holds. */
export async function passing(clock: ManualClock, ms: number, until: () => boolean = () => false): Promise<void> {
  const step = Math.max(1, ms / 500)
  for (let passed = 0; passed <= ms && !until(); passed += step) {
    await new Promise(setImmediate)
    await clock.pass(step)
  }
}
