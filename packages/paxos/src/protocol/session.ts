/**
 * Sessions: what makes a command that was sent several times take effect once. The table is replicated state: every
 * server changes it in slot order, by the commands alone. (Ongaro's thesis, section 6.3, with many commands in flight.)
 * A session ends by a command, or is evicted when there are too many; the state machine is told.
 */
import { ByNumber } from './by-number.js'
import type { Command, Result, Slot } from './command.js'
import type { SessionEntry } from './snapshot.js'
import type { Emit, StateMachine } from './state.js'

/** How far a command's number may be above what its client has acknowledged. */
export const SESSION_WINDOW = 4096
/** Sessions that are kept; past that the one that was unused for longest (in log order) is evicted. */
export const MAX_SESSIONS = 65_536
/** What a result costs beyond its bytes. */
const RESULT_BYTES = 64
/** Bytes of results that are kept for retries; past that sessions are evicted likewise. */
export const MAX_SESSION_BYTES = 64 << 20

const NOTHING = new Uint8Array(0)
const EXPIRED: Result = { status: 'expired', value: NOTHING }
const STALE: Result = { status: 'stale', value: NOTHING }

interface Session {
  /** The client knows the outcome of every command up to this one: none of them is executed again. */
  acked: number
  /** Results above `acked`, by local id. */
  readonly results: ByNumber<Result>
  bytes: number
  /** How often the table had been captured when this was made: it may be changed until the next time. */
  readonly captures: number
}

type Operation = Extract<Command, { kind: 'op' }>

/** What hears of sessions that have ended, by the command of the slot that is being executed. */
export type Ended = (clientId: string) => void

export class SessionTable {
  readonly #ended: Ended
  readonly #limits: { readonly sessions: number; readonly bytes: number }
  /** In the order of their last use. */
  readonly #sessions = new Map<string, Session>()
  #bytes = 0
  #latest: Session | undefined
  /** How often it was captured. */
  #captures = 0

  constructor(ended: Ended, limits = { sessions: MAX_SESSIONS, bytes: MAX_SESSION_BYTES }) {
    this.#ended = ended
    this.#limits = limits
  }

  /** In the order of their last use. */
  get clientIds(): Iterable<string> {
    return this.#sessions.keys()
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Opens the session ⟨slot, nonce⟩ and gives its client id. The slot makes a late copy of the command another session. */
  open(slot: Slot, nonce: string): string {
    const clientId = `${slot.toString(36)}.${nonce}`
    this.#latest = { acked: 0, results: new ByNumber(), bytes: 0, captures: this.#captures }
    this.#sessions.set(clientId, this.#latest)
    this.#evict()
    return clientId
  }

  /** Executes the operation, unless its session is unknown or it was executed before. */
  execute(slot: Slot, command: Operation, machine: StateMachine, emit: Emit): Result {
    const known = this.#sessions.get(command.clientId)
    if (known === undefined) return EXPIRED
    const session = this.#use(command.clientId, known)
    this.#acknowledge(session, command.acked)
    const before = outcome(session, command)
    if (before !== undefined) return before
    const result = machine.execute(slot, command.clientId, command.op, emit)
    session.results.set(command.localId, result)
    session.bytes += result.value.length + RESULT_BYTES
    this.#bytes += result.value.length + RESULT_BYTES
    if (this.#bytes > this.#limits.bytes) this.#evict()
    return result
  }

  /** The outcome of a command that was executed here already, and of one that never will be; undefined for any other. */
  lookup(command: Operation): Result | undefined {
    const session = this.#sessions.get(command.clientId)
    return session === undefined ? undefined : outcome(session, command)
  }

  /** Ends a session; one that has ended already, or never was, makes no difference. */
  end(clientId: string): void {
    const session = this.#sessions.get(clientId)
    if (session !== undefined) this.#drop(clientId, session)
  }

  /** All of it as it is now, to be read whenever it suits: from now on a session is copied before it changes. */
  capture(): Iterable<SessionEntry> {
    const sessions = [...this.#sessions]
    this.#captures++
    this.#latest = undefined
    return {
      *[Symbol.iterator]() {
        for (const [clientId, session] of sessions) yield entryOf(clientId, session)
      },
    }
  }

  /** Replaces all of it by what {@link capture} gave. */
  restore(entries: Iterable<SessionEntry>): void {
    this.#sessions.clear()
    this.#bytes = 0
    this.#latest = undefined
    for (const { clientId, acked, results } of entries) {
      const session: Session = { acked, results: new ByNumber(), bytes: 0, captures: this.#captures }
      for (const [localId, status, value] of results) {
        session.results.set(localId, { status, value })
        session.bytes += value.length + RESULT_BYTES
      }
      this.#bytes += session.bytes
      this.#sessions.set(clientId, session)
    }
  }

  /** Makes the session the one that was used last; gives it back, or its copy, as it may be changed. */
  #use(clientId: string, session: Session): Session {
    if (session === this.#latest) return session
    const own = session.captures === this.#captures ? session : copyOf(session, this.#captures)
    this.#latest = own
    this.#sessions.delete(clientId)
    this.#sessions.set(clientId, own)
    return own
  }

  #acknowledge(session: Session, acked: number): void {
    if (acked <= session.acked) return
    if (acked - session.acked > session.results.size) {
      for (const [localId] of session.results.entries()) if (localId <= acked) this.#forget(session, localId)
    } else {
      for (let localId = session.acked + 1; localId <= acked; localId++) this.#forget(session, localId)
    }
    session.acked = acked
  }

  #forget(session: Session, localId: number): void {
    const result = session.results.get(localId)
    if (result === undefined) return
    session.results.delete(localId)
    session.bytes -= result.value.length + RESULT_BYTES
    this.#bytes -= result.value.length + RESULT_BYTES
  }

  #evict(): void {
    for (const [clientId, session] of this.#sessions) {
      if (this.#sessions.size <= this.#limits.sessions && this.#bytes <= this.#limits.bytes) return
      this.#drop(clientId, session)
    }
  }

  #drop(clientId: string, session: Session): void {
    this.#sessions.delete(clientId)
    this.#bytes -= session.bytes
    if (session === this.#latest) this.#latest = undefined
    this.#ended(clientId)
  }
}

function copyOf(session: Session, captures: number): Session {
  return { ...session, results: session.results.copy(), captures }
}

function entryOf(clientId: string, { acked, results }: Session): SessionEntry {
  return { clientId, acked, results: results.entries().map(([localId, { status, value }]) => [localId, status, value]) }
}

/** The first outcome if there was one; `stale` for what must not be executed (any more). */
function outcome(session: Session, command: Operation): Result | undefined {
  if (command.localId <= session.acked || command.localId > command.acked + SESSION_WINDOW) return STALE
  return session.results.get(command.localId)
}
