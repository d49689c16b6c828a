/** Gets commands executed once each: numbers them, sends them, and sends them again until they have an outcome. */
import type { Reply } from '../protocol/command.js'
import type { Clock } from '../clock.js'
import type { Dialer } from '../transport/transport.js'
import type { ServerFrame } from '../transport/wire.js'
import { Alarm } from './alarm.js'
import { callOf, fail, settle, timeout } from './call.js'
import type { Call } from './call.js'
import { Calls } from './calls.js'
import { ClientError } from './error.js'
import type { ClientErrorCode } from './error.js'
import type { FeedState } from './feed.js'
import { Feeds } from './feeds.js'
import { Link } from './link.js'
import type { LinkOptions, LinkOwner } from './link.js'
import { Opening } from './opening.js'
import { ATTEMPT_TIMEOUT, BUSY_PATIENCE, doubtAfter, UNKNOWN, wordWithin } from './patience.js'
import { Reads } from './reads.js'
import type { Session } from './session.js'

/** A command that others overtake is sent so often over one connection, before that connection is given up. */
const TRIES = 3
/** A move to the leader's server is waited for so long (ms): a session that was opened at both would be left by its client. */
const MOVE_PATIENCE = 300
/** A frame is closed at this size (bytes); one operation may be larger. */
const FRAME_BYTES = 1 << 20

export class Dispatcher implements LinkOwner {
  readonly #clock: Clock
  readonly #link: Link
  readonly #alarm: Alarm
  readonly #opening: Opening
  readonly #feeds: Feeds
  readonly #reads: Reads
  readonly #calls: Calls
  #isFlushing = false
  /** When something last came over the connection that is up. */
  #heardAt = 0
  /** When the latest of the calls that were answered was sent, and how long the last one had taken (ms). */
  #answeredSentAt = 0
  #took = UNKNOWN
  /** Since when the server of this connection was too busy, and took nothing in; null if it is not. */
  #busySince: number | null = null
  /** Until then nothing is sent that would be sent again at the leader's server (ms). */
  #heldUntil = 0
  #isClosed = false

  constructor(service: string, options: LinkOptions, dialer: Dialer, clock: Clock) {
    this.#clock = clock
    this.#alarm = new Alarm(clock, () => this.#tick())
    this.#opening = new Opening(clock)
    this.#calls = new Calls(clock)
    this.#link = new Link(service, options, dialer, clock, this)
    this.#feeds = new Feeds({
      send: (frame) => {
        if (this.#link.ready) this.#link.send(frame)
      },
      wanted: () => this.#flushSoon(),
    })
    this.#reads = new Reads(clock, this.#link, {
      wanted: () => this.#flushSoon(),
      alarm: (at) => this.#alarm.set(at),
      worked: () => {
        this.#link.worked()
        this.#busySince = null
      },
      busy: () => this.#refusedAsBusy(),
    })
  }

  /** Resolves with the decoded value. Rejects with ClientError, or with the service's Refusal. */
  submit(op: Uint8Array, timeout: number): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new ClientError('CLOSED', 'the client was closed'))
    const { waiting } = this.#calls
    if (waiting.isFull) {
      const message = `${waiting.size} commands wait in this client already: submit fewer at a time`
      return Promise.reject(new ClientError('BUSY', message))
    }
    const deadline = this.#clock.now() + timeout
    return new Promise((resolve, reject) => {
      waiting.add(callOf(op, deadline, resolve, reject))
      this.#alarm.set(deadline)
      this.#flushSoon()
    })
  }

  /** An operation that only reads; see {@link Reads.read}. */
  read(op: Uint8Array, stale: boolean, timeout: number): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new ClientError('CLOSED', 'the client was closed'))
    return this.#reads.read(op, stale, timeout)
  }

  /** A feed from this slot on; null: from now on. */
  subscribe(from: number | null): FeedState {
    const feed = this.#feeds.add(from)
    if (this.#isClosed) feed.fail(new ClientError('CLOSED', 'the client was closed'))
    return feed
  }

  /** Ends the session; calls without an outcome, and feeds, fail with `CLOSED`; resolves when the connection has ended. */
  close(): Promise<void> {
    if (!this.#isClosed && this.#link.ready) {
      for (const { clientId } of this.#calls.sessions.values())
        if (clientId !== undefined) this.#link.send({ type: 'end', clientId })
    }
    this.#isClosed = true
    this.#alarm.cancel()
    this.#failAll('CLOSED', 'the client was closed')
    return this.#link.close()
  }

  // What the link tells.

  get wantsLink(): boolean {
    return !this.#isClosed && (this.#feeds.size > 0 || this.isWaiting)
  }

  get isWaiting(): boolean {
    return this.#reads.size > 0 || !this.#calls.isEmpty
  }

  linkReady(): void {
    this.#heardAt = this.#clock.now()
    this.#busySince = null
    this.#calls.linkReady()
    this.#claim()
    this.#feeds.linkReady()
    this.#reads.linkReady()
    this.#heldUntil = this.#link.isMoving ? this.#heardAt + MOVE_PATIENCE : 0
    if (this.#link.isMoving) this.#alarm.set(this.#heldUntil)
    this.#flush()
  }

  linkStays(): void {
    this.#heldUntil = 0
    this.#flushSoon()
  }

  linkLost(): void {
    this.#calls.linkLost()
    this.#opening.sentAt = null
    this.#feeds.linkLost()
    this.#reads.linkLost()
  }

  linkRefused(message: string): void {
    this.#failAll('INCOMPATIBLE', message)
  }

  linkFrame(frame: ServerFrame): void {
    this.#heardAt = this.#clock.now()
    if (frame.type === 'replies') for (const reply of frame.replies) this.#replied(reply)
    else if (frame.type === 'answers') this.#reads.answered(frame)
    else if (frame.type === 'rejected') this.#rejected(frame)
    else if (frame.type === 'subscribed' || frame.type === 'events' || frame.type === 'compacted') {
      if (frame.type === 'events') this.#link.worked()
      this.#feeds.frame(frame)
    } else return this.#link.fail(`the server sent a ${frame.type} that nobody had asked for`)
    if (this.#calls.isPressed) this.#flushSoon()
  }

  // Outcomes.

  #replied({ clientId, localId, result }: Reply): void {
    if (localId === 0) return this.#opened(clientId, result)
    const session = this.#calls.sessions.get(clientId)
    const call = session?.pending.get(localId)
    if (session === undefined || call === undefined) return // a second answer, or one that is not wanted any more
    this.#answeredSentAt = Math.max(this.#answeredSentAt, call.sentAt ?? 0)
    this.#took = this.#heardAt - (call.sentAt ?? this.#heardAt)
    switch (result.status) {
      case 'ok':
      case 'refused':
        this.#link.worked()
        this.#busySince = null
        this.#opening.worked()
        this.#calls.pace.worked()
        this.#forget(call, session)
        return settle(call, result.status, result.value)
      case 'expired':
        call.open--
        return this.#expired(call, session)
      case 'stale':
        return this.#fail(
          call,
          session,
          'SESSION_EXPIRED',
          'the cluster takes the command for one whose outcome this client knows',
        )
      case 'busy':
        this.#calls.refused(call)
        this.#alarm.set(this.#calls.pace.restsUntil)
        return this.#refusedAsBusy()
    }
  }

  /** Others may take in what this server does not; and what it took in before its disk was full has its outcome only there. */
  #refusedAsBusy(): void {
    const now = this.#clock.now()
    this.#busySince ??= now
    if (this.#busySince + BUSY_PATIENCE <= now && this.#link.hasOthers) this.#link.fail('the server was too busy')
  }

  #opened(nonce: string, result: Reply['result']): void {
    const { session } = this.#opening
    this.#opening.answered(nonce, result)
    if (session.clientId === undefined) {
      this.#alarm.set(this.#opening.notBefore)
      return result.status === 'busy' ? this.#refusedAsBusy() : undefined
    }
    this.#busySince = null
    this.#calls.sessions.set(session.clientId, session)
    this.#link.worked()
  }

  /** The cluster has forgotten the session. A command that surely was not executed in it goes into a new one. */
  #expired(call: Call, session: Session): void {
    if (session === this.#opening.session) {
      this.#opening.restart()
      this.#alarm.set(this.#opening.notBefore)
    }
    if (call.open > 0) {
      return this.#fail(
        call,
        session,
        'SESSION_EXPIRED',
        'the cluster has forgotten this client, and whether the command was executed',
      )
    }
    this.#calls.moveOut(call, session, this.#opening.session)
  }

  /** A server did not propose the command. */
  #rejected({ clientId, localId, code, message }: Extract<ServerFrame, { type: 'rejected' }>): void {
    const session = this.#calls.sessions.get(clientId)
    const call = session?.pending.get(localId)
    if (session !== undefined && call !== undefined) {
      call.open--
      if (code === 'BAD_OPERATION') return this.#fail(call, session, code, message)
    } else if (clientId !== this.#opening.session.nonce) return
    this.#link.fail(message)
  }

  #fail(call: Call, session: Session | undefined, code: ClientErrorCode, message: string): void {
    this.#forget(call, session)
    fail(call, code, message)
  }

  #failAll(code: ClientErrorCode, message: string): void {
    this.#feeds.fail(new ClientError(code, message))
    this.#reads.fail(code, message)
    for (const call of this.#calls.waiting) this.#fail(call, undefined, code, message)
    for (const session of this.#calls.sessions.values()) {
      for (const [, call] of session.pending.entries()) this.#fail(call, session, code, message)
    }
  }

  #forget(call: Call, session: Session | undefined): void {
    this.#calls.forget(call, session, this.#opening.session)
  }

  // Sending.

  /** What is submitted in one turn leaves in one frame. */
  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    this.#clock.defer(() => {
      this.#isFlushing = false
      this.#flush()
    })
  }

  #flush(): void {
    if (!this.wantsLink) return
    if (!this.#link.ready) return this.#link.want()
    this.#reads.flush()
    if (this.#clock.now() < Math.max(this.#heldUntil, this.#calls.pace.restsUntil)) return
    for (const [session, calls] of this.#calls.take(this.#opening.session)) this.#send(session, calls)
    if (this.#calls.waiting.size > 0 && this.#opening.isDue) this.#open()
  }

  /** Says which session is connected here: it lasts as long as its client is connected somewhere. */
  #claim(): void {
    const { clientId, acked, pending } = this.#opening.session
    const isSpeaking = pending.size > 0 || this.#calls.waiting.size > 0
    if (clientId !== undefined && !isSpeaking) this.#link.send({ type: 'submit', clientId, acked, commands: [] })
  }

  #open(): void {
    this.#opening.sentAt = this.#clock.now()
    this.#link.send({ type: 'open', nonce: this.#opening.session.nonce })
    this.#alarm.set(this.#opening.sentAt + doubtAfter(this.#took))
  }

  #send({ clientId = '', acked }: Session, calls: readonly Call[]): void {
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
    }
    this.#link.send({ type: 'submit', clientId, acked, commands })
    this.#alarm.set(now + doubtAfter(this.#took))
  }

  // Time.

  #tick(): void {
    const now = this.#clock.now()
    let next = this.#reads.tick(now)
    for (const moment of [this.#opening.notBefore, this.#heldUntil, this.#calls.pace.restsUntil])
      if (moment > now) next = Math.min(next, moment)
    for (const call of this.#calls.waiting) {
      if (call.deadline <= now) this.#timedOut(call, undefined)
      else next = Math.min(next, call.deadline)
    }
    const { sentAt, session } = this.#opening
    /** When the first of what has no answer was sent. */
    let asked = Math.min(this.#reads.askedAt, session.clientId === undefined ? (sentAt ?? Infinity) : Infinity)
    for (const session of this.#calls.sessions.values()) {
      for (const [, call] of session.pending.entries()) {
        if (call.deadline <= now) this.#timedOut(call, session)
        else next = Math.min(next, call.deadline, this.#lookAfter(call, now))
        asked = Math.min(asked, call.sentAt ?? Infinity)
      }
    }
    next = Math.min(next, this.#doubt(asked, now))
    if (sentAt !== null && session.clientId === undefined) {
      const late = Math.max(sentAt, this.#link.leaderHeardAt) + this.#attempt
      if (late <= now) this.#link.fail('the server gave no answer to the opening of a session')
      else next = Math.min(next, late)
    }
    this.#alarm.set(next)
    this.#flush()
  }

  /** A server that brings no outcome for so long (ms) is left for another one. */
  get #attempt(): number {
    return Math.max(ATTEMPT_TIMEOUT, 2 * doubtAfter(this.#took))
  }

  /** A server that says nothing may be gone, or out of touch with the others. Gives the moment to look at it again. */
  #doubt(asked: number, now: number): number {
    const since = Math.max(asked, this.#heardAt)
    if (since === Infinity || !this.#link.ready) return Infinity
    const patience = doubtAfter(this.#took)
    if (since + patience > now) return since + patience
    this.#link.doubt(wordWithin(this.#took), now - since >= this.#attempt)
    return now + patience
  }

  /** Sees to a call that has waited for too long over this connection. Gives the moment to look at it again. */
  #lookAfter(call: Call, now: number): number {
    if (call.sentAt === null) return Infinity
    if (call.sentAt + this.#attempt > now) return call.sentAt + this.#attempt
    // Outcomes come about in the order of the commands: one that is not overtaken may be far behind in a long queue.
    const isOvertaken = this.#answeredSentAt > call.sentAt
    const late = Math.max(this.#heardAt, this.#link.leaderHeardAt) + this.#attempt
    if (late <= now || (isOvertaken && call.tries >= TRIES)) {
      this.#link.fail('the server gave no outcome in time')
    } else if (isOvertaken) this.#calls.sendAgain(call)
    else return late
    return Infinity
  }

  #timedOut(call: Call, session: Session | undefined): void {
    const isBusy = call.isRefused || (session === undefined && (this.#opening.isVain || this.#calls.pace.isBusy))
    const [code, message] = timeout(call, isBusy, this.#link.ready ? null : this.#link.reason)
    this.#fail(call, session, code, message)
  }
}
