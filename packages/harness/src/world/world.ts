/** Where a scenario is played: real processes, or the simulator. The runner knows no other difference. */
import type { Feed, ServerStatus, StaleRead } from '@synod/paxos'
import type { StepOf } from '../scenario/schema.js'
import type { Links } from './links.js'

/** A client of the service under test; what it rejects with is what a `Client` of `@synod/paxos` does. */
export interface WorldClient {
  /** Has the operation executed; `timeout` in ms. */
  submit(op: unknown, timeout: number): Promise<unknown>
  /** Reads as the server has it that the client is connected to, with the last slot that is in it. */
  readStale(op: unknown, timeout: number): Promise<StaleRead<unknown>>
  /** The events that the service emits, from this slot on, as a `Client` of `@synod/paxos` tells them. */
  subscribe(from: number | 'now'): Feed<unknown>
  /** Calls without an outcome fail; the session ends. */
  close(): Promise<void>
  /** As if the client's process had been killed: no farewell is said to any server, so its session lasts for its time. */
  vanish(): Promise<void>
}

/** How a server's process stands. `ended`: it ended by itself. */
export type Standing = 'down' | 'up' | 'paused' | 'ended'

/** After the server has next sent such a message, or amid its next disk operation. */
export type Moment = StepOf<'Crash'>['on'] & string

/** When a crash strikes; see the step `Crash`. */
export interface CrashOptions {
  readonly powerLoss?: boolean | undefined
  readonly on?: Moment | undefined
}

/** A byte of a file in a data directory, the newest snapshot by the name of `snapshot`; see the step `Corrupt`. */
export interface Place {
  readonly file?: string | undefined
  readonly offset?: number | undefined
  readonly tail?: number | undefined
}

/** How a server is started; see the step `Start`. */
export interface StartOptions {
  /** As by `--repair`: its directory is empty, or damaged. */
  readonly repair?: boolean | undefined
}

/** What can be done to one server. Each answers with null, or with a sentence that tells why it was not done. */
export interface ServerFaults {
  start(options?: StartOptions): Promise<string | null>
  stop(): Promise<string | null>
  crash(options: CrashOptions): Promise<string | null>
  pause(): Promise<string | null>
  resume(): Promise<string | null>
  wipe(): Promise<string | null>
  corrupt(place: Place): Promise<string | null>
  truncate(file: string | undefined, bytes: number): Promise<string | null>
  misdirect(): Promise<string | null>
  diskFull(room: number): Promise<string | null>
  fsyncError(always: boolean): Promise<string | null>
  /** Every disk operation takes so many ms more. */
  slowDisk(ms: number): Promise<string | null>
  clockJump(ms: number): Promise<string | null>
  clockRate(rate: number): Promise<string | null>
  /** The server writes a snapshot now; resolves when it is durable. */
  snapshot(): Promise<string | null>
  /** The server, which leads, hands leadership over; resolves when that other one leads. */
  handOver(to: number): Promise<string | null>
  /** Ends what holds until healed: a full, failing or slow disk, a wrong clock rate. What was damaged stays damaged. */
  heal(): Promise<string | null>
}

export interface World {
  readonly name: 'processes' | 'simulator'
  /** How many servers the cluster has. */
  readonly servers: number
  /** The faults of the network between servers. */
  readonly links: Links
  /** Breaks all connections between two servers: what is on its way is lost, and both ends hear of it at once. They may dial again. */
  sever(a: number, b: number): void
  /** Rejects when the world finds by itself that something must not go on: in the simulator, a broken invariant. Never resolves. */
  readonly broken: Promise<never>
  /** ms since the world began; the same clock for all that the run records. */
  now(): number
  /** At least so long. */
  sleep(ms: number): Promise<void>
  server(id: number): ServerFaults
  standing(id: number): Standing
  /** What a server wrote for people so far: warnings, and why it ended. */
  output(id: number): string
  /** A client that knows only these servers. The connection is made with the first operation. */
  client(servers: readonly number[]): WorldClient
  /** How a server stands by its own word; null if it does not answer within `timeout` ms. */
  status(id: number, timeout: number): Promise<ServerStatus | null>
  /** A server's own state, what its `snapshot` yields; null if it does not answer. */
  dump(id: number, timeout: number): Promise<{ readonly slot: number; readonly entries: readonly unknown[] } | null>
  /** Ends everything that the world began. */
  close(): Promise<void>
}
