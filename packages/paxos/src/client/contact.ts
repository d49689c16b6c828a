/** One connection of a client's to one server: dialed, welcomed, and over. */
import type { Cancel, Clock } from '../clock.js'
import type { ServerId } from '../protocol/ballot.js'
import { decodeServerFrame, encodeFrame } from '../transport/codec.js'
import type { Connection, Dialer } from '../transport/transport.js'
import type { ClientFrame, Goodbye, ServerFrame, Welcome } from '../transport/wire.js'
import { WIRE_VERSION } from '../transport/wire.js'

/** A server that has not welcomed the client after this time (ms) is given up. */
const WELCOME_TIMEOUT = 5_000

/** What the owner of a connection hears; nothing any more once it has closed it. */
export interface ContactOwner {
  /** The server has welcomed the client. */
  welcomed(contact: Contact): void
  /** The server told who leads now. */
  led(contact: Contact): void
  frame(contact: Contact, frame: ServerFrame): void
  /** It is of no use any more, and closed; `goodbye`: what the server said last. */
  failed(contact: Contact, reason: string, goodbye?: Goodbye): void
  /** It has ended, whoever ended it. */
  ended(): void
}

export class Contact {
  readonly address: string
  /** null: the server has not welcomed the client yet. */
  welcome: Welcome | null = null
  /** Who leads, as the server told last; null: it knows no leader. */
  leader: ServerId | null = null
  /** When something came over it last (ms of the clock). */
  heardAt: number
  readonly #clock: Clock
  readonly #owner: ContactOwner
  readonly #connection: Connection
  readonly #cancel: Cancel
  #over = false

  /** Dials. @param service what the server must serve */
  constructor(service: string, address: string, dialer: Dialer, clock: Clock, owner: ContactOwner) {
    this.address = address
    this.#clock = clock
    this.#owner = owner
    this.heardAt = clock.now()
    this.#connection = dialer.dial(address, {
      opened: () => {
        if (!this.#over) this.#connection.send(encodeFrame({ type: 'client', version: WIRE_VERSION, service }))
      },
      frame: (bytes) => {
        if (!this.#over) this.#receive(bytes)
      },
      closed: (reason) => {
        if (!this.#over) this.#fail(reason)
        owner.ended()
      },
    })
    this.#cancel = clock.after(WELCOME_TIMEOUT, () => {
      clock.defer(() => {
        if (!this.#over && this.welcome === null) this.#fail('it does not answer')
      })
    })
  }

  send(frame: ClientFrame): void {
    this.#connection.send(encodeFrame(frame))
  }

  close(reason: string): void {
    this.#over = true
    this.#cancel()
    this.#connection.close(reason)
  }

  #receive(bytes: Uint8Array): void {
    this.heardAt = this.#clock.now()
    let frame: Welcome | Goodbye | ServerFrame
    try {
      frame = decodeServerFrame(bytes)
    } catch (error) {
      return this.#fail(error instanceof Error ? error.message : String(error))
    }
    if (frame.type === 'welcome') this.#welcomed(frame)
    else if (frame.type === 'goodbye') this.#fail(frame.message, frame)
    else if (frame.type === 'leader') {
      this.leader = frame.leader
      this.#owner.led(this)
    } else this.#owner.frame(this, frame)
  }

  #welcomed(welcome: Welcome): void {
    if (this.welcome !== null) return
    this.#cancel()
    this.welcome = welcome
    this.leader = welcome.leader
    this.#owner.welcomed(this)
  }

  #fail(reason: string, goodbye?: Goodbye): void {
    this.close(reason)
    this.#owner.failed(this, `${this.address}: ${reason}`, goodbye)
  }
}
