/** `harness bench failover`: for how long nothing is acknowledged when a leader is lost, on real processes. */
import { Command, InvalidArgumentError } from 'commander'
import { table } from '../../table.js'
import type { Measured } from '../life/bench.js'
import type { Bench, FailoverOptions } from './cluster.js'
import { withCluster } from './cluster.js'
import { calm, kill, partition, rolling, stop } from './parts.js'

/** In this order. */
const PARTS: Readonly<Record<string, (bench: Bench) => Promise<Measured>>> = { calm, kill, stop, rolling, partition }
const NAMES = Object.keys(PARTS)
/** It needs proxies between the servers, which have a price: it has a cluster of its own. */
const PROXIED = 'partition'

interface Flags extends FailoverOptions {
  readonly parts: readonly string[]
  readonly json?: true
}

/** @param whole reads a number above 0 */
export function failoverCommand(whole: (text: string) => number): Command {
  return new Command('failover')
    .description(
      'Measures for how long no set is acknowledged when the leader is lost, on real processes under load, all on this machine.',
    )
    .option('--parts <list>', `which of ${NAMES.join(', ')}`, parts, NAMES)
    .option('--servers <number>', 'servers in the cluster', whole, 3)
    .option('--clients <number>', 'clients (connections, sessions)', whole, 8)
    .option('--outstanding <number>', 'sets under way at once, of all clients together', whole, 64)
    .option('--value-size <bytes>', 'bytes of a value', whole, 100)
    .option('--rounds <number>', 'faults of each kind, and rolling restarts', whole, 20)
    .option('--seconds <number>', 'how long the calm lasts', whole, 60)
    .option('--json', 'print JSON')
    .action(run)
}

async function run({ parts: chosen, json, ...options }: Flags): Promise<void> {
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`)
  }
  const measured: Measured[] = []
  const work = (names: readonly string[]) => async (bench: Bench) => {
    for (const name of names) {
      const part = await PARTS[name]?.(bench)
      if (part === undefined) continue
      measured.push(part)
      if (json === undefined) process.stdout.write(text(part))
    }
  }
  const direct = NAMES.filter((name) => name !== PROXIED && chosen.includes(name))
  if (direct.length > 0) await withCluster(options, say, { proxied: false }, work(direct))
  if (chosen.includes(PROXIED)) await withCluster(options, say, { proxied: true }, work([PROXIED]))
  const all = measured.map(({ title, notes, data }) => ({ title, notes, data }))
  if (json !== undefined) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`)
}

function text({ title, heads, rows, notes }: Measured): string {
  return `${title}\n\n${table(heads, rows)}\n${notes.join('\n')}\n\n`
}

function parts(list: string): string[] {
  return list.split(',').map((name) => {
    if (!NAMES.includes(name)) throw new InvalidArgumentError(`Parts are ${NAMES.join(', ')}.`)
    return name
  })
}
