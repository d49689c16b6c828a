/** What the audit's chain costs: the same load on servers that keep it and on servers that do not, in turns. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKvstore } from '@synod/kvstore'
import { ProcessCluster } from '../../process.js'
import { median } from '../compare.js'
import { faultless, load } from '../load.js'
import { cpuOf } from '../processes.js'
import type { LifeOptions, Measured } from './bench.js'

interface Run {
  readonly round: number
  readonly chain: boolean
  /** Sets a second. */
  readonly rate: number
  /** Processor time of all servers together, by set (µs). */
  readonly cpu: number
}

const CHAINLESS = `--import=${import.meta.resolve('./chainless.js')}`
/** The first run of each is warm-up. */
const KEYS = 10_000

export async function audit(options: LifeOptions, say: (line: string) => void): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'synod-bench-'))
  const clusters: { readonly chain: boolean; readonly cluster: ProcessCluster }[] = []
  const runs: Run[] = []
  try {
    for (const chain of [true, false]) {
      const nodeFlags = chain ? [] : [CHAINLESS]
      const place = join(directory, chain ? 'with' : 'without')
      clusters.push({
        chain,
        cluster: await ProcessCluster.start({ directory: place, count: options.servers, nodeFlags }),
      })
    }
    for (let round = 0; round <= 2 * options.rounds; round++) {
      say(`audit, round ${round}${round === 0 ? ' (warm-up)' : ''}`)
      const order = round % 2 === 0 ? clusters : [...clusters].reverse()
      for (const { chain, cluster } of order) {
        const run = await one(options, cluster)
        if (round > 0) runs.push({ round, chain, ...run })
      }
    }
  } finally {
    for (const { cluster } of clusters) await cluster.stop('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
  return told(runs)
}

async function one(options: LifeOptions, cluster: ProcessCluster): Promise<Pick<Run, 'rate' | 'cpu'>> {
  const client = connectKvstore({ servers: [cluster.address(await cluster.serving())] })
  try {
    const pids = [...cluster.addresses.keys()].map((id) => cluster.child(id)?.pid ?? 0)
    const used = (): number => pids.reduce((sum, pid) => sum + cpuOf(pid), 0)
    const before = used()
    const { rate, operations } = faultless(
      await load({ ...options, keys: KEYS, connections: [client], clients: options.outstanding }),
    )
    return { rate, cpu: ((used() - before) / operations) * 1e6 }
  } finally {
    await client.close()
  }
}

function told(runs: readonly Run[]): Measured {
  const of = (chain: boolean, field: 'rate' | 'cpu'): number[] =>
    runs.filter((run) => run.chain === chain).map((run) => run[field])
  const change = (field: 'rate' | 'cpu'): number => (median(of(true, field)) / median(of(false, field)) - 1) * 100
  return {
    title: 'The audit: servers that keep its chain, and servers that do not, in turns',
    heads: ['round', 'chain', 'sets/s', 'µs CPU/set, all servers'],
    rows: runs.map(({ round, chain, rate, cpu }) => [
      String(round),
      chain ? 'yes' : 'no',
      rate.toFixed(0),
      cpu.toFixed(0),
    ]),
    notes: [
      `By the medians the chain changes the sets a second by ${change('rate').toFixed(1)} %, and the servers' processor time by ${change('cpu').toFixed(1)} % (the goal: less than 5 %).`,
    ],
    data: runs,
  }
}
