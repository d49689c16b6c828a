/** One server: its parts, its beginning and its end. What it does in between is the loop's (loop.ts). */
import type { z } from 'zod'
import type { ServerId } from '../protocol/ballot.js'
import type { Limits, Timing } from '../protocol/config.js'
import { DEFAULT_LIMITS, DEFAULT_TIMING } from '../protocol/config.js'
import { SynodError } from '../protocol/error.js'
import { Paxos } from '../protocol/paxos.js'
import type { Service } from '../service/service.js'
import { admitOp, admitRead, machineOf } from '../service/service-codec.js'
import type { Read } from '../service/service-codec.js'
import type { Storage } from '../storage/storage.js'
import type { Transport } from '../transport/transport.js'
import type { ServerStatus } from '../transport/wire.js'
import { Clients } from './clients.js'
import type { ClientsHost } from './clients.js'
import { randomInteger } from '../clock.js'
import type { Clock } from '../clock.js'
import { asSynodError, stateLost } from './failure.js'
import { farewell } from './farewell.js'
import { handOver } from './handover.js'
import { Greeter } from './greeter.js'
import { Log } from './log.js'
import { Loop } from './loop.js'
import type { LoopHost } from './loop.js'
import { Membership } from './membership.js'
import type { MembershipHost } from './membership.js'
import { obstacleOf } from './obstacle.js'
import { Peers } from './peers.js'
import type { PeersHost } from './peers.js'
import { DEFAULT_SNAPSHOTS } from './snapshotter.js'
import type { SnapshotPolicy } from './snapshotter.js'
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
  readonly snapshots?: SnapshotPolicy
  /** Its directory is empty, or damaged, and to be rebuilt from the other servers. */
  readonly repair?: boolean
  /** Takes each warning, a line without its end. */
  readonly warn: (line: string) => void
}

export class Server<Schema extends z.ZodType, Value> {
  /** Resolves when the server has ended: with the reason if it could not go on, with null after {@link close}. */
  readonly stopped: Promise<SynodError | null>
  /** Resolves when the cluster is formed and this server knows an active leader for the first time. */
  readonly serving: Promise<void>
  /** Resolves when this server votes again after a repair; never if there was none. */
  readonly repaired: Promise<void>

  readonly #options: ServerOptions<Schema, Value>
  readonly #log: Log
  readonly #core: Paxos
  readonly #loop: Loop
  readonly #peers: Peers
  readonly #clients: Clients
  readonly #greeter: Greeter
  #membership: Membership | undefined
  #phase: 'starting' | 'running' | 'stopping' = 'starting'
  /** The opening of directory and port, which an end waits for. */
  #opening: Promise<void> | undefined
  /** It takes its leave of the others, before its end. */
  #leaving: Promise<void> | undefined
  #ending: Promise<SynodError | null> | undefined
  readonly #standing: Standing
  readonly #ticker: Ticker
  #resolveStopped: (error: SynodError | null) => void = () => undefined
  #resolveServing: () => void = () => undefined
  #resolveRepaired: () => void = () => undefined

  constructor(options: ServerOptions<Schema, Value>) {
    const { service, id, addresses, clock, storage, transport } = options
    this.#options = options
    const { sessionTtl = DEFAULT_TIMING.sessionTtl } = service
    const timing = options.timing ?? { ...DEFAULT_TIMING, sessionTtl }
    this.stopped = new Promise((resolve) => (this.#resolveStopped = resolve))
    this.serving = new Promise((resolve) => (this.#resolveServing = resolve))
    this.repaired = new Promise((resolve) => (this.#resolveRepaired = resolve))
    const log = new Log(id, options.warn)
    this.#log = log
    this.#standing = new Standing(log, clock.now())
    const { machine, holder, read } = machineOf(service)
    const configuration = { servers: addresses.map((_, server) => server) }
    const [start, seed] = [randomInteger(clock), randomInteger(clock)]
    const { limits = DEFAULT_LIMITS } = options
    const core = new Paxos({ id, configuration, start, seed, timing, limits }, machine)
    this.#core = core
    this.#peers = new Peers(id, addresses, transport, clock, log, this.#peersHost())
    this.#clients = new Clients(this.#clientsHost(read), clock, log)
    const tuning = { snapshots: options.snapshots ?? DEFAULT_SNAPSHOTS, resend: timing.resend }
    this.#loop = new Loop(
      { id, servers: addresses.length, core, storage, holder, clock, log },
      tuning,
      this.#loopHost(),
    )
    this.#ticker = new Ticker(timing, clock, {
      step: (input) => {
        this.#loop.step(input)
      },
      sessions: () => this.#clients.sessions(),
      leaderless: (now) => this.#standing.leaderless(now),
      dropSubscribers: () => {
        this.#clients.dropSubscribers('this server knows no leader')
      },
      ticked: (now) => {
        if (storage.failure !== null) return this.#fail(storage.failure)
        this.#standing.sample(core.status(), now)
        this.#loop.keeper.tick()
      },
    })
    this.#greeter = new Greeter(clock, log, {
      arrived: () => {
        this.#loop.endOverdue()
      },
      peer: (connection, hello) => this.#peers.accept(connection, hello),
      client: (connection, hello) => this.#clients.accept(connection, hello),
      failed: (error) => {
        this.#fail(error)
      },
    })
  }

  /**
   * Listens, opens the directory and rebuilds the core from it, and begins to look for the other servers. Until that is done
   * it only tells how it stands. Throws StorageError, or SynodError (`ADDRESS_IN_USE`, `ADDRESS_UNUSABLE`, `STATE_FAILED`;
   * `NOT_SERVING` if it was closed meanwhile); the server has ended then.
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
    this.#loop.keeper.begin()
    this.#peers.start()
    this.#membership?.start()
  }

  /** How this server stands. */
  status(): ServerStatus {
    const { service, id, addresses, storage, clock } = this.#options
    // A repair is over when that is durable, which the membership knows.
    const repairing = this.#membership?.repairing ?? this.#core.repairing
    const [core, keeper] = [{ ...this.#core.status(), repairing }, this.#loop.keeper.status]
    const standpoint = {
      id,
      address: addresses[id] ?? '',
      service: service.name,
      clusterId: this.#membership?.clusterId ?? null,
      obstacle: obstacleOf({
        stopping: this.#phase === 'stopping' || this.#leaving !== undefined,
        progress: this.progress,
        takesPart: this.#takesPart,
        missing: this.missing,
        fetching: keeper.fetching,
        lacksState: this.#core.lacksState,
        outpaced: this.#core.outpaced,
        repairing: core.repairing,
        full: this.#loop.journal.full,
      }),
      takesPart: this.#takesPart,
      progress: this.progress,
      core,
      storage: storage.statistics(),
      keeper,
      connected: this.#peers.connected(),
      clients: this.#clients.size,
      feeds: this.#clients.feeds,
      reads: this.#clients.reads.counts,
      latency: this.#clients.latency,
      oldestEvent: this.#core.events.oldest,
    }
    return this.#standing.status(standpoint, clock.now())
  }

  /** How much of its directory it has read, from 0 to 1; null when it has started. */
  get progress(): number | null {
    return this.#phase === 'starting' ? (this.#loop.keeper.progress ?? 0) : null
  }

  /** The servers that this one has not met in this start. Its cluster is formed once all of them have met. */
  get missing(): readonly ServerId[] {
    return this.#membership?.missing ?? []
  }

  /**
   * Ends the server: a leader hands its leadership over, nothing more is taken in, what is being written is made durable, the
   * directory is sealed and freed.
   */
  async close(): Promise<void> {
    this.#leaving ??= this.#leave()
    await this.#leaving
    await this.#end(null)
  }

  async #leave(): Promise<void> {
    if (!this.#takesPart || this.#phase !== 'running') return
    const parts = {
      core: this.#core,
      loop: this.#loop,
      clients: this.#clients,
      alone: this.#options.addresses.length === 1,
      ended: () => this.#ending !== undefined,
    }
    await farewell(this.#options.clock, parts, this.#patience)
  }

  /** How long leadership may take to pass from one server to another (ms). */
  get #patience(): number {
    return 2 * (this.#options.timing ?? DEFAULT_TIMING).election
  }

  /** Its core runs, and others' messages are for it. */
  get #takesPart(): boolean {
    return this.#membership?.takesPart === true
  }

  /** Whoever asks how it stands is answered from the first moment on; a large state takes seconds to be read. */
  async #open(): Promise<void> {
    this.#checkNotEnding()
    await this.#options.transport.listen((connection) => this.#greeter.accept(connection))
    this.#checkNotEnding()
    await this.#recover()
  }

  #checkNotEnding(): void {
    if (this.#phase === 'stopping') throw new SynodError('NOT_SERVING', 'the server was closed before it had started')
  }

  /** What the directory holds becomes the state, the core, and the membership. */
  async #recover(): Promise<void> {
    const { id, storage, service, addresses, clock, repair = false } = this.#options
    const owner = { service: service.name, id, count: addresses.length }
    const opened = await storage.open(owner, { repair })
    for (const note of opened.notes) this.#log.warn(note)
    const membership = new Membership(owner, storage, opened, clock, this.#membershipHost(), repair)
    await this.#loop.keeper.recover(opened, (record) => {
      if (record.type === 'peers') membership.restore(record)
      else if (record.type !== 'formed') this.#core.restore(record)
    })
    this.#checkNotEnding() // else what was not read would seem to be lost
    if (this.#core.lacksState && addresses.length === 1) throw stateLost(opened.collected)
    this.#membership = membership
  }

  #membershipHost(): MembershipHost {
    return {
      changed: () => {
        this.#peers.tell()
      },
      repairing: () => {
        this.#core.restore({ type: 'repairing' })
      },
      takesPart: () => {
        this.#log.write('server', `takes part in cluster ${this.#membership?.clusterId ?? ''}`)
        this.#ticker.tick()
      },
      lifeOf: (server) => this.#core.lifeOf(server),
      failed: (error) => {
        this.#fail(error)
      },
    }
  }

  #loopHost(): LoopHost {
    return {
      running: () => this.#phase === 'running',
      membership: () => this.#membership,
      peers: this.#peers,
      clients: this.#clients,
      repaired: () => {
        this.#log.write('server', `is repaired: it is in life ${this.#core.status().life} now, and votes again`)
        this.#resolveRepaired()
      },
      turned: () => {
        const status = this.#core.status()
        this.#standing.watch(status, this.#options.clock.now())
        this.#clients.tellLeader(status.leader)
        if (status.leader !== null) this.#resolveServing()
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
      ready: () => this.#phase !== 'starting',
      hello: (to) => membership().hello(to),
      heard: (peer, hello) => membership().heard(peer, hello),
      mismatch: (hello) => membership().mismatch(hello),
      clusterId: () => (this.#takesPart ? membership().clusterId : null),
      batch: () => this.#options.storage.batch,
      outdated: (hello) => membership().outdated(hello),
      received: (hello, frame) => {
        membership().noteBatch(hello, frame.batch)
        this.#loop.received(hello.from, frame.messages)
      },
      unreachable: (peer) => {
        if (this.#takesPart) this.#loop.step({ type: 'unreachable', server: peer, now: this.#options.clock.now() })
      },
    }
  }

  #clientsHost(read: Read<z.output<Schema>>): ClientsHost {
    const { service, id, addresses, clock, storage } = this.#options
    return {
      service: service.name,
      id,
      addresses,
      takes: () => this.#takes(),
      room: () => this.#core.room,
      admit: (op) => admitOp(service, op),
      submit: (commands) => {
        this.#loop.step({ type: 'submit', commands, now: clock.now() })
      },
      isWhole: () => this.#phase === 'running' && this.#loop.keeper.isWhole,
      applied: () => this.#core.applied,
      admitRead: (op) => admitRead(service, op),
      read: (slot, op) => read(slot, op as z.output<Schema>),
      wake: () => {
        this.#loop.wake()
      },
      alive: (clientId) => {
        this.#loop.step({ type: 'alive', clientIds: [clientId], now: clock.now() })
      },
      status: () => this.status(),
      feedSource: { events: this.#core.events, next: () => this.#core.applied + 1 },
      snapshot: () => ({ slot: this.#core.applied, entries: this.#loop.keeper.view() }),
      digest: (slot) => this.#loop.keeper.digest(slot),
      chain: () => this.#core.chain,
      handOver: (to) =>
        handOver({ id, servers: addresses.length, core: this.#core, loop: this.#loop, clock }, this.#patience, to),
      takeSnapshot: async () => {
        const info = await this.#loop.keeper.takeSnapshot()
        return { slot: info.slot, path: storage.snapshots.pathOf(info) }
      },
    }
  }

  /** Whether commands are taken in. A server that is far behind leaves them to others. */
  #takes(): ReturnType<ClientsHost['takes']> {
    if (this.#phase !== 'running' || !this.#takesPart || this.#loop.keeper.busy || this.#core.repairing) return 'no'
    return this.#loop.journal.full ? 'busy' : 'yes'
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
    this.#loop.journal.stop()
    const written = this.#membership?.stop()
    this.#greeter.stop()
    this.#peers.close('the server stops')
    this.#clients.close(new SynodError('NOT_SERVING', 'this server stops'))
    const kept = this.#loop.keeper.stop() // also ends an opening that is under way
    await this.#opening?.catch(() => undefined) // who started it is told
    let reason = error
    const failed = (problem: unknown): void => {
      reason ??= asSynodError(problem)
    }
    await transport.close().catch(failed)
    await kept
    await written // the directory is freed when nothing writes there any more
    if (error === null && !this.#loop.journal.full) await this.#membership?.writeLastRecord().catch(failed)
    await storage.close().catch(failed)
    this.#resolveStopped(reason)
    return reason
  }
}
