/** What a bench prints. */
import { table } from '../table.js'
import type { Ratio } from './compare.js'
import type { Cost, Row } from './run.js'

const HEADS = [
  'system',
  'by',
  'clients',
  'ops/s',
  'p50 ms',
  'p90',
  'p99',
  'p99.9',
  'max',
  'µs CPU/op: leader',
  'followers',
  'generator',
  'its core',
  'peak MiB: leader',
  'followers',
  'generator',
]
const MORE = [
  'system',
  'by',
  'clients',
  'fdatasyncs',
  'commands/fdatasync',
  'B written/op: leader',
  'followers',
  'generator',
  'all: to disk',
  'loopback',
]
const RATIO_HEADS = ['synod / etcd', 'clients', 'ops/s', 'p50', 'p99']

/** So many that were not begun at the end, by those that were, are those of the last moment. */
const FEW = 0.01

/** A table of the rows, and another one of the disks and the network. */
export function text(rows: readonly Row[], ratios: readonly Ratio[]): string {
  const tables = [table(HEADS, rows.map(speed)), table(MORE, rows.map(disks))]
  if (ratios.length > 0) tables.push(table(RATIO_HEADS, ratios.map(compared)))
  return [...tables, ...rows.flatMap(troubles).map((line) => `${line}\n`)].join('\n')
}

function speed(row: Row): string[] {
  const generator = row.costs.at(-1)
  return [
    row.system,
    row.generator,
    String(row.clients),
    row.rate.toFixed(0),
    ...[row.p50, row.p90, row.p99, row.p999].map((ms) => ms.toFixed(2)),
    row.max.toFixed(1),
    ...of(row, (cost) => cost.cpu.toFixed(0)),
    generator?.cpu.toFixed(0) ?? '',
    `${((generator?.share ?? 0) * 100).toFixed(0)} %`,
    ...of(row, (cost) => mebibytes(cost.memory)),
    mebibytes(generator?.memory ?? 0),
  ]
}

function disks(row: Row): string[] {
  return [
    row.system,
    row.generator,
    String(row.clients),
    String(row.syncs),
    row.commandsPerSync?.toFixed(1) ?? '-',
    ...of(row, (cost) => cost.written.toFixed(0)),
    row.costs.at(-1)?.written.toFixed(0) ?? '',
    row.disk?.toFixed(0) ?? '-',
    row.loopback.toFixed(0),
  ]
}

function compared({ clients, generator, rate, p50, p99 }: Ratio): string[] {
  return [`by ${generator}`, String(clients), ...[rate, p50, p99].map((ratio) => ratio.toFixed(2))]
}

/** Of the leader, and of the followers. */
function of({ costs }: Row, tell: (cost: Cost) => string): [string, string] {
  const all = (role: Cost['role']): string =>
    costs
      .filter((cost) => cost.role === role)
      .map(tell)
      .join(' ') || '-'
  return [all('leader'), all('follower')]
}

/** What went wrong in a run, in sentences. */
export function troubles({ system, clients, operations, failures, late }: Row): string[] {
  const all = Object.entries(failures).map(([code, count]) => `${count} failed with ${code}`)
  if (late > operations * FEW) all.push(`${late} were due and not begun`)
  return all.length === 0 ? [] : [`${system} with ${clients} clients: of the operations ${all.join(', and ')}.`]
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
