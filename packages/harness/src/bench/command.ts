/** `harness bench`: what a cluster of real processes sustains, with every acknowledged write on a majority's disks. */
import { writeFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { UsageError } from '../cli/usage.js'
import { chart } from './chart.js'
import { ratios } from './compare.js'
import * as flag from './flags.js'
import { failoverCommand } from './failover/command.js'
import type { Distribution } from './keys.js'
import { lifeCommand } from './life/command.js'
import type { Mix } from './load.js'
import { measured } from './measured.js'
import { text, troubles } from './report.js'
import type { PointRow, Series } from './series.js'
import { markdownHead, markdownLine, series, SERIES } from './series.js'

interface Flags {
  readonly clients?: number[]
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
  readonly sweep?: string
  readonly series?: Series
  readonly points?: number[]
  readonly json?: true
}

const CLIENTS = [1, 64, 256]
const SWEEP_CLIENTS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
const SERIES_CLIENTS = [256]

export function benchCommand(): Command {
  return new Command('bench')
    .description(
      'Measures a cluster of real processes, all on this machine: rate, latency, and what an operation costs each process. ' +
        'All keys are written first.',
    )
    .option(
      '--clients <list>',
      'clients, each with one operation under way: a run for each number (default: 1,64,256; of a sweep 1,2,4,…,1024, of a series 256)',
      flag.counts,
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
    .addOption(
      new Option(
        '--sweep <file.svg>',
        'also draw latency against throughput, a point for each number of clients',
      ).conflicts('rate'),
    )
    .addOption(
      new Option('--series <name>', 'measure how cost grows, in a cluster for each point; prints a table in Markdown')
        .choices(SERIES)
        .conflicts(['against', 'sweep']),
    )
    .option('--points <list>', 'of the series, in place of its own', flag.counts)
    .option('--json', 'print JSON')
    .action(bench)
    .enablePositionalOptions() // or else options behind a command would be taken for these
    .addCommand(lifeCommand(flag.count))
    .addCommand(failoverCommand(flag.count))
}

async function bench(flags: Flags): Promise<void> {
  const { series: name, points, sweep, json } = flags
  if (points !== undefined && name === undefined) throw new UsageError('--points are those of a --series')
  const clients = flags.clients ?? (name !== undefined ? SERIES_CLIENTS : sweep !== undefined ? SWEEP_CLIENTS : CLIENTS)
  const options = { ...flags, clients }
  if (name !== undefined) {
    const all: PointRow[] = []
    if (!json) print(markdownHead(name))
    await series(name, points, options, say, (row) => {
      all.push(row)
      if (!json) print(markdownLine(row))
      for (const line of troubles(row.row)) say(line)
    })
    if (json) print(JSON.stringify(all, null, 2))
    return
  }
  if (sweep !== undefined) checkWritable(sweep)
  const rows = await measured(options, say)
  if (sweep !== undefined) writeFileSync(sweep, chart(rows, loadWords(flags)))
  const compared = ratios(rows)
  print(json ? JSON.stringify({ rows, ratios: compared }, null, 2) : text(rows, compared))
}

function loadWords({ servers, against, connections, valueSize, keys, mix, distribution }: Flags): string {
  const { read, write, cas } = mix
  return (
    `${against?.length ?? servers} servers, ${connections} connections, values of ${valueSize} bytes, ${keys} keys (${distribution}), ` +
    `reads:writes:cas ${read}:${write}:${cas}`
  )
}

/** It is found out before the minutes are spent. */
function checkWritable(file: string): void {
  try {
    writeFileSync(file, '')
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
