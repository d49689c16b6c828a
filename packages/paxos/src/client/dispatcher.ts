/** Gets commands executed once each: numbers them, sends them, and sends them again until they have an outcome. */
import type { Reply } from '../protocol/command.js'
import type { Cancel, Clock } from '../server/clock.js'
import { decodeRefusal, decodeValue } from '../service/service-codec.js'
import type { Dialer } from '../transport/transport.js'
import type { ServerFrame } from '../transport/wire.js'
import { ClientError } from './error.js'
import type { ClientErrorCode } from './error.js'
import { Link } from './link.js'
import type { LinkOwner } from './link.js'
import { Session } from './session.js'
import type { Call } from './session.js'

/** A server that is silent for this long (ms), though it was sent something, is left for another one. */
const ATTEMPT_TIMEOUT = 2_000
/** A command that has no outcome over a connection that gives others is sent so often, before that connection is left. */
const TRIES = 3
/** Calls, and bytes of their operations, that wait for a place in the session; more are `BUSY`. */
const MAX_WAITING = 16_384
const MAX_WAITING_BYTES = 64 << 20
/** A frame is closed at this size (bytes); one operation may be larger. */
const FRAME_BYTES = 1 << 20
/** The first wait after a server was too busy (ms), doubled each time up to the longest, and spread at random. */
const FIRST_BUSY_WAIT = 20
const LONGEST_BUSY_WAIT = 1_000
/** The longest that a timer is set for (ms). */
const LONGEST_TIMER = 1 << 30

export class Dispatcher implements LinkOwner {
  readonly #clock: Clock
  readonly #link: Link
  /** Calls without a number. */
  readonly #waiting = new Set<Call>()
  #waitingBytes = 0
  /** The session of new calls. */
  #session: Session
  /** By client id; those that have expired too, as long as outcomes may come. */
  readonly #sessions = new Map<string, Session>()
  /** When the opening of the session was last sent over the connection that is up; null if it was not. */
  #openSentAt: number | null = null
  /** When the opening may be sent: servers were too busy for it. */
  #openAt = 0
  #openRefusals = 0
  /** Calls to send with the next flush, besides those that wait. */
  #resend: Call[] = []
  #flushing = false
  /** When something last came over the connection that is up. */
  #heardAt = 0
  /** When the latest of the calls that were answered was sent. */
  #answered = 0
  #timer: { readonly at: number; readonly cancel: Cancel } | undefined
  #closed = false

  constructor(service: string, servers: readonly string[], dialer: Dialer, clock: Clock) {
    this.#clock = clock
    this.#session = this.#newSession()
    this.#link = new Link(service, servers, dialer, clock, this)
  }

  /** Resolves with the decoded value. Rejects with ClientError, or with the service's Refusal. */
  submit(op: Uint8Array, timeout: number): Promise<unknown> {
    if (this.#closed) return Promise.reject(closedError())
    if (this.#waiting.size >= MAX_WAITING || this.#waitingBytes >= MAX_WAITING_BYTES) {
      return Promise.reject(
        new ClientError('BUSY', `${this.#waiting.size} commands wait already: submit fewer at a time`),
      )
    }
    const deadline = this.#clock.now() + timeout
    return new Promise((resolve, reject) => {
      this.#wait({
        op,
        deadline,
        resolve,
        reject,
        localId: 0,
        open: 0,
        sentAt: null,
        tries: 0,
        resumeAt: null,
        refusals: 0,
      })
      this.#wake(deadline)
      this.#flushSoon()
    })
  }

  /** Calls without an outcome fail with `CLOSED`; resolves when the connection has ended. */
  close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    this.#failAll('CLOSED', 'the client was closed')
    return this.#link.close()
  }

  // What the link tells.

  get wantsLink(): boolean {
    return !this.#closed && (this.#waiting.size > 0 || this.#pending() > 0)
  }

  linkReady(): void {
    this.#heardAt = this.#clock.now()
    this.#openSentAt = null
    for (const session of this.#sessions.values()) this.#resend.push(...session.pending.values())
    this.#flush()
  }

  linkLost(): void {
    this.#resend = []
    for (const session of this.#sessions.values()) {
      for (const call of session.pending.values()) {
        call.sentAt = null
        call.tries = 0
        call.resumeAt = null
      }
    }
  }

  linkRefused(message: string): void {
    this.#failAll('INCOMPATIBLE', message)
  }

  linkFrame(frame: ServerFrame): void {
    this.#heardAt = this.#clock.now()
    if (frame.type === 'replies') for (const reply of frame.replies) this.#replied(reply)
    else if (frame.type === 'rejected') this.#rejected(frame)
    else return this.#link.fail(`the server sent a ${frame.type} that nobody had asked for`)
    if (this.#waiting.size > 0) this.#flushSoon()
  }

  // Outcomes.

  #replied(reply: Reply): void {
    if (reply.localId === 0) return this.#opened(reply)
    const session = this.#sessions.get(reply.clientId)
    const call = session?.pending.get(reply.localId)
    if (session === undefined || call === undefined) return // a second answer, or one that is not wanted any more
    const { status, value } = reply.result
    this.#answered = Math.max(this.#answered, call.sentAt ?? 0)
    switch (status) {
      case 'ok':
      case 'refused':
        this.#link.worked()
        this.#forget(call, session)
        return settle(call, status, value)
      case 'expired':
        call.open--
        return this.#expired(call, session)
      case 'stale':
        return this.#fail(
          call,
          session,
          'SESSION_EXPIRED',
          'the cluster takes the command for one whose outcome is known: its own is lost',
        )
      case 'busy':
        call.open--
        call.sentAt = null
        call.resumeAt = this.#clock.now() + this.#busyWait(call.refusals++)
        return this.#wake(call.resumeAt)
    }
  }

  #opened({ clientId: nonce, result }: Reply): void {
    if (nonce !== this.#session.nonce || this.#session.clientId !== undefined) return
    this.#openSentAt = null
    if (result.status === 'ok') {
      this.#link.worked()
      this.#openRefusals = 0
      this.#session.clientId = Buffer.from(result.value).toString()
      this.#sessions.set(this.#session.clientId, this.#session)
    } else {
      this.#openAt = this.#clock.now() + this.#busyWait(this.#openRefusals++)
      this.#wake(this.#openAt)
    }
  }

  /** The cluster has forgotten the session. A command that surely was not executed in it goes into a new one. */
  #expired(call: Call, session: Session): void {
    if (session === this.#session) this.#session = this.#newSession()
    if (call.open > 0) {
      return this.#fail(
        call,
        session,
        'SESSION_EXPIRED',
        'the cluster has forgotten this client, and whether the command was executed',
      )
    }
    this.#forget(call, session)
    Object.assign(call, { localId: 0, sentAt: null, tries: 0, resumeAt: null })
    this.#wait(call)
    this.#flushSoon()
  }

  /** A server did not propose the command. */
  #rejected({ clientId, localId, code, message }: Extract<ServerFrame, { type: 'rejected' }>): void {
    const session = this.#sessions.get(clientId)
    const call = session?.pending.get(localId)
    if (session !== undefined && call !== undefined) {
      call.open--
      if (code === 'BAD_OPERATION') return this.#fail(call, session, 'BAD_OPERATION', message)
    } else if (clientId !== this.#session.nonce) return
    this.#link.fail(message)
  }

  #fail(call: Call, session: Session | undefined, code: ClientErrorCode, message: string): void {
    this.#forget(call, session)
    call.reject(new ClientError(code, message, call.open > 0))
  }

  #failAll(code: ClientErrorCode, message: string): void {
    for (const call of this.#waiting) this.#fail(call, undefined, code, message)
    for (const session of this.#sessions.values()) {
      for (const call of session.pending.values()) this.#fail(call, session, code, message)
    }
  }

  #forget(call: Call, session: Session | undefined): void {
    if (session === undefined) {
      if (this.#waiting.delete(call)) this.#waitingBytes -= call.op.length
      return
    }
    session.remove(call)
    if (session !== this.#session && session.pending.size === 0) this.#sessions.delete(session.clientId ?? '')
  }

  // Sending.

  #wait(call: Call): void {
    this.#waiting.add(call)
    this.#waitingBytes += call.op.length
  }

  /** What is submitted in one turn leaves in one frame. */
  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    this.#clock.defer(() => this.#flush())
  }

  #flush(): void {
    this.#flushing = false
    if (!this.wantsLink) return
    if (!this.#link.ready) return this.#link.want()
    const resend = this.#resend
    this.#resend = []
    for (const session of this.#sessions.values()) {
      const calls = resend.filter((call) => session.pending.get(call.localId) === call)
      if (session === this.#session) this.#number(calls)
      this.#send(session, calls)
    }
    if (this.#session.clientId === undefined) this.#open()
  }

  /** Gives waiting calls their numbers, as far as there is room. */
  #number(calls: Call[]): void {
    for (const call of this.#waiting) {
      if (!this.#session.hasRoom()) return
      this.#forget(call, undefined)
      this.#session.add(call)
      calls.push(call)
    }
  }

  #open(): void {
    const now = this.#clock.now()
    if (this.#openSentAt !== null || now < this.#openAt) return
    this.#openSentAt = now
    this.#link.send({ type: 'open', nonce: this.#session.nonce })
    this.#wake(now + ATTEMPT_TIMEOUT)
  }

  #send(session: Session, calls: readonly Call[]): void {
    if (calls.length === 0 || session.clientId === undefined) return
    const { clientId, acked } = session
    const now = this.#clock.now()
    let commands: [number, Uint8Array][] = []
    let bytes = 0
    for (const call of calls) {
      if (commands.length > 0 && bytes + call.op.length > FRAME_BYTES) {
        this.#link.send({ type: 'submit', clientId, acked, commands })
        commands = []
        bytes = 0
      }
      commands.push([call.localId, call.op])
      bytes += call.op.length
      call.open++
      call.tries++
      call.sentAt = now
      call.resumeAt = null
    }
    this.#link.send({ type: 'submit', clientId, acked, commands })
    this.#wake(now + ATTEMPT_TIMEOUT)
  }

  // Time.

  /** Looks after everything at this moment, or before. One timer serves all calls. */
  #wake(at: number): void {
    if (this.#timer !== undefined && this.#timer.at <= at) return
    this.#timer?.cancel()
    const wait = Math.min(Math.max(1, at - this.#clock.now()), LONGEST_TIMER)
    this.#timer = { at, cancel: this.#clock.after(wait, () => this.#tick()) }
  }

  #tick(): void {
    this.#timer = undefined
    const now = this.#clock.now()
    let next = Infinity
    for (const call of this.#waiting) {
      if (call.deadline <= now) this.#timedOut(call, undefined)
      else next = Math.min(next, call.deadline)
    }
    for (const session of this.#sessions.values()) {
      for (const call of session.pending.values()) {
        if (call.deadline <= now) this.#timedOut(call, session)
        else next = Math.min(next, call.deadline, this.#overdue(call, now))
      }
    }
    if (this.#openSentAt !== null) {
      if (this.#openSentAt + ATTEMPT_TIMEOUT <= now) this.#link.fail('no answer to the opening of a session')
      else next = Math.min(next, this.#openSentAt + ATTEMPT_TIMEOUT)
    } else if (this.#openAt > now) next = Math.min(next, this.#openAt)
    if (next < Infinity) this.#wake(next)
    this.#flush()
  }

  /** Sees to a call that has waited for too long over this connection. Gives the moment to look at it again. */
  #overdue(call: Call, now: number): number {
    if (call.resumeAt !== null) {
      if (call.resumeAt > now) return call.resumeAt
      this.#resend.push(call)
      return Infinity
    }
    if (call.sentAt === null) return Infinity
    if (call.sentAt + ATTEMPT_TIMEOUT > now) return call.sentAt + ATTEMPT_TIMEOUT
    // Outcomes come in the order of the commands: one that is not overtaken may just be far behind in a long queue.
    const isOvertaken = this.#answered > call.sentAt
    if (this.#heardAt + ATTEMPT_TIMEOUT <= now || (isOvertaken && call.tries >= TRIES))
      this.#link.fail('no outcome in time')
    else if (isOvertaken) this.#resend.push(call)
    else return this.#heardAt + ATTEMPT_TIMEOUT
    return Infinity
  }

  #timedOut(call: Call, session: Session | undefined): void {
    const last = this.#link.ready ? '' : ` (${this.#link.reason})`
    const isBusy = call.refusals > 0 || (session === undefined && this.#openRefusals > 0)
    if (call.open === 0 && isBusy)
      return this.#fail(call, session, 'BUSY', 'the servers were too busy to take the command in')
    if (call.open === 0 && !this.#link.ready)
      return this.#fail(call, session, 'UNAVAILABLE', `no server could be reached in time${last}`)
    this.#fail(call, session, 'TIMEOUT', `the command has no outcome in time${last}`)
  }

  #busyWait(refusals: number): number {
    const [chance = 0] = this.#clock.random(1)
    return Math.min(FIRST_BUSY_WAIT * 2 ** refusals, LONGEST_BUSY_WAIT) * (0.5 + chance / 256)
  }

  #newSession(): Session {
    return new Session(Buffer.from(this.#clock.random(16)).toString('hex'))
  }

  #pending(): number {
    let count = 0
    for (const session of this.#sessions.values()) count += session.pending.size
    return count
  }
}

function closedError(): ClientError {
  return new ClientError('CLOSED', 'the client was closed')
}

function settle(call: Call, status: 'ok' | 'refused', value: Uint8Array): void {
  let outcome: unknown
  try {
    outcome = status === 'ok' ? decodeValue(value) : decodeRefusal(value)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return call.reject(
      new ClientError('INCOMPATIBLE', `the command was executed, but its result cannot be read: ${why}`, true),
    )
  }
  if (status === 'ok') call.resolve(outcome)
  else call.reject(outcome as Error)
}
