/** What the parts of this bench share. */
import type { KvClient } from '@synod/kvstore'
import type { ServerStatus } from '@synod/paxos'
import type { ProcessCluster } from '../../process.js'
import { until } from '../../process.js'
import type { Questions } from '../../processes/questions.js'
import { faultless, Load } from '../load.js'

export interface LifeOptions {
  readonly servers: number
  readonly keys: number
  readonly valueSize: number
  /** MiB of values that are written before a restart. */
  readonly written: number
  /** Length of a window of measurement. */
  readonly seconds: number
  readonly rounds: number
  readonly outstanding: number
}

/** A cluster that is up, and holds all keys. */
export interface Bench {
  readonly options: LifeOptions
  readonly cluster: ProcessCluster
  readonly clients: readonly KvClient[]
  readonly questions: Questions
  /** Says what is being done. */
  say(line: string): void
}

/** What a part measured. */
export interface Measured {
  readonly title: string
  readonly heads: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** What can be read from it, in a sentence or two. */
  readonly notes: readonly string[]
  /** The same for programs. */
  readonly data: unknown
}

/** How long a server may take to answer (ms), and to write a snapshot. */
const PATIENCE = 2_000
const SNAPSHOT = 120_000

export async function statusOf({ questions, cluster }: Bench, id: number): Promise<ServerStatus | null> {
  return questions.status(cluster.address(id), PATIENCE)
}

/** Has these servers write a snapshot at the same time. */
export async function snapshots({ questions, cluster }: Bench, ids: readonly number[]): Promise<void> {
  const answers = await Promise.all(ids.map((id) => questions.snapshot(cluster.address(id), SNAPSHOT)))
  for (const answer of answers) if (answer !== null) throw new Error(answer)
}

/** The load of the measurements; `keys` and `valueSize` if it is to be another one. */
export function loaded({ options, clients }: Bench, other: { keys?: number; valueSize?: number } = {}): Load {
  return new Load({ ...options, connections: clients, clients: options.outstanding, ...other })
}

/** Sets until so many operations were acknowledged. */
export async function write(
  bench: Bench,
  operations: number,
  other: { valueSize?: number; keys?: number } = {},
): Promise<void> {
  const filling = loaded({ ...bench, options: { ...bench.options, outstanding: 512 } }, other)
  try {
    await until('all is written', () => filling.operations >= operations, { patience: 1_800_000 })
  } finally {
    faultless(await filling.stop())
  }
}

export function everyId({ cluster }: Bench): number[] {
  return [...cluster.addresses.keys()]
}
