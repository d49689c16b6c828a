/**
 * What a server does for its state besides executing: reads it back at the start, saves it in snapshots, gets it from
 * another server when it is too far behind, and compares it with the others'.
 */
import type { Clock } from '../clock.js'
import type { ServerId } from '../protocol/ballot.js'
import type { Slot } from '../protocol/command.js'
import { SynodError } from '../protocol/error.js'
import type { Message } from '../protocol/message.js'
import type { Input, Ready } from '../protocol/ready.js'
import type { CoreSnapshot } from '../protocol/snapshot.js'
import type { StateHolder } from '../service/state-holder.js'
import type { SnapshotInfo } from '../storage/snapshots.js'
import type { Opened, Storage, StoredRecord } from '../storage/storage.js'
import type { ServerStatus, StateDigest } from '../transport/wire.js'
import { Digests } from './digests.js'
import { AT_RUN_TIME, AT_START, Loader } from './loader.js'
import { Receiver } from './receiver.js'
import { Sender } from './sender.js'
import { Snapshotter } from './snapshotter.js'
import type { SnapshotPolicy } from './snapshotter.js'

/** What the keeper needs of its server. */
export interface KeeperHost {
  readonly id: ServerId
  /** How many there are. */
  readonly servers: number
  readonly core: {
    readonly lacksState: boolean
    readonly outpaced: boolean
    restoreCollected(through: Slot): void
    capture(): CoreSnapshot
    suspend(): void
    install(snapshot: CoreSnapshot): void
  }
  /** The last slot that was executed. */
  applied(): Slot
  step(input: Input): void
  /** Sends a message to another server, in the frame that leaves next. */
  send(to: ServerId, message: Message): void
  /** Feeds are to go on at other servers. */
  dropSubscribers(why: string): void
  readonly warn: (text: string) => void
  readonly failed: (error: unknown) => void
}

export class StateKeeper {
  readonly #storage: Storage
  readonly #holder: StateHolder
  readonly #clock: Clock
  readonly #host: KeeperHost
  readonly #snapshotter: Snapshotter
  readonly #loader: Loader
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #digests: Digests
  /** Bytes of the log that were read, and all of them; at the start. */
  #log: { read: number; readonly bytes: number } | null = null
  /** The loader of the start. */
  #first: Loader | null = null
  #installed = 0
  /** The log was collected through this slot when it was read. */
  #collected: Slot = 0
  /** The start is over. */
  #begun = false
  #stopped = false

  constructor(
    storage: Storage,
    holder: StateHolder,
    clock: Clock,
    policy: SnapshotPolicy,
    resend: number,
    host: KeeperHost,
  ) {
    this.#storage = storage
    this.#holder = holder
    this.#clock = clock
    this.#host = host
    const { warn, failed, core } = host
    this.#snapshotter = new Snapshotter(storage, holder, clock, policy, {
      capture: () => core.capture(),
      durable: (slot) => {
        this.#durable(slot)
      },
      warn,
      failed,
    })
    const runtime = {
      suspend: (): void => {
        core.suspend()
      },
      // In one step: whatever the core does next, it has logged that its log begins here.
      install: (snapshot: CoreSnapshot): void => {
        core.install(snapshot)
        this.#durable(snapshot.head.slot)
      },
    }
    this.#loader = new Loader(storage.snapshots, holder, clock, runtime, warn, AT_RUN_TIME)
    const send = (to: ServerId, message: Message): void => {
      host.send(to, message)
    }
    this.#sender = new Sender(storage.snapshots, clock, { send, failed })
    this.#receiver = new Receiver(storage.snapshots, this.#loader, this.#snapshotter, clock, resend, {
      id: host.id,
      servers: host.servers,
      send,
      applied: () => host.applied(),
      installed: () => {
        this.#installed++
      },
      warn,
      failed,
    })
    this.#digests = new Digests(holder, clock, warn)
  }

  /** How much of the directory was read, from 0 to 1; null when the start is over. */
  get progress(): number | null {
    if (this.#log === null) return null
    const snapshot = this.#storage.snapshots.newest?.size ?? 0
    const read = snapshot * (this.#first?.progress ?? 1) + this.#log.read
    return snapshot + this.#log.bytes === 0 ? 1 : Math.min(1, read / (snapshot + this.#log.bytes))
  }

  get status(): Pick<ServerStatus, 'snapshot' | 'fetching' | 'installed'> {
    const { newest } = this.#storage.snapshots
    return {
      snapshot: { slot: newest?.slot ?? 0, bytes: newest?.size ?? 0 },
      fetching: this.#receiver.status,
      installed: this.#installed,
    }
  }

  /** Whether the state is not whole, or far behind. */
  get busy(): boolean {
    const { core } = this.#host
    return this.#loader.loading || this.#receiver.status !== null || core.outpaced || core.lacksState
  }

  /**
   * Reads back what the directory holds: the newest snapshot, if it is whole, and then the log. A snapshot that turns out to
   * be damaged is left out: the log tells the core what it has promised and accepted all the same. After {@link stop} the
   * rest is not read.
   */
  async recover(opened: Opened, restore: (record: StoredRecord) => void): Promise<void> {
    this.#log = { read: 0, bytes: opened.logBytes }
    const { core, warn } = this.#host
    this.#collected = opened.collected
    core.restoreCollected(opened.collected)
    // Nothing is executed before the log is read, so nothing has to be suspended.
    const start = {
      suspend: () => undefined,
      install: (snapshot: CoreSnapshot): void => {
        core.install(snapshot)
      },
    }
    this.#first = new Loader(this.#storage.snapshots, this.#holder, this.#clock, start, warn, AT_START)
    const { snapshots } = this.#storage
    for (let last: SnapshotInfo | null = null; snapshots.newest !== last && !this.#stopped;) {
      last = snapshots.newest // of several, the newest one that is whole
      if (last === null || (await this.#first.load(last))) break
    }
    for await (const { records, read } of opened.records) {
      if (this.#stopped) return
      for (const record of records) restore(record)
      this.#log.read = read
    }
    this.#log = null
    if (core.lacksState)
      warn(`no snapshot is here that holds what was decided up to slot ${this.#collected}: another server's is fetched`)
  }

  /** The server runs. */
  begin(): void {
    this.#begun = true
    const { newest } = this.#storage.snapshots
    // Its base record was cut off by a crash, or comes a second time, which does no harm.
    if (newest !== null && newest.slot > this.#collected) this.#durable(newest.slot)
    // The log has brought back what a damaged snapshot held; it is not to be gone through all of it each time.
    if ((newest?.slot ?? 0) < this.#collected && !this.#host.core.lacksState) this.#snapshotter.wanted()
    this.#digests.begin()
  }

  /** To be called from time to time. */
  tick(): void {
    this.#snapshotter.consider()
  }

  /** What the core wants done for states. */
  serve({ snapshotWanted, fetch }: Pick<Ready, 'snapshotWanted' | 'fetch'>): void {
    if (snapshotWanted) this.#snapshotter.wanted()
    if (fetch === null) return
    if (this.#receiver.status === null)
      this.#host.dropSubscribers('this server is brought up by a snapshot: try another one')
    this.#receiver.fetch(fetch)
  }

  /** Takes a message that is not, or not only, the core's. True if it is the core's, too. */
  received(from: ServerId, message: Message): boolean {
    if (message.type === 'fetch') this.#sender.onFetch(from, message)
    else if (message.type === 'piece') this.#receiver.onPiece(from, message)
    return message.type !== 'piece'
  }

  /** Whether there is a state that some slot came to. */
  get isWhole(): boolean {
    return this.#begun && !this.#loader.loading && !this.#host.core.lacksState
  }

  /** The state as it is now. Throws SynodError `NOT_SERVING` while it is not whole. */
  view(): Iterable<unknown> {
    if (!this.isWhole) throw loading()
    return this.#holder.snapshot().entries
  }

  digest(slot: Slot): Promise<StateDigest | null> {
    return this.#digests.digest(slot)
  }

  /** Writes a snapshot. Rejects as {@link Snapshotter.take} does. */
  async takeSnapshot(): Promise<SnapshotInfo> {
    if (!this.#begun) throw loading()
    return this.#snapshotter.take()
  }

  /** Nothing is begun any more. Resolves when nothing is read or written for it. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#digests.stop()
    await Promise.all([
      this.#snapshotter.stop(),
      this.#sender.stop(),
      this.#receiver.stop(),
      this.#loader.stop(),
      this.#first?.stop(),
    ])
  }

  #durable(slot: Slot): void {
    this.#host.step({ type: 'snapshot', slot, now: this.#clock.now() })
  }
}

function loading(): SynodError {
  return new SynodError('NOT_SERVING', 'this server is loading its state: try another one, or later')
}
