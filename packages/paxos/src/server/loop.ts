/**
 * The only loop: what happens (peers' messages, clients' commands, ticks) goes into the core at once; after the events of a
 * turn the core's Ready comes out, once for all of them: records to the journal, messages to the peers, outcomes to the
 * clients, and what concerns whole states to the keeper.
 */
import type { Clock } from '../clock.js'
import type { ServerId } from '../protocol/ballot.js'
import type { Reply } from '../protocol/command.js'
import type { Message } from '../protocol/message.js'
import type { Paxos } from '../protocol/paxos.js'
import type { Envelope, Input, LogRecord } from '../protocol/ready.js'
import type { StateHolder } from '../service/state-holder.js'
import type { Storage, StoredRecord } from '../storage/storage.js'
import { Backlog } from './backlog.js'
import { Journal } from './journal.js'
import type { Log } from './log.js'
import type { Membership } from './membership.js'
import type { SnapshotPolicy } from './snapshotter.js'
import { StateKeeper } from './state-keeper.js'

/** What the loop needs of its server. */
export interface LoopHost {
  /** Nothing is taken in before the start is over, nor once the end has begun. */
  running(): boolean
  membership(): Membership | undefined
  readonly peers: { send(to: ServerId, message: Message): void; flush(): void }
  readonly clients: {
    readonly reads: { arrived(): number; serve(readable: number): void }
    deliver(replies: readonly Reply[]): void
    flush(): void
    dropSubscribers(why: string): void
  }
  /** A repair is over, durably. */
  repaired(): void
  /** A turn has ended. */
  turned(): void
  failed(error: unknown): void
}

/**
 * A turn ends after so long (ms), though more has arrived: where thousands of connections have something to say at once, it takes
 * long to hear all of them, and meanwhile a leader must propose, and its followers must hear it.
 */
const LONGEST_TURN = 20

export class Loop {
  readonly journal: Journal
  readonly keeper: StateKeeper
  readonly #id: ServerId
  readonly #core: Paxos
  readonly #clock: Clock
  readonly #log: Log
  readonly #host: LoopHost
  readonly #backlog: Backlog
  /** The end of this turn is on its way, since then (ms). */
  #scheduled = false
  #scheduledAt = 0

  constructor(
    { id, servers, core, storage, holder, clock, log }: LoopParts,
    { snapshots, resend }: { readonly snapshots: SnapshotPolicy; readonly resend: number },
    host: LoopHost,
  ) {
    this.#id = id
    this.#core = core
    this.#clock = clock
    this.#log = log
    this.#host = host
    this.journal = new Journal(storage, clock, {
      durable: (released, records) => {
        this.#durable(released, records)
      },
      full: (isFull) => {
        log.warn(
          isFull
            ? 'the disk is full: this server takes nothing in until there is room; nothing that was acknowledged is lost'
            : 'the disk has room again: this server goes on',
        )
      },
      failed: (error) => {
        host.failed(error)
      },
    })
    this.keeper = new StateKeeper(storage, holder, clock, snapshots, resend, {
      id,
      servers,
      core,
      applied: () => core.applied,
      step: (input) => {
        this.step(input)
      },
      send: (to, message) => {
        log.message(id, to, message)
        host.peers.send(to, message)
        this.#schedule()
      },
      dropSubscribers: (why) => {
        host.clients.dropSubscribers(why)
      },
      warn: (text) => {
        log.warn(text)
      },
      failed: (error) => {
        host.failed(error)
      },
    })
    this.#backlog = new Backlog(clock, {
      status: () => core.status(),
      isBehind: () => core.isBehind,
      running: () => host.running(),
      step: (input) => {
        this.step(input)
      },
    })
  }

  /** Takes in one thing that happened. */
  step(input: Input): void {
    if (!this.#host.running()) return
    try {
      this.#core.step(input)
    } catch (error) {
      return this.#host.failed(error)
    }
    this.#schedule()
  }

  /** Messages of another server. */
  received(from: ServerId, messages: readonly Message[]): void {
    if (this.journal.full) return // as if they were lost: nothing more may pile up here
    const now = this.#clock.now()
    for (const message of messages) {
      this.#log.message(from, this.#id, message)
      if (this.keeper.received(from, message)) this.step({ type: 'message', from, message, now })
    }
  }

  /** The end of a turn: all that the core wants done. */
  readonly turn = (): void => {
    this.#scheduled = false
    if (!this.#host.running()) return
    try {
      this.#takeReads()
      for (let again = true; again;) {
        const ready = this.#core.ready()
        const released = this.journal.add(this.#withRest(ready.records), ready.messagesAfterSync)
        this.#host.clients.deliver(ready.replies)
        this.#host.clients.reads.serve(ready.readable)
        this.keeper.serve(ready)
        const looped = this.#send(ready.messages)
        again = this.#send(released) || looped
      }
      this.#addPeersRecord()
      this.journal.write()
      this.#host.peers.flush()
      this.#host.clients.flush()
      this.#host.turned()
      this.#backlog.begin()
    } catch (error) {
      this.#host.failed(error)
    }
  }

  readonly #endTurn = (): void => {
    if (this.#scheduled) this.turn() // else it was overdue
  }

  /** To be called between two things that have arrived. */
  endOverdue(): void {
    if (this.#scheduled && this.#clock.now() - this.#scheduledAt > LONGEST_TURN) this.turn()
  }

  /** There is something to do at the end of this turn. */
  wake(): void {
    if (this.#host.running()) this.#schedule()
  }

  /** All reads that have come in this turn are one input. */
  #takeReads(): void {
    const count = this.#host.clients.reads.arrived()
    if (count > 0) this.#core.step({ type: 'read', count, now: this.#clock.now() })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#scheduledAt = this.#clock.now()
    this.#clock.defer(this.#endTurn)
  }

  #durable(released: readonly Envelope[], records: readonly StoredRecord[]): void {
    if (!this.#host.running()) return
    try {
      const membership = this.#host.membership()
      if (membership?.repairing === true && records.some(({ type }) => type === 'repaired')) {
        membership.repaired()
        this.#host.repaired()
      }
      this.#send(released)
    } catch (error) {
      return this.#host.failed(error)
    }
    this.#schedule()
  }

  /** With a base record all older ones go: what the membership has in the log is logged anew before it. */
  #withRest(records: readonly LogRecord[]): readonly StoredRecord[] {
    if (!records.some(({ type }) => type === 'base')) return records
    const rest = this.#host.membership()?.records() ?? []
    return records.flatMap((record): readonly StoredRecord[] => (record.type === 'base' ? [...rest, record] : [record]))
  }

  /** Hands messages to their peers' frames, and those to this server back to the core. True if there was one of those. */
  #send(envelopes: readonly Envelope[]): boolean {
    let looped = false
    for (const { to, message } of envelopes) {
      for (const peer of to) {
        this.#log.message(this.#id, peer, message)
        if (peer === this.#id) {
          looped = true
          this.#core.step({ type: 'message', from: peer, message, now: this.#clock.now() })
        } else {
          this.#host.peers.send(peer, message)
        }
      }
    }
    return looped
  }

  /** What the peers told of their batches goes along with records that are written anyway: an idle server writes nothing. */
  #addPeersRecord(): void {
    const record = this.journal.pending ? (this.#host.membership()?.takeRecord(this.#clock.now()) ?? null) : null
    if (record !== null) this.journal.add([record], [])
  }
}

/** What the loop drives. */
export interface LoopParts {
  readonly id: ServerId
  /** How many there are. */
  readonly servers: number
  readonly core: Paxos
  readonly storage: Storage
  /** Of the state machine that the core executes on. */
  readonly holder: StateHolder
  readonly clock: Clock
  readonly log: Log
}
