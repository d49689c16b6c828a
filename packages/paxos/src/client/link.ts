/** A client's way to the cluster: a connection to any one of the servers, and to the next when that one fails. */
import type { Cancel, Clock } from '../clock.js'
import { decodeServerFrame, encodeFrame } from '../transport/codec.js'
import type { Connection, Dialer } from '../transport/transport.js'
import type { ClientFrame, Goodbye, ServerFrame, Welcome } from '../transport/wire.js'
import { WIRE_VERSION } from '../transport/wire.js'
import { chance, spread } from './patience.js'

/** A server that has not welcomed the client after this time (ms) is given up. */
const WELCOME_TIMEOUT = 2_000
/** When all servers have failed: the first wait (ms), doubled with each round up to the longest, and spread at random. */
const FIRST_WAIT = 50
const LONGEST_WAIT = 1_000

/** Where a link leads. */
export interface LinkOptions {
  /** Addresses of servers. */
  readonly servers: readonly string[]
  /** Whether the addresses that a server tells are tried, too. */
  readonly discover: boolean
  readonly onConnection: (connectivity: Connectivity) => void
}

/** Whether a client has a connection to a server. */
export type Connectivity =
  { readonly state: 'connected'; readonly address: string } | { readonly state: 'lost'; readonly reason: string }

/** What the owner of a link hears. */
export interface LinkOwner {
  /** Whether a connection is worth having now. */
  readonly wantsLink: boolean
  /** A server has welcomed the client. */
  linkReady(): void
  linkFrame(frame: ServerFrame): void
  /** The server that had welcomed the client is out of reach. */
  linkLost(): void
  /** Every server said that it does not speak with this client. */
  linkRefused(message: string): void
}

export class Link {
  /** Why the last connection failed. */
  reason = 'no server was tried yet'
  readonly #service: string
  readonly #options: LinkOptions
  readonly #dialer: Dialer
  readonly #clock: Clock
  readonly #owner: LinkOwner
  readonly #addresses: string[]
  /** Addresses whose servers do not speak with this client. */
  readonly #refused = new Set<string>()
  #next: number
  #connection: Connection | undefined
  #ready = false
  /** Failures since a command had an outcome. */
  #failures = 0
  /** Of the wait for the welcome, or for the next dial. */
  #cancel: Cancel | undefined
  #waiting = false
  /** Connections that have not ended yet. */
  #open = 0
  #ended: (() => void) | undefined

  constructor(service: string, options: LinkOptions, dialer: Dialer, clock: Clock, owner: LinkOwner) {
    this.#service = service
    this.#options = options
    this.#dialer = dialer
    this.#clock = clock
    this.#owner = owner
    this.#addresses = [...new Set(options.servers)]
    this.#next = Math.floor(chance(clock) * this.#addresses.length)
  }

  get ready(): boolean {
    return this.#ready
  }

  /** Whether there is another server to go to. */
  get hasOthers(): boolean {
    return this.#addresses.length > 1
  }

  /** Sees to it that there is a connection, or will be. */
  want(): void {
    if (this.#connection === undefined && !this.#waiting) this.#dial()
  }

  send(frame: ClientFrame): void {
    this.#connection?.send(encodeFrame(frame))
  }

  /** A command had an outcome: the server is a good one. */
  worked(): void {
    this.#failures = 0
  }

  /** Gives the connection up, and goes on to the next server. */
  fail(reason: string): void {
    const connection = this.#connection
    this.#lost(reason)
    connection?.close(reason)
  }

  /** Ends the connection; resolves when it, and those that were given up before, have ended. */
  close(): Promise<void> {
    this.#cancel?.()
    this.#connection?.close('the client was closed')
    this.#connection = undefined
    this.#ready = false
    return new Promise((resolve) => {
      this.#ended = resolve
      if (this.#open === 0) resolve()
    })
  }

  #dial(): void {
    const address = this.#addresses[this.#next % this.#addresses.length] ?? ''
    const isCurrent = (): boolean => this.#connection === connection
    const connection: Connection = this.#dialer.dial(address, {
      opened: () => {
        if (isCurrent()) connection.send(encodeFrame({ type: 'client', version: WIRE_VERSION, service: this.#service }))
      },
      frame: (bytes) => {
        if (isCurrent()) this.#receive(bytes, address)
      },
      closed: (reason) => {
        if (--this.#open === 0) this.#ended?.()
        if (isCurrent()) this.#lost(`${address}: ${reason}`)
      },
    })
    this.#connection = connection
    this.#open++
    this.#cancel = this.#clock.after(WELCOME_TIMEOUT, () => this.fail(`${address} does not answer`))
  }

  #receive(bytes: Uint8Array, address: string): void {
    let frame: Welcome | Goodbye | ServerFrame
    try {
      frame = decodeServerFrame(bytes)
    } catch (error) {
      return this.fail(`${address}: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (frame.type === 'welcome') this.#welcomed(frame, address)
    else if (frame.type === 'goodbye') this.#dismissed(frame, address)
    else this.#owner.linkFrame(frame)
  }

  #welcomed(welcome: Welcome, address: string): void {
    if (this.#ready) return
    this.#cancel?.()
    this.#ready = true
    this.#refused.clear()
    const told = this.#options.discover ? welcome.servers : []
    for (const other of told) if (!this.#addresses.includes(other)) this.#addresses.push(other)
    this.#options.onConnection({ state: 'connected', address })
    this.#owner.linkReady()
  }

  #dismissed(goodbye: Goodbye, address: string): void {
    if (isIncompatible(goodbye)) this.#refused.add(address)
    this.fail(`${address}: ${goodbye.message}`)
    if (this.#addresses.every((other) => this.#refused.has(other))) {
      this.#refused.clear()
      this.#owner.linkRefused(goodbye.message)
    }
  }

  /** The connection is of no use any more: goes on to the next server, after a while if it was the last one's turn. */
  #lost(reason: string): void {
    const wasReady = this.#ready
    this.#cancel?.()
    this.#connection = undefined
    this.#ready = false
    this.reason = reason
    this.#next++
    this.#failures++
    const rounds = this.#failures / this.#addresses.length
    if (wasReady) {
      this.#options.onConnection({ state: 'lost', reason })
      this.#owner.linkLost()
    }
    this.#waiting = true
    const wait = Number.isInteger(rounds) ? Math.min(FIRST_WAIT * 2 ** (rounds - 1), LONGEST_WAIT) : 0
    this.#cancel = this.#clock.after(spread(this.#clock, wait), () => {
      this.#waiting = false
      if (this.#owner.wantsLink) this.want()
    })
  }
}

/** Whether a goodbye means that the server and the client do not fit. */
export function isIncompatible({ code }: Goodbye): boolean {
  return code === 'WRONG_VERSION' || code === 'WRONG_SERVICE'
}
