/** How a client gets its session: the cluster opens it by a logged command, which may have to be sent several times. */
import { Buffer } from 'node:buffer'
import type { Result } from '../protocol/command.js'
import type { Clock } from '../clock.js'
import { busyWait } from './patience.js'
import { Session } from './session.js'

/** A move to the leader's server is waited for so long (ms). */
const MOVE_PATIENCE = 300

export class Opening {
  /** What new commands go into; it has no client id until the cluster gave it one. */
  session: Session
  /** When the opening was last sent over the connection that is up; null if it was not sent over that one. */
  sentAt: number | null = null
  /** The moments before which it is not sent: for a pause, and because the client is about to go to another server. */
  #restsUntil = 0
  #movesUntil = 0
  readonly #clock: Clock
  /** Openings since a command had a result. */
  #vain = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.session = this.#fresh()
  }

  /** Whether servers refuse to open sessions, or forget them. */
  get isVain(): boolean {
    return this.#vain > 0
  }

  /** The moment before which it is not sent. */
  get notBefore(): number {
    return Math.max(this.#restsUntil, this.#movesUntil)
  }

  get isDue(): boolean {
    return this.session.clientId === undefined && this.sentAt === null && this.notBefore <= this.#clock.now()
  }

  /**
   * There is a connection. If the client goes on to the leader's server it is opened there: one that was opened at both would
   * leave a session that nobody ends.
   */
  linkReady(isMoving: boolean): void {
    this.#movesUntil = isMoving ? this.#clock.now() + MOVE_PATIENCE : 0
  }

  /** The session is forgotten: begins another, though not without a pause. */
  restart(): void {
    this.session = this.#fresh()
    this.#later()
  }

  /** The answer for this nonce. */
  answered(nonce: string, { status, value }: Result): void {
    if (nonce !== this.session.nonce || this.session.clientId !== undefined) return
    if (status === 'ok') this.session.clientId = Buffer.from(value).toString()
    else this.#later()
  }

  /** A command had a result. */
  worked(): void {
    this.#vain = 0
  }

  #later(): void {
    this.sentAt = null
    this.#restsUntil = this.#clock.now() + busyWait(this.#clock, this.#vain++)
  }

  #fresh(): Session {
    return new Session(Buffer.from(this.#clock.random(16)).toString('hex'))
  }
}
