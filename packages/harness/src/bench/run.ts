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
  readonly clients: number
  readonly connections: number
  /** The generator last; the servers only if this bench started them. */
  readonly costs: readonly Cost[]
  /** Synchronous writes of the leader, and commands that it executed for each. */
  readonly syncs: number
  readonly commandsPerSync: number
  /** Bytes by operation, of all processes of this machine: over the loopback interface, and to the disk of the servers' directories. */
  readonly loopback: number
  readonly disk: number | null
}

/** The share of the run's length for which the load goes before it is measured. */
const WARM_UP = 1 / 4

export async function run(system: System, options: RunOptions): Promise<Row> {
  const connections = await system.connect(options.connections)
  const { clients } = options
  await load({ ...options, connections, seconds: options.seconds * WARM_UP })
  const measure = await Measure.begin(system)
  const result = await load({ ...options, connections })
  return { system: system.name, clients, connections: options.connections, ...result, ...(await measure.end(result)) }
}

interface Reading {
  readonly cpu: number
  readonly written: number
}

/** What a load costs the servers, and this process, from the begin to the end. */
class Measure {
  readonly #processes: readonly { readonly role: Cost['role']; readonly pid: number }[]
  readonly #readings: readonly Reading[]
  readonly #loopback = loopbackBytes()
  readonly #disk = diskBytes(tmpdir())

  private constructor(
    readonly system: System,
    readonly members: readonly Member[],
    readonly tally: { readonly commands: number; readonly syncs: number },
  ) {
    this.#processes = [...members, { role: 'generator', pid: process.pid }]
    this.#readings = this.#processes.map(({ pid }) => {
      resetPeak(pid)
      return readingOf(pid)
    })
  }

  static async begin(system: System): Promise<Measure> {
    return new Measure(system, await system.members(), await system.tally())
  }

  async end({
    operations,
    seconds,
  }: LoadResult): Promise<Pick<Row, 'costs' | 'syncs' | 'commandsPerSync' | 'loopback' | 'disk'>> {
    const loopback = (loopbackBytes() - this.#loopback) / operations
    const disk = this.#disk === null ? null : ((diskBytes(tmpdir()) ?? 0) - this.#disk) / operations
    const costs = this.#processes.map(({ role, pid }, index) => {
      const [before, after] = [this.#readings[index] ?? { cpu: 0, written: 0 }, readingOf(pid)]
      const cpu = after.cpu - before.cpu
      return {
        role,
        cpu: (cpu / operations) * 1e6,
        share: cpu / seconds,
        memory: peakOf(pid),
        written: (after.written - before.written) / operations,
      }
    })
    const tally = await this.system.tally()
    const syncs = tally.syncs - this.tally.syncs
    return {
      costs,
      syncs,
      commandsPerSync: (tally.commands - this.tally.commands) / syncs,
      loopback,
      disk,
    }
  }
}

function readingOf(pid: number): Reading {
  return { cpu: cpuOf(pid), written: writtenBy(pid) }
}
