/** `harness bench life`: what snapshots, restarts, catching up and the audit cost, on real processes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { connectKvstore } from '@synod/kvstore'
import { ProcessCluster } from '../../process.js'
import { Questions } from '../../processes/questions.js'
import { table } from '../../table.js'
import { audit } from './audit.js'
import type { Bench, LifeOptions, Measured } from './bench.js'
import { write } from './bench.js'
import { catchUp } from './catch-up.js'
import { DELAY_SHIM } from './delays.js'
import { pauses } from './pauses.js'
import { restart } from './restart.js'

/** In this order, on one cluster; the audit has clusters of its own. */
const PARTS = { pauses, 'catch-up': catchUp, restart }
type Part = keyof typeof PARTS | 'audit'
const NAMES: readonly Part[] = ['pauses', 'catch-up', 'restart', 'audit']

interface Flags extends LifeOptions {
  readonly parts: readonly Part[]
  readonly json?: true
}

/** @param whole reads a number above 0 */
export function lifeCommand(whole: (text: string) => number): Command {
  return new Command('life')
    .description(
      'Measures what snapshots, catching up, a restart and the audit cost, on real processes that are all on this machine.',
    )
    .option('--parts <list>', `which of ${NAMES.join(', ')}`, parts, NAMES)
    .option('--servers <number>', 'servers in the cluster', whole, 3)
    .option('--keys <number>', 'keys that the servers hold', whole, 1_000_000)
    .option('--value-size <bytes>', 'bytes of a value', whole, 100)
    .option('--written <MiB>', 'what was written before a restart', whole, 1024)
    .option('--seconds <number>', 'length of a window', whole, 5)
    .option('--rounds <number>', 'rounds of each part', whole, 3)
    .option('--outstanding <number>', 'operations under way at once', whole, 64)
    .option('--json', 'print JSON')
    .action(run)
}

async function run({ parts: chosen, json, ...options }: Flags): Promise<void> {
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`)
  }
  const measured: Measured[] = []
  const tell = (part: Measured): void => {
    measured.push(part)
    if (json === undefined) process.stdout.write(text(part))
  }
  const shared = Object.entries(PARTS).filter(([name]) => chosen.includes(name as Part))
  if (shared.length > 0) {
    await withCluster(options, say, async (bench) => {
      for (const [, part] of shared) tell(await part(bench))
    })
  }
  if (chosen.includes('audit')) tell(await audit(options, say))
  const all = measured.map(({ title, notes, data }) => ({ title, notes, data }))
  if (json !== undefined) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`)
}

/** Starts a cluster, has it hold all keys, and ends it. */
async function withCluster(
  options: LifeOptions,
  say: Bench['say'],
  work: (bench: Bench) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'synod-bench-'))
  const questions = new Questions()
  let cluster: ProcessCluster | undefined
  try {
    cluster = await ProcessCluster.start({ directory, count: options.servers, nodeFlags: [DELAY_SHIM] })
    const clients = [0, 1].map(() => connectKvstore({ servers: cluster?.addresses ?? [], timeout: 60_000 }))
    try {
      const bench: Bench = { options, cluster, clients, questions, say }
      say(`${options.keys} keys are written`)
      await write(bench, options.keys)
      await work(bench)
    } finally {
      await Promise.all(clients.map((client) => client.close()))
    }
  } finally {
    await questions.close()
    await cluster?.stop('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

function text({ title, heads, rows, notes }: Measured): string {
  return `${title}\n\n${table(heads, rows)}\n${notes.join('\n')}\n\n`
}

function parts(list: string): Part[] {
  return list.split(',').map((name) => {
    const part = NAMES.find((known) => known === name)
    if (part === undefined) throw new InvalidArgumentError(`Parts are ${NAMES.join(', ')}.`)
    return part
  })
}
