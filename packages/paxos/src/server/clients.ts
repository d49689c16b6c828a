/** Clients' connections: what they ask goes to the server, and the outcomes go back over the connection that asked last. */
import type { ServerId } from '../protocol/ballot.js'
import type { Command, Reply, Result, Slot } from '../protocol/command.js'
import { SynodError } from '../protocol/error.js'
import { decodeClientFrame, encodeFrame } from '../transport/codec.js'
import type { Connection } from '../transport/transport.js'
import type { ClientFrame, ClientHello, ServerStatus } from '../transport/wire.js'
import { WIRE_VERSION } from '../transport/wire.js'
import type { Clock } from '../clock.js'
import { Asker } from './asker.js'
import { Feeds } from './feeds.js'
import type { FeedSource } from './feeds.js'
import { goodbye, NOBODY } from './greeter.js'
import type { Speaker } from './greeter.js'
import { Herald } from './herald.js'
import { Latency, Stopwatch } from './latency.js'
import type { Log } from './log.js'
import { Outcomes } from './outcomes.js'
import { isQuestion, Questions } from './questions.js'
import type { QuestionsHost } from './questions.js'
import { Reads } from './reads.js'
import type { ReadsHost } from './reads.js'

/** Connections of clients at one time. */
export const MAX_CLIENTS = 12_288
/** Sessions that one connection speaks for. A client needs one, and another when the cluster has forgotten that. */
const MAX_SESSIONS_PER_CLIENT = 64
/** While more than this waits for a client (bytes), it is told `busy`: it is to read before it asks for more. */
const BUFFER_LIMIT = 32 << 20
/** A client that lets more than this wait (bytes) is not reading: its connection is closed. */
const SLOW_LIMIT = 128 << 20

const BUSY: Result = { status: 'busy', value: new Uint8Array(0) }

/** What the clients' connections need of their server. */
export interface ClientsHost extends QuestionsHost, ReadsHost {
  readonly service: string
  readonly id: number
  readonly addresses: readonly string[]
  /**
   * Whether commands are taken in, and feeds: `yes`; `no` while starting, stopping, or brought up by a snapshot: others can
   * do it; `busy` while the disk is full.
   */
  takes(): 'yes' | 'no' | 'busy'
  /** How many commands are taken in now: work that is refused is to cost next to nothing. */
  room(): number
  /** What the service's schema makes of an operation. Throws SynodError `BAD_OPERATION`. */
  admit(op: Uint8Array): Uint8Array
  submit(commands: Command[]): void
  /** This session's client has come to this server: it is not too late for it yet. */
  alive(clientId: string): void
  readonly feedSource: FeedSource
}

/** One client's connection. */
interface Client {
  readonly connection: Connection
  /** It named no service: its operations could be anything. */
  readonly onlyAsks: boolean
  /** The sessions (and openings of sessions) whose outcomes go here. */
  readonly sessions: Set<string>
  readonly outcomes: Outcomes
  readonly stopwatch: Stopwatch
  readonly asker: Asker
}

export class Clients {
  readonly reads: Reads
  readonly #host: ClientsHost
  readonly #clock: Clock
  readonly #log: Log
  readonly #clients = new Set<Client>()
  /** Who gets the outcomes of a session: the connection that sent for it last. */
  readonly #holders = new Map<string, Client>()
  /** Those with outcomes that wait for the end of the turn. */
  #waiting: Client[] = []
  readonly #herald: Herald
  readonly #feeds: Feeds
  readonly #questions: Questions
  readonly #latency: Latency

  constructor(host: ClientsHost, clock: Clock, log: Log) {
    this.#host = host
    this.#feeds = new Feeds(host.feedSource)
    this.#clock = clock
    this.#log = log
    this.#questions = new Questions(host, clock, log)
    this.#latency = new Latency(clock)
    this.#herald = new Herald(this.#clients, clock)
    this.reads = new Reads(host, clock, log)
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
    connection.send(
      encodeFrame({
        type: 'welcome',
        server: this.#host.id,
        servers: this.#host.addresses,
        leader: this.#herald.leader,
      }),
    )
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

  /** Clients go to the leader's server, where they have their outcomes soonest. */
  tellLeader(leader: ServerId | null): void {
    this.#herald.tell(leader)
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

  /**
   * Events are decided that this server does not learn of, or late: feeds are to go on elsewhere.
   *
   * @param why a sentence without its end
   */
  dropSubscribers(why: string): void {
    const connections = new Set(this.#feeds.connections)
    for (const client of this.#clients) {
      if (connections.has(client.connection))
        this.#drop(client, new SynodError('NOT_SERVING', `${why}: try another server`))
    }
  }

  /** Sends what waits: one frame for each client (more if it is much). */
  flush(): void {
    this.#feeds.serve()
    this.reads.flush()
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const client of waiting) if (this.#clients.has(client)) this.#send(client)
  }

  /** Ends all connections. */
  close(error: SynodError): void {
    this.#herald.stop()
    for (const { connection, asker } of this.#clients) {
      asker.isGone = true
      goodbye(connection, error)
      this.#questions.forget(connection)
    }
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
    if (isQuestion(frame)) {
      const refusal = this.#questions.ask(client.connection, frame)
      return refusal === null ? undefined : this.#drop(client, refusal)
    }
    if (client.onlyAsks) return this.#drop(client, noService())
    switch (frame.type) {
      case 'open':
      case 'mark':
        return this.#once(client, { kind: frame.type, nonce: frame.nonce })
      case 'submit':
        return this.#submit(client, frame)
      case 'read':
        return this.reads.take(client.asker, frame)
      case 'end':
        return this.#end(client, frame.clientId)
      case 'subscribe':
        return this.#subscribe(client, frame.feed, frame.from)
      case 'taken':
        return this.#feeds.taken(client.connection, frame.feed, frame.through)
      case 'unsubscribe':
        return this.#feeds.close(client.connection, frame.feed)
      case 'leader':
        return client.connection.send(encodeFrame({ type: 'leader', leader: this.#herald.leader }))
    }
  }

  /** A command without a session: its outcome is known by its nonce, however often it is sent. */
  #once(client: Client, command: Extract<Command, { kind: 'open' | 'mark' }>): void {
    const { nonce } = command
    if (!this.#hold(client, nonce)) return
    const takes = this.#host.takes()
    if (takes === 'yes') this.#host.submit([command])
    else if (takes === 'busy') this.#answer(client, { clientId: nonce, localId: 0, result: BUSY })
    else this.#reject(client, nonce, 0, notServing())
  }

  #submit(client: Client, frame: Extract<ClientFrame, { type: 'submit' }>): void {
    const { clientId, acked } = frame
    if (!this.#hold(client, clientId)) return
    const takes = client.connection.buffered > BUFFER_LIMIT ? 'busy' : this.#host.takes()
    const commands: Command[] = []
    const room = this.#host.room()
    for (const [localId, op] of frame.commands) {
      if (takes === 'no') this.#reject(client, clientId, localId, notServing())
      else if (takes === 'busy' || commands.length >= room) this.#answer(client, { clientId, localId, result: BUSY })
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
    if (!client.outcomes.wait) this.#waiting.push(client)
    if (client.outcomes.isFullWith(reply)) this.#send(client)
    client.outcomes.add(reply)
    if (reply.localId !== 0) return
    client.sessions.delete(reply.clientId)
    this.#holders.delete(reply.clientId)
  }

  #reject(client: Client, clientId: string, localId: number, error: SynodError): void {
    client.connection.send(
      encodeFrame({ type: 'rejected', clientId, localId, code: error.code, message: error.message }),
    )
  }

  #send(client: Client): void {
    client.outcomes.send()
    if (client.connection.buffered > SLOW_LIMIT) this.#dropSlow(client)
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
    client.asker.isGone = true
    this.#questions.forget(client.connection)
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
    outcomes: new Outcomes(connection),
    stopwatch,
    asker: new Asker(connection),
  }
}

/** Sessions that are not open yet are held by their nonces, which have no dot. */
function isClientId(session: string): boolean {
  return session.includes('.')
}

function noService(): SynodError {
  return new SynodError('NO_SERVICE', 'a client that names no service may only ask how the server stands')
}

function notServing(): SynodError {
  return new SynodError('NOT_SERVING', 'this server takes nothing in now: try another one, or again')
}

function showFrame(frame: ClientFrame): string {
  if (frame.type === 'submit') return `submit of ${frame.commands.length} operations of ${frame.clientId}`
  if (frame.type === 'read') return `${frame.stale ? 'stale reads' : 'reads'}: ${frame.ops.length}`
  return 'nonce' in frame ? `${frame.type} ${frame.nonce}` : frame.type
}
