/** What the tests of the simulated world share: a cluster of key-value stores, small and quick. */
import { kvstore } from '@synod/kvstore'
import { DEFAULT_LIMITS } from '@synod/paxos/internal/protocol/config'
import { SimWorld } from '@synod/harness/internal/sim/sim-world'
import type { SimWorldOptions } from '@synod/harness/internal/sim/sim-world'
import type { WorldClient } from '@synod/harness/internal/world/world'

/** No test takes longer than this (ms of virtual time). */
const DEADLINE = 600_000

const QUICK = { heartbeat: 20, election: 100, resend: 60, sessionTtl: 3_600_000, lease: 0, drift: 0 }

/** Lets `body` play in a world of three servers. Rejects as it does, or with what broke the world. */
export async function inWorld<T>(
  options: Partial<SimWorldOptions>,
  body: (world: SimWorld) => Promise<T>,
): Promise<{ result: T; world: SimWorld; lines: string[] }> {
  const lines: string[] = []
  const world = new SimWorld({
    ...{ service: kvstore, servers: 3, seed: 1, timing: QUICK, limits: DEFAULT_LIMITS, diskDelay: 0.2 },
    ...options,
    trace: (line) => {
      lines.push(line)
      options.trace?.(line)
    },
  })
  try {
    return { result: await world.driveTo(Promise.race([body(world), world.broken]), DEADLINE), world, lines }
  } finally {
    await world.close()
  }
}

export const idsOf = (world: SimWorld): number[] => Array.from({ length: world.servers }, (_, id) => id)

/** Waits until it is so, for 30 s of virtual time at most. */
export async function until(world: SimWorld, what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = world.now() + 30_000
  while (!(await condition())) {
    if (world.now() > deadline) throw new Error(`not so after 30 s: ${what}`)
    await world.sleep(5)
  }
}

/** The leader that a majority of all servers follow. */
export async function leaderOf(world: SimWorld): Promise<number | null> {
  const all = await Promise.all(idsOf(world).map((id) => world.status(id)))
  for (const status of all) {
    const followers = all.filter((other) => status?.role === 'leader' && other?.leader === status.id)
    if (status !== null && followers.length * 2 > world.servers) return status.id
  }
  return null
}

/** Waits until one leads. */
export async function leading(world: SimWorld): Promise<number> {
  const deadline = world.now() + 30_000
  while (world.now() < deadline) {
    const leader = await leaderOf(world)
    if (leader !== null) return leader
    await world.sleep(5)
  }
  throw new Error('nobody leads after 30 s')
}

/** Starts all servers; gives the leader. */
export async function serving(world: SimWorld): Promise<number> {
  for (const id of idsOf(world)) await world.server(id).start()
  return leading(world)
}

/** All servers that are up have the same state. */
export async function converged(world: SimWorld): Promise<void> {
  await leading(world)
  await until(world, 'all servers have the same state', async () => {
    const up = idsOf(world).filter((id) => world.standing(id) === 'up')
    const states = await Promise.all(up.map((id) => world.dump(id)))
    return new Set(states.map((state) => JSON.stringify(state))).size === 1 && states[0] !== null
  })
}

export const set = (client: WorldClient, key: string, value: string, timeout = 30_000): Promise<unknown> =>
  client.submit({ type: 'set', key, value }, timeout)

/** Sets so many keys, one after the other. */
export async function fill(client: WorldClient, count: number, value = 'v'): Promise<void> {
  for (let number = 0; number < count; number++) await set(client, `key-${number}`, value)
}
