/**
 * A server's place in its cluster: drives the formation by durable writes, says hello, and remembers how far the logs of
 * the other servers went, so that one that comes back with an old copy of its directory can be told.
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
  /** This server may vote and serve. */
  formed(): void
  /** It must end. */
  failed(error: unknown): void
}

export class Membership {
  readonly #identity: Owner
  readonly #storage: Storage
  readonly #host: MembershipHost
  readonly #formation: FormationMachine
  /** The highest durable batch that each peer has told of. */
  readonly #seen: number[]
  #seenChanged = false
  #seenWrittenAt = 0
  #stopped = false
  /** The write under way, or the last one. */
  #writing: Promise<void> = Promise.resolve()

  constructor(identity: Owner, storage: Storage, opened: Opened, clock: Clock, host: MembershipHost) {
    this.#identity = identity
    this.#storage = storage
    this.#host = host
    this.#seen = Array.from({ length: identity.count }, () => 0)
    this.#formation = new FormationMachine({
      ...identity,
      formation: opened.formation,
      clusterId: opened.clusterId,
      batch: storage.batch,
      mint: Buffer.from(clock.random(16)).toString('hex'),
    })
  }

  get formed(): boolean {
    return this.#formation.formation === 'formed'
  }

  get clusterId(): string | null {
    return this.#formation.clusterId
  }

  /** The peers that were not met in this start. */
  get missing(): readonly ServerId[] {
    return this.#formation.missing()
  }

  /** What a former life wrote down of the peers. */
  restore(batches: readonly number[]): void {
    for (let peer = 0; peer < this.#seen.length; peer++)
      this.#seen[peer] = Math.max(this.#seen[peer] ?? 0, batches[peer] ?? 0)
  }

  /** Begins, once peers can be told. */
  start(): void {
    if (this.formed) this.#host.formed()
    else this.#advance()
  }

  /** Nothing is written or told after this; resolves when a write that was under way has ended. */
  stop(): Promise<void> {
    this.#stopped = true
    return this.#writing
  }

  hello(to: ServerId): PeerHello {
    return {
      type: 'peer',
      version: WIRE_VERSION,
      service: this.#identity.service,
      from: this.#identity.id,
      to,
      count: this.#identity.count,
      formation: this.#formation.formation,
      clusterId: this.#formation.clusterId,
      batchSeen: this.#seen[to] ?? 0,
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

  /** A peer's votes are in this batch of its log, or in one before it. */
  noteBatch(peer: ServerId, batch: number): void {
    if (batch <= (this.#seen[peer] ?? 0)) return
    this.#seen[peer] = batch
    this.#seenChanged = true
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

  #record(): StoredRecord | null {
    if (!this.#seenChanged || !this.formed) return null
    this.#seenChanged = false
    return { type: 'peers', batches: [...this.#seen] }
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
        if (this.formed) this.#host.formed()
        else this.#advance()
      },
      (error: unknown) => {
        this.#host.failed(error)
      },
    )
  }
}
