/** How the servers stand by their own word. */
import type { ServerStatus } from '@synod/paxos'
import type { Sample } from '../report/report.js'
import type { World } from '../world/world.js'

/** How long a server may take to answer (ms). */
const PATIENCE = 1_000
/** Between two samples (ms), and between two that say the same. */
const INTERVAL = 250
const HEARTBEAT = 5_000

/** Numbers of all servers. */
export function serversOf(world: World): number[] {
  return Array.from({ length: world.servers }, (_, id) => id)
}

/** Those whose processes run. */
export function running(world: World): number[] {
  return serversOf(world).filter((id) => world.standing(id) === 'up')
}

export function statuses(world: World, ids: readonly number[]): Promise<(ServerStatus | null)[]> {
  return Promise.all(ids.map((id) => world.status(id, PATIENCE)))
}

/** The server that leads at the highest ballot; null if none does. */
export async function leaderOf(world: World): Promise<number | null> {
  const leaders = (await statuses(world, running(world))).filter((status) => status?.role === 'leader')
  const [first] = leaders.sort((a, b) => roundOf(b) - roundOf(a))
  return first?.id ?? null
}

function roundOf(status: ServerStatus | null): number {
  return Number.parseFloat(status?.ballot ?? '0')
}

/** The server that a majority of all follow, itself too; null if there is none. */
export async function followedBy(world: World): Promise<number | null> {
  const all = await statuses(world, running(world))
  const leader = all.find((status) => status?.role === 'leader' && followers(all, status.id) * 2 > world.servers)
  return leader?.id ?? null
}

function followers(all: readonly (ServerStatus | null)[], leader: number): number {
  return all.filter((status) => status?.leader === leader).length
}

/** Notes how every server stands, whenever that changes, until it is ended. */
export class Sampler {
  readonly samples: Sample[] = []
  readonly #world: World
  readonly #last = new Map<number, Sample>()
  #ended = false

  constructor(world: World) {
    this.#world = world
  }

  async run(): Promise<void> {
    while (!this.#ended) {
      await this.look()
      await this.#world.sleep(INTERVAL)
    }
  }

  /** Notes what has changed since the last look. */
  async look(): Promise<void> {
    await Promise.all(serversOf(this.#world).map((id) => this.#sample(id)))
  }

  end(): void {
    this.#ended = true
  }

  async #sample(server: number): Promise<void> {
    const standing = this.#world.standing(server)
    const status = standing === 'up' ? await this.#world.status(server, PATIENCE) : null
    if (this.#ended) return
    const time = this.#world.now()
    const silent = { role: standing === 'up' ? 'silent' : standing, ballot: '', leader: null, applied: 0 }
    const { role, ballot, leader, applied } = status ?? silent
    const last = this.#last.get(server)
    const same = last?.role === role && last.ballot === ballot && last.leader === leader
    if (same && time - last.time < HEARTBEAT) return
    const sample = { time, server, role, ballot, leader, applied }
    this.#last.set(server, sample)
    this.samples.push(sample)
  }
}
