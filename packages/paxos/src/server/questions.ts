/** What whoever connects may ask, without a session and whatever is served: how this server stands, and what its state is. */
import type { AuditMark } from '../protocol/audit.js'
import type { ServerId } from '../protocol/ballot.js'
import type { Slot } from '../protocol/command.js'
import { SynodError } from '../protocol/error.js'
import { encodeFrame } from '../transport/codec.js'
import type { Connection } from '../transport/transport.js'
import type { ClientFrame, ServerStatus, StateDigest } from '../transport/wire.js'
import type { Clock } from '../clock.js'
import { Dump } from './dump.js'
import type { Log } from './log.js'

/** Dumps at one time: each holds a copy of the state. */
const MAX_DUMPS = 2
/** A dump that its client did not ask on for so long (ms) makes room for another. */
const DUMP_IDLE = 30_000
/** Answers that one connection may wait for at a time. */
const MAX_WAITING = 16

export type Question = Extract<
  ClientFrame,
  { readonly type: 'status' | 'digest' | 'chain' | 'snapshot' | 'handOver' | 'dump' | 'dumpMore' }
>

const QUESTIONS: ReadonlySet<ClientFrame['type']> = new Set<Question['type']>([
  'status',
  'digest',
  'chain',
  'snapshot',
  'handOver',
  'dump',
  'dumpMore',
])

export function isQuestion(frame: ClientFrame): frame is Question {
  return QUESTIONS.has(frame.type)
}

/** What the answers are taken from. */
export interface QuestionsHost {
  status(): ServerStatus
  /**
   * The state as it is now, and the last slot that is in it. Throws SynodError `NOT_SERVING` while there is none: as long as
   * the server starts, or installs a snapshot.
   */
  snapshot(): { readonly slot: Slot; readonly entries: Iterable<unknown> }
  /** What the state came to at the mark of this slot, once that is known; null if it never will be. Does not reject. */
  digest(slot: Slot): Promise<StateDigest | null>
  /** Ends of blocks of the chain, as far as they are known, the oldest first; then its end. */
  chain(): readonly AuditMark[]
  /** Writes a snapshot; resolves when it is durable. Rejects with SynodError if that cannot be done (now). */
  takeSnapshot(): Promise<{ readonly slot: Slot; readonly path: string }>
  /** Hands leadership over; resolves with null when that server leads, or with why it does not. Does not reject. */
  handOver(to: ServerId): Promise<string | null>
}

export class Questions {
  readonly #host: QuestionsHost
  readonly #clock: Clock
  readonly #log: Log
  readonly #dumps = new Map<Connection, Dump>()
  /** How many answers each connection waits for. */
  readonly #waiting = new Map<Connection, number>()

  constructor(host: QuestionsHost, clock: Clock, log: Log) {
    this.#host = host
    this.#clock = clock
    this.#log = log
  }

  /** Answers, at once or later; or says why the connection is to be closed instead. */
  ask(connection: Connection, question: Question): SynodError | null {
    switch (question.type) {
      case 'status':
        connection.send(encodeFrame({ type: 'status', status: this.#host.status() }))
        return null
      case 'chain':
        connection.send(encodeFrame({ type: 'chain', marks: this.#host.chain() }))
        return null
      case 'digest': {
        const { slot } = question
        return this.#later(connection, async () => {
          const digest = await this.#host.digest(slot)
          return encodeFrame({ type: 'digest', slot, digest })
        })
      }
      case 'snapshot':
        return this.#later(connection, () => this.#snapshot(connection))
      case 'handOver': {
        const { to } = question
        this.#log.write('clients', `${connection.remote} asks to have server ${to} lead`)
        return this.#later(connection, async () =>
          encodeFrame({ type: 'handedOver', to, error: await this.#host.handOver(to) }),
        )
      }
      case 'dump':
        return this.#dump(connection)
      case 'dumpMore':
        return this.#dumpMore(connection)
    }
  }

  /** The connection is gone: what it asked needs no answer. */
  forget(connection: Connection): void {
    this.#dumps.delete(connection)
    this.#waiting.delete(connection)
  }

  /** Sends the answer when it is there, if somebody still waits for it. */
  #later(connection: Connection, answer: () => Promise<Uint8Array>): SynodError | null {
    const waiting = this.#waiting.get(connection) ?? 0
    if (waiting >= MAX_WAITING)
      return new SynodError('TOO_MANY_QUESTIONS', `one connection may wait for ${MAX_WAITING} answers at a time`)
    this.#waiting.set(connection, waiting + 1)
    void answer().then((frame) => {
      const left = this.#waiting.get(connection)
      if (left === undefined) return
      this.#waiting.set(connection, left - 1)
      connection.send(frame)
    })
    return null
  }

  async #snapshot(connection: Connection): Promise<Uint8Array> {
    this.#log.write('clients', `${connection.remote} asks for a snapshot`)
    try {
      return encodeFrame({ type: 'snapshot', ...(await this.#host.takeSnapshot()), error: null })
    } catch (error) {
      if (!(error instanceof SynodError)) throw error
      return encodeFrame({ type: 'snapshot', slot: 0, path: '', error: error.message })
    }
  }

  #dump(connection: Connection): SynodError | null {
    const now = this.#clock.now()
    this.#dumps.delete(connection)
    for (const [other, { usedAt }] of this.#dumps) if (now - usedAt > DUMP_IDLE) this.#dumps.delete(other)
    if (this.#dumps.size >= MAX_DUMPS)
      return new SynodError('BUSY', `this server gives ${MAX_DUMPS} dumps already: try again later`)
    return this.#read(() => {
      const { slot, entries } = this.#host.snapshot()
      const dump = new Dump(slot, entries, now)
      this.#dumps.set(connection, dump)
      this.#sendPart(connection, dump)
    })
  }

  #dumpMore(connection: Connection): SynodError | null {
    const dump = this.#dumps.get(connection)
    if (dump === undefined) return new SynodError('NO_DUMP', 'the dump was given up, or never begun: ask for a new one')
    return this.#read(() => this.#sendPart(connection, dump))
  }

  #sendPart(connection: Connection, dump: Dump): void {
    connection.send(dump.next(this.#clock.now()))
    if (dump.done) this.#dumps.delete(connection)
  }

  /** Does what reads the state. If that throws the connection is to be closed; the server can go on. */
  #read(work: () => void): SynodError | null {
    try {
      work()
      return null
    } catch (error) {
      if (error instanceof SynodError && error.code === 'NOT_SERVING') return error
      const message = `the state cannot be dumped: ${error instanceof Error ? error.message : String(error)}`
      this.#log.warn(message)
      return new SynodError('DUMP_FAILED', message)
    }
  }
}
