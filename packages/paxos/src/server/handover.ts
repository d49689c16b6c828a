/** Handing leadership over because somebody asks for it: to a server that is named. */
import type { Clock } from '../clock.js'
import type { ServerId } from '../protocol/ballot.js'
import type { Input, PaxosStatus } from '../protocol/ready.js'
import { until } from './until.js'

/** A successor may be so many slots behind: clients wait until it has executed them. */
const NEAR = 10_000

export interface HandingOver {
  readonly id: ServerId
  /** How many servers there are. */
  readonly servers: number
  readonly core: { status(): Pick<PaxosStatus, 'role' | 'leader' | 'applied' | 'reached' | 'handingOverTo'> }
  readonly loop: { step(input: Input): void }
  readonly clock: Clock
}

/**
 * Resolves with null when that server leads, or with a sentence, without its end, that says why it does not.
 *
 * @param patience of each part of it (ms)
 */
export async function handOver(host: HandingOver, patience: number, to: ServerId): Promise<string | null> {
  const { id, core, loop, clock } = host
  const obstacle = obstacleTo(host, to)
  if (obstacle !== null || to === id) return obstacle
  loop.step({ type: 'handOver', to, now: clock.now() })
  if (core.status().handingOverTo !== to) return `server ${to} has not answered the leader lately`
  await until(clock, () => core.status().handingOverTo === null, patience)
  if (core.status().role === 'leader') return `server ${to} was not ready in time, and server ${id} leads on`
  await until(clock, () => core.status().leader !== null, patience)
  const { leader } = core.status()
  if (leader === to) return null
  return leader === null ? `server ${to} has not come to lead yet` : `server ${leader} came to lead instead`
}

/** Why leadership cannot be handed over now. */
function obstacleTo({ id, servers, core }: HandingOver, to: ServerId): string | null {
  const { role, leader, applied, reached, handingOverTo } = core.status()
  if (to >= servers) return `there is no server ${to}: the last one is ${servers - 1}`
  if (role !== 'leader')
    return leader === null ? 'no leader is known' : `server ${id} does not lead, but server ${leader} does`
  if (handingOverTo !== null) return `leadership is being handed over to server ${handingOverTo} already`
  const behind = applied - (reached[to] ?? applied)
  return behind > NEAR ? `server ${to} is ${behind} slots behind: it has to catch up first` : null
}
