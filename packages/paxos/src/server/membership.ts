/**
 * A server's place in its cluster: drives the formation by durable writes, says hello, and remembers how far the logs of
 * the other servers went, so that one that comes back with an old copy of its directory can be told. A server that was
 * repaired has a new directory, and counts its batches anew: so each number is kept with the life that it is of.
 */
import type { ServerId } from '../protocol/ballot.js'
import type { SynodError } from '../protocol/error.js'
import { StorageError } from '../storage/storage.js'
import type { Opened, Owner, Storage, StoredRecord } from '../storage/storage.js'
import type { PeerHello } from '../transport/wire.js'
import { WIRE_VERSION } from '../transport/wire.js'
import type { Clock } from '../clock.js'
import { FormationMachine } from './formation.js'
import type { Verdict } from './formation.js'

/** Peers' batch numbers are written down no more often than this (ms), and only together with other records. */
const PEERS_INTERVAL = 1_000

/** What the membership tells its server. */
export interface MembershipHost {
  /** The formation went on, durably: peers are to hear of it. */
  changed(): void
  /** The cluster is formed, with this server in it: what peers say is for it. */
  takesPart(): void
  /** This server has joined its cluster to be repaired, durably: the core must not vote, as if it had read that in the log. */
  repairing(): void
  /** How often a server was repaired, as far as the core knows; this one too. */
  lifeOf(server: ServerId): number
  /** It must end. */
  failed(error: unknown): void
}

/** How far a peer's log went in one of its lives. */
interface Seen {
  readonly life: number
  readonly batch: number
}

/** What it needs of the storage. */
type Directory = Pick<Storage, 'batch' | 'form' | 'append'>

type PeersRecord = Extract<StoredRecord, { readonly type: 'peers' }>

const NOTHING: Seen = { life: 0, batch: 0 }

export class Membership {
  readonly #identity: Owner
  readonly #repair: boolean
  readonly #storage: Directory
  readonly #host: MembershipHost
  readonly #formation: FormationMachine
  /** The highest durable batch that each peer has told of, in the latest life that it has told of. */
  readonly #seen: Seen[]
  #seenChanged = false
  #seenWrittenAt = 0
  #stopped = false
  /** The write under way, or the last one. */
  #writing: Promise<void> = Promise.resolve()

  /** @param repair this server was started to be repaired. Throws `NOTHING_TO_REPAIR` if its cluster is too small. */
  constructor(
    identity: Owner,
    storage: Directory,
    opened: Pick<Opened, 'formation' | 'clusterId'>,
    clock: Clock,
    host: MembershipHost,
    repair: boolean,
  ) {
    this.#identity = identity
    this.#storage = storage
    this.#host = host
    this.#repair = repair
    this.#seen = Array.from({ length: identity.count }, () => NOTHING)
    this.#formation = new FormationMachine(
      {
        ...identity,
        formation: opened.formation,
        clusterId: opened.clusterId,
        batch: storage.batch,
        mint: Buffer.from(clock.random(16)).toString('hex'),
        repair,
      },
      (server) => host.lifeOf(server),
    )
  }

  /** This server may vote and serve. */
  get formed(): boolean {
    return this.#formation.formation === 'formed'
  }

  /** It has lost its votes, and does not vote yet. */
  get repairing(): boolean {
    return this.#formation.formation === 'repairing'
  }

  /** One of the two: what peers say is for it, and it may answer. */
  get takesPart(): boolean {
    return this.#formation.takesPart
  }

  get clusterId(): string | null {
    return this.#formation.clusterId
  }

  /** The peers that were not met in this start. */
  get missing(): readonly ServerId[] {
    return this.#formation.missing()
  }

  /** What was written down of the peers before this start. */
  restore({ batches, lives }: PeersRecord): void {
    for (let peer = 0; peer < this.#seen.length; peer++)
      this.#note(peer, { life: lives[peer] ?? 0, batch: batches[peer] ?? 0 })
    this.#seenChanged = false
  }

  /** Begins, once peers can be told. */
  start(): void {
    if (this.takesPart) this.#host.takesPart()
    else this.#advance()
  }

  /** The repair has ended, and that is durable: this server votes again, and says so. */
  repaired(): void {
    if (!this.repairing) return
    this.#formation.repaired()
    this.#host.changed()
  }

  /** Nothing is written or told after this; resolves when a write that was under way has ended. */
  stop(): Promise<void> {
    this.#stopped = true
    return this.#writing
  }

  hello(to: ServerId): PeerHello {
    const { life, batch } = this.#seen[to] ?? NOTHING
    const lifeSeen = Math.max(life, this.#host.lifeOf(to))
    return {
      type: 'peer',
      version: WIRE_VERSION,
      service: this.#identity.service,
      from: this.#identity.id,
      to,
      count: this.#identity.count,
      formation: this.#formation.formation,
      repair: this.#repair,
      clusterId: this.#formation.clusterId,
      life: this.#host.lifeOf(this.#identity.id),
      lifeSeen,
      batchSeen: life === lifeSeen ? batch : 0,
    }
  }

  /** A peer that this server dialed said this. */
  heard(peer: ServerId, hello: PeerHello): Verdict {
    const verdict = this.#formation.hear(peer, hello)
    if (verdict.type === 'stop') this.#host.failed(verdict.error)
    else this.#advance()
    return verdict
  }

  /** Why a server that dialed this one cannot be a peer; null if it can. */
  mismatch(hello: PeerHello): SynodError | null {
    return this.#formation.mismatch(hello)
  }

  /** Whether a peer that said this has been repaired since: nothing that it says counts. */
  outdated(hello: PeerHello): boolean {
    return this.#formation.outdated(hello)
  }

  /** The votes of a peer, which said this last, are in this batch of its log, or in one before it. */
  noteBatch({ from, formation, life }: PeerHello, batch: number): void {
    if (formation === 'formed') this.#note(from, { life, batch }) // others have no votes that could be lost
  }

  /** What is worth writing down of the peers now; null if nothing. */
  takeRecord(now: number): StoredRecord | null {
    if (!this.#seenChanged || now - this.#seenWrittenAt < PEERS_INTERVAL) return null
    this.#seenWrittenAt = now
    return this.#record()
  }

  /** Writes the same before a clean end, however recent the one before is. A full disk does without: peers tell it again. */
  async writeLastRecord(): Promise<void> {
    const record = this.#record()
    try {
      if (record !== null) await this.#storage.append([record])
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'DISK_FULL') throw error
    }
  }

  /**
   * What has to be appended again before a `base` record, in one append with it: the files that hold it may go then. Not
   * `repairing`: no file goes between that and `repaired`, and one that is repeated here might stand behind its `repaired`.
   */
  records(): readonly StoredRecord[] {
    return [{ type: 'formed' }, this.#peersRecord()]
  }

  #record(): StoredRecord | null {
    if (!this.#seenChanged || !this.takesPart) return null
    this.#seenChanged = false
    return this.#peersRecord()
  }

  #peersRecord(): PeersRecord {
    return { type: 'peers', batches: this.#seen.map(({ batch }) => batch), lives: this.#seen.map(({ life }) => life) }
  }

  /** What is of an earlier life than is known counts no more; a later life begins anew. */
  #note(peer: ServerId, seen: Seen): void {
    const known = this.#seen[peer] ?? NOTHING
    if (seen.life < known.life || (seen.life === known.life && seen.batch <= known.batch)) return
    this.#seen[peer] = seen
    this.#seenChanged = true
  }

  /** Takes the formation as far as it goes: one durable write after the other. */
  #advance(): void {
    const write = this.#stopped ? null : this.#formation.next()
    if (write === null) return
    const durable = write.type === 'form' ? this.#storage.form(write.clusterId) : this.#storage.append([write])
    this.#writing = durable.then(
      () => {
        if (this.#stopped) return
        this.#formation.written()
        this.#host.changed()
        if (this.repairing) this.#host.repairing()
        if (this.takesPart) this.#host.takesPart()
        else this.#advance()
      },
      (error: unknown) => {
        this.#host.failed(error)
      },
    )
  }
}
