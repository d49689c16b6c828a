/** `npm run bench`: what three real server processes on this machine sustain, with every acknowledged write on a majority's disks. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import type { KvClient } from '@synod/kvstore'
import { connectKvstore } from '@synod/kvstore'
import { ProcessCluster } from '../process.js'
import { table as aligned } from '../table.js'
import type { LoadResult } from './load.js'
import { lifeCommand } from './life/command.js'
import { load } from './load.js'
import { cpuOf } from './processes.js'

interface Flags {
  readonly servers: number
  readonly outstanding: number[]
  readonly clients: number
  readonly seconds: number
  readonly valueSize: number
  readonly keys: number
  readonly json?: true
}

/** One row of the report. */
interface Row extends LoadResult {
  readonly outstanding: number
  /** Commands that the leader executed for each synchronous write of its log. */
  readonly commandsPerSync: number
  /** µs of CPU an operation, by server (the leader first), and of this process. */
  readonly serverCpu: number[]
  readonly clientCpu: number
}

async function main(): Promise<void> {
  await new Command('bench')
    .description(
      'Measures sets on a cluster of real processes: closed loop, all on this machine. Each client is connected to a server that it draws.',
    )
    .option('--servers <number>', 'servers in the cluster', whole, 3)
    .option('--outstanding <list>', 'operations under way at once, one run for each', list, [1, 64, 256])
    .option('--clients <number>', 'clients (connections, sessions) that share them', whole, 1)
    .option('--seconds <number>', 'length of a run, after a warm-up of a quarter of it', whole, 5)
    .option('--value-size <bytes>', 'bytes of a value', whole, 100)
    .option('--keys <number>', 'different keys', whole, 10_000)
    .option('--json', 'print JSON')
    .action(bench)
    .enablePositionalOptions() // or else options behind `life` would be taken for its own
    .addCommand(lifeCommand(whole))
    .parseAsync()
}

async function bench(flags: Flags): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'synod-bench-'))
  let cluster: ProcessCluster | undefined
  const clients: KvClient[] = []
  try {
    cluster = await ProcessCluster.start({ directory, count: flags.servers })
    const leader = await cluster.serving()
    const order = [leader, ...cluster.addresses.keys()].filter((id, index, all) => all.indexOf(id) === index)
    for (let i = 0; i < flags.clients; i++) clients.push(connectKvstore({ servers: cluster.addresses }))
    const rows: Row[] = []
    for (const outstanding of flags.outstanding)
      rows.push(await run(cluster, order, clients, { ...flags, outstanding }))
    process.stdout.write(flags.json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows))
  } finally {
    await Promise.all(clients.map((client) => client.close()))
    await cluster?.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function run(
  cluster: ProcessCluster,
  order: readonly number[],
  clients: readonly KvClient[],
  options: Omit<Flags, 'outstanding'> & { outstanding: number },
): Promise<Row> {
  await load({ ...options, clients, seconds: options.seconds / 4 })
  const leader = cluster.address(order[0] ?? 0)
  const pids = order.map((id) => cluster.child(id)?.pid ?? 0)
  const before = { status: await clients[0]?.connection.status(leader), cpu: pids.map(cpuOf), own: process.cpuUsage() }
  const result = await load({ ...options, clients })
  const own = process.cpuUsage(before.own)
  const after = await clients[0]?.connection.status(leader)
  const micros = (index: number, pid: number): number =>
    ((cpuOf(pid) - (before.cpu[index] ?? 0)) * 1e6) / result.operations
  return {
    ...result,
    outstanding: options.outstanding,
    commandsPerSync:
      ((after?.applied ?? 0) - (before.status?.applied ?? 0)) / ((after?.syncs ?? 0) - (before.status?.syncs ?? 0)),
    serverCpu: pids.map((pid, index) => micros(index, pid)),
    clientCpu: (own.user + own.system) / result.operations,
  }
}

function table(rows: readonly Row[]): string {
  const heads = [
    'outstanding',
    'ops/s',
    'p50 ms',
    'p99 ms',
    'max ms',
    'commands/fdatasync',
    'µs CPU/op: leader',
    'followers',
    'client',
  ]
  const lines = rows.map((row) => [
    String(row.outstanding),
    row.rate.toFixed(0),
    row.p50.toFixed(2),
    row.p99.toFixed(2),
    row.max.toFixed(1),
    row.commandsPerSync.toFixed(1),
    (row.serverCpu[0] ?? 0).toFixed(0),
    row.serverCpu
      .slice(1)
      .map((cpu) => cpu.toFixed(0))
      .join(' '),
    row.clientCpu.toFixed(0),
  ])
  return aligned(heads, lines)
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number above 0.')
  return Number(text)
}

function list(text: string): number[] {
  return text.split(',').map(whole)
}

await main()
