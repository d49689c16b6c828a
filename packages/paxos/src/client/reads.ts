/**
 * Gets operations that only read answered: sends them, and sends them again, over another connection or after a busy server has
 * rested. They change nothing, so they need no session, and it does no harm if one is executed twice.
 */
import type { Clock } from '../clock.js'
import { decodeRefusal, decodeValue } from '../service/service-codec.js'
import { readRejection } from '../transport/read-frames.js'
import { MAX_READS } from '../transport/wire.js'
import type { ServerFrame } from '../transport/wire.js'
import { ClientError } from './error.js'
import type { ClientErrorCode } from './error.js'
import type { Link } from './link.js'
import { ATTEMPT_TIMEOUT, busyWait, doubtAfter } from './patience.js'

/** So many reads, and bytes of their operations, may be without an answer. */
const MAX_CALLS = 16_384
const MAX_BYTES = 64 << 20
/** So many are sent before there are answers. */
const WINDOW = MAX_READS
/** A frame is closed at this size (bytes); one operation may be larger. */
const FRAME_BYTES = 1 << 20

/** The answer to a read that may be stale. */
export interface StaleRead<Value> {
  /** The last slot that the server had executed: the value is that of the state after it. */
  readonly slot: number
  readonly value: Value
}

/** What the reads need of whoever has the connection, which they share with the commands. */
export interface ReadsHost {
  /** Reads wait: {@link Reads.flush} is to be called soon. */
  wanted(): void
  /** {@link Reads.tick} is to be called at this moment at the latest. */
  alarm(at: number): void
  /** The server answers. */
  worked(): void
  /** It is too busy. */
  busy(): void
}

/** One read without an answer. */
interface ReadCall {
  readonly op: Uint8Array
  readonly stale: boolean
  /** The moment after which it fails (ms of the client's clock). */
  readonly deadline: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  /** When it was last sent; null if no server could do anything about it yet. */
  sentAt: number | null
  /** The moment before which it is not sent again. */
  resumeAt: number
  /** How often servers were too busy for it. */
  refusals: number
}

export class Reads {
  readonly #clock: Clock
  readonly #link: Pick<Link, 'ready' | 'reason' | 'send' | 'fail'>
  readonly #host: ReadsHost
  /** Those to be sent, the oldest first. */
  #waiting: ReadCall[] = []
  /** Those that a busy server did not take: they wait for their time. */
  readonly #held = new Set<ReadCall>()
  /** By number: those that were sent over the connection that is up, the oldest first. */
  readonly #sent = new Map<number, ReadCall>()
  #lastNumber = 0
  /** Of all operations. */
  #bytes = 0
  /** When the last answer came to a read, and to one that may be stale. */
  #answeredAt = 0
  #staleAt = 0

  constructor(clock: Clock, link: Pick<Link, 'ready' | 'reason' | 'send' | 'fail'>, host: ReadsHost) {
    this.#clock = clock
    this.#link = link
    this.#host = host
  }

  /** Reads without an answer. */
  get size(): number {
    return this.#waiting.length + this.#held.size + this.#sent.size
  }

  /**
   * Resolves with the decoded value; of a stale read with that and the slot, as {@link StaleRead}. Rejects with ClientError, or
   * with the service's Refusal.
   */
  read(op: Uint8Array, stale: boolean, timeout: number): Promise<unknown> {
    if (this.size >= MAX_CALLS || this.#bytes >= MAX_BYTES) {
      const message = `${this.size} reads wait in this client already: submit fewer at a time`
      return Promise.reject(new ClientError('BUSY', message))
    }
    const deadline = this.#clock.now() + timeout
    return new Promise((resolve, reject) => {
      this.#waiting.push({ op, stale, deadline, resolve, reject, sentAt: null, resumeAt: 0, refusals: 0 })
      this.#bytes += op.length
      this.#host.alarm(deadline)
      this.#host.wanted()
    })
  }

  linkReady(): void {
    this.#lastNumber = 0
  }

  /** What was sent will have no answer. */
  linkLost(): void {
    this.#waiting = [...this.#sent.values(), ...this.#waiting]
    this.#sent.clear()
  }

  /** Sends what waits, as far as there is room: in one frame, if it is not too much. */
  flush(): void {
    if (this.#waiting.length === 0 || this.#sent.size >= WINDOW) return
    const now = this.#clock.now()
    let ops: Uint8Array[] = []
    let bytes = 0
    let stale = false
    const send = (): void => {
      if (ops.length > 0) this.#link.send({ type: 'read', stale, first: this.#lastNumber - ops.length + 1, ops })
      ops = []
      bytes = 0
    }
    for (const call of this.#waiting.splice(0, WINDOW - this.#sent.size)) {
      if (call.stale !== stale || bytes + call.op.length > FRAME_BYTES) send()
      stale = call.stale
      call.sentAt = now
      this.#sent.set(++this.#lastNumber, call)
      ops.push(call.op)
      bytes += call.op.length
    }
    send()
    this.#host.alarm(now + doubtAfter(0))
  }

  /** When the first of those without an answer was sent over the connection that is up (ms); Infinity if there is none. */
  get askedAt(): number {
    for (const { sentAt } of this.#sent.values()) return sentAt ?? Infinity
    return Infinity
  }

  answered({ slot, answers }: Extract<ServerFrame, { type: 'answers' }>): void {
    const now = this.#clock.now()
    let works = false
    let isBusy = false
    let reason: string | null = null
    for (const { number, status, value } of answers) {
      const call = this.#sent.get(number)
      if (call === undefined) continue // its time was over
      this.#sent.delete(number)
      if (status === 'busy') {
        isBusy = true
        this.#hold(call, now)
      } else if (status === 'rejected') {
        reason = this.#rejected(call, value) ?? reason
      } else {
        works = true
        if (call.stale) this.#staleAt = now
        else this.#answeredAt = now
        this.#bytes -= call.op.length
        settle(call, slot, status, value)
      }
    }
    if (works) this.#host.worked()
    if (reason !== null) this.#link.fail(reason)
    else if (isBusy) this.#host.busy()
    if (this.#waiting.length > 0) this.#host.wanted()
  }

  /** Sees to those whose time is over, and to a server that gives no answer. Gives the moment to look again. */
  tick(now: number): number {
    this.#timeOut(now)
    let next = Infinity
    for (const call of this.#held) {
      if (call.resumeAt <= now) {
        this.#held.delete(call)
        this.#waiting.push(call)
      } else next = Math.min(next, call.resumeAt, call.deadline)
    }
    for (const call of this.#sent.values()) {
      // Answers come about in the order of the reads: those before it may take long.
      const late = Math.max(call.sentAt ?? 0, call.stale ? this.#staleAt : this.#answeredAt) + ATTEMPT_TIMEOUT
      if (late <= now) {
        this.#link.fail('the server gave no answer to a read in time')
        break
      }
      next = Math.min(next, late, call.deadline)
    }
    for (const { deadline } of this.#waiting) next = Math.min(next, deadline)
    return next
  }

  fail(code: ClientErrorCode, message: string): void {
    const calls = [...this.#sent.values(), ...this.#waiting, ...this.#held]
    this.#waiting = []
    this.#sent.clear()
    this.#held.clear()
    this.#bytes = 0
    for (const { reject } of calls) reject(new ClientError(code, message))
  }

  #timeOut(now: number): void {
    const isOver = (call: ReadCall): boolean => {
      if (call.deadline > now) return false
      this.#bytes -= call.op.length
      call.reject(this.#lateness(call))
      return true
    }
    for (const [number, call] of this.#sent) if (isOver(call)) this.#sent.delete(number)
    for (const call of this.#held) if (isOver(call)) this.#held.delete(call)
    this.#waiting = this.#waiting.filter((call) => !isOver(call))
  }

  #lateness({ sentAt, refusals }: ReadCall): ClientError {
    if (sentAt === null && !this.#link.ready) {
      const message = `no server could answer the read in time (the last try: ${this.#link.reason})`
      return new ClientError('UNAVAILABLE', message)
    }
    if (refusals > 0) return new ClientError('BUSY', 'the servers were too busy to answer the read')
    return new ClientError(
      'TIMEOUT',
      'the read has no answer in time: perhaps a majority of the servers is out of reach',
    )
  }

  #hold(call: ReadCall, now: number): void {
    call.sentAt = null
    call.resumeAt = now + busyWait(this.#clock, call.refusals++)
    this.#held.add(call)
    this.#host.alarm(call.resumeAt)
  }

  /** It was not executed, or failed. If another server may do better: why this one does not. */
  #rejected(call: ReadCall, value: Uint8Array): string | null {
    const { code, message } = rejection(value)
    if (code === 'NOT_SERVING') {
      call.sentAt = null
      this.#waiting.push(call)
      return message
    }
    this.#bytes -= call.op.length
    const known = code === 'BAD_OPERATION' || code === 'READ_FAILED' ? code : 'INCOMPATIBLE'
    call.reject(new ClientError(known, message))
    return null
  }
}

function settle(call: ReadCall, slot: number, status: 'ok' | 'refused', bytes: Uint8Array): void {
  let value: unknown
  try {
    value = status === 'ok' ? decodeValue(bytes) : decodeRefusal(bytes)
  } catch (error) {
    call.reject(new ClientError('INCOMPATIBLE', `the answer cannot be read: ${reasonOf(error)}`))
    return
  }
  if (status === 'refused') call.reject(value as Error)
  else call.resolve(call.stale ? { slot, value } : value)
}

function rejection(value: Uint8Array): ReturnType<typeof readRejection> {
  try {
    return readRejection(value)
  } catch (error) {
    return { code: 'INCOMPATIBLE', message: `the answer cannot be read: ${reasonOf(error)}` }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
