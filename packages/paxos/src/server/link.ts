/**
 * The way to one peer: a connection that this server dials, again and again if need be, and the queue of messages for it.
 * Over it come only the peer's hellos, and its goodbye.
 */
import type { ServerId } from '../protocol/ballot.js'
import type { Command } from '../protocol/command.js'
import { commandBytes } from '../protocol/command.js'
import type { Message } from '../protocol/message.js'
import { decodePeerFrame, encodeFrame } from '../transport/codec.js'
import type { Connection, Dialer } from '../transport/transport.js'
import type { PeerHello } from '../transport/wire.js'
import type { Cancel, Clock } from '../clock.js'
import type { Verdict } from './formation.js'
import { HANDSHAKE_TIMEOUT } from './greeter.js'
import type { Log } from './log.js'

/** The first wait before a connection is tried again (ms); doubled each time up to the longest; spread at random. */
const RETRY_FIRST = 50
const RETRY_LONGEST = 2_000
/** While more than this has not left yet (bytes), messages wait in the queue. */
const BUFFER_LIMIT = 8 << 20
/** What waits for one peer at most (bytes); past that the oldest messages are dropped. */
const QUEUE_LIMIT = 16 << 20
/** A frame is closed at this size (bytes); one larger message may go beyond it. */
const FRAME_BYTES = 4 << 20

/** What a link needs of its server. */
export interface LinkHost {
  /** What this server says of itself, now. */
  hello(to: ServerId): PeerHello
  /** A peer that was dialed said this. */
  heard(peer: ServerId, hello: PeerHello): Verdict
  /** The last durable batch. */
  batch(): number
  /** The connection had been up, and broke. */
  lost(): void
}

/** A message that waits, and about its size. */
interface Queued {
  readonly message: Message
  readonly bytes: number
}

export class Link {
  readonly peer: ServerId
  readonly #address: string
  readonly #dialer: Dialer
  readonly #clock: Clock
  readonly #log: Log
  readonly #host: LinkHost
  #connection: Connection | null = null
  #ready = false
  #closed = false
  #queue: Queued[] = []
  #queuedBytes = 0
  #retry = RETRY_FIRST
  /** Of the handshake's end, or of the next try. */
  #cancel: Cancel = () => undefined
  /** What was said of this peer last: what lasts is said once. */
  #told = ''

  constructor(peer: ServerId, address: string, dialer: Dialer, clock: Clock, log: Log, host: LinkHost) {
    this.peer = peer
    this.#address = address
    this.#dialer = dialer
    this.#clock = clock
    this.#log = log
    this.#host = host
  }

  /** The connection is up, and the right peer answered. */
  get ready(): boolean {
    return this.#ready
  }

  /** Tries to connect, until {@link close}. */
  dial(): void {
    if (this.#closed) return
    const connection: Connection = this.#dialer.dial(this.#address, {
      opened: () => {
        connection.send(encodeFrame(this.#host.hello(this.peer)))
      },
      frame: (bytes) => {
        if (this.#connection === connection) this.#receive(connection, bytes)
      },
      closed: (reason) => {
        if (this.#connection === connection) this.#lost(reason)
      },
    })
    this.#connection = connection
    this.#cancel = this.#clock.after(HANDSHAKE_TIMEOUT, () => {
      connection.close('no answer to the hello')
    })
  }

  /** Does not wait any longer for the next try: the peer was heard of. */
  hurry(): void {
    if (this.#closed || this.#connection !== null) return
    this.#cancel()
    this.dial()
  }

  /** Says hello again; the peer answers with its own. */
  greet(): void {
    if (this.#ready) this.#connection?.send(encodeFrame(this.#host.hello(this.peer)))
  }

  /** Puts a message into the frame that goes out with the next {@link flush}; without a connection it is lost. */
  send(message: Message): void {
    if (!this.#ready) return
    const bytes = messageBytes(message)
    this.#queue.push({ message, bytes })
    this.#queuedBytes += bytes
    if (this.#queuedBytes > QUEUE_LIMIT) this.#shed()
  }

  /** Sends what waits: one frame (more if it is much), unless the peer is too slow. */
  flush(): void {
    const connection = this.#connection
    if (connection === null || this.#queue.length === 0 || connection.buffered > BUFFER_LIMIT) return
    for (let from = 0; from < this.#queue.length;) from = this.#sendFrame(connection, from)
    this.#queue = []
    this.#queuedBytes = 0
  }

  close(reason: string): void {
    this.#closed = true
    this.#cancel()
    this.#connection?.close(reason)
    this.#connection = null
    this.#ready = false
  }

  #receive(connection: Connection, bytes: Uint8Array): void {
    const frame = this.#decode(bytes)
    if (typeof frame === 'string' || frame.type === 'messages') {
      const why = typeof frame === 'string' ? frame : 'a malformed frame: messages came where only hellos do'
      this.#log.warn(`closed the connection to server ${this.peer} at ${this.#address}: ${why}`)
      connection.close('BAD_FRAME')
    } else if (frame.type === 'goodbye') {
      if (frame.code === 'NOT_SERVING') return // it starts or stops: no news
      this.#tell(`server ${this.peer} at ${this.#address} refuses this one: ${frame.message}`)
    } else {
      this.#heard(connection, frame)
    }
  }

  /** The frame, or what is wrong with it. */
  #decode(bytes: Uint8Array): ReturnType<typeof decodePeerFrame> | string {
    try {
      return decodePeerFrame(bytes)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #heard(connection: Connection, hello: PeerHello): void {
    const verdict = this.#host.heard(this.peer, hello)
    if (verdict.type === 'refuse') {
      this.#tell(`not connected to server ${this.peer} at ${this.#address}: ${verdict.error.message}`)
      this.#retry = RETRY_LONGEST
      connection.close(verdict.error.code)
    } else if (verdict.type === 'accept' && !this.#ready && !this.#closed) {
      this.#cancel()
      this.#ready = true
      this.#retry = RETRY_FIRST
      this.#told = ''
      this.#log.write('server', `connected to server ${this.peer} at ${this.#address}`)
    }
  }

  #lost(reason: string): void {
    const wasReady = this.#ready
    if (wasReady) this.#log.write('server', `lost the connection to server ${this.peer} at ${this.#address}: ${reason}`)
    else this.#log.write('peers', `no connection to server ${this.peer} at ${this.#address}: ${reason}`)
    this.#cancel()
    this.#connection = null
    this.#ready = false
    this.#queue = []
    this.#queuedBytes = 0
    const [spread = 0] = this.#clock.random(1)
    this.#cancel = this.#clock.after(this.#retry * (0.5 + spread / 256), () => {
      this.dial()
    })
    this.#retry = Math.min(this.#retry * 2, RETRY_LONGEST)
    if (wasReady) this.#host.lost()
  }

  /** Drops the oldest messages until the rest fits. */
  #shed(): void {
    let dropped = 0
    while (this.#queuedBytes > QUEUE_LIMIT && dropped < this.#queue.length - 1) {
      this.#queuedBytes -= this.#queue[dropped]?.bytes ?? 0
      dropped++
    }
    this.#queue.splice(0, dropped)
    this.#log.write('peers', `dropped ${dropped} messages to server ${this.peer}, which is slow`)
  }

  /** Sends messages from an index of the queue on, as one frame; gives the index after them. */
  #sendFrame(connection: Connection, from: number): number {
    const messages: Message[] = []
    let bytes = 0
    let next = from
    for (; next < this.#queue.length; next++) {
      const queued = this.#queue[next]
      if (queued === undefined || (messages.length > 0 && bytes + queued.bytes > FRAME_BYTES)) break
      messages.push(queued.message)
      bytes += queued.bytes
    }
    connection.send(encodeFrame({ type: 'messages', batch: this.#host.batch(), messages }))
    return next
  }

  #tell(text: string): void {
    if (this.#told !== text) this.#log.warn(text)
    this.#told = text
  }
}

/** About as many bytes as a message takes in a frame. */
function messageBytes(message: Message): number {
  switch (message.type) {
    case 'p2a':
      return commandsBytes(message.run.commands)
    case 'forward':
    case 'decided':
      return commandsBytes(message.commands)
    case 'p1b':
    case 'revived':
      return message.accepted.reduce((bytes, run) => bytes + commandsBytes(run.commands), 64)
    case 'piece':
      return message.bytes.length + 64
    default:
      return 64
  }
}

function commandsBytes(commands: readonly Command[]): number {
  let bytes = 64
  for (const command of commands) bytes += commandBytes(command)
  return bytes
}
