/**
 * A simulated cluster to play scenarios in: the real `Server`, `FileStorage` and `Client` over simulated disks, network,
 * clocks and time. Everything follows from the options and from what is done to it; a checker that sees all servers
 * watches each step.
 */
import type { ServerStatus } from '@synod/paxos'
import { Inquiry } from '@synod/paxos/internal/client/inquiry'
import type { Limits, Timing } from '@synod/paxos/internal/protocol/config'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { decodePeerFrame, decodeServerFrame } from '@synod/paxos/internal/transport/codec'
import { DEFAULT_SNAPSHOTS } from '@synod/paxos/internal/server/snapshotter'
import type { SnapshotPolicy } from '@synod/paxos/internal/server/snapshotter'
import type { LogLimits } from '@synod/paxos/internal/storage/log-writer'
import { MemoryNetwork } from '@synod/paxos/internal/transport/memory-transport'
import type { AnyService } from '../subject/subject.js'
import { Links } from '../world/links.js'
import type { ServerFaults, Standing, World, WorldClient } from '../world/world.js'
import { Checker } from './checker.js'
import { drawLimits, drawLog, drawSnapshots, drawTail, drawTiming } from './drawn.js'
import { Machine } from './machine.js'
import { SimClient } from './sim-client.js'
import { SimServer } from './sim-server.js'
import { VirtualTime } from './time.js'
import { Trace } from './trace.js'

export interface SimWorldOptions {
  readonly service: AnyService
  /** How many servers the cluster has. */
  readonly servers: number
  readonly seed: number
  /** By default drawn by the seed. */
  readonly timing?: Timing
  /** How long leaders' leases last (ms); 0 or nothing: they have none. Where they have, no clock must be wrong by more than {@link DRIFT}. */
  readonly lease?: number
  /** By default drawn by the seed: small ones, too. */
  readonly limits?: Limits
  /** When servers make snapshots. */
  readonly snapshots?: SnapshotPolicy
  /** How the log is written. */
  readonly log?: Partial<LogLimits>
  /** What is not given of tails, snapshots and the log is drawn by the seed, and small; else it is as usual. */
  readonly small?: boolean
  /** How long a disk operation takes (ms): up to. By default drawn by the seed. */
  readonly diskDelay?: number
  /** Takes each line of the trace. */
  readonly trace?: (line: string) => void
}

/** How long a frame takes, and a connection each way, but for the faults of a link (ms). */
const DELAY = 0.5
/** Real files are larger, but what is written in a simulation is less. */
const USUAL_LOG: Partial<LogLimits> = { fileBytes: 32 << 10, reserveBytes: 4 << 10 }
/** How long a server may take to write a snapshot that it was asked for, or to hand leadership over (ms). */
const PATIENCE = 10_000

export class SimWorld implements World {
  readonly name = 'simulator'
  readonly servers: number
  readonly links: Links
  readonly broken: Promise<never>
  readonly #service: AnyService
  readonly #time: VirtualTime
  readonly #prng: Prng
  readonly #checker: Checker
  readonly #network: MemoryNetwork
  readonly #addresses: readonly string[]
  readonly #machines: readonly Machine[]
  readonly #servers: readonly SimServer[]
  readonly #clients: SimClient[] = []
  readonly #trace: Trace
  #break: (error: unknown) => void = () => undefined

  constructor(options: SimWorldOptions) {
    const { service, servers, seed } = options
    const prng = new Prng(seed)
    const part = (): Prng => new Prng(prng.next())
    this.servers = servers
    this.broken = new Promise<never>((_, reject) => (this.#break = reject))
    this.broken.catch(() => undefined) // whoever races it hears of it
    this.#service = service
    this.#time = new VirtualTime(part())
    this.#trace = new Trace(() => this.#time.now, options.trace)
    this.#prng = part()
    this.#addresses = Array.from({ length: servers }, (_, id) => `server:${id}`)
    this.links = new Links(servers, part(), () => this.#time.now)
    this.#network = new MemoryNetwork(this.#time.life().clock, {
      connect: (from, to) => this.#connect(from, to),
      deliver: (from, to, frame) => this.#deliver(from, to, frame),
    })
    const limits = options.limits ?? { ...drawLimits(prng), ...(options.small === true && drawTail(prng)) }
    const timing = options.timing ?? drawTiming(prng, options.lease ?? 0, service.sessionTtl)
    const diskDelay = options.diskDelay ?? prng.pick([0.1, 1, 5])
    const snapshots = options.snapshots ?? (options.small === true ? drawSnapshots(prng) : DEFAULT_SNAPSHOTS)
    const log = options.log ?? (options.small === true ? drawLog(prng) : USUAL_LOG)
    this.#checker = new Checker(servers, service, limits.window)
    const site = {
      ...{ service, addresses: this.#addresses, time: this.#time, network: this.#network, checker: this.#checker },
      ...{ timing, limits, diskDelay, snapshots, log, goodSnapshots: new Map<string, number>() },
      trace: this.#trace.line,
      broken: this.#broke,
    }
    this.#machines = this.#addresses.map((_, id) => new Machine(id, site, part()))
    this.#servers = this.#machines.map((machine) => {
      const spares = (): string | null => this.#spares(machine.id)
      const snapshot = (): Promise<string | null> => this.#ask(machine.id, (inquiry) => inquiry.snapshot())
      const handOver = (to: number): Promise<string | null> => this.#ask(machine.id, (inquiry) => inquiry.handOver(to))
      return new SimServer(machine, part(), { trace: this.#trace.line, spares, snapshot, handOver })
    })
    const drawn = { limits, timing, diskDelay, snapshots, log }
    this.#trace.line(`seed ${seed}: ${servers} servers, ${JSON.stringify(drawn)}`)
  }

  /** How many events were handled. */
  get events(): number {
    return this.#time.handled
  }

  /** How often a server was killed. */
  get crashes(): number {
    return this.#machines.reduce((sum, { crashes }) => sum + crashes, 0)
  }

  /** How many faults servers met, but for those of the network. */
  get faults(): number {
    return this.#servers.reduce((sum, { faults }) => sum + faults, 0)
  }

  /** How many slots have a chosen command. */
  get slots(): number {
    return this.#checker.chosen
  }

  /** SHA-256 of the trace until this is first asked for: the same for the same options and deeds. */
  get digest(): string {
    return this.#trace.digest
  }

  /**
   * Lets virtual time pass until the promise is settled, and gives what it came to. Rejects if it is not settled by the
   * deadline (ms since the world began).
   */
  async driveTo<T>(promise: Promise<T>, deadline: number): Promise<T> {
    let settled = false
    const settle = (): void => {
      settled = true
    }
    promise.then(settle, settle)
    if (await this.#time.runUntil(() => settled, deadline)) return promise
    throw new Error(`not over after ${this.now()} ms of virtual time`)
  }

  now(): number {
    return this.#time.now
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#time.after(ms, resolve))
  }

  server(id: number): ServerFaults {
    return at(this.#servers, id)
  }

  /** How many operations of a server's disk were begun. */
  operations(id: number): number {
    return at(this.#machines, id).disk.operations
  }

  /** Kills a server, which is down now, at an operation of its disk (counted from 0, from the first start on). */
  crashAt(id: number, operation: number, powerLoss: boolean): void {
    at(this.#machines, id).crashAt(operation, powerLoss)
  }

  sever(a: number, b: number): void {
    this.#trace.line(`sever ${a} ${b}`)
    this.#network.sever(at(this.#addresses, a), at(this.#addresses, b))
  }

  standing(id: number): Standing {
    return at(this.#machines, id).standing
  }

  output(id: number): string {
    return at(this.#machines, id).output
  }

  client(servers: readonly number[]): WorldClient {
    const addresses = servers.map((id) => at(this.#addresses, id))
    const name = `client:${this.#clients.length}`
    const prng = new Prng(this.#prng.next())
    const client = new SimClient(this.#service, name, addresses, this.#network, this.#time, prng)
    this.#clients.push(client)
    return client
  }

  async status(id: number): Promise<ServerStatus | null> {
    return at(this.#machines, id).status()
  }

  async dump(id: number): Promise<{ readonly slot: number; readonly entries: readonly unknown[] } | null> {
    return at(this.#machines, id).dump()
  }

  async close(): Promise<void> {
    for (const machine of this.#machines) machine.close()
    for (const client of this.#clients) client.end()
  }

  readonly #broke = (error: unknown): void => {
    this.#trace.line(`broken: ${error instanceof Error ? error.message : String(error)}`)
    this.#break(error)
  }

  /**
   * More than a minority of the servers must not be damaged at a time: no protocol can bear that, nor judge what comes of it.
   * A server that was damaged is whole again once it has started with all that it must have, or was repaired.
   */
  #spares(id: number): string | null {
    const damaged = this.#machines.filter((machine) => machine.id !== id && !machine.intact)
    if (damaged.length + 1 <= Math.ceil(this.servers / 2) - 1) return null
    const others =
      damaged.length === 0 ? '' : `: server ${damaged.map((machine) => machine.id).join(', ')} is damaged already`
    return `more than a minority of the servers would be damaged at once${others}`
  }

  /** Has a server do something; a sentence if it does not. */
  async #ask(id: number, ask: (inquiry: Inquiry) => Promise<unknown>): Promise<string | null> {
    const address = at(this.#addresses, id)
    const { clock } = this.#time.life()
    const inquiry = new Inquiry(null, address, PATIENCE, this.#network.dialer(`whoever asks ${id}`), clock)
    try {
      await ask(inquiry)
      return null
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    } finally {
      void inquiry.close('it is done')
    }
  }

  #connect(from: string, to: string): number | null {
    const [a, b] = [this.#addresses.indexOf(from), this.#addresses.indexOf(to)]
    return a >= 0 && b >= 0 && (this.links.isCut(a, b) || this.links.isCut(b, a)) ? null : DELAY
  }

  #deliver(from: string, to: string, frame: Uint8Array): readonly number[] {
    const [a, b] = [this.#addresses.indexOf(from), this.#addresses.indexOf(to)]
    if (a < 0) return [DELAY] // from a client
    if (b < 0) return this.#answer(a, to, frame)
    const decoded = decodePeerFrame(frame)
    if (decoded.type !== 'messages') {
      this.#trace.line(`${a}>${b} ${decoded.type}`)
      return this.links.isCut(a, b) ? [] : [DELAY]
    }
    let types = ''
    for (const message of decoded.messages) {
      types += ` ${message.type}`
      this.#watch(() => this.#checker.sent(a, b, message))
      at(this.#machines, a).sent(message)
    }
    const delays = this.links.deliver(a, b, frame.length)
    this.#trace.line(`${a}>${b}${types} ${frame.length} ${delays.length}`)
    return delays.map((delay) => delay + DELAY)
  }

  /** A frame from a server to a client. */
  #answer(server: number, client: string, frame: Uint8Array): readonly number[] {
    const decoded = decodeServerFrame(frame)
    this.#trace.line(`${server}>${client} ${decoded.type} ${frame.length}`)
    if (decoded.type === 'subscribed' || decoded.type === 'events' || decoded.type === 'compacted')
      this.#watch(() => this.#checker.fed(server, `${server} ${client} ${decoded.feed}`, decoded))
    if (decoded.type === 'replies')
      for (const reply of decoded.replies) this.#watch(() => this.#checker.replied(server, reply))
    return [DELAY]
  }

  #watch(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#broke(error)
    }
  }
}

function at<T>(items: readonly T[], id: number): T {
  const item = items[id]
  if (item === undefined) throw new RangeError(`no server ${id}`)
  return item
}
