/**
 * A simulated cluster to play scenarios in: the real `Server`, `FileStorage` and `Client` over simulated disks, network,
 * clocks and time. Everything follows from the options and from what is done to it; a checker that sees all servers
 * watches each step.
 */
import type { ServerStatus } from '@synod/paxos'
import type { Limits, Timing } from '@synod/paxos/internal/protocol/config'
import { DEFAULT_LIMITS } from '@synod/paxos/internal/protocol/config'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { decodePeerFrame, decodeServerFrame } from '@synod/paxos/internal/transport/codec'
import { MemoryNetwork } from '@synod/paxos/internal/transport/memory-transport'
import type { AnyService } from '../subject/subject.js'
import { Links } from '../world/links.js'
import type { ServerFaults, Standing, World, WorldClient } from '../world/world.js'
import { Checker } from './checker.js'
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
  /** By default drawn by the seed: small ones, too. */
  readonly limits?: Limits
  /** How long a disk operation takes (ms): up to. By default drawn by the seed. */
  readonly diskDelay?: number
  /** Takes each line of the trace. */
  readonly trace?: (line: string) => void
}

/** How long a frame takes, and a connection each way, but for the faults of a link (ms). */
const DELAY = 0.5

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
    const limits = options.limits ?? drawLimits(prng)
    const timing = options.timing ?? drawTiming(prng, service.sessionTtl)
    const diskDelay = options.diskDelay ?? prng.pick([0.1, 1, 5])
    this.#checker = new Checker(servers, service, limits.window)
    const site = {
      ...{ service, addresses: this.#addresses, time: this.#time, network: this.#network, checker: this.#checker },
      ...{ timing, limits, diskDelay },
      trace: this.#trace.line,
      broken: this.#broke,
    }
    this.#machines = this.#addresses.map((_, id) => new Machine(id, site, part()))
    this.#servers = this.#machines.map((machine) => new SimServer(machine, part(), this.#trace.line))
    this.#trace.line(`seed ${seed}: ${servers} servers, ${JSON.stringify({ limits, timing, diskDelay })}`)
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

/** Small limits make the edges of windows, runs and chunks be met all the time. */
export function drawLimits(prng: Prng): Limits {
  return {
    ...DEFAULT_LIMITS,
    window: prng.pick([4, 16, 1024]),
    runsInFlight: prng.pick([1, 2, 4]),
    runCommands: prng.pick([1, 3, 64]),
    runBytes: prng.pick([100, 400, 1 << 20]),
  }
}

/** Quick elections; now and then sessions that expire while their clients are idle, unless the service says how long they last. */
export function drawTiming(prng: Prng, sessionTtl?: number): Timing {
  const drawn = prng.chance(0.2) ? 1_500 : 3_600_000
  return { heartbeat: 20, election: 100, resend: 60, sessionTtl: sessionTtl ?? drawn }
}

function at<T>(items: readonly T[], id: number): T {
  const item = items[id]
  if (item === undefined) throw new RangeError(`no server ${id}`)
  return item
}
