/** Starts the systems that are measured, warms them up, has them loaded in rounds, and ends them. */
import { until } from '../process.js'
import type { Driver } from './compare.js'
import { inRounds } from './compare.js'
import { goLoader, goRun, NO_GO } from './etcd/go-driver.js'
import { EtcdSystem } from './etcd/system.js'
import { faultless, Load, load } from './load.js'
import type { Row, RunOptions } from './run.js'
import { run } from './run.js'
import type { System } from './system.js'
import { SynodSystem } from './system.js'

export interface MeasureOptions extends Omit<RunOptions, 'clients'> {
  /** Runs with so many of them. */
  readonly clients: readonly number[]
  readonly servers: number
  /** Servers that run already, in place of some that are started. */
  readonly against?: readonly string[]
  readonly peer?: 'etcd'
  /** Default: 1, or 3 with a peer. */
  readonly rounds?: number
  /** How long the systems are warmed up before the first run (s). */
  readonly warmUp: number
}

/** The warm-up and the first writing of the keys go with so many operations under way. */
const HOT = 256
/** But not with more bytes of values than these. */
const HOT_BYTES = 16 << 20
/** The keys have to be written in this time (ms). */
const FILLING = 3_600_000

/** @param say hears what takes long */
export async function measured(options: MeasureOptions, say: (line: string) => void): Promise<Row[]> {
  const systems: System[] = []
  try {
    const drivers = await driversOf(options, systems, say)
    const { rounds = options.peer === undefined ? 1 : 3, clients } = options
    return await inRounds(drivers, { ...options, clients: 0 }, { clients, rounds })
  } finally {
    for (const system of systems) await system.close()
  }
}

/** `systems` are then to be closed. */
async function driversOf(options: MeasureOptions, systems: System[], say: (line: string) => void): Promise<Driver[]> {
  const { against, servers, peer } = options
  const etcd = peer === undefined ? undefined : await EtcdSystem.start(servers)
  if (etcd !== undefined) systems.push(etcd)
  const synod = against === undefined ? await SynodSystem.start(servers) : await SynodSystem.against(against)
  systems.push(synod)
  for (const system of systems) await warmUp(system, options)
  const drivers: Driver[] = [(options) => run(synod, options)]
  if (etcd === undefined) return drivers
  drivers.push((options) => run(etcd, options))
  const program = await goLoader(say)
  if (program === undefined) say(NO_GO)
  else drivers.push((options) => goRun(program, etcd, options))
  return drivers
}

/** Writes every key, and goes on until V8 has compiled what is hot. */
async function warmUp(system: System, options: MeasureOptions): Promise<void> {
  const { keys, valueSize } = options
  const connections = await system.connect(options.connections)
  const clients = Math.max(1, Math.min(HOT, Math.floor(HOT_BYTES / valueSize)))
  const filling = new Load({ connections, clients, keys, valueSize })
  try {
    await until('all keys are written', () => filling.operations >= keys, { patience: FILLING })
  } finally {
    faultless(await filling.stop())
  }
  await load({ ...options, connections, clients, rate: undefined, seconds: options.warmUp })
}
