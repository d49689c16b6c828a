/** How a client gets its session: the cluster opens it by a logged command, which may have to be sent several times. */
import { Buffer } from 'node:buffer'
import type { Result } from '../protocol/command.js'
import type { Clock } from '../clock.js'
import { busyWait } from './patience.js'
import { Session } from './session.js'

export class Opening {
  /** What new commands go into; it has no client id until the cluster gave it one. */
  session: Session
  /** When the opening was last sent over the connection that is up; null if it was not sent over that one. */
  sentAt: number | null = null
  /** The moment before which it is not sent. */
  notBefore = 0
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

  get isDue(): boolean {
    return this.session.clientId === undefined && this.sentAt === null && this.notBefore <= this.#clock.now()
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
    this.notBefore = this.#clock.now() + busyWait(this.#clock, this.#vain++)
  }

  #fresh(): Session {
    return new Session(Buffer.from(this.#clock.random(16)).toString('hex'))
  }
}
