/**
 * Tells clients who leads. They go to that server then, and thousands that came at once would keep it from leading: so some are
 * told at a time.
 */
import type { Cancel, Clock } from '../clock.js'
import type { ServerId } from '../protocol/ballot.js'
import { encodeFrame } from '../transport/codec.js'
import type { Connection } from '../transport/transport.js'

/** So many are told at a time, and the next after so long (ms). */
const AT_ONCE = 64
const PAUSE = 100

/** Who may be told. */
interface Hearer {
  readonly connection: Connection
  readonly onlyAsks: boolean
}

export class Herald {
  readonly #clients: ReadonlySet<Hearer>
  readonly #clock: Clock
  #leader: ServerId | null = null
  /** Who has not been told yet, and some who came meanwhile, and know. */
  #rest: Iterator<Hearer> = [].values()
  #cancel: Cancel = () => undefined

  constructor(clients: ReadonlySet<Hearer>, clock: Clock) {
    this.#clients = clients
    this.#clock = clock
  }

  /** As far as this server knows. */
  get leader(): ServerId | null {
    return this.#leader
  }

  tell(leader: ServerId | null): void {
    if (leader === this.#leader) return
    this.#leader = leader
    this.#rest = this.#clients.values()
    this.#tellSome()
  }

  stop(): void {
    this.#cancel()
  }

  #tellSome(): void {
    this.#cancel()
    const frame = encodeFrame({ type: 'leader', leader: this.#leader })
    for (let count = 0; count < AT_ONCE; count++) {
      const next = this.#rest.next()
      if (next.done === true) return
      const { onlyAsks, connection } = next.value
      if (!onlyAsks) connection.send(frame)
    }
    this.#cancel = this.#clock.after(PAUSE, () => this.#tellSome())
  }
}
