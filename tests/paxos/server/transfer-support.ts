/** Servers that give each other snapshots over a network that loses, doubles and reorders, in simulated time. */
import type { Life } from '@synod/harness/internal/sim/time'
import { VirtualTime } from '@synod/harness/internal/sim/time'
import type { ServerId } from '@synod/paxos/internal/protocol/ballot'
import type { Fetch, Piece } from '@synod/paxos/internal/protocol/message'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { AT_RUN_TIME, Loader } from '@synod/paxos/internal/server/loader'
import { Receiver } from '@synod/paxos/internal/server/receiver'
import { Sender } from '@synod/paxos/internal/server/sender'
import { coreChunks, stateChunks } from '@synod/paxos/internal/server/snapshot-codec'
import type { SnapshotInfo } from '@synod/paxos/internal/storage/snapshots'
import { coreAt, Directory, MemorySnapshots, NumbersHolder } from './snapshots-support.js'

export type Transferred = Fetch | Piece

/** What becomes of a message: how long each copy of it takes (ms). */
export type Fate = (from: ServerId, to: ServerId, message: Transferred) => readonly number[]

export const RESEND = 500

export class World {
  readonly time: VirtualTime
  readonly prng: Prng
  readonly nodes: Node[]
  fate: Fate = () => [1]
  /** Every message that was sent. */
  readonly sent: { readonly from: ServerId; readonly to: ServerId; readonly message: Transferred }[] = []

  constructor(count: number, seed = 1) {
    this.prng = new Prng(seed)
    this.time = new VirtualTime(this.prng)
    this.nodes = Array.from({ length: count }, (_, id) => new Node(id, count, this))
  }

  node(id: ServerId): Node {
    const node = this.nodes[id]
    if (node === undefined) throw new RangeError(`no node ${id}`)
    return node
  }

  send(from: ServerId, to: ServerId, message: Transferred): void {
    this.sent.push({ from, to, message })
    for (const ms of this.fate(from, to, message)) {
      this.time.after(ms, () => {
        this.node(to).take(from, message)
      })
    }
  }

  /** Bytes of pieces that were sent to a server. */
  bytesTo(id: ServerId): number {
    return this.sent.reduce(
      (bytes, { to, message }) => bytes + (to === id && message.type === 'piece' ? message.bytes.length : 0),
      0,
    )
  }

  /** True if the condition held before so much time had passed (ms). */
  until(condition: () => boolean, ms: number): Promise<boolean> {
    return this.time.runUntil(condition, this.time.now + ms)
  }

  async pass(ms: number): Promise<void> {
    await this.until(() => false, ms)
  }
}

/** One server: what it has on its disk, and one life after the other. */
export class Node {
  readonly id: ServerId
  readonly directory = new Directory()
  readonly warnings: string[] = []
  readonly failures: unknown[] = []
  readonly installed: SnapshotInfo[] = []
  holder = new NumbersHolder()
  snapshots: MemorySnapshots
  applied = 0
  /** How long it takes to install a snapshot (ms). */
  installing = 0
  /** How often the snapshotter was held, and is not released. */
  held = 0
  receiver!: Receiver
  sender!: Sender
  /** Reads that are under way, and the most that ever were. */
  reading = 0
  mostReading = 0
  readonly #world: World
  readonly #count: number
  #life: Life | undefined
  #up = false

  constructor(id: ServerId, count: number, world: World) {
    this.id = id
    this.#count = count
    this.#world = world
    this.snapshots = new MemorySnapshots(this.directory, id)
    this.start()
  }

  get up(): boolean {
    return this.#up
  }

  /** A new life over the same directory. */
  start(): void {
    this.#life = this.#world.time.life()
    const { clock } = this.#life
    this.directory.older = []
    const snapshots = (this.snapshots = new MemorySnapshots(this.directory, this.id))
    this.#countReads(snapshots)
    const holder = (this.holder = new NumbersHolder())
    this.reading = this.held = 0
    const fails = {
      failed: (error: unknown) => this.failures.push(error),
      warn: (text: string) => this.warnings.push(text),
    }
    const core = { suspend: () => undefined, install: () => undefined }
    const loader = new Loader(snapshots, holder, clock, core, fails.warn, AT_RUN_TIME)
    const slowly = {
      load: async (info: SnapshotInfo) => {
        await new Promise<void>((resolve) => clock.after(this.installing, resolve))
        return loader.load(info)
      },
    }
    const snapshotter = { hold: async () => void this.held++, release: () => void this.held-- }
    this.receiver = new Receiver(snapshots, slowly, snapshotter, clock, RESEND, {
      id: this.id,
      servers: this.#count,
      applied: () => this.applied,
      send: (to, message) => this.#world.send(this.id, to, message),
      installed: (info) => {
        this.installed.push(info)
        this.applied = info.slot
      },
      ...fails,
    })
    this.sender = new Sender(snapshots, clock, {
      send: (to, message) => this.#world.send(this.id, to, message),
      ...fails,
    })
    this.#up = true
  }

  crash(): void {
    this.#up = false
    this.#life?.end()
  }

  take(from: ServerId, message: Transferred): void {
    if (!this.#up) return
    if (message.type === 'fetch') this.sender.onFetch(from, message)
    else this.receiver.onPiece(from, message)
  }

  /** Makes a snapshot of about so many bytes. */
  async save(slot: number, bytes: number): Promise<SnapshotInfo> {
    const writer = await this.snapshots.create(slot)
    const chunks = [...coreChunks(coreAt(slot), true), ...stateChunks(entriesOf(slot, bytes))]
    for (const chunk of chunks) await writer.add(chunk)
    return writer.finish()
  }

  #countReads(snapshots: MemorySnapshots): void {
    const bytes = snapshots.bytes.bind(snapshots)
    snapshots.bytes = async (...asked) => {
      this.reading++
      this.mostReading = Math.max(this.mostReading, this.reading)
      try {
        return await bytes(...asked)
      } finally {
        this.reading--
      }
    }
  }
}

/** What the state is made of through a slot. */
export function entriesOf(slot: number, bytes: number): string[] {
  return Array.from({ length: Math.ceil(bytes / 10_000) }, (_, at) => `${slot}.${at}`.padEnd(10_000, 'x'))
}
