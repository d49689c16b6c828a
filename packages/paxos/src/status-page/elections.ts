/** The elections that all servers have seen, as one list. */
import type { ClusterView } from './view.js'

export interface Election {
  /** ms since 1970, by this page's clock, when the first server saw it. */
  readonly at: number
  /** null: these servers knew no leader any more. */
  readonly leader: number | null
  readonly ballot: string
  readonly seenBy: readonly number[]
}

/** Servers notice the same election within so long of each other (ms). */
const TOGETHER = 10_000
/** So many are told. */
const TOLD = 16

/** The latest first. `now`: when the answer came (ms since 1970). */
export function electionsOf({ servers }: ClusterView, now: number): Election[] {
  const seen = servers.flatMap(({ id, status }) =>
    (status?.elections ?? []).map(({ agoMs, leader, ballot }) => ({ at: now - agoMs, leader, ballot, seenBy: [id] })),
  )
  const merged: { at: number; leader: number | null; ballot: string; seenBy: number[] }[] = []
  for (const one of seen.sort((a, b) => a.at - b.at)) {
    const same = merged.findLast(
      (other) =>
        other.leader === one.leader &&
        other.ballot === one.ballot &&
        one.at - other.at < TOGETHER &&
        !other.seenBy.includes(one.seenBy[0] ?? -1),
    )
    if (same === undefined) merged.push(one)
    else same.seenBy.push(...one.seenBy)
  }
  for (const { seenBy } of merged) seenBy.sort((a, b) => a - b)
  return merged
    .map((election) => ({ election, order: orderOf(election, merged) }))
    .sort((a, b) => b.order - a.order)
    .slice(0, TOLD)
    .map(({ election }) => election)
}

/**
 * Where an election belongs in time. The loss of a leader comes before the next one leads, though one server may have
 * noticed it a little later than another heard of the next leader.
 */
function orderOf({ at, leader, ballot }: Election, all: readonly Election[]): number {
  if (leader !== null) return at
  const next = all.filter(
    (other) => other.leader !== null && isHigher(other.ballot, ballot) && at - other.at < TOGETHER,
  )
  return Math.min(at, ...next.map((other) => other.at - 1))
}

/** Ballots are told as `round.server`. */
function isHigher(a: string, b: string): boolean {
  const [roundA = 0, serverA = 0] = a.split('.').map(Number)
  const [roundB = 0, serverB = 0] = b.split('.').map(Number)
  return roundA > roundB || (roundA === roundB && serverA > serverB)
}
