/** `harness bench`: what a cluster of real processes sustains, with every acknowledged write on a majority's disks. */
import { Command, Option } from 'commander'
import { until } from '../process.js'
import type { Distribution } from './keys.js'
import type { Driver } from './compare.js'
import { inRounds, ratios } from './compare.js'
import { goLoader, goRun, NO_GO } from './etcd/go-driver.js'
import { EtcdSystem } from './etcd/system.js'
import * as flag from './flags.js'
import { failoverCommand } from './failover/command.js'
import { lifeCommand } from './life/command.js'
import type { Mix } from './load.js'
import { faultless, Load, load } from './load.js'
import { text } from './report.js'
import { run } from './run.js'
import type { System } from './system.js'
import { SynodSystem } from './system.js'

interface Flags {
  readonly clients: number[]
  readonly connections: number
  readonly valueSize: number
  readonly keys: number
  readonly mix: Mix
  readonly distribution: Distribution
  readonly seconds: number
  readonly warmUp: number
  readonly rate?: number
  readonly servers: number
  readonly against?: string[]
  readonly peer?: 'etcd'
  readonly rounds?: number
  readonly json?: true
}

/** The warm-up and the first writing of the keys go with so many operations under way. */
const HOT = 256
/** But not with more bytes of values than these. */
const HOT_BYTES = 16 << 20
/** The keys have to be written in this time (ms). */
const FILLING = 3_600_000

export function benchCommand(): Command {
  return new Command('bench')
    .description(
      'Measures a cluster of real processes, all on this machine: rate, latency, and what an operation costs each process. ' +
        'All keys are written first.',
    )
    .option(
      '--clients <list>',
      'clients, each with one operation under way: a run for each number',
      flag.counts,
      [1, 64, 256],
    )
    .option('--connections <number>', 'connections, which the clients share', flag.count, 8)
    .option('--value-size <bytes>', 'bytes of a value', flag.valueSize, 100)
    .option('--keys <number>', 'different keys', flag.count, 10_000)
    .addOption(
      new Option('--mix <read:write:cas>', 'how often each operation comes')
        .argParser(flag.mix)
        .default({ read: 0, write: 1, cas: 0 }, '0:1:0'),
    )
    .addOption(
      new Option('--distribution <name>', 'how keys are drawn').choices(['uniform', 'zipf']).default('uniform'),
    )
    .option('--seconds <number>', 'length of a run, after a quarter of it unmeasured', flag.seconds, 5)
    .option('--warm-up <seconds>', 'how long 256 clients warm the servers up before the first run', flag.seconds, 5)
    .option(
      '--rate <number>',
      'operations a second that are begun, whether those before have ended or not; latency counts from when each was due ' +
        '(default: each that ends begins the next)',
      flag.count,
    )
    .option('--servers <3|5|7>', 'servers in the cluster', flag.servers, 3)
    .option('--against <hosts>', 'a cluster that runs already, and not one started for this', flag.hosts)
    .addOption(
      new Option(
        '--peer <name>',
        "also measure as many servers of etcd, in turns, by the same generator and by one of etcd's own client in Go; print the ratios",
      )
        .choices(['etcd'])
        .conflicts('against'),
    )
    .option('--rounds <number>', 'runs of each, of which the medians count (default: 1; with --peer 3)', flag.count)
    .option('--json', 'print JSON')
    .action(bench)
    .enablePositionalOptions() // or else options behind a command would be taken for these
    .addCommand(lifeCommand(flag.count))
    .addCommand(failoverCommand(flag.count))
}

async function bench(flags: Flags): Promise<void> {
  const systems: System[] = []
  try {
    const drivers = await driversOf(flags, systems)
    const { rounds = flags.peer === undefined ? 1 : 3, clients } = flags
    const rows = await inRounds(drivers, { ...flags, clients: 0 }, { clients, rounds })
    const compared = ratios(rows)
    process.stdout.write(flags.json ? `${JSON.stringify({ rows, ratios: compared }, null, 2)}\n` : text(rows, compared))
  } finally {
    for (const system of systems) await system.close()
  }
}

/** Starts what is to be measured, and warms it up; `systems` are then to be closed. */
async function driversOf(flags: Flags, systems: System[]): Promise<Driver[]> {
  const { against, servers, peer } = flags
  const etcd = peer === undefined ? undefined : await EtcdSystem.start(servers)
  if (etcd !== undefined) systems.push(etcd)
  const synod = against === undefined ? await SynodSystem.start(servers) : await SynodSystem.against(against)
  systems.push(synod)
  for (const system of systems) await warmUp(system, flags)
  const drivers: Driver[] = [(options) => run(synod, options)]
  if (etcd === undefined) return drivers
  drivers.push((options) => run(etcd, options))
  const program = await goLoader(say)
  if (program === undefined) say(NO_GO)
  else drivers.push((options) => goRun(program, etcd, options))
  return drivers
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Writes every key, and goes on until V8 has compiled what is hot. */
async function warmUp(system: System, flags: Flags): Promise<void> {
  const connections = await system.connect(flags.connections)
  const clients = Math.max(1, Math.min(HOT, Math.floor(HOT_BYTES / flags.valueSize)))
  const { keys, valueSize, mix, distribution } = flags
  const filling = new Load({ connections, clients, keys, valueSize })
  try {
    await until('all keys are written', () => filling.operations >= keys, { patience: FILLING })
  } finally {
    faultless(await filling.stop())
  }
  await load({ connections, clients, keys, valueSize, mix, distribution, seconds: flags.warmUp })
}
