/**
 * The connections between servers. For each peer there is one that this server dials, which carries its messages to that
 * peer (link.ts), and one that the peer dials, which carries the peer's. Each begins with a hello each way. A hello is
 * said again when the sender's formation has changed, and now and then by a server that is not formed; each is answered.
 *
 * A server that still reads its directory says nothing of itself, and hears nobody: who dials it tries again.
 *
 * Messages may be lost: the protocol bears it. So nothing is kept for a peer that is not there, and only so much for a
 * slow one.
 */
import type { ServerId } from '../protocol/ballot.js'
import { SynodError } from '../protocol/error.js'
import type { Message } from '../protocol/message.js'
import { decodePeerFrame, encodeFrame } from '../transport/codec.js'
import type { Connection, Dialer } from '../transport/transport.js'
import type { PeerFrame, PeerHello } from '../transport/wire.js'
import type { Cancel, Clock } from '../clock.js'
import { goodbye, NOBODY } from './greeter.js'
import type { Speaker } from './greeter.js'
import { Link } from './link.js'
import type { LinkHost } from './link.js'
import type { Log } from './log.js'

/** A server that is not formed says hello this often (ms): what was answered to it may have been lost. */
const HELLO_AGAIN = 1_000
/** Hellos that a peer has not read, at most (bytes). */
const BUFFER_LIMIT = 1 << 20

/** What the peers' connections need of their server. */
export interface PeersHost extends Omit<LinkHost, 'lost'> {
  /** It has read its directory: peers may be let in. */
  ready(): boolean
  /** Why this cannot be a peer's; null if it can. */
  mismatch(hello: PeerHello): SynodError | null
  /** The cluster whose messages are wanted; null while this server takes no part in it. */
  clusterId(): string | null
  /** Whether the server that said this was repaired since. */
  outdated(hello: PeerHello): boolean
  /** Messages of the peer that said this last, with the last batch that is durable there. */
  received(hello: PeerHello, frame: PeerFrame): void
  /** The connections to a peer broke, both ways. */
  unreachable(peer: ServerId): void
}

export class Peers {
  readonly #links = new Map<ServerId, Link>()
  /** The connections of peers that dialed this server. */
  readonly #inbound = new Map<ServerId, Connection>()
  readonly #clock: Clock
  readonly #log: Log
  readonly #host: PeersHost
  #cancelAsk: Cancel = () => undefined

  constructor(id: ServerId, addresses: readonly string[], dialer: Dialer, clock: Clock, log: Log, host: PeersHost) {
    this.#clock = clock
    this.#log = log
    this.#host = host
    for (const [peer, address] of addresses.entries()) {
      if (peer === id) continue
      this.#links.set(
        peer,
        new Link(peer, address, dialer, clock, log, {
          hello: (to) => host.hello(to),
          heard: (from, hello) => host.heard(from, hello),
          batch: () => host.batch(),
          lost: () => this.#lost(peer),
        }),
      )
    }
  }

  /** Begins to dial. */
  start(): void {
    for (const link of this.#links.values()) link.dial()
    this.#ask()
  }

  /** The peers that this server has a working connection to, in id order. */
  connected(): ServerId[] {
    return [...this.#links.values()].filter((link) => link.ready).map((link) => link.peer)
  }

  /** Puts a message into the frame that goes to a peer with the next {@link flush}. */
  send(to: ServerId, message: Message): void {
    this.#links.get(to)?.send(message)
  }

  /** Sends what waits. */
  flush(): void {
    for (const link of this.#links.values()) link.flush()
  }

  /** Says hello again on every connection: this server's formation has changed. */
  tell(): void {
    for (const link of this.#links.values()) link.greet()
    for (const [peer, connection] of this.#inbound) connection.send(encodeFrame(this.#host.hello(peer)))
  }

  /** A connection that came in began with this hello. Gives what becomes of the rest of it. */
  accept(connection: Connection, hello: PeerHello): Speaker {
    if (!this.#host.ready()) {
      goodbye(connection, new SynodError('NOT_SERVING', 'this server is still starting'))
      return NOBODY
    }
    connection.send(encodeFrame(this.#host.hello(hello.from)))
    const error = this.#host.mismatch(hello)
    if (error !== null) {
      this.#refuse(connection, error)
      return NOBODY
    }
    const peer = hello.from
    const older = this.#inbound.get(peer)
    this.#inbound.set(peer, connection)
    older?.close('replaced by a newer connection')
    this.#links.get(peer)?.hurry() // it is there
    let latest = hello
    return {
      frame: (bytes) => {
        if (this.#inbound.get(peer) === connection) latest = this.#receive(connection, latest, bytes)
      },
      closed: () => {
        if (this.#inbound.get(peer) !== connection) return
        this.#inbound.delete(peer)
        this.#lost(peer)
      },
    }
  }

  /** Ends all connections. */
  close(reason: string): void {
    this.#cancelAsk()
    for (const link of this.#links.values()) link.close(reason)
    for (const connection of this.#inbound.values()) connection.close(reason)
    this.#inbound.clear()
  }

  /** A connection with a peer broke: that tells of the peer if it was the last one. */
  #lost(peer: ServerId): void {
    if (this.#links.get(peer)?.ready !== true && !this.#inbound.has(peer)) this.#host.unreachable(peer)
  }

  /** While this server is not formed: asks the others how they stand. */
  #ask(): void {
    this.#cancelAsk = this.#clock.after(HELLO_AGAIN, () => {
      if (this.#host.clusterId() !== null) return
      for (const link of this.#links.values()) link.greet()
      this.#ask()
    })
  }

  /** A frame of the peer that said `latest`. Gives what it has said last now. */
  #receive(connection: Connection, latest: PeerHello, bytes: Uint8Array): PeerHello {
    let frame: ReturnType<typeof decodePeerFrame>
    try {
      frame = decodePeerFrame(bytes)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.#refuse(connection, new SynodError('BAD_FRAME', message))
      return latest
    }
    if (frame.type === 'messages') this.#deliver(connection, latest, frame)
    if (frame.type !== 'peer') return latest
    const error =
      frame.from === latest.from
        ? this.#host.mismatch(frame)
        : new SynodError('BAD_FRAME', `server ${latest.from} now says that it is server ${frame.from}`)
    if (error === null) this.#answer(connection, frame.from)
    else this.#refuse(connection, error)
    return error === null ? frame : latest
  }

  /** Says hello to a peer that did, unless it does not read what it is told. */
  #answer(connection: Connection, peer: ServerId): void {
    if (connection.buffered > BUFFER_LIMIT) connection.close('hellos are not read')
    else connection.send(encodeFrame(this.#host.hello(peer)))
  }

  #deliver(connection: Connection, hello: PeerHello, frame: PeerFrame): void {
    const clusterId = this.#host.clusterId()
    if (clusterId === null) return // takes no part yet: as if they were lost
    if (hello.clusterId !== clusterId) connection.close('messages without a hello that fits')
    else if (this.#host.outdated(hello))
      connection.close('messages from before a repair') // its next hello hears of it
    else this.#host.received(hello, frame)
  }

  #refuse(connection: Connection, error: SynodError): void {
    this.#log.warn(`closed the connection of a server from ${connection.remote}: ${error.message}`)
    goodbye(connection, error)
  }
}
