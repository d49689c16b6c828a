/** Runs one server of a cluster in this process, on a real disk and a real network. */
import type { z } from 'zod'
import type { ServerId } from '../protocol/ballot.js'
import type { Limits, Timing } from '../protocol/config.js'
import { DEFAULT_TIMING } from '../protocol/config.js'
import type { SynodError } from '../protocol/error.js'
import { leaseFault } from '../protocol/leader-lease.js'
import type { Service } from '../service/service.js'
import { FileStorage } from '../storage/file-storage.js'
import { RealDisk } from '../storage/real-disk.js'
import { WebSocketTransport } from '../transport/ws-transport.js'
import type { ServerStatus } from '../transport/wire.js'
import { MAX_SERVERS } from '../transport/wire.js'
import { badOption, checkAddresses, consecutiveAddresses, isLoopback, parseAddress } from './addresses.js'
import { realClock } from '../clock.js'
import { tooSmallToRepair } from './misfits.js'
import { Pages } from './http/pages.js'
import { Server } from './server.js'
import type { SnapshotPolicy } from './snapshotter.js'

/** Of a heartbeat's interval and of an election timeout (ms). */
const LONGEST_TIMEOUT = 60_000

/** Which server this is, and where it and the others are. */
export interface ServeOptions {
  /** This server's number, from 0. */
  readonly id: ServerId
  /** How many servers the cluster has: fixed when it is formed. May be left out where `peers` are given. */
  readonly count?: number
  /** The port to listen on. Without `peers`, server J is expected on port − id + J of 127.0.0.1. */
  readonly port?: number
  /** `host:port` of all servers, this one too, in id order, as the others and clients reach them. */
  readonly peers?: readonly string[]
  /** The directory that this server keeps; made if it is not there. `./data/<service>-<id>` if left out. */
  readonly dataDir?: string
  /** The address to listen on; 127.0.0.1 if left out. */
  readonly bind?: string
  /** Must be true for a `bind` that other machines can reach: peers and clients are not authenticated. */
  readonly insecureBind?: boolean
  readonly timing?: Timing
  /** A leader is heard from at least this often (ms; 50 if left out). Without effect where `timing` is given. */
  readonly heartbeat?: number
  /**
   * A leader that was silent for this long (ms; 400 if left out) is taken for gone; for up to four times as long where servers that
   * live were silent for long lately. Three heartbeats at least. Without effect where `timing` is given.
   */
  readonly electionTimeout?: number
  /**
   * A leader's lease (ms; none if left out): while it has one it answers reads without asking the other servers. From two heartbeats to
   * 2,000 ms, the same on all servers. It rests on clocks whose rates are right to a hundredth, and on machines that are not put to
   * sleep (docs/PROTOCOL.md, "Leases"); and nobody can follow a leader that died before its lease is over. Without effect where
   * `timing` is given.
   */
  readonly lease?: number
  readonly limits?: Limits
  /** When a snapshot is made, so that the log before it can go. */
  readonly snapshots?: SnapshotPolicy
  /**
   * The directory is damaged, or was emptied: its files are set aside (as `*.damaged`), and it is rebuilt from the other
   * servers. Until that is done this server does not vote. A directory that is whole is refused, as is a cluster of less
   * than three servers.
   */
  readonly repair?: boolean
  /**
   * A directory of static files (a path or a file URL), served over HTTP at `/`: a web page of the service's own. They are
   * read at the start, 1,000 files and 16 MiB at most. `/status`, `/status.json` and `/healthz` are the server's own.
   */
  readonly web?: string | URL
  /** Takes each warning, one line without its end; they go to standard error if left out. */
  readonly onWarning?: (line: string) => void
}

/** A server that was started by {@link serve}. */
export interface RunningServer {
  readonly id: ServerId
  /** Its address, as others reach it. */
  readonly address: string
  readonly dataDir: string
  /** The servers that it has not met yet in this start. */
  readonly missing: readonly ServerId[]
  /** How many servers the cluster has. */
  readonly count: number
  /** Resolves when it knows an active leader for the first time: from then on it answers clients, unless it is being repaired. */
  readonly serving: Promise<void>
  /** Resolves when it votes again after a repair; never if there is none. (`status().role` is `repairing` until then.) */
  readonly repaired: Promise<void>
  /** Resolves when it has ended: with the error if it could not go on, with null after {@link close}. */
  readonly stopped: Promise<SynodError | null>
  status(): ServerStatus
  /** Stops cleanly: what was acknowledged is durable, the directory is sealed and can be opened again. */
  close(): Promise<void>
}

/** A server that reads its directory, which may take seconds. */
export interface StartingServer {
  /** How much of it is read, from 0 to 1. */
  readonly progress: number
  /** What {@link serve} resolves with. */
  readonly running: Promise<RunningServer>
}

/**
 * Starts a server and resolves when it has read its directory. (It listens before that, and tells how it stands.) The first
 * start of a cluster waits until all servers were there once.
 *
 * Throws {@link SynodError}: `BAD_OPTION`; `ADDRESS_IN_USE`, `ADDRESS_UNUSABLE`; a StorageError (`LOCKED`, `UNUSABLE`,
 * `WRONG_OWNER`, `CORRUPT`, `MISSING_FILE`, `NEWER_FORMAT`, `NOT_DAMAGED`, `DISK_FULL`, `DISK_FAILED`); `STATE_FAILED` if
 * the service cannot execute what is in the log. Later errors end the server, and are told by `stopped`.
 */
export async function serve<Schema extends z.ZodType, Value>(
  service: Service<Schema, Value, unknown>,
  options: ServeOptions,
): Promise<RunningServer> {
  return begin(service, options).running
}

/** What {@link serve} does, for who wants to tell of it meanwhile. Throws `BAD_OPTION`; all else comes by `running`. */
export function begin<Schema extends z.ZodType, Value>(
  service: Service<Schema, Value, unknown>,
  options: ServeOptions,
): StartingServer {
  const { id } = options
  const addresses = addressesOf(options)
  const tooSmall = options.repair === true ? tooSmallToRepair(addresses.length) : null
  if (tooSmall !== null) throw badOption(`--repair: ${tooSmall}`)
  const address = addresses[id] ?? ''
  const bind = bindOf(options, address)
  const dataDir = options.dataDir ?? `./data/${service.name}-${id}`
  if (dataDir === '') throw badOption('the data directory has an empty name')
  const pages = new Pages({
    service: service.name,
    id,
    addresses,
    clock: realClock,
    status: (): ServerStatus => server.status(),
    ...(options.web !== undefined && { web: options.web }),
  })
  const port = options.port ?? parseAddress(address, '--peers').port
  const server = new Server({
    service,
    id,
    addresses,
    storage: new FileStorage(new RealDisk(dataDir), realClock),
    transport: new WebSocketTransport({ bind, port, advertised: [address], cluster: addresses, http: pages.handle }),
    clock: realClock,
    warn: options.onWarning ?? ((line) => process.stderr.write(`${line}\n`)),
    timing: options.timing ?? timingOf(options, service.sessionTtl),
    ...(options.limits && { limits: options.limits }),
    ...(options.snapshots && { snapshots: options.snapshots }),
    repair: options.repair === true,
  })
  void server.stopped.then(() => pages.close())
  return {
    get progress() {
      return server.progress ?? 1
    },
    running: server.start().then(() => runningServer(server, { id, address, dataDir, count: addresses.length })),
  }
}

function runningServer<Schema extends z.ZodType, Value>(
  server: Server<Schema, Value>,
  who: Pick<RunningServer, 'id' | 'address' | 'dataDir' | 'count'>,
): RunningServer {
  return {
    ...who,
    get missing() {
      return server.missing
    },
    serving: server.serving,
    repaired: server.repaired,
    stopped: server.stopped,
    status: () => server.status(),
    close: () => server.close(),
  }
}

/** The usual timing, but for what the options say. */
function timingOf(options: ServeOptions, sessionTtl = DEFAULT_TIMING.sessionTtl): Timing {
  const { heartbeat = DEFAULT_TIMING.heartbeat, electionTimeout: election = DEFAULT_TIMING.election } = options
  if (!Number.isInteger(heartbeat) || heartbeat < 1 || heartbeat > LONGEST_TIMEOUT)
    throw badOption(`--heartbeat must be a whole number of ms from 1 to ${LONGEST_TIMEOUT}, not ${heartbeat}`)
  if (!Number.isInteger(election) || election < 3 * heartbeat || election > LONGEST_TIMEOUT)
    throw badOption(
      `--election-timeout must be a whole number of ms from ${3 * heartbeat} (three heartbeats) to ${LONGEST_TIMEOUT}, not ${election}`,
    )
  const timing = { ...DEFAULT_TIMING, sessionTtl, heartbeat, election, lease: options.lease ?? DEFAULT_TIMING.lease }
  const fault = leaseFault(timing)
  if (fault !== null) throw badOption(`--lease: ${fault}`)
  return timing
}

/** The address to listen on; one that other machines can reach must be allowed. */
function bindOf(options: ServeOptions, address: string): string {
  const bind = options.bind ?? '127.0.0.1'
  if (!isLoopback(bind) && options.insecureBind !== true) {
    throw badOption(
      `--bind ${bind} lets other machines in, and they are not authenticated: whoever reaches the port can read and change everything; ` +
        'add --insecure-bind if only machines that you trust can',
      { bind },
    )
  }
  const { host } = parseAddress(address, '--peers')
  if (options.bind === undefined && !isLoopback(host)) {
    throw badOption(
      `the others are to reach this server at ${address}, but without --bind it listens on 127.0.0.1 only: ` +
        'add --bind with the address to listen on, and --insecure-bind',
      { address },
    )
  }
  return bind
}

/** The addresses of all servers, by list or by rule. */
function addressesOf({ id, count, port, peers }: ServeOptions): readonly string[] {
  if (!Number.isInteger(id) || id < 0) throw badOption(`--id must be a whole number from 0, not ${id}`)
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw badOption(`--port must be a whole number from 1 to 65535, not ${port}`)
  }
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= MAX_SERVERS)) {
    throw badOption(`--count must be a whole number from 1 to ${MAX_SERVERS}, not ${count}`)
  }
  const servers = peers?.length ?? count
  if (servers === undefined)
    throw badOption(
      '--count is missing: say how many servers the cluster has (or list them with --peers or --hostfile)',
    )
  if (count !== undefined && count !== servers) {
    throw badOption(`--count is ${count}, but ${servers} addresses are given: leave --count out, or give as many`)
  }
  if (id >= servers) throw badOption(`--id ${id} is not one of the ${servers} servers: ids go from 0 to ${servers - 1}`)
  if (peers !== undefined) return checkAddresses(peers, '--peers')
  if (port === undefined)
    throw badOption(
      '--port is missing: say on which port this server listens (or list all servers with --peers or --hostfile)',
    )
  return consecutiveAddresses(id, servers, port)
}
