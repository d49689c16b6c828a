/**
 * A client's way to the cluster: a connection to one of the servers, and to another one when that fails, or is silent, or
 * when another one leads: there commands have their outcomes soonest. The new connection is made before the old one is left.
 */
import type { Cancel, Clock } from '../clock.js'
import type { ServerId } from '../protocol/ballot.js'
import type { Dialer } from '../transport/transport.js'
import type { ClientFrame, Goodbye, ServerFrame } from '../transport/wire.js'
import { Contact } from './contact.js'
import { chance, spread, WELCOME_WITHIN } from './patience.js'

/** When all servers have failed: the first wait (ms), doubled with each round up to the longest, and spread at random. */
const FIRST_WAIT = 50
const LONGEST_WAIT = 1_000
/** From one move to the leader's server to the next (ms); doubled with each that fails, as that server may be out of reach for good. */
const FIRST_MOVE_WAIT = 1_000
const LONGEST_MOVE_WAIT = 600_000
/** A server that was left because it was silent is not gone back to for so long (ms), though it leads. */
const DISTRUST = 5_000

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
  /** Whether commands wait for their outcomes: it matters to which server. */
  readonly isWaiting: boolean
  /** A server has welcomed the client. */
  linkReady(): void
  linkFrame(frame: ServerFrame): void
  /** It was on its way to the leader's server, and is so no more: that one cannot be reached, or does not lead. */
  linkStays(): void
  /** The server that had welcomed the client is out of reach, or left for another one. */
  linkLost(): void
  /** Every server said that it does not speak with this client. */
  linkRefused(message: string): void
}

/** A second connection, and what for: its server leads, or the first one's is silent. */
interface Second {
  readonly contact: Contact
  readonly why: 'leads' | 'doubt'
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
  /** Which server was met at an address. */
  readonly #met = new Map<string, ServerId>()
  #next: number
  #current: Contact | undefined
  #second: Second | undefined
  #ready = false
  /** When the server of the current connection was asked for a word, or another one besides (ms). */
  #askedAt = 0
  /** Failures since a command had an outcome. */
  #failures = 0
  /** Of the next dial, or of the doubt about the last one. */
  #cancel: Cancel | undefined
  #waiting = false
  /** The moment before which it does not go where the leader is (ms). */
  #moveFrom = 0
  #moveWait = FIRST_MOVE_WAIT
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

  /** Whether it is on its way to the leader's server. */
  get isMoving(): boolean {
    return this.#second?.why === 'leads'
  }

  /** Sees to it that there is a connection, or will be. */
  want(): void {
    if (this.#current === undefined && !this.#waiting) this.#dial()
  }

  send(frame: ClientFrame): void {
    this.#current?.send(frame)
    this.#look()
  }

  /** A command had an outcome: the server is a good one. */
  worked(): void {
    this.#failures = 0
  }

  /** When the server was heard last, if it says that it leads (ms): what it was sent is on its way, however long that takes. */
  get leaderHeardAt(): number {
    const { leader = null, welcome = null, heardAt = 0 } = this.#current ?? {}
    return this.#ready && leader === welcome?.server ? heardAt : 0
  }

  /**
   * The server has been silent for a while: it is asked for a word. Unless it gives one, and knows a leader, others may know
   * more. To be said again while it is silent.
   *
   * @param wordWithin how long it has for a word (ms)
   * @param forLong others are asked in any case
   */
  doubt(wordWithin: number, forLong = false): void {
    if (!this.hasOthers) return
    this.#consider()
    const [current, second] = [this.#current, this.#second]
    if (current === undefined) return
    const isSilent = current.heardAt < this.#askedAt
    if (second === undefined && (!this.#ready || isSilent || forLong || current.leader === null))
      this.#dialSecond(this.#another(), 'doubt')
    if (isSilent) return
    this.#askedAt = this.#clock.now()
    if (!this.#ready) return
    current.send({ type: 'leader' })
    if (this.#second === undefined) this.#doubtSoon(wordWithin)
  }

  /** Gives the connection up, and goes on to the next server. */
  fail(reason: string): void {
    const current = this.#current
    this.#lost(reason)
    current?.close(reason)
  }

  /** Ends the connection; resolves when it, and those that were given up before, have ended. */
  close(): Promise<void> {
    this.#cancel?.()
    for (const contact of [this.#current, this.#second?.contact]) contact?.close('the client was closed')
    this.#current = undefined
    this.#second = undefined
    this.#ready = false
    return new Promise((resolve) => {
      this.#ended = resolve
      if (this.#open === 0) resolve()
    })
  }

  #dial(): void {
    this.#current = this.#contact(this.#addresses[this.#next % this.#addresses.length] ?? '')
    this.#doubtSoon(WELCOME_WITHIN)
  }

  /** Unless the server has welcomed the client, or given a word, within so long (ms), another one is tried besides. */
  #doubtSoon(wait: number): void {
    this.#cancel?.()
    this.#cancel = this.#clock.after(wait, () => {
      // Behind what has arrived: a process that did not run for a while hears first what came meanwhile.
      this.#clock.defer(() => {
        const { heardAt = 0 } = this.#current ?? {}
        if (!this.#ready || heardAt < this.#askedAt) this.doubt(wait)
      })
    })
  }

  #dialSecond(address: string | undefined, why: Second['why']): void {
    if (address !== undefined) this.#second = { contact: this.#contact(address), why }
  }

  #contact(address: string): Contact {
    this.#open++
    return new Contact(this.#service, address, this.#dialer, this.#clock, {
      welcomed: (contact) => this.#welcomed(contact),
      led: (contact) => {
        if (contact === this.#current) this.#look()
        this.#consider()
      },
      frame: (contact, frame) => {
        if (contact !== this.#current) return
        if (this.#second?.why === 'doubt') this.#dropSecond('the other server is heard again')
        this.#owner.linkFrame(frame)
      },
      failed: (contact, reason, goodbye) => this.#failed(contact, reason, goodbye),
      ended: () => {
        if (--this.#open === 0) this.#ended?.()
      },
    })
  }

  #welcomed(contact: Contact): void {
    if (contact.welcome === null) return
    const { server, servers } = contact.welcome
    this.#refused.clear()
    this.#met.set(contact.address, server)
    for (const other of this.#options.discover ? servers : [])
      if (!this.#addresses.includes(other)) this.#addresses.push(other)
    if (contact === this.#current) this.#begin()
    else this.#consider()
  }

  /** The server of the current connection has welcomed the client. */
  #begin(): void {
    this.#cancel?.()
    this.#ready = true
    this.#options.onConnection({ state: 'connected', address: this.#current?.address ?? '' })
    this.#look()
    this.#owner.linkReady()
  }

  /** Goes where the leader is, if that is elsewhere and somebody waits. */
  #look(): void {
    const { leader = null, welcome = null } = this.#current ?? {}
    if (leader === null || welcome === null || leader === welcome.server) return
    if (this.#second !== undefined || this.#clock.now() < this.#moveFrom || !this.#owner.isWaiting) return
    this.#dialSecond(this.#addressOf(leader, welcome.servers[leader]), 'leads')
  }

  /** By which address to try a server: where it was met, or told to be, or (of a few that were given) might be. */
  #addressOf(server: ServerId, told: string | undefined): string | undefined {
    const others = this.#addresses.filter(
      (address) => address !== this.#current?.address && !this.#refused.has(address),
    )
    const unknown = others.filter((address) => !this.#met.has(address))
    const likely = unknown.find((address) => address === told) ?? (this.#options.discover ? undefined : unknown[0])
    return others.find((address) => this.#met.get(address) === server) ?? likely
  }

  /** A server to ask, besides the current one. */
  #another(): string | undefined {
    const others = this.#addresses.filter(
      (address) => address !== this.#current?.address && !this.#refused.has(address),
    )
    return others[this.#next++ % others.length]
  }

  /** Whether the second connection is the better one. */
  #consider(): void {
    const [current, second] = [this.#current, this.#second]
    if (second === undefined || second.contact.welcome === null) return
    const { contact, why } = second
    const { server } = second.contact.welcome
    if (current?.welcome === undefined || current.welcome === null) return this.#swap(contact)
    if (why === 'leads') {
      if (contact.leader === server) {
        this.#moveWait = FIRST_MOVE_WAIT
        this.#moveFrom = this.#clock.now() + FIRST_MOVE_WAIT
        return this.#swap(contact)
      }
      this.#dropSecond('it does not lead')
      // Another address may be the leader's; each is tried once to know whose it is.
      if (server !== current.leader) this.#look()
      return this.isMoving ? undefined : this.#stay()
    }
    // It is asked who leads, and so is the silent one: either may be wrong about itself.
    const isSilent = current.heardAt < this.#askedAt
    if (contact.leader === null || contact.leader === current.welcome.server) return
    if (!isSilent && contact.leader === current.leader) return
    this.#moveFrom = this.#clock.now() + DISTRUST
    this.#swap(contact)
  }

  #swap(contact: Contact): void {
    const old = this.#current
    this.#current = contact
    this.#second = undefined
    this.#next = this.#addresses.indexOf(contact.address)
    if (this.#ready) this.#owner.linkLost()
    old?.close('another server is preferred')
    this.#begin()
  }

  #dropSecond(reason: string): void {
    this.#second?.contact.close(reason)
    this.#second = undefined
  }

  #failed(contact: Contact, reason: string, goodbye: Goodbye | undefined): void {
    if (goodbye !== undefined && isIncompatible(goodbye)) this.#refused.add(contact.address)
    if (contact === this.#current) this.#lost(reason)
    else if (contact === this.#second?.contact) this.#lostSecond(this.#second)
    if (goodbye === undefined || !this.#addresses.every((address) => this.#refused.has(address))) return
    this.#refused.clear()
    this.#owner.linkRefused(goodbye.message)
  }

  #lostSecond({ why }: Second): void {
    this.#second = undefined
    if (!this.#ready) return this.#doubtSoon(WELCOME_WITHIN)
    if (why === 'doubt') return // whoever doubts says so again
    this.#stay()
  }

  /** The leader's server is no better, or cannot be reached: it is tried again after a while. */
  #stay(): void {
    this.#moveFrom = this.#clock.now() + spread(this.#clock, this.#moveWait)
    this.#moveWait = Math.min(2 * this.#moveWait, LONGEST_MOVE_WAIT)
    this.#owner.linkStays()
  }

  /** The connection is of no use any more: goes on with the next server, after a while if it was the last one's turn. */
  #lost(reason: string): void {
    const [lost, second, wasReady] = [this.#current, this.#second, this.#ready]
    this.#cancel?.()
    this.#current = second?.contact
    this.#second = undefined
    this.#ready = false
    this.reason = reason
    if (wasReady) {
      this.#options.onConnection({ state: 'lost', reason })
      this.#owner.linkLost()
    }
    if (second === undefined) return this.#dialNext(lost)
    if (second.contact.welcome === null) this.#doubtSoon(WELCOME_WITHIN)
    else this.#begin()
  }

  #dialNext(lost: Contact | undefined): void {
    this.#failures++
    this.#next++
    const { leader = null, welcome = null } = lost ?? {}
    const led = leader === null ? undefined : this.#addressOf(leader, welcome?.servers[leader])
    if (led !== undefined && leader !== welcome?.server) this.#next = this.#addresses.indexOf(led)
    const rounds = this.#failures / this.#addresses.length
    const wait = Number.isInteger(rounds) ? Math.min(FIRST_WAIT * 2 ** (rounds - 1), LONGEST_WAIT) : 0
    this.#waiting = true
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
