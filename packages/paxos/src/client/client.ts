/** The client: typed operations in, typed results out, each executed once. */
import { z } from 'zod'
import { SynodError } from '../protocol/error.js'
import { realClock } from '../clock.js'
import type { Clock } from '../clock.js'
import { encodeOp } from '../service/service-codec.js'
import type { EncodedOp } from '../service/service-codec.js'
import type { Dialer } from '../transport/transport.js'
import type { ServerStatus } from '../transport/wire.js'
import { MAX_SERVERS } from '../transport/wire.js'
import { WebSocketDialer } from '../transport/ws-dialer.js'
import { Dispatcher } from './dispatcher.js'
import { ClientError } from './error.js'
import type { Feed, SubscribeOptions } from './feed.js'
import type { Verification } from './comparison.js'
import { Inquiry } from './inquiry.js'
import type { StateDump, WrittenSnapshot } from './inquiry.js'
import type { Connectivity } from './link.js'
import type { StaleRead } from './reads.js'
import { transfer } from './transfer.js'
import { Verifier } from './verify.js'

/** How long a call may take (ms), unless it says otherwise. */
const DEFAULT_TIMEOUT = 10_000
/** The same of those calls for which a server goes through its whole state. */
const DEFAULT_LONG_TIMEOUT = 60_000

export interface ClientOptions {
  /** Addresses as `host:port`, of any of the cluster's servers; the others are learnt from them (see `discover`). */
  readonly servers: readonly string[]
  /** How long a call may take before it fails, in ms. Default: 10,000. */
  readonly timeout?: number
  /**
   * Whether the addresses of the other servers are learnt from the one that answers. Default: true. If false, it keeps to
   * `servers`: with one address it is pinned to that server, and fails with it.
   */
  readonly discover?: boolean
  /** Hears when a server has been reached, and when it is out of reach again: to be told to people, nothing need be done. */
  readonly onConnection?: (connectivity: Connectivity) => void
}

export interface CallOptions {
  /** How long this call may take before it fails, in ms. Default: the client's. */
  readonly timeout?: number
}

const OPTIONS = z.object({
  servers: z
    .array(z.string().regex(/^[^\s]+:\d{1,5}$/, 'must be an address of the form host:port'))
    .min(1, 'one at least is needed'),
  timeout: z.number().positive().optional(),
  discover: z.boolean().optional(),
  onConnection: z.function().optional(),
})

/** What one server answered to {@link Client.status}. */
export type ServerAnswer =
  | { readonly address: string; readonly status: ServerStatus; readonly error: null }
  | { readonly address: string; readonly status: null; readonly error: ClientError }

/** A service as its clients see it. */
export interface Served<Op, Value, Event = never> {
  readonly name: string
  readonly op: z.ZodType<unknown, Op>
  readonly state: () => { execute(slot: number, command: never, emit: (event: Event) => void): Value }
  readOnly?(op: unknown): boolean
}

/** A client of one cluster; made by {@link connect}. It has one session, and one connection at a time. */
export class Client<Op, Value, Event = never> {
  readonly #service: Served<Op, Value, Event>
  readonly #servers: readonly string[]
  readonly #discover: boolean
  readonly #timeout: number
  readonly #dialer: Dialer
  readonly #clock: Clock
  readonly #dispatcher: Dispatcher
  readonly #inquiries = new Set<Inquiry>()
  #closing: Promise<void> | undefined

  /** @internal Use {@link connect}. */
  constructor(service: Served<Op, Value, Event>, options: ClientOptions, dialer: Dialer, clock: Clock) {
    if (options.servers.length === 0)
      throw new SynodError('BAD_OPTION', 'a client needs the address of at least one server')
    this.#service = service
    this.#servers = options.servers
    this.#timeout = checked(options.timeout ?? DEFAULT_TIMEOUT)
    this.#dialer = dialer
    this.#clock = clock
    const { servers, discover = true, onConnection = (): void => undefined } = options
    this.#discover = discover
    this.#dispatcher = new Dispatcher(service.name, { servers, discover, onConnection }, dialer, clock)
  }

  /**
   * Has the operation executed, once, however often it has to be sent. Operations of one client are begun in the order in
   * which they were submitted; many may be under way. Rejects with a {@link ClientError}, which says whether the operation
   * may have been executed; or with the service's `Refusal`.
   *
   * An operation that only reads (by the service's `readOnly`) is answered without the log, from a state in which all that was
   * acknowledged before the call, to whomever, is done. It is not in the order of the others: to read what another operation of
   * this client does, await that one first. It never `mayHaveHappened`.
   */
  submit(op: Op, options: CallOptions = {}): Promise<Value> {
    let outcome: Promise<unknown>
    try {
      const timeout = checked(options.timeout ?? this.#timeout)
      const { bytes, onlyReads } = this.#encoded(op)
      outcome = onlyReads ? this.#dispatcher.read(bytes, false, timeout) : this.#dispatcher.submit(bytes, timeout)
    } catch (error) {
      outcome = Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
    return outcome as Promise<Value> // not another promise: each costs the one who submits much some of its time
  }

  /**
   * The answer to an operation that only reads, from the state as the server has it that this client is connected to, with
   * the last slot that is in it. It may be old, by as much as that server is behind or cut off from the others, and older than
   * one that another server gave before; but it is what the operation came to after that slot. It asks nobody else, so it is
   * answered without a majority, too. Rejects as {@link submit} does; with `BAD_OPERATION` if the operation does not only read.
   */
  async readStale(op: Op, options: CallOptions = {}): Promise<StaleRead<Value>> {
    const timeout = checked(options.timeout ?? this.#timeout)
    const { bytes, onlyReads } = this.#encoded(op)
    if (!onlyReads) throw new ClientError('BAD_OPERATION', `not an operation of ${this.#service.name} that only reads`)
    return (await this.#dispatcher.read(bytes, true, timeout)) as StaleRead<Value>
  }

  /**
   * The events that the state emits, in the order of the log, each once, across the failures of servers. A slow reader is
   * waited for as long as the servers keep what it has not taken; after that the feed ends with a {@link FeedError}, as does
   * one that begins with a slot whose events are dropped already. To begin with the state: {@link dump} it, or have an
   * operation answer with the slot in which it was executed, and subscribe from the slot after. A client with a feed keeps
   * its connection up. It may have 64 feeds: one more fails with `BUSY`. Throws SynodError `BAD_OPTION`.
   */
  subscribe({ from = 'now' }: SubscribeOptions = {}): Feed<Event> {
    if (from !== 'now' && !(Number.isSafeInteger(from) && from >= 0))
      throw new SynodError(
        'BAD_OPTION',
        `a feed begins with a slot, a whole number from 0, or with 'now', not with ${from}`,
      )
    return this.#dispatcher.subscribe(from === 'now' ? null : Math.max(1, from)) as Feed<unknown> as Feed<Event>
  }

  /** How one server stands; rejects with a {@link ClientError} if it does not answer. Without an address: all servers. */
  status(address: string, options?: CallOptions): Promise<ServerStatus>
  status(address?: undefined, options?: CallOptions): Promise<ServerAnswer[]>
  async status(address?: string, options: CallOptions = {}): Promise<ServerStatus | ServerAnswer[]> {
    if (address === undefined) return Promise.all(this.#servers.map((server) => this.#answer(server, options)))
    const inquiry = this.#inquire(address, options)
    try {
      return await inquiry.status()
    } finally {
      void inquiry.close('answered')
    }
  }

  /**
   * One server's own state: what its `snapshot` yields, at the last slot that the server has executed. For comparing and
   * for saving; it may lag behind the others. The timeout is for each part of it. Without an address: of the first of
   * `servers` that answers.
   */
  async dump(address?: string, options: CallOptions = {}): Promise<StateDump> {
    return this.#firstOf(address, (server) => this.#dump(server, options))
  }

  /**
   * Compares all servers: at one slot, that of a mark which is decided for this, the hash chain over all that each has executed,
   * and a digest of its state. Waits for servers that lag. If they differ it tells which of them differ from a majority, and
   * between which slots the histories part. Rejects with a {@link ClientError} if no mark can be decided, as without a majority
   * of servers. The timeout is for all of it; by default a minute, as a large state takes its time.
   */
  async verify({ timeout = DEFAULT_LONG_TIMEOUT }: CallOptions = {}): Promise<Verification> {
    const options = { servers: this.#servers, discover: this.#discover, timeout: checked(timeout) }
    return new Verifier(options, this.#clock, (address, left) => this.#inquire(address, { timeout: left })).verify()
  }

  /**
   * Has one server write a snapshot; resolves when it is durable. (Servers write them by themselves, too.) Rejects with a
   * {@link ClientError}, `SNAPSHOT_FAILED` if the server could not. Without an address: of the first of `servers` that answers.
   * By default there is a minute's time; the server goes on when it is over.
   */
  async snapshot(address?: string, { timeout = DEFAULT_LONG_TIMEOUT }: CallOptions = {}): Promise<WrittenSnapshot> {
    checked(timeout)
    // Whether a server answers is known sooner than whether it has written.
    const inquiry = await this.#firstOf(address, (server) => this.#answering(server))
    try {
      return await inquiry.snapshot(timeout)
    } finally {
      void inquiry.close('answered')
    }
  }

  /**
   * Has the leader hand its leadership over to the server of this number; resolves when that one leads. The leader proposes nothing
   * meanwhile, for an election timeout at most; no operation fails of it. Rejects with a {@link ClientError}: `TRANSFER_FAILED` if there is
   * no such server, if it is too far behind or out of touch, or if another one came to lead; `UNAVAILABLE` if no server could be reached
   * in time that knows a leader.
   */
  async transfer(to: number, options: CallOptions = {}): Promise<void> {
    if (!Number.isInteger(to) || to < 0 || to >= MAX_SERVERS)
      throw new SynodError('BAD_OPTION', `a server's number is a whole one from 0 to ${MAX_SERVERS - 1}, not ${to}`)
    const timeout = checked(options.timeout ?? this.#timeout)
    const [servers, discover] = [this.#servers, this.#discover]
    const inquire = (address: string, left: number): Inquiry => this.#inquire(address, { timeout: left })
    await transfer({ servers, discover, timeout }, this.#clock, inquire, to)
  }

  /** Asks the server with this address; without one, each of `servers` until one can be reached. */
  async #firstOf<T>(address: string | undefined, ask: (server: string) => Promise<T>): Promise<T> {
    if (address !== undefined) return ask(address)
    let failure: unknown
    for (const server of this.#servers) {
      try {
        return await ask(server)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  /** A connection to a server that answers. */
  async #answering(address: string): Promise<Inquiry> {
    const inquiry = this.#inquire(address, {})
    try {
      await inquiry.status()
      return inquiry
    } catch (error) {
      void inquiry.close('no answer')
      throw error
    }
  }

  async #dump(address: string, options: CallOptions): Promise<StateDump> {
    const inquiry = this.#inquire(address, options)
    try {
      return await inquiry.dump()
    } catch (error) {
      void inquiry.close('no dump')
      throw error
    }
  }

  /** Ends the session and the connections. Calls and feeds that are under way fail with `CLOSED`. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([
      this.#dispatcher.close(),
      ...[...this.#inquiries].map((inquiry) => inquiry.close('the client was closed')),
    ])
  }

  async #answer(address: string, options: CallOptions): Promise<ServerAnswer> {
    try {
      return { address, status: await this.status(address, options), error: null }
    } catch (error) {
      if (error instanceof ClientError) return { address, status: null, error }
      throw error
    }
  }

  #inquire(address: string, options: CallOptions): Inquiry {
    if (this.#closing !== undefined) throw new ClientError('CLOSED', 'the client was closed')
    const timeout = checked(options.timeout ?? this.#timeout)
    const inquiry = new Inquiry(this.#service.name, address, timeout, this.#dialer, this.#clock, () => {
      this.#inquiries.delete(inquiry)
    })
    this.#inquiries.add(inquiry)
    return inquiry
  }

  #encoded(op: Op): EncodedOp {
    try {
      return encodeOp(this.#service, op)
    } catch (error) {
      if (error instanceof SynodError) throw new ClientError('BAD_OPERATION', error.message)
      throw error
    }
  }
}

function checked(timeout: number): number {
  if (timeout > 0) return timeout
  throw new SynodError('BAD_OPTION', `a timeout is a number of ms above 0, not ${timeout}`)
}

/**
 * A client of the cluster that serves this service. The cluster need not be up yet: calls wait for it, within their time.
 * Throws SynodError `BAD_OPTION`.
 */
export function connect<Op, Value, Event = never>(
  service: Served<Op, Value, Event>,
  options: ClientOptions,
): Client<Op, Value, Event> {
  const checkedOptions = OPTIONS.safeParse(options)
  if (!checkedOptions.success) {
    const { path, message } = checkedOptions.error.issues[0] ?? { path: [], message: 'not as they should be' }
    throw new SynodError('BAD_OPTION', `the options of connect: ${path.map(String).join('.')}: ${message}`)
  }
  return new Client(service, options, new WebSocketDialer(), realClock)
}
