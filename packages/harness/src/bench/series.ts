/** How cost grows: the same load again and again, with one thing larger each time. */
import { MAX_VALUE_BYTES } from '@synod/kvstore'
import { UsageError } from '../cli/usage.js'
import { SERVERS } from './flags.js'
import type { MeasureOptions } from './measured.js'
import { measured } from './measured.js'
import type { Cost, Row } from './run.js'

interface Kind {
  /** What its first column says. */
  readonly head: string
  readonly points: readonly number[]
  at(options: MeasureOptions, point: number): MeasureOptions
  /** Why it cannot be measured, if so. */
  refuses?(point: number): string | undefined
}

/** All values together have at most so many bytes. */
const HELD = 64 << 20

const KINDS = {
  servers: {
    head: 'servers',
    points: SERVERS,
    at: (options, servers) => ({ ...options, servers }),
    refuses: (point) => (SERVERS.includes(point) ? undefined : `a cluster has 3, 5 or 7 servers here, not ${point}`),
  },
  values: {
    head: 'bytes of a value',
    points: [16, 128, 1024, 8192, 65_536, 262_144, 1_048_576],
    at: (options, valueSize) => ({ ...options, valueSize, keys: Math.min(options.keys, Math.floor(HELD / valueSize)) }),
    refuses: (point) =>
      point <= MAX_VALUE_BYTES ? undefined : `a value has at most ${MAX_VALUE_BYTES} bytes, not ${point}`,
  },
  keys: {
    head: 'keys',
    points: [1_000, 10_000, 100_000, 1_000_000, 10_000_000],
    at: (options, keys) => ({ ...options, keys }),
  },
  connections: {
    head: 'connections',
    points: [1, 10, 100, 1_000, 10_000],
    at: (options, connections) => ({
      ...options,
      connections,
      clients: options.clients.map((clients) => Math.max(clients, connections)),
    }),
  },
} satisfies Record<string, Kind>

export type Series = keyof typeof KINDS
export const SERIES = Object.keys(KINDS) as Series[]

/** What was measured at a point. */
export interface PointRow {
  readonly point: number
  readonly row: Row
}

/** A cluster of its own for each point; `tell` hears of each when it was measured. */
export async function series(
  name: Series,
  points: readonly number[] | undefined,
  options: MeasureOptions,
  say: (line: string) => void,
  tell: (row: PointRow) => void,
): Promise<void> {
  const kind: Kind = KINDS[name]
  for (const point of points ?? kind.points) {
    const why = kind.refuses?.(point)
    if (why !== undefined) throw new UsageError(why)
  }
  for (const point of points ?? kind.points) {
    say(`${kind.head}: ${point}`)
    for (const row of await measured(kind.at(options, point), say)) tell({ point, row })
  }
}

const HEADS = [
  'system',
  'clients',
  'ops/s',
  'p50 ms',
  'p99 ms',
  'µs CPU/op: leader',
  'follower',
  'generator',
  'its core',
  'commands/fdatasync',
  'loopback B/op',
  'peak MiB: leader',
  'follower',
]

/** The head of a table in Markdown. */
export function markdownHead(name: Series): string {
  const heads = [KINDS[name].head, ...HEADS]
  return lineOf(heads) + lineOf(heads.map(() => '---:'))
}

/** A line of it. */
export function markdownLine({ point, row }: PointRow): string {
  return lineOf([
    point.toLocaleString('en-US'),
    row.system === 'synod' ? row.system : `${row.system} (${row.generator})`,
    String(row.clients),
    row.rate.toFixed(0),
    row.p50.toFixed(2),
    row.p99.toFixed(2),
    ...(['leader', 'follower', 'generator'] as const).map((role) => worst(row, role, ({ cpu }) => cpu)),
    `${((row.costs.at(-1)?.share ?? 0) * 100).toFixed(0)} %`,
    row.commandsPerSync?.toFixed(1) ?? '-',
    row.loopback.toFixed(0),
    ...(['leader', 'follower'] as const).map((role) => worst(row, role, ({ memory }) => memory / 2 ** 20)),
  ])
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`
}

/** Of the followers the one that it was most for. */
function worst({ costs }: Row, wanted: Cost['role'], of: (cost: Cost) => number): string {
  const all = costs.filter(({ role }) => role === wanted).map(of)
  return all.length === 0 ? '-' : Math.max(...all).toFixed(0)
}
