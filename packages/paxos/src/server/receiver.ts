/**
 * Brings this server up by a snapshot of a peer's, when it is too far behind to be told what was decided. It asks for one piece
 * of the file after the other, writes each to the disk, and installs the whole. What is there already, of a fetch that a crash
 * or a lost connection ended, is gone on with, as long as any server still has that very file.
 */
import type { Cancel, Clock } from '../clock.js'
import type { ServerId } from '../protocol/ballot.js'
import type { Slot } from '../protocol/command.js'
import { SynodError } from '../protocol/error.js'
import type { Fetch, Piece } from '../protocol/message.js'
import type { SnapshotInfo, Snapshots } from '../storage/snapshots.js'
import { StorageError } from '../storage/storage.js'
import type { ServerStatus } from '../transport/wire.js'
import type { Loader } from './loader.js'
import type { Snapshotter } from './snapshotter.js'

/** A server that does not answer is asked so often, with longer and longer pauses. */
const TRIES = 5
/** An answer that took long makes this server wait for so many times as long for the next, before it asks again, */
const PATIENCE = 4
/** but no longer than this (ms). */
const LONGEST_PATIENCE = 5_000
/** A full disk is left alone for so long (ms), twice as long each time, up to the second. */
const FULL_FIRST = 5_000
const FULL_LONGEST = 60_000
/** A peer that sent nonsense is not asked for so long (ms); twice as long each time, at most for the second time. */
const SHUN_FIRST = 10_000
const SHUN_LONGEST = 600_000

/** After a piece it rests for as long as that took, but no longer than this (ms): others may share the machine. */
const LONGEST_REST = 25

/** Whoever gave a snapshot hears so often that it is still being installed (ms). */
const STILL = 5_000

/** What the receiver needs of its server. */
export interface ReceiverHost {
  readonly id: ServerId
  /** The servers of the cluster, this one too. */
  readonly servers: number
  /** Sends a message to a peer soon. */
  send(to: ServerId, message: Fetch): void
  /** The last slot that was executed here. */
  applied(): Slot
  /** A snapshot of a peer's is durable, and is this server's state now. */
  installed(info: SnapshotInfo): void
  /** A person should know. */
  warn(text: string): void
  /** The server cannot go on. */
  failed(error: unknown): void
}

/** A fetch that is under way. */
interface Pull {
  /** Whom it asks. */
  from: ServerId
  /** Of which file; null: of whichever the peer has. */
  info: SnapshotInfo | null
  received: number
  /** Those that were asked for this file in vain. */
  readonly asked: Set<ServerId>
  /** Who has another file. */
  other: ServerId | null
  /** Times that it was asked without an answer. */
  tries: number
  /** Whether it said that it has another file: such an answer may be a late one, so it has to be given twice. */
  doubted: boolean
  /** When it was asked for this piece for the first time (ms). */
  askedAt: number
  /** The storage takes what comes. */
  open: boolean
  /** Pieces that are not taken now: one is being written, or the whole is being installed. */
  busy: boolean
}

export class Receiver {
  readonly #snapshots: Pick<Snapshots, 'incoming' | 'receive' | 'take' | 'install'>
  readonly #loader: Pick<Loader, 'load'>
  readonly #snapshotter: Pick<Snapshotter, 'hold' | 'release'>
  readonly #clock: Clock
  readonly #resend: number
  readonly #host: ReceiverHost
  #pull: Pull | null = null
  /** Of the next time that it asks. */
  #cancel: Cancel = () => undefined
  /** How long an answer is waited for at first (ms). */
  #patience: number
  /** Peers that are left alone, after what they sent. */
  readonly #shunned = new Map<ServerId, { readonly until: number; readonly ms: number }>()
  /** The disk was full: until then nothing is fetched. */
  #full: { readonly until: number; readonly ms: number } | null = null
  #working: Promise<void> = Promise.resolve()
  #stopped = false

  /** @param resend what got no answer for so long is asked for again (ms) */
  constructor(
    snapshots: Pick<Snapshots, 'incoming' | 'receive' | 'take' | 'install'>,
    loader: Pick<Loader, 'load'>,
    snapshotter: Pick<Snapshotter, 'hold' | 'release'>,
    clock: Clock,
    resend: number,
    host: ReceiverHost,
  ) {
    this.#snapshots = snapshots
    this.#loader = loader
    this.#snapshotter = snapshotter
    this.#clock = clock
    this.#resend = this.#patience = resend
    this.#host = host
  }

  /** What is being fetched; null if nothing is, or is not known yet. */
  get status(): ServerStatus['fetching'] {
    const { info, from, received } = this.#pull ?? { info: null, from: 0, received: 0 }
    return info === null ? null : { from, received, bytes: info.size }
  }

  /** The core wants a snapshot of this peer's. One that is on its way already is gone on with. */
  fetch(peer: ServerId): void {
    if (this.#stopped || this.#shuns(peer) || this.#clock.now() < (this.#full?.until ?? 0)) return
    if (this.#pull === null) this.#begin(peer)
    else if (!this.#pull.busy && this.#pull.tries > 1 && this.#pull.from !== peer && !this.#pull.asked.has(peer))
      this.#turnTo(this.#pull, peer)
  }

  /** A piece has come. One that comes late, or twice, or from somebody else, is of no use. */
  onPiece(from: ServerId, piece: Piece): void {
    const pull = this.#pull
    if (pull === null || pull.busy || pull.from !== from || this.#stopped) return
    if (piece.size === 0) return // it has none yet
    if (!this.#fits(piece)) return this.#shun(from, 'sent a piece of a snapshot that cannot be one')
    if (pull.info?.id !== piece.id) {
      if (piece.offset !== 0) return
      if (pull.info !== null) return this.#denied(pull)
      if (piece.slot <= this.#host.applied()) return // an old one: it will have another
      pull.info = { slot: piece.slot, id: piece.id, maker: piece.maker, size: piece.size }
    } else if (piece.size !== pull.info.size || piece.slot !== pull.info.slot || piece.maker !== pull.info.maker) {
      return this.#shun(from, 'says two things of one snapshot')
    }
    if (piece.offset === pull.received) this.#work(pull, pull.info, piece)
  }

  /** Nothing is fetched any more. Resolves when nothing is written. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#leave()
    await this.#working
  }

  #begin(peer: ServerId): void {
    const { incoming } = this.#snapshots
    const part = incoming !== null && incoming.info.slot > this.#host.applied() ? incoming : null
    this.#pull = {
      from: peer,
      info: part?.info ?? null,
      received: part?.received ?? 0,
      asked: new Set(),
      other: null,
      tries: 0,
      doubted: false,
      askedAt: 0,
      open: false,
      busy: false,
    }
    this.#goOn(this.#pull)
  }

  /** Asks for the next piece, or installs what is whole. */
  #goOn(pull: Pull): void {
    const { info, received, from } = pull
    if (info !== null && received >= info.size) return this.#work(pull, info, null)
    this.#host.send(from, { type: 'fetch', slot: info?.slot ?? 0, id: info?.id ?? '', offset: received })
    if (pull.tries++ === 0) pull.askedAt = this.#clock.now()
    this.#cancel()
    this.#cancel = this.#clock.after(this.#patience * 2 ** (pull.tries - 1), () => {
      if (pull.tries < TRIES) this.#goOn(pull)
      else this.#turnAway(pull)
    })
  }

  /** The peer has another file now than the one that was begun. */
  #denied(pull: Pull): void {
    if (!pull.doubted) {
      pull.doubted = true
      return this.#goOn(pull)
    }
    pull.other ??= pull.from
    this.#turnAway(pull)
  }

  /** Whoever is asked does not have the file, or does not answer: another server may have it. */
  #turnAway(pull: Pull): void {
    const { info, asked, other } = pull
    asked.add(pull.from)
    const next = info === null ? undefined : this.#candidates(info).find((server) => !asked.has(server))
    if (next !== undefined) return this.#turnTo(pull, next)
    this.#leave() // the core will name a peer again
    if (other === null) return
    // What was begun is of no use: there is only another one to be had.
    this.#pull = { ...pull, info: null, received: 0, asked: new Set(), other: null, open: false }
    this.#turnTo(this.#pull, other)
  }

  #turnTo(pull: Pull, peer: ServerId): void {
    pull.from = peer
    this.#patience = this.#resend // what was slow was another one
    pull.tries = 0
    pull.doubted = false
    this.#goOn(pull)
  }

  /** Who may have a file: its maker first. */
  #candidates({ maker }: SnapshotInfo): ServerId[] {
    const all = [maker, ...Array.from({ length: this.#host.servers }, (_, server) => server)]
    return all.filter((server) => server !== this.#host.id && !this.#shuns(server))
  }

  #fits({ maker, size, offset, bytes }: Piece): boolean {
    return maker < this.#host.servers && bytes.length > 0 && offset + bytes.length <= size
  }

  #work(pull: Pull, info: SnapshotInfo, piece: Piece | null): void {
    this.#cancel()
    pull.busy = true
    this.#working = this.#take(pull, info, piece).catch((error: unknown) => {
      if (!this.#isOver()) this.#failed(pull, error)
    })
  }

  async #take(pull: Pull, info: SnapshotInfo, piece: Piece | null): Promise<void> {
    if (!pull.open) pull.received = (await this.#snapshots.receive(info)).received
    pull.open = true
    if (piece !== null && piece.offset === pull.received) {
      const took = this.#clock.now() - pull.askedAt
      this.#patience = Math.max(this.#resend, Math.min(PATIENCE * took, LONGEST_PATIENCE))
      pull.received = (await this.#snapshots.take(piece.bytes)).received
    }
    if (this.#isOver()) return
    pull.tries = 0
    pull.doubted = false
    if (pull.received >= info.size) return this.#install(pull, info)
    pull.busy = false
    this.#cancel = this.#clock.after(Math.min(this.#clock.now() - pull.askedAt, LONGEST_REST), () => {
      this.#goOn(pull)
    })
  }

  async #install(pull: Pull, { slot }: SnapshotInfo): Promise<void> {
    if (slot <= this.#host.applied()) {
      this.#leave() // it was caught up with otherwise
      return
    }
    await this.#snapshotter.hold()
    try {
      if (this.#isOver()) return
      this.#sayStill(pull)
      const info = await this.#snapshots.install()
      if (slot <= this.#host.applied()) {
        this.#leave() // meanwhile it was told what was decided
        return
      }
      const loaded = await this.#loader.load(info)
      if (this.#isOver()) return
      if (!loaded) throw this.#unusable(pull.from, info)
      this.#leave()
      this.#shunned.clear()
      this.#full = null
      this.#host.installed(info)
    } finally {
      this.#snapshotter.release()
    }
  }

  /** The peer is to hold what was decided behind the snapshot for as long as the installation takes. */
  #sayStill(pull: Pull): void {
    this.#cancel = this.#clock.after(STILL, () => {
      if (pull.info === null) return
      const { slot, id, size } = pull.info
      this.#host.send(pull.from, { type: 'fetch', slot, id, offset: size })
      this.#sayStill(pull)
    })
  }

  /** The state is gone by now: only a new start can bring it back. */
  #unusable(from: ServerId, { slot }: SnapshotInfo): SynodError {
    return new SynodError(
      'SNAPSHOT_UNUSABLE',
      `the snapshot through slot ${slot} that server ${from} sent arrived whole, but cannot be used: the server stops, and goes ` +
        'on without it when it is started again',
      { slot, from },
    )
  }

  #isOver(): boolean {
    return this.#stopped
  }

  #failed({ from }: Pull, error: unknown): void {
    if (error instanceof StorageError && error.code === 'DISK_FULL') {
      if (this.#full === null)
        this.#host.warn('there is no room for the snapshot that is fetched: it is fetched again when there is')
      const ms = Math.min((this.#full?.ms ?? FULL_FIRST / 2) * 2, FULL_LONGEST)
      this.#full = { until: this.#clock.now() + ms, ms }
      this.#leave() // and the storage has given up what was here
    } else if (error instanceof StorageError && error.code === 'BAD_SNAPSHOT') {
      this.#shun(from, `sent a damaged snapshot (${error.message})`)
    } else {
      this.#leave()
      this.#host.failed(error)
    }
  }

  #leave(): void {
    this.#cancel()
    this.#pull = null
  }

  #shuns(peer: ServerId): boolean {
    return this.#clock.now() < (this.#shunned.get(peer)?.until ?? 0)
  }

  #shun(peer: ServerId, why: string): void {
    this.#leave()
    const ms = Math.min((this.#shunned.get(peer)?.ms ?? SHUN_FIRST / 2) * 2, SHUN_LONGEST)
    this.#shunned.set(peer, { until: this.#clock.now() + ms, ms })
    this.#host.warn(`server ${peer} ${why}: it is not asked for ${Math.round(ms / 1000)} s`)
  }
}
