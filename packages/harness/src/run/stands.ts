/** Conditions about single servers, as they tell it themselves: how far the log's life has come with them. */
import type { ServerStatus } from '@synod/paxos'
import { STANDS } from '../scenario/schema.js'
import type { Expectation, Stands } from '../scenario/schema.js'
import { poll } from './poll.js'
import type { Run } from './run.js'
import { running, serversOf, statuses } from './survey.js'

/** How long a server may take to come to what is expected of it (ms). */
const PATIENCE = 10_000

/** What is not so yet, of a server or of several. */
export const NOT_YET: Readonly<Record<Stands, string>> = {
  snapshot: 'there is no such snapshot',
  collected: 'the log was not collected so far',
  installed: 'no snapshot of another server was installed, with all that the others had executed,',
  repaired: 'the server was not repaired, so that it votes,',
}

interface Wanted {
  /** undefined: all that are up. */
  readonly id?: number | undefined
  readonly slot?: number | undefined
}

/** Looks, each time it is called, whether it is so. */
export function stands(run: Run, what: Stands, { id, slot = 1 }: Wanted): () => Promise<boolean> {
  const { world } = run
  /** What the others had executed at the first look: under load they go on. */
  let reached: number | null = null
  return async () => {
    const ids = id === undefined ? running(world) : [id]
    const all = await statuses(world, what === 'installed' ? serversOf(world) : ids)
    const asked = ids.map((server) => all.find((status) => status?.id === server) ?? null)
    if (what === 'installed') {
      const others = all.filter((status) => status !== null && !ids.includes(status.id))
      reached ??= Math.max(0, ...others.map((status) => status?.applied ?? 0))
    }
    const target = what === 'installed' ? (reached ?? 0) : slot
    return asked.length > 0 && asked.every((status) => status !== null && isSo(status, what, target))
  }
}

/** What is not so with the servers that these demands name, in sentences. */
export async function standsProblems(run: Run, expectation: Expectation): Promise<string[]> {
  const problems: string[] = []
  for (const what of STANDS) {
    for (const id of expectation[what] ?? []) {
      const holds = await poll(run.world, stands(run, what, { id, slot: expectation.slot }), PATIENCE)
      if (!holds)
        problems.push(`server ${id}: ${NOT_YET[what].replace(/,$/, '')}${told((await statuses(run.world, [id]))[0])}`)
    }
  }
  return problems
}

function isSo(status: ServerStatus, what: Stands, slot: number): boolean {
  switch (what) {
    case 'snapshot':
      return status.snapshot.slot >= slot
    case 'collected':
      return status.collected >= slot
    case 'installed':
      return status.installed > 0 && status.fetching === null && status.applied >= slot
    case 'repaired':
      return status.life > 0 && ['follower', 'candidate', 'leader'].includes(status.role)
  }
}

function told(status: ServerStatus | null | undefined): string {
  if (status === null || status === undefined) return '; it does not answer'
  const { role, applied, snapshot, collected, installed, life } = status
  return `; it is ${role}, in life ${life}, has executed slot ${applied}, has a snapshot through ${snapshot.slot} and its log collected through ${collected}, and installed ${installed}`
}
