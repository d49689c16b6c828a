/** Why a server takes no commands in, besides having no leader. */
import type { ServerId } from '../protocol/ballot.js'
import type { ServerStatus } from '../transport/wire.js'
import { nameServers } from './addresses.js'

/** What may stand in the way. */
export interface Obstacles {
  readonly stopping: boolean
  /** How much of its directory it has read; null when it has started. */
  readonly progress: number | null
  readonly takesPart: boolean
  /** The servers that it has not met. */
  readonly missing: readonly ServerId[]
  readonly fetching: ServerStatus['fetching']
  /** Its snapshot is damaged, and none of another server's is there yet. */
  readonly lacksState: boolean
  /** It was told lately that it is too far behind to be told decisions. */
  readonly outpaced: boolean
  readonly repairing: boolean
  /** The disk is full. */
  readonly full: boolean
}

/** A sentence without its end; null if nothing stands in the way. */
export function obstacleOf(of: Obstacles): string | null {
  if (of.stopping) return 'this server is stopping'
  if (of.progress !== null) return `this server is starting: ${percent(of.progress)} of its directory is read`
  if (!of.takesPart) {
    const why =
      of.missing.length === 0 ? 'not all servers have met each other' : `not met yet: ${nameServers(of.missing)}`
    return `the cluster is not formed: ${why}`
  }
  if (of.fetching !== null) {
    const { from, received, bytes } = of.fetching
    return `this server is far behind: it fetches a snapshot of server ${from}, ${percent(received / bytes)} is here`
  }
  if (of.lacksState) return 'the snapshot of this server is damaged: it waits for one of another server'
  if (of.outpaced) return 'this server is far behind: it waits for a snapshot of another server'
  if (of.repairing) return 'this server is being repaired from the others: it does not vote yet'
  return of.full ? 'the disk is full' : null
}

function percent(part: number): string {
  return `${Math.floor(Math.min(1, part) * 100)} %`
}
