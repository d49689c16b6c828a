/** What must hold when a simulation is over: exactly once, nothing lost, in an order that real time allows, the same everywhere. */
import type { Cluster } from './cluster.js'
import type { Entry } from './ledger.js'
import { Violation } from './violation.js'

/** One append, and what its client was told. */
export interface Operation {
  readonly entry: Entry
  readonly invokedAt: number
  /** `unknown`: it may have happened; `none`: surely not. */
  outcome: 'pending' | 'ok' | 'unknown' | 'none'
  /** For `ok`: the place that the client was told, and when. */
  place: number
  completedAt: number
}

const keyOf = (entry: Entry): string => `${entry.client}/${entry.number}`

/** Throws a {@link Violation}. */
export function judge(cluster: Cluster, operations: readonly Operation[]): void {
  const log = cluster.entries(0) ?? []
  cluster.addresses.forEach((_, id) => {
    const other = cluster.entries(id) ?? []
    const apart = log.findIndex(
      (entry, place) => keyOf(entry) !== (other[place] === undefined ? '' : keyOf(other[place])),
    )
    if (apart >= 0 || other.length !== log.length)
      throw new Violation('convergence', `servers 0 and ${id} differ at entry ${apart}`)
  })
  const places = new Map<string, number>()
  log.forEach((entry, place) => {
    const key = keyOf(entry)
    if (places.has(key))
      throw new Violation('exactly-once', `entry ${key} was appended at ${places.get(key)} and at ${place}`)
    places.set(key, place)
  })
  for (const { entry, outcome, place } of operations) {
    const found = places.get(keyOf(entry))
    if (outcome === 'ok' && found === undefined)
      throw new Violation('durability', `entry ${keyOf(entry)} was acknowledged and is lost`)
    if (outcome === 'ok' && found !== place)
      throw new Violation('linearizability', `entry ${keyOf(entry)} is at ${found}, its client was told ${place}`)
    if (outcome === 'none' && found !== undefined)
      throw new Violation('errors', `entry ${keyOf(entry)} happened, its client was told that it surely did not`)
  }
  judgeOrder(operations)
}

/** Real time: what was acknowledged before another was asked for stands before it. */
function judgeOrder(operations: readonly Operation[]): void {
  const done = operations.filter(({ outcome }) => outcome === 'ok')
  const byCompletion = [...done].sort((a, b) => a.completedAt - b.completedAt)
  const byInvocation = [...done].sort((a, b) => a.invokedAt - b.invokedAt)
  let highest = -1
  let next = 0
  for (const operation of byInvocation) {
    for (
      let earlier = byCompletion[next];
      earlier !== undefined && earlier.completedAt < operation.invokedAt;
      earlier = byCompletion[++next]
    ) {
      highest = Math.max(highest, earlier.place)
    }
    if (operation.place < highest)
      throw new Violation(
        'linearizability',
        `entry ${keyOf(operation.entry)} stands at ${operation.place}, before one at ${highest} that was acknowledged before it was asked for`,
      )
  }
}
