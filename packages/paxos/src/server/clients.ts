/** Clients' connections: what they ask goes to the server, and the outcomes go back over the connection that asked last. */
import type { Command, Reply, Result, Slot } from '../protocol/command.js'
import { SynodError } from '../protocol/error.js'
import { decodeClientFrame, encodeFrame } from '../transport/codec.js'
import type { Connection } from '../transport/transport.js'
import type { ClientFrame, ClientHello, ServerStatus } from '../transport/wire.js'
import { WIRE_VERSION } from '../transport/wire.js'
import type { Clock } from '../clock.js'
import { Dump } from './dump.js'
import { Feeds } from './feeds.js'
import type { FeedSource } from './feeds.js'
import { goodbye, NOBODY } from './greeter.js'
import type { Speaker } from './greeter.js'
import { Latency, Stopwatch } from './latency.js'
import type { Log } from './log.js'

/** Connections of clients at one time. */
export const MAX_CLIENTS = 4_096
/** Sessions that one connection speaks for. A client needs one, and another when the cluster has forgotten that. */
const MAX_SESSIONS_PER_CLIENT = 64
/** While more than this waits for a client (bytes), it is told `busy`: it is to read before it asks for more. */
const BUFFER_LIMIT = 32 << 20
/** A client that lets more than this wait (bytes) is not reading: its connection is closed. */
const SLOW_LIMIT = 128 << 20
/** A frame of replies is closed at this size (bytes). */
const FRAME_BYTES = 4 << 20
/** Dumps at one time: each holds a copy of the state. */
const MAX_DUMPS = 2
/** A dump that its client did not ask on for so long (ms) makes room for another. */
const DUMP_IDLE = 30_000

const BUSY: Result = { status: 'busy', value: new Uint8Array(0) }

/** What the clients' connections need of their server. */
export interface ClientsHost {
  readonly service: string
  readonly id: number
  readonly addresses: readonly string[]
  /** Whether commands are taken in: `yes`, `no` while starting or stopping, `busy` while the disk is full. */
  takes(): 'yes' | 'no' | 'busy'
  /** What the service's schema makes of an operation. Throws SynodError `BAD_OPERATION`. */
  admit(op: Uint8Array): Uint8Array
  submit(commands: Command[]): void
  /** This session's client has come to this server: it is not too late for it yet. */
  alive(clientId: string): void
  status(): ServerStatus
  readonly feedSource: FeedSource
  /** The state as it is now, and the last slot that is in it. */
  snapshot(): { readonly slot: number; readonly entries: Iterable<unknown> }
}

/** What a client may send that names no service. */
const ASKS: ReadonlySet<ClientFrame['type']> = new Set(['status', 'dump', 'dumpMore'])

/** One client's connection. */
interface Client {
  readonly connection: Connection
  /** It named no service: its operations could be anything. */
  readonly onlyAsks: boolean
  /** The sessions (and openings of sessions) whose outcomes go here. */
  readonly sessions: Set<string>
  replies: Reply[]
  /** Of {@link replies}, about. */
  bytes: number
  /** It is among those that the next flush sends to. */
  waiting: boolean
  dump: Dump | null
  readonly stopwatch: Stopwatch
}

export class Clients {
  readonly #host: ClientsHost
  readonly #clock: Clock
  readonly #log: Log
  readonly #clients = new Set<Client>()
  /** Who gets the outcomes of a session: the connection that sent for it last. */
  readonly #holders = new Map<string, Client>()
  /** Those with replies that wait for the end of the turn. */
  #waiting: Client[] = []
  readonly #feeds: Feeds
  readonly #latency: Latency

  constructor(host: ClientsHost, clock: Clock, log: Log) {
    this.#host = host
    this.#feeds = new Feeds(host.feedSource)
    this.#clock = clock
    this.#log = log
    this.#latency = new Latency(clock)
  }

  /** A connection that came in began with this hello. Gives what becomes of the rest of it. */
  accept(connection: Connection, hello: ClientHello): Speaker {
    const refusal = this.#refusal(hello)
    if (refusal !== null) {
      this.#log.write('clients', `refused ${connection.remote}: ${refusal.message}`)
      goodbye(connection, refusal)
      return NOBODY
    }
    const client = clientOf(connection, hello, new Stopwatch(this.#latency, this.#clock))
    this.#clients.add(client)
    this.#log.write('clients', `${connection.remote} connected`)
    connection.send(encodeFrame({ type: 'welcome', server: this.#host.id, servers: this.#host.addresses }))
    return {
      frame: (bytes) => {
        if (this.#clients.has(client)) this.#receive(client, bytes)
      },
      closed: (reason) => {
        this.#log.write('clients', `${connection.remote} is gone: ${reason}`)
        this.#forget(client)
      },
    }
  }

  /** Puts the outcomes into the frames that go out with the next {@link flush}. */
  deliver(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const client = this.#holders.get(reply.clientId)
      if (client !== undefined) this.#answer(client, reply)
    }
  }

  get size(): number {
    return this.#clients.size
  }

  get feeds(): number {
    return this.#feeds.size
  }

  /** How long they waited lately, from a command's arrival to its outcome. */
  get latency(): ServerStatus['latency'] {
    return this.#latency.summary()
  }

  /** The sessions whose clients are connected here. */
  sessions(): string[] {
    return [...this.#holders.keys()].filter(isClientId)
  }

  /** This server hears of no leader: events may be decided that it does not learn of. Feeds are to go on elsewhere. */
  dropSubscribers(): void {
    const connections = new Set(this.#feeds.connections)
    for (const client of this.#clients) {
      if (connections.has(client.connection))
        this.#drop(client, new SynodError('NOT_SERVING', 'this server knows no leader: try another one'))
    }
  }

  /** Sends what waits: one frame for each client (more if it is much). */
  flush(): void {
    this.#feeds.serve()
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const client of waiting) this.#flushClient(client)
  }

  /** Ends all connections. */
  close(error: SynodError): void {
    for (const { connection } of this.#clients) goodbye(connection, error)
    this.#clients.clear()
    this.#holders.clear()
  }

  #refusal(hello: ClientHello): SynodError | null {
    const { service } = this.#host
    if (hello.version !== WIRE_VERSION) {
      return new SynodError(
        'WRONG_VERSION',
        `this server speaks version ${WIRE_VERSION} of the protocol, the client version ${hello.version}`,
      )
    }
    if (hello.service !== null && hello.service !== service) {
      return new SynodError(
        'WRONG_SERVICE',
        `this server serves "${service}", not "${hello.service}": check the address`,
      )
    }
    if (this.#clients.size >= MAX_CLIENTS) {
      return new SynodError('TOO_MANY_CLIENTS', `this server has ${MAX_CLIENTS} clients already: try another one`)
    }
    return null
  }

  #receive(client: Client, bytes: Uint8Array): void {
    if (client.connection.buffered > SLOW_LIMIT) return this.#dropSlow(client)
    let frame: ClientFrame
    try {
      frame = decodeClientFrame(bytes)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.#log.warn(`closed the connection of the client ${client.connection.remote}: ${message}`)
      return this.#drop(client, new SynodError('BAD_FRAME', message))
    }
    if (this.#log.on('clients')) this.#log.write('clients', `${client.connection.remote} → ${showFrame(frame)}`)
    if (client.onlyAsks && !ASKS.has(frame.type)) return this.#drop(client, noService())
    switch (frame.type) {
      case 'open':
        return this.#open(client, frame.nonce)
      case 'submit':
        return this.#submit(client, frame)
      case 'end':
        return this.#end(client, frame.clientId)
      case 'subscribe':
        return this.#subscribe(client, frame.feed, frame.from)
      case 'taken':
        return this.#feeds.taken(client.connection, frame.feed, frame.through)
      case 'unsubscribe':
        return this.#feeds.close(client.connection, frame.feed)
      case 'status':
        return client.connection.send(encodeFrame({ type: 'status', status: this.#host.status() }))
      case 'dump':
        return this.#dump(client)
      case 'dumpMore':
        return this.#dumpMore(client)
    }
  }

  #open(client: Client, nonce: string): void {
    if (!this.#hold(client, nonce)) return
    const takes = this.#host.takes()
    if (takes === 'yes') this.#host.submit([{ kind: 'open', nonce }])
    else if (takes === 'busy') this.#answer(client, { clientId: nonce, localId: 0, result: BUSY })
    else this.#reject(client, nonce, 0, notServing())
  }

  #submit(client: Client, frame: Extract<ClientFrame, { type: 'submit' }>): void {
    const { clientId, acked } = frame
    if (!this.#hold(client, clientId)) return
    const takes = client.connection.buffered > BUFFER_LIMIT ? 'busy' : this.#host.takes()
    const commands: Command[] = []
    for (const [localId, op] of frame.commands) {
      if (takes === 'busy') this.#answer(client, { clientId, localId, result: BUSY })
      else if (takes === 'no') this.#reject(client, clientId, localId, notServing())
      else {
        const admitted = this.#admit(op)
        if (admitted instanceof SynodError) this.#reject(client, clientId, localId, admitted)
        else commands.push({ kind: 'op', clientId, localId, acked, op: admitted })
      }
    }
    const [first] = commands
    if (first?.kind !== 'op') return
    client.stopwatch.start(clientId, first.localId)
    this.#host.submit(commands)
  }

  /** Best effort: a session that is not ended now will be, when its time is over. */
  #end(client: Client, clientId: string): void {
    if (this.#host.takes() === 'yes' && this.#hold(client, clientId)) this.#host.submit([{ kind: 'end', clientId }])
  }

  #subscribe(client: Client, number: number, from: Slot | null): void {
    if (this.#host.takes() === 'no') return this.#drop(client, notServing())
    if (this.#feeds.open(client.connection, number, from)) return
    this.#drop(client, new SynodError('TOO_MANY_FEEDS', 'this connection has too many feeds, or one of this number'))
  }

  /** The operation as it is to be proposed, or why it must not be. */
  #admit(op: Uint8Array): Uint8Array | SynodError {
    try {
      return this.#host.admit(op)
    } catch (error) {
      if (error instanceof SynodError) return error
      throw error
    }
  }

  /** From now on the outcomes of this session go to this client. False if it speaks for too many already. */
  #hold(client: Client, session: string): boolean {
    const holder = this.#holders.get(session)
    if (holder === client) return true
    if (client.sessions.size >= MAX_SESSIONS_PER_CLIENT) {
      this.#drop(
        client,
        new SynodError('TOO_MANY_SESSIONS', `one connection may speak for ${MAX_SESSIONS_PER_CLIENT} sessions`),
      )
      return false
    }
    holder?.sessions.delete(session)
    client.sessions.add(session)
    this.#holders.set(session, client)
    if (isClientId(session)) this.#host.alive(session)
    return true
  }

  #answer(client: Client, reply: Reply): void {
    client.stopwatch.stop(reply)
    if (!client.waiting) this.#waiting.push(client)
    client.waiting = true
    const bytes = 64 + reply.result.value.length
    if (client.replies.length > 0 && client.bytes + bytes > FRAME_BYTES) this.#sendReplies(client)
    client.replies.push(reply)
    client.bytes += bytes
    if (reply.localId !== 0) return
    client.sessions.delete(reply.clientId)
    this.#holders.delete(reply.clientId)
  }

  #reject(client: Client, clientId: string, localId: number, error: SynodError): void {
    client.connection.send(
      encodeFrame({ type: 'rejected', clientId, localId, code: error.code, message: error.message }),
    )
  }

  #flushClient(client: Client): void {
    client.waiting = false
    if (this.#clients.has(client)) this.#sendReplies(client)
  }

  #sendReplies(client: Client): void {
    client.connection.send(encodeFrame({ type: 'replies', replies: client.replies }))
    client.replies = []
    client.bytes = 0
    if (client.connection.buffered > SLOW_LIMIT) this.#dropSlow(client)
  }

  #dump(client: Client): void {
    const now = this.#clock.now()
    let dumps = 0
    for (const other of this.#clients) {
      if (other === client || other.dump === null) continue
      if (now - other.dump.usedAt > DUMP_IDLE) other.dump = null
      else dumps++
    }
    if (dumps >= MAX_DUMPS)
      return this.#drop(client, new SynodError('BUSY', `this server gives ${MAX_DUMPS} dumps already: try again later`))
    try {
      const { slot, entries } = this.#host.snapshot()
      client.dump = new Dump(slot, entries, now)
    } catch (error) {
      // The state was only read: the server can go on.
      const message = `the state cannot be dumped: ${error instanceof Error ? error.message : String(error)}`
      this.#log.warn(message)
      return this.#drop(client, new SynodError('DUMP_FAILED', message))
    }
    this.#dumpMore(client)
  }

  #dumpMore(client: Client): void {
    const { dump } = client
    if (dump === null)
      return this.#drop(client, new SynodError('NO_DUMP', 'the dump was given up, or never begun: ask for a new one'))
    client.connection.send(dump.next(this.#clock.now()))
    if (dump.done) client.dump = null
  }

  #dropSlow(client: Client): void {
    this.#log.warn(`closed the connection of the client ${client.connection.remote}: it does not read its replies`)
    this.#drop(client, new SynodError('SLOW_CLIENT', 'replies were not read'))
  }

  #drop(client: Client, error: SynodError): void {
    goodbye(client.connection, error)
    this.#forget(client)
  }

  #forget(client: Client): void {
    this.#clients.delete(client)
    this.#feeds.forget(client.connection)
    for (const session of client.sessions) this.#holders.delete(session)
    client.sessions.clear()
  }
}

function clientOf(connection: Connection, { service }: ClientHello, stopwatch: Stopwatch): Client {
  return {
    connection,
    onlyAsks: service === null,
    sessions: new Set(),
    replies: [],
    bytes: 0,
    waiting: false,
    dump: null,
    stopwatch,
  }
}

/** Sessions that are not open yet are held by their nonces, which have no dot. */
function isClientId(session: string): boolean {
  return session.includes('.')
}

function noService(): SynodError {
  return new SynodError('NO_SERVICE', 'a client that names no service may only ask for the status and the state')
}

function notServing(): SynodError {
  return new SynodError('NOT_SERVING', 'this server is starting or stopping: try another one, or again')
}

function showFrame(frame: ClientFrame): string {
  if (frame.type === 'submit') return `submit of ${frame.commands.length} operations of ${frame.clientId}`
  return frame.type === 'open' ? `open ${frame.nonce}` : frame.type
}
