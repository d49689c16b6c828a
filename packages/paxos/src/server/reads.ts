/**
 * Clients' reads, which need no log. They wait in the order in which they came, until the core says that the state as it is
 * then may answer them; those that may be stale do not wait. One operation is unpacked once, when it arrives.
 */
import type { Clock } from '../clock.js'
import type { Slot } from '../protocol/command.js'
import { SynodError } from '../protocol/error.js'
import type { ReadResult } from '../service/service-codec.js'
import { rejectionOf } from '../transport/read-frames.js'
import type { ClientFrame, ServerStatus } from '../transport/wire.js'
import type { Asker } from './asker.js'
import type { Log } from './log.js'

/** Reads that wait at one time, and bytes of their operations: past that they are refused as `busy`. */
const MAX_WAITING = 20_000
const MAX_BYTES = 64 << 20
/** In one turn reads are answered for so long (ms); the rest of them in the next one. */
const LONGEST = 10
/** The clock is read after so many. */
const CHUNK = 8
/** Of reads at which the service failed one is told in so long (ms). */
const WARN_EVERY = 1_000

const NOTHING = new Uint8Array(0)
const NOT_SERVING = rejectionOf(
  new SynodError('NOT_SERVING', 'this server answers no reads now: try another one, or again'),
)

/** What the reads need of their server. */
export interface ReadsHost {
  /** See {@link ClientsHost.takes}: only then it can be confirmed that the state is that of the cluster. */
  takes(): 'yes' | 'no' | 'busy'
  /** Whether there is a whole state, be it old. */
  isWhole(): boolean
  /** The last slot that was executed. */
  applied(): Slot
  /** The operation in these bytes, if it only reads. Throws SynodError `BAD_OPERATION`. */
  admitRead(op: Uint8Array): unknown
  /** Executes such an operation. Throws SynodError `READ_FAILED`. */
  read(slot: Slot, op: unknown): ReadResult
  /** The end of this turn has something to do: reads have come, or answers wait. */
  wake(): void
}

/** A read that waits. */
interface Waiting {
  readonly asker: Asker
  readonly number: number
  readonly op: unknown
  readonly stale: boolean
  readonly bytes: number
}

/** See {@link ServerStatus.reads}. */
export type ReadCounts = Pick<ServerStatus['reads'], 'answered' | 'stale' | 'waiting'>

export class Reads {
  /** How many were answered since the start, and of those: at once, be the state old. */
  #served = 0
  #servedStale = 0
  readonly #host: ReadsHost
  readonly #clock: Clock
  readonly #log: Log
  readonly #queue: Waiting[] = []
  /** Those that may be stale: they are answered in the turn in which they came, unless that takes long. */
  readonly #stale: Waiting[] = []
  /** Of all operations that wait. */
  #bytes = 0
  /** How many the core has not been told of: the last ones in the queue. */
  #arrived = 0
  /** How many have left the queue since the start: the core counts them all. */
  #taken = 0
  /** Those with answers that wait for the end of the turn. */
  #waiting: Asker[] = []
  #warnedAt = -Infinity
  #unsaid = 0

  constructor(host: ReadsHost, clock: Clock, log: Log) {
    this.#host = host
    this.#clock = clock
    this.#log = log
  }

  get counts(): ReadCounts {
    const waiting = this.#queue.length + this.#stale.length
    return { answered: this.#served, stale: this.#servedStale, waiting }
  }

  /** Takes in what a client asks. */
  take(asker: Asker, { stale, first, ops }: Extract<ClientFrame, { type: 'read' }>): void {
    asker.look()
    const takes = stale ? (this.#host.isWhole() ? 'yes' : 'no') : this.#host.takes()
    let number = first
    for (const op of ops) {
      if (takes === 'no') this.#refuse(asker, number, 'rejected', NOT_SERVING)
      else if (takes === 'busy' || asker.isSlow || this.#isFull) this.#refuse(asker, number, 'busy', NOTHING)
      else this.#admit(asker, number, op, stale)
      number++
    }
    if (takes === 'no')
      this.flush() // there may be no turn
    else this.#host.wake()
  }

  /** How many have come since this was asked last: the core is to hear of them before its next Ready. */
  arrived(): number {
    const arrived = this.#arrived
    this.#arrived = 0
    return arrived
  }

  /** The first so many of all that ever came may be answered now. What is not done in this turn may be later just as well. */
  serve(readable: number): void {
    if (!this.#isDue(readable)) return
    if (!this.#host.isWhole()) return this.#leaveStale()
    const slot = this.#host.applied()
    const end = this.#clock.now() + LONGEST
    do {
      for (const read of this.#next(readable)) {
        this.#bytes -= read.bytes
        if (!read.asker.isGone) this.#answer(read, slot)
      }
    } while (this.#isDue(readable) && this.#clock.now() < end)
    if (this.#isDue(readable)) this.#host.wake()
  }

  /** Sends the answers that wait: one frame for each client (more if they are much). */
  flush(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const asker of waiting) asker.send()
  }

  get #isFull(): boolean {
    return this.#queue.length + this.#stale.length >= MAX_WAITING || this.#bytes >= MAX_BYTES
  }

  #isDue(readable: number): boolean {
    return this.#stale.length > 0 || this.#taken < readable
  }

  /** Some of those that are due: first those that do not wait for the core. */
  #next(readable: number): Waiting[] {
    if (this.#stale.length > 0) return this.#stale.splice(0, CHUNK)
    const next = this.#queue.splice(0, Math.min(CHUNK, readable - this.#taken))
    this.#taken += next.length
    return next
  }

  /** There is no whole state any more. Who waits for the core waits on: it says nothing before there is one. */
  #leaveStale(): void {
    for (const { asker, number, bytes } of this.#stale.splice(0)) {
      this.#bytes -= bytes
      this.#refuse(asker, number, 'rejected', NOT_SERVING)
    }
  }

  #admit(asker: Asker, number: number, bytes: Uint8Array, stale: boolean): void {
    let op: unknown
    try {
      op = this.#host.admitRead(bytes)
    } catch (error) {
      return this.#refuse(asker, number, 'rejected', rejectionOf(expected(error)))
    }
    const queue = stale ? this.#stale : this.#queue
    queue.push({ asker, number, op, stale, bytes: bytes.length })
    this.#bytes += bytes.length
    if (!stale) this.#arrived++
  }

  #answer({ asker, number, op, stale }: Waiting, slot: Slot): void {
    if (asker.isSlow) return this.#refuse(asker, number, 'busy', NOTHING)
    let result: ReadResult
    try {
      result = this.#host.read(slot, op)
    } catch (error) {
      const failure = expected(error)
      this.#warn(failure.message)
      return this.#refuse(asker, number, 'rejected', rejectionOf(failure))
    }
    this.#served++
    if (stale) this.#servedStale++
    if (!asker.waits) this.#waiting.push(asker)
    asker.answer(slot, { number, status: result.status, value: result.value })
  }

  /** It was not executed, so it does not matter on which state. */
  #refuse(asker: Asker, number: number, status: 'busy' | 'rejected', value: Uint8Array): void {
    if (!asker.waits) this.#waiting.push(asker)
    asker.answer(asker.slot, { number, status, value })
  }

  #warn(message: string): void {
    const now = this.#clock.now()
    this.#unsaid++
    if (now - this.#warnedAt < WARN_EVERY) return
    this.#log.warn(this.#unsaid > 1 ? `${message} (and ${this.#unsaid - 1} more since the last time)` : message)
    this.#warnedAt = now
    this.#unsaid = 0
  }
}

function expected(error: unknown): SynodError {
  if (error instanceof SynodError) return error
  throw error
}
