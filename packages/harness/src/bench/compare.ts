/** Runs in rounds, on one system or on two in turns; the medians of the rounds, and the ratios of the systems. */
import type { Cost, Row, RunOptions } from './run.js'

/** One way to load one system. */
export type Driver = (options: RunOptions) => Promise<Row>

/** For each number of clients, in each round, each driver once; gives the medians in the order of clients and drivers. */
export async function inRounds(
  drivers: readonly Driver[],
  options: RunOptions,
  { clients, rounds }: { readonly clients: readonly number[]; readonly rounds: number },
): Promise<Row[]> {
  const medians: Row[] = []
  for (const number of clients) {
    const runs: Row[][] = drivers.map(() => [])
    for (let round = 0; round < rounds; round++)
      for (const [index, driver] of drivers.entries()) runs[index]?.push(await driver({ ...options, clients: number }))
    medians.push(...runs.map(medianRow))
  }
  return medians
}

/** How many times as much: the first in terms of the second. */
export interface Ratio {
  readonly clients: number
  readonly generator: Row['generator']
  readonly rate: number
  readonly p50: number
  readonly p99: number
}

/** Synod in terms of each peer with as many clients. */
export function ratios(rows: readonly Row[]): Ratio[] {
  return rows.flatMap((peer) => {
    const own = rows.find(({ system, clients }) => system === 'synod' && clients === peer.clients)
    if (own === undefined || peer.system === 'synod') return []
    const of = (field: 'rate' | 'p50' | 'p99'): number => own[field] / peer[field]
    const { clients, generator } = peer
    return [{ clients, generator, rate: of('rate'), p50: of('p50'), p99: of('p99') }]
  })
}

const FIELDS = [
  'rate',
  'operations',
  'seconds',
  'mean',
  'p50',
  'p90',
  'p99',
  'p999',
  'max',
  'late',
  'syncs',
  'loopback',
] as const

/** Field by field; of one load on one system. */
export function medianRow(rows: readonly Row[]): Row {
  const [first] = rows
  if (first === undefined) throw new RangeError('there is no median of no rows')
  const medians = FIELDS.map((field) => [field, median(rows.map((row) => row[field]))])
  return {
    ...first,
    ...(Object.fromEntries(medians) as Partial<Row>),
    failures: sum(rows.map(({ failures }) => failures)),
    costs: first.costs.map((cost, index) =>
      medianCost(
        cost,
        rows.flatMap(({ costs }) => costs[index] ?? []),
      ),
    ),
    commandsPerSync: medianOf(rows.map(({ commandsPerSync }) => commandsPerSync)),
    disk: medianOf(rows.map(({ disk }) => disk)),
  }
}

function medianCost({ role }: Cost, costs: readonly Cost[]): Cost {
  const of = (field: 'cpu' | 'share' | 'memory' | 'written'): number => median(costs.map((cost) => cost[field]))
  return { role, cpu: of('cpu'), share: of('share'), memory: of('memory'), written: of('written') }
}

function sum(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {}
  for (const counts of all) for (const [code, count] of Object.entries(counts)) total[code] = (total[code] ?? 0) + count
  return total
}

/** Of those that are known. */
function medianOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : median(known)
}

/** Of an even number of values: the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
