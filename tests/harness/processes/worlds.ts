/** Worlds of real processes that end with the test. */
import type { ServerStatus } from '@synod/paxos'
import { kvstore } from '@synod/kvstore'
import { ProcessWorld } from '@synod/harness/internal/processes/process-world'
import type { ProcessWorldOptions } from '@synod/harness/internal/processes/process-world'
import type { WorldClient } from '@synod/harness/internal/world/world'
import { until } from '../../support/cluster.js'
import type { Owner } from '../../support/cluster.js'

/** How long an operation may take that is to succeed (ms). */
export const PATIENCE = 20_000
const ANSWER = 1_000

/** A key-value store of three servers, unless something else is wanted; nothing runs yet. */
export async function prepare(owner: Owner, wanted: Partial<ProcessWorldOptions> = {}): Promise<ProcessWorld> {
  const world = await ProcessWorld.prepare({
    command: 'kvstore',
    service: kvstore,
    servers: 3,
    seed: 1,
    verbosity: 0,
    ...wanted,
  })
  owner.teardown(() => world.close())
  return world
}

/** As `prepare`, and all servers follow one leader. */
export async function start(owner: Owner, wanted: Partial<ProcessWorldOptions> = {}): Promise<ProcessWorld> {
  const world = await prepare(owner, wanted)
  await Promise.all(ids(world).map((id) => world.server(id).start()))
  await leaderOf(world, ids(world))
  return world
}

export function ids(world: ProcessWorld): number[] {
  return Array.from({ length: world.servers }, (_, id) => id)
}

async function statusOf(world: ProcessWorld, among: readonly number[]): Promise<(ServerStatus | null)[]> {
  return Promise.all(among.map((id) => world.status(id, ANSWER)))
}

/** Waits until these servers follow one of themselves; gives its id. */
export async function leaderOf(world: ProcessWorld, among: readonly number[]): Promise<number> {
  let leader: number | null | undefined
  await until(
    `servers ${among.join()} follow one of them`,
    async () => {
      const all = await statusOf(world, among)
      leader = all[0]?.leader
      return among.some((id) => id === leader) && all.every((status) => status?.leader === leader)
    },
    {
      describe: () =>
        ids(world)
          .map((id) => `\n${world.output(id)}`)
          .join(''),
    },
  )
  return leader ?? -1
}

/** Waits until all servers have executed the same; gives each one's state. */
export async function converged(world: ProcessWorld): Promise<unknown[]> {
  await until('all have executed the same', async () => {
    const all = await statusOf(world, ids(world))
    return all.every((status) => status !== null && status.applied === all[0]?.applied)
  })
  const dumps = await Promise.all(ids(world).map((id) => world.dump(id, PATIENCE)))
  return dumps.map((dump) => dump?.entries)
}

export async function ended(world: ProcessWorld, id: number): Promise<void> {
  await until(`server ${id} ends by itself`, () => world.standing(id) === 'ended')
}

export function set(client: WorldClient, key: string, value: string, timeout = PATIENCE): Promise<unknown> {
  return client.submit({ type: 'set', key, value }, timeout)
}

export async function get(client: WorldClient, key: string, timeout = PATIENCE): Promise<unknown> {
  return ((await client.submit({ type: 'get', key }, timeout)) as { value: unknown }).value
}
