/**
 * One server: the only loop. What happens (peers' messages, clients' commands, ticks) goes into the core at once; after
 * the events of a turn the core's Ready comes out, once for all of them: records to the journal, messages to the peers,
 * outcomes to the clients.
 */
import type { z } from 'zod'
import type { ServerId } from '../protocol/ballot.js'
import type { Limits, Timing } from '../protocol/config.js'
import { DEFAULT_LIMITS, DEFAULT_TIMING } from '../protocol/config.js'
import { SynodError } from '../protocol/error.js'
import { Paxos } from '../protocol/paxos.js'
import type { Envelope, Input } from '../protocol/ready.js'
import type { Service, State } from '../service/service.js'
import { admitOp, machineOf } from '../service/service-codec.js'
import type { Storage } from '../storage/storage.js'
import type { Transport } from '../transport/transport.js'
import type { PeerFrame, ServerStatus } from '../transport/wire.js'
import { Clients } from './clients.js'
import type { ClientsHost } from './clients.js'
import { randomInteger } from '../clock.js'
import type { Clock } from '../clock.js'
import { nameServers } from './addresses.js'
import { asSynodError } from './failure.js'
import { Greeter } from './greeter.js'
import { Journal } from './journal.js'
import type { JournalHost } from './journal.js'
import { Log } from './log.js'
import { Membership } from './membership.js'
import { Peers } from './peers.js'
import type { PeersHost } from './peers.js'
import { Standing } from './standing.js'
import { Ticker } from './ticker.js'

/** What a server is made of. The simulator gives another storage, transport and clock. */
export interface ServerOptions<Schema extends z.ZodType, Value> {
  readonly service: Service<Schema, Value, unknown>
  readonly id: ServerId
  /** `host:port` of all servers, in id order, as peers and clients reach them. Their number is the cluster's, for good. */
  readonly addresses: readonly string[]
  readonly storage: Storage
  readonly transport: Transport
  readonly clock: Clock
  readonly timing?: Timing
  readonly limits?: Limits
  /** Takes each warning, a line without its end. */
  readonly warn: (line: string) => void
}

export class Server<Schema extends z.ZodType, Value> {
  /** Resolves when the server has ended: with the reason if it could not go on, with null after {@link close}. */
  readonly stopped: Promise<SynodError | null>
  /** Resolves when the cluster is formed and this server knows an active leader for the first time. */
  readonly serving: Promise<void>

  readonly #options: ServerOptions<Schema, Value>
  readonly #log: Log
  readonly #state: State<z.output<Schema>, Value, unknown>
  readonly #core: Paxos
  readonly #journal: Journal
  readonly #peers: Peers
  readonly #clients: Clients
  readonly #greeter: Greeter
  #membership: Membership | undefined
  #phase: 'starting' | 'running' | 'stopping' = 'starting'
  /** The opening of directory and port, which an end waits for. */
  #opening: Promise<void> | undefined
  #ending: Promise<SynodError | null> | undefined
  readonly #standing: Standing
  readonly #ticker: Ticker
  /** The end of this turn is on its way. */
  #scheduled = false
  #resolveStopped: (error: SynodError | null) => void = () => undefined
  #resolveServing: () => void = () => undefined

  constructor(options: ServerOptions<Schema, Value>) {
    const { service, id, addresses, clock, storage, transport } = options
    this.#options = options
    const { sessionTtl = DEFAULT_TIMING.sessionTtl } = service
    const timing = options.timing ?? { ...DEFAULT_TIMING, sessionTtl }
    this.stopped = new Promise((resolve) => (this.#resolveStopped = resolve))
    this.serving = new Promise((resolve) => (this.#resolveServing = resolve))
    this.#log = new Log(id, options.warn)
    this.#standing = new Standing(this.#log, clock.now())
    const { machine, state } = machineOf(service)
    this.#state = state
    this.#core = new Paxos(
      {
        id,
        configuration: { servers: addresses.map((_, server) => server) },
        start: randomInteger(clock),
        seed: randomInteger(clock),
        timing,
        limits: options.limits ?? DEFAULT_LIMITS,
      },
      machine,
    )
    const failed = (error: unknown): void => {
      this.#fail(error)
    }
    this.#journal = new Journal(storage, clock, this.#journalHost())
    this.#peers = new Peers(id, addresses, transport, clock, this.#log, this.#peersHost())
    this.#clients = new Clients(this.#clientsHost(), clock, this.#log)
    this.#ticker = new Ticker(timing, clock, {
      step: (input) => {
        this.#step(input)
      },
      sessions: () => this.#clients.sessions(),
      leaderless: (now) => this.#standing.leaderless(now),
      dropSubscribers: () => {
        this.#clients.dropSubscribers()
      },
      sample: (now) => {
        this.#standing.sample(this.#core.status(), now)
      },
    })
    this.#greeter = new Greeter(clock, this.#log, {
      peer: (connection, hello) => this.#peers.accept(connection, hello),
      client: (connection, hello) => this.#clients.accept(connection, hello),
      failed,
    })
  }

  /**
   * Opens the directory, rebuilds the core from it, listens, and begins to look for the other servers.
   * Throws StorageError, or SynodError (`ADDRESS_IN_USE`, `ADDRESS_UNUSABLE`, `STATE_FAILED`; `NOT_SERVING` if it was closed
   * meanwhile); the server has ended then.
   */
  async start(): Promise<void> {
    try {
      this.#opening = this.#open()
      await this.#opening
      this.#checkNotEnding()
    } catch (error) {
      const reason = asSynodError(error)
      throw (await this.#end(reason)) ?? reason
    }
    this.#phase = 'running'
    this.#peers.start()
    this.#membership?.start()
  }

  /** How this server stands. */
  status(): ServerStatus {
    const { service, id, addresses, storage, clock } = this.#options
    const standpoint = {
      id,
      address: addresses[id] ?? '',
      service: service.name,
      clusterId: this.#membership?.clusterId ?? null,
      obstacle: this.#obstacle(),
      formed: this.#formed,
      core: this.#core.status(),
      storage: storage.statistics(),
      connected: this.#peers.connected(),
      clients: this.#clients.size,
      feeds: this.#clients.feeds,
      latency: this.#clients.latency,
      oldestEvent: this.#core.events.oldest,
    }
    return this.#standing.status(standpoint, clock.now())
  }

  /** Why this server takes no commands in, whoever leads. */
  #obstacle(): string | null {
    if (this.#phase !== 'running') return `this server is ${this.#phase}`
    if (!this.#formed) {
      const { missing } = this
      return `the cluster is not formed: ${missing.length === 0 ? 'not all servers have met each other' : `not met yet: ${nameServers(missing)}`}`
    }
    return this.#journal.full ? 'the disk is full' : null
  }

  /** The servers that this one has not met in this start. Its cluster is formed once all of them have met. */
  get missing(): readonly ServerId[] {
    return this.#membership?.missing ?? []
  }

  /**
   * Ends the server: a leader says so, nothing more is taken in, what is being written is made durable, the directory is
   * sealed and freed.
   */
  async close(): Promise<void> {
    if (this.#formed) this.#step({ type: 'stop', now: this.#options.clock.now() })
    if (this.#phase === 'running') this.#turn()
    await this.#end(null)
  }

  get #formed(): boolean {
    return this.#membership?.formed === true
  }

  async #open(): Promise<void> {
    this.#checkNotEnding()
    await this.#recover()
    this.#checkNotEnding()
    await this.#options.transport.listen((connection) => this.#greeter.accept(connection))
  }

  #checkNotEnding(): void {
    if (this.#phase === 'stopping') throw new SynodError('NOT_SERVING', 'the server was closed before it had started')
  }

  /** What the directory holds becomes the core, and the membership. */
  async #recover(): Promise<void> {
    const { id, storage, service, addresses, clock } = this.#options
    const owner = { service: service.name, id, count: addresses.length }
    const opened = await storage.open(owner)
    for (const note of opened.notes) this.#log.warn(note)
    const membership = new Membership(owner, storage, opened, clock, {
      changed: () => {
        this.#peers.tell()
      },
      formed: () => {
        this.#log.write('server', `takes part in cluster ${membership.clusterId ?? ''}`)
        this.#ticker.tick()
      },
      failed: (error) => {
        this.#fail(error)
      },
    })
    this.#membership = membership
    for (const record of opened.records) {
      if (record.type === 'peers') membership.restore(record.batches)
      else if (record.type !== 'formed') this.#core.restore(record)
    }
  }

  #step(input: Input): void {
    if (this.#phase !== 'running') return
    try {
      this.#core.step(input)
    } catch (error) {
      return this.#fail(error)
    }
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#options.clock.defer(this.#turn)
  }

  /** The end of a turn: all that the core wants done. */
  readonly #turn = (): void => {
    this.#scheduled = false
    if (this.#phase !== 'running') return
    try {
      for (let again = true; again;) {
        const ready = this.#core.ready()
        const released = this.#journal.add(ready.records, ready.messagesAfterSync)
        this.#clients.deliver(ready.replies)
        const looped = this.#send(ready.messages)
        again = this.#send(released) || looped
      }
      this.#addPeersRecord()
      this.#journal.write()
      this.#peers.flush()
      this.#clients.flush()
      const status = this.#core.status()
      this.#standing.watch(status, this.#options.clock.now())
      if (status.leader !== null) this.#resolveServing()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Hands messages to their peers' frames, and those to this server back to the core. True if there was one of those. */
  #send(envelopes: readonly Envelope[]): boolean {
    const { id, clock } = this.#options
    let looped = false
    for (const { to, message } of envelopes) {
      for (const peer of to) {
        this.#log.message(id, peer, message)
        if (peer === id) {
          looped = true
          this.#core.step({ type: 'message', from: id, message, now: clock.now() })
        } else {
          this.#peers.send(peer, message)
        }
      }
    }
    return looped
  }

  /** What the peers told of their batches goes along with records that are written anyway: an idle server writes nothing. */
  #addPeersRecord(): void {
    const record = this.#journal.pending ? (this.#membership?.takeRecord(this.#options.clock.now()) ?? null) : null
    if (record !== null) this.#journal.add([record], [])
  }

  #journalHost(): JournalHost {
    return {
      durable: (released) => {
        if (this.#phase !== 'running') return
        try {
          this.#send(released)
        } catch (error) {
          return this.#fail(error)
        }
        this.#schedule()
      },
      full: (isFull) => {
        this.#log.warn(
          isFull
            ? 'the disk is full: this server takes nothing in until there is room; nothing that was acknowledged is lost'
            : 'the disk has room again: this server goes on',
        )
      },
      failed: (error) => {
        this.#fail(error)
      },
    }
  }

  #peersHost(): PeersHost {
    const membership = (): Membership => {
      if (this.#membership === undefined) throw new Error('a peer was met before the directory was open')
      return this.#membership
    }
    return {
      hello: (to) => membership().hello(to),
      heard: (peer, hello) => membership().heard(peer, hello),
      mismatch: (hello) => membership().mismatch(hello),
      clusterId: () => (this.#formed ? membership().clusterId : null),
      batch: () => this.#options.storage.batch,
      received: (from, frame) => {
        this.#received(from, frame)
      },
    }
  }

  #received(from: ServerId, frame: PeerFrame): void {
    this.#membership?.noteBatch(from, frame.batch)
    if (this.#journal.full) return // as if they were lost: nothing more may pile up here
    const now = this.#options.clock.now()
    for (const message of frame.messages) {
      this.#log.message(from, this.#options.id, message)
      this.#step({ type: 'message', from, message, now })
    }
  }

  #clientsHost(): ClientsHost {
    const { service, id, addresses, clock } = this.#options
    return {
      service: service.name,
      id,
      addresses,
      takes: () => (this.#phase !== 'running' || !this.#formed ? 'no' : this.#journal.full ? 'busy' : 'yes'),
      admit: (op) => admitOp(service, op),
      submit: (commands) => {
        this.#step({ type: 'submit', commands, now: clock.now() })
      },
      alive: (clientId) => {
        this.#step({ type: 'alive', clientIds: [clientId], now: clock.now() })
      },
      status: () => this.status(),
      feedSource: {
        events: this.#core.events,
        next: () => this.#core.status().applied + 1,
      },
      snapshot: () => ({ slot: this.#core.status().applied, entries: this.#state.snapshot() }),
    }
  }

  #fail(error: unknown): void {
    if (this.#phase !== 'stopping') void this.#end(asSynodError(error))
  }

  /** Ends everything, once. After an error nothing is sent but goodbyes. Resolves with what {@link stopped} does. */
  #end(error: SynodError | null): Promise<SynodError | null> {
    return (this.#ending ??= this.#shutDown(error))
  }

  async #shutDown(error: SynodError | null): Promise<SynodError | null> {
    this.#phase = 'stopping'
    const { storage, transport } = this.#options
    this.#ticker.stop()
    this.#journal.stop()
    const written = this.#membership?.stop()
    this.#greeter.stop()
    this.#peers.close('the server stops')
    this.#clients.close(new SynodError('NOT_SERVING', 'this server stops'))
    await this.#opening?.catch(() => undefined) // who started it is told
    let reason = error
    const failed = (problem: unknown): void => {
      reason ??= asSynodError(problem)
    }
    await transport.close().catch(failed)
    await written // the directory is freed when nothing writes there any more
    if (error === null && !this.#journal.full) await this.#membership?.writeLastRecord().catch(failed)
    await storage.close().catch(failed)
    this.#resolveStopped(reason)
    return reason
  }
}
