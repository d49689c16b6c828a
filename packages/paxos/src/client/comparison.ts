/** What servers told of their histories and states at one slot: whether they agree, and if not, who differs and since when. */
import type { AuditMark } from '../protocol/audit.js'
import type { Slot } from '../protocol/command.js'
import type { StateDigest } from '../transport/wire.js'
import type { ClientError } from './error.js'

/** What one server told. */
export interface Testimony {
  /** The server's id; null if it was not reached. */
  readonly server: number | null
  readonly address: string
  /** What its history and its state came to at the slot; null if it did not tell. */
  readonly digest: StateDigest | null
  /** Why there is no digest; null if there is one. */
  readonly error: ClientError | null
}

/** Slots between which two histories part: the same up to `from`, and not any more at `to`. */
export interface Parting {
  /** 0: perhaps from the beginning. */
  readonly from: number
  readonly to: number
}

/** One server, compared with the others. */
export interface VerifiedServer extends Testimony {
  /**
   * - `same`: as the others that told; where they differ, as a majority of all servers.
   * - `otherHistory`: it has executed other commands than a majority.
   * - `otherState`: the same commands have led to another state: the service is not deterministic, or the memory is bad.
   * - `undecided`: the servers differ, and no majority has the same: nobody knows who is right.
   * - `unknown`: it did not tell.
   */
  readonly verdict: 'same' | 'otherHistory' | 'otherState' | 'undecided' | 'unknown'
  /** Where its history parts from that of most; null if it does not, or the servers do not know any more. */
  readonly parted: Parting | null
}

/** What {@link Client.verify} has found. */
export interface Verification {
  /** The slot at which all were compared. */
  readonly slot: number
  /** All servers of the cluster, in id order (those that were given, if the client does not discover). */
  readonly servers: readonly VerifiedServer[]
  /** Every server told, and all the same. */
  readonly agree: boolean
  /** In what those that told differ: in their histories, or only in their states; null if they do not. */
  readonly difference: 'history' | 'state' | null
  /** Where the first of the histories parts from the others; null if none does, or it is not known. */
  readonly parted: Parting | null
}

/** The digests of a group of servers that have the same. */
type Group = readonly StateDigest[]

/** The history that most servers have; of several, the first. */
export function mostCommonChain(testimonies: readonly Testimony[]): string | null {
  return largest(digestsOf(testimonies), historyOf)[0]?.chain ?? null
}

/**
 * @param testimonies of all servers: a majority is more than half of them
 * @param chains by address: marks of histories, as far as they are known, the oldest first
 */
export function compare(
  slot: Slot,
  testimonies: readonly Testimony[],
  chains: ReadonlyMap<string, readonly AuditMark[]> = new Map(),
): Verification {
  const digests = digestsOf(testimonies)
  const difference = differ(digests, historyOf) ? 'history' : differ(digests, stateOf) ? 'state' : null
  const isMajority = (group: Group): boolean => group.length > testimonies.length / 2
  const history = largest(digests, historyOf)
  const state = largest(history, stateOf)
  const common = testimonies.find(({ digest, address }) => digest?.chain === history[0]?.chain && chains.has(address))
  const verdict = (digest: StateDigest | null): VerifiedServer['verdict'] => {
    if (digest === null) return 'unknown'
    if (!isMajority(history)) return difference === null ? 'same' : 'undecided'
    if (digest.chain !== history[0]?.chain) return 'otherHistory'
    if (difference === null || (isMajority(state) && state.includes(digest))) return 'same'
    return isMajority(state) ? 'otherState' : 'undecided'
  }
  const servers = testimonies.map((testimony): VerifiedServer => {
    const { digest, address } = testimony
    const isOther = digest !== null && digest.chain !== history[0]?.chain
    const parted = isOther ? parting(chains.get(common?.address ?? ''), chains.get(address), slot) : null
    return { ...testimony, verdict: verdict(digest), parted }
  })
  const partings = servers.flatMap(({ parted }) => (parted === null ? [] : [parted]))
  const [first = null] = partings.toSorted((a, b) => a.to - b.to || a.from - b.from)
  const agree = difference === null && digests.length === testimonies.length
  return { slot, servers, agree, difference, parted: first }
}

/** Between which slots two histories part that differ at this slot; null if nothing is known of one of them. */
export function parting(
  one: readonly AuditMark[] | undefined,
  other: readonly AuditMark[] | undefined,
  slot: Slot,
): Parting | null {
  if (one === undefined || other === undefined) return null
  const known = new Map(one.map((mark) => [mark.slot, mark.hash]))
  let [from, to] = [0, slot]
  for (const mark of other) {
    const hash = known.get(mark.slot)
    if (hash === mark.hash) from = Math.max(from, mark.slot)
    else if (hash !== undefined) to = Math.min(to, mark.slot)
  }
  return { from, to }
}

const historyOf = ({ chain }: StateDigest): string => chain
const stateOf = ({ chain, state, entries }: StateDigest): string => `${chain} ${state} ${entries}`

function digestsOf(testimonies: readonly Testimony[]): Group {
  return testimonies.flatMap(({ digest }) => (digest === null ? [] : [digest]))
}

function differ(digests: Group, key: (digest: StateDigest) => string): boolean {
  return new Set(digests.map(key)).size > 1
}

/** Of those that have the same, the largest group; of several, the one that comes first. */
function largest(digests: Group, key: (digest: StateDigest) => string): Group {
  const groups = new Map<string, StateDigest[]>()
  for (const digest of digests) groups.set(key(digest), [...(groups.get(key(digest)) ?? []), digest])
  return [...groups.values()].reduce<Group>((most, group) => (group.length > most.length ? group : most), [])
}
