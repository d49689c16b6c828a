/** One simulation: a cluster, clients, a phase of chaos, healing, and what must hold then. All of it follows from the seed. */
import { createHash } from 'node:crypto'
import { DEFAULT_LIMITS } from '@synod/paxos/internal/protocol/config'
import type { Limits, Timing } from '@synod/paxos/internal/protocol/config'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { Chaos } from './chaos.js'
import { ClusterChecker } from './cluster-checker.js'
import { Cluster } from './cluster.js'
import type { FaultMix } from './faults.js'
import { drawFaults } from './faults.js'
import { judge } from './judge.js'
import { VirtualTime } from './time.js'
import { Violation } from './violation.js'
import { Workload } from './workload.js'

export interface SimulationOptions {
  /** 3, 5 …; by default drawn by the seed. */
  readonly servers?: number
  /** Commands in all; by default drawn by the seed. */
  readonly commands?: number
  /** By default drawn by the seed. */
  readonly mix?: FaultMix
  /** Takes each line of the trace. */
  readonly trace?: (line: string) => void
}

/** How a simulation went in which all held. */
export interface SimulationResult {
  readonly seed: number
  readonly servers: number
  /** Operations by what their clients were told. */
  readonly acknowledged: number
  readonly unknown: number
  readonly slots: number
  readonly crashes: number
  readonly events: number
  /** Virtual time, in ms. */
  readonly elapsed: number
  /** SHA-256 of the trace: the same for the same seed. */
  readonly digest: string
}

/** A simulation that failed: the message names the seed that replays it. */
export class SimulationFailed extends Error {
  constructor(
    readonly seed: number,
    override readonly cause: unknown,
  ) {
    super(
      `seed ${seed}: ${cause instanceof Error ? (cause instanceof Violation ? cause.message : (cause.stack ?? cause.message)) : String(cause)}`,
    )
    this.name = 'SimulationFailed'
  }
}

const TIMING: Timing = { heartbeat: 20, election: 100, resend: 60, sessionTtl: 3_600_000 }
/** How long chaos lasts, and within what time all must be well again afterwards (ms of virtual time). */
const CHAOS = 8_000
const HEALING = 60_000

/** Runs one seed. Throws {@link SimulationFailed}. */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<SimulationResult> {
  const prng = new Prng(seed)
  const servers = options.servers ?? prng.pick([3, 3, 3, 5, 5])
  const mix = options.mix ?? drawFaults(prng)
  const commands = options.commands ?? 20 + prng.below(180)
  const hash = createHash('sha256')
  const time = new VirtualTime(prng)
  const trace = (line: string): void => {
    const full = `${time.now.toFixed(3)} ${line}`
    hash.update(full).update('\n')
    options.trace?.(full)
  }
  trace(`seed ${seed}: ${servers} servers, ${commands} commands, ${JSON.stringify(mix)}`)
  let failure: { readonly error: unknown } | undefined
  const failed = (error: unknown): void => {
    failure ??= { error }
  }
  const checker = new ClusterChecker(servers)
  const cluster = new Cluster({
    servers,
    time,
    prng,
    mix,
    checker,
    timing: TIMING,
    limits: drawLimits(prng),
    trace,
    sent: (from, message) => {
      chaos.sent(from, message)
    },
    failed,
  })
  const chaos: Chaos = new Chaos(cluster, time, prng, mix, trace)
  const workload = new Workload({ cluster, time, prng, commands, until: CHAOS, trace, failed })
  try {
    for (let id = 0; id < servers; id++) cluster.start(id)
    workload.start()
    chaos.start()
    await time.runUntil(() => failure !== undefined, CHAOS)
    if (failure === undefined) {
      chaos.end()
      workload.barrier()
      const well = await time.runUntil(
        () => failure !== undefined || (workload.done && converged(cluster)),
        CHAOS + HEALING,
      )
      if (!well)
        throw new Violation('liveness', `${workload.report()}; ${progress(cluster)}, ${HEALING} ms after healing`)
    }
    if (failure !== undefined) throw failure.error
    judge(cluster, workload.operations)
  } catch (error) {
    throw new SimulationFailed(seed, error)
  }
  const [acknowledged, unknown] = [workload.count('ok'), workload.count('unknown')]
  if (acknowledged === 0) throw new SimulationFailed(seed, new Violation('vacuous', 'no operation was acknowledged'))
  const counted = { acknowledged, unknown, slots: checker.chosen, crashes: chaos.crashes }
  return { seed, servers, ...counted, events: time.handled, elapsed: time.now, digest: hash.digest('hex') }
}

/** Small limits make the edges of windows, runs and chunks be met all the time. */
function drawLimits(prng: Prng): Limits {
  return {
    ...DEFAULT_LIMITS,
    window: prng.pick([4, 16, 1024]),
    runsInFlight: prng.pick([1, 2, 4]),
    runCommands: prng.pick([1, 3, 64]),
    runBytes: prng.pick([100, 400, 1 << 20]),
  }
}

function converged(cluster: Cluster): boolean {
  const lengths = new Set(cluster.addresses.map((_, id) => cluster.entries(id)?.length))
  return lengths.size === 1 && !lengths.has(undefined)
}

function progress(cluster: Cluster): string {
  return cluster.addresses.map((_, id) => `server ${id} has ${cluster.entries(id)?.length ?? 'no'} entries`).join(', ')
}
