/** Whether servers have come to the same state. */
import { isDeepStrictEqual } from 'node:util'
import type { World } from '../world/world.js'
import { statuses } from './survey.js'

/** How long a server may take to show its state (ms). */
const PATIENCE = 10_000

export interface ServerState {
  readonly id: number
  readonly slot: number
  readonly entries: readonly unknown[]
}

/** The slot that all these servers have executed last, and the leader that they follow; null if they differ in one. */
export async function agree(world: World, ids: readonly number[]): Promise<{ applied: number; leader: number } | null> {
  const all = await statuses(world, ids)
  const [first] = all
  if (first === undefined || first === null || first.leader === null) return null
  const { applied, leader } = first
  const same = all.every((status) => status !== null && status.applied === applied && status.leader === leader)
  return same ? { applied, leader } : null
}

/** The states of these servers, all at the same slot; null if they are not. */
export async function states(world: World, ids: readonly number[]): Promise<ServerState[] | null> {
  const all: ServerState[] = []
  for (const id of ids) {
    const dump = await world.dump(id, PATIENCE)
    if (dump === null || (all[0] !== undefined && all[0].slot !== dump.slot)) return null
    all.push({ id, ...dump })
  }
  return all
}

/** The first of these states, and one that is not equal to it, if there is one. */
export function different(all: readonly ServerState[]): readonly [ServerState, ServerState?] {
  const [first, ...others] = all
  if (first === undefined) throw new RangeError('states of no servers')
  const other = others.find(({ entries }) => !isDeepStrictEqual(entries, first.entries))
  return other === undefined ? [first] : [first, other]
}
