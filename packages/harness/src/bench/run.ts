/** One run: warm-up, and then a load whose cost is measured. */
import { tmpdir } from 'node:os'
import type { LoadOptions, LoadResult } from './load.js'
import { load } from './load.js'
import { cpuOf, diskBytes, loopbackBytes, peakOf, resetPeak, writtenBy } from './processes.js'
import type { Member, System } from './system.js'

/** The load of one run. */
export interface RunOptions extends Omit<LoadOptions, 'connections'> {
  readonly connections: number
  readonly seconds: number
}

/** What a process spent in a run. */
export interface Cost {
  readonly role: Member['role'] | 'generator'
  /** µs of processor time, user and system, by operation. */
  readonly cpu: number
  /** Of one core. */
  readonly share: number
  /** The most bytes that were resident. */
  readonly memory: number
  /** Bytes that it wrote to files and sockets, by operation. */
  readonly written: number
}

export interface Row extends LoadResult {
  readonly system: string
  /** What the generator is written in. */
  readonly generator: 'node' | 'go'
  readonly clients: number
  readonly connections: number
  /** The generator last; the servers only if this bench started them. */
  readonly costs: readonly Cost[]
  /** Synchronous writes of the leader, and commands that its log brought it for each; null if there were none. */
  readonly syncs: number
  readonly commandsPerSync: number | null
  /** Bytes by operation, of all processes of this machine: over the loopback interface, and to the disk of the servers' directories. */
  readonly loopback: number
  readonly disk: number | null
}

/** The share of the run's length for which the load goes before it is measured. */
export const WARM_UP = 1 / 4

export async function run(system: System, options: RunOptions): Promise<Row> {
  const connections = await system.connect(options.connections)
  await load({ ...options, connections, seconds: options.seconds * WARM_UP })
  const spent = await meter(system, process.pid)
  const result = await load({ ...options, connections })
  return rowOf(system, 'node', options, result, await spent())
}

/** What is between two readings. */
export interface Spent {
  /** Processor time in s. */
  readonly processes: readonly {
    readonly role: Cost['role']
    readonly cpu: number
    readonly written: number
    readonly memory: number
  }[]
  readonly commands: number
  readonly syncs: number
  readonly loopback: number
  readonly disk: number | null
}

/** Reads what everything has cost so far; what it gives reads again, and tells what was spent meanwhile. */
export async function meter(system: System, generator: number): Promise<() => Promise<Spent>> {
  const processes = [...(await system.members()), { role: 'generator' as const, pid: generator }]
  const tally = await system.tally()
  const read = (): { cpu: number; written: number }[] =>
    processes.map(({ pid }) => ({ cpu: cpuOf(pid), written: writtenBy(pid) }))
  for (const { pid } of processes) resetPeak(pid)
  const before = { readings: read(), loopback: loopbackBytes(), disk: diskBytes(tmpdir()) }
  return async () => {
    const [readings, loopback, disk] = [read(), loopbackBytes(), diskBytes(tmpdir())]
    const memories = processes.map(({ pid }) => peakOf(pid))
    const { commands, syncs } = await system.tally()
    return {
      processes: readings.map(({ cpu, written }, index) => ({
        role: processes[index]?.role ?? 'generator',
        cpu: cpu - (before.readings[index]?.cpu ?? 0),
        written: written - (before.readings[index]?.written ?? 0),
        memory: memories[index] ?? 0,
      })),
      commands: commands - tally.commands,
      syncs: syncs - tally.syncs,
      loopback: loopback - before.loopback,
      disk: disk === null || before.disk === null ? null : disk - before.disk,
    }
  }
}

export function rowOf(
  { name }: System,
  generator: Row['generator'],
  { clients, connections }: RunOptions,
  result: LoadResult,
  { processes, commands, syncs, loopback, disk }: Spent,
): Row {
  const { seconds } = result
  const operations = Math.max(1, result.operations) // what was spent for nothing is told, too
  return {
    system: name,
    generator,
    clients,
    connections,
    ...result,
    costs: processes.map(({ role, cpu, memory, written }) => ({
      role,
      cpu: (cpu / operations) * 1e6,
      share: cpu / seconds,
      memory,
      written: written / operations,
    })),
    syncs,
    commandsPerSync: syncs === 0 ? null : commands / syncs,
    loopback: loopback / operations,
    disk: disk === null ? null : disk / operations,
  }
}
