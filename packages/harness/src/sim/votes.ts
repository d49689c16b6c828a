/**
 * Which answers of acceptors anybody could count together: a server that lost its disk and was repaired is in another life,
 * and its old answers do not go with those that know of the new one (docs/PROTOCOL.md, "Repair").
 */
import type { ServerId } from '@synod/paxos/internal/protocol/ballot'
import type { Lives } from '@synod/paxos/internal/protocol/message'

/** Who answers: a server, in one of its lives, and the lives that it knew then. */
export interface Voter {
  readonly server: ServerId
  readonly life: number
  readonly lives: Lives
}

/** The answers to one question, as they became durable. A server has one for each of its lives. */
export class Votes {
  readonly #servers: number
  readonly #voters: Voter[] = []

  /** @param servers how many there are */
  constructor(servers: number) {
    this.#servers = servers
  }

  /** True if it is new. (The first answer of a life knows the fewest lives, so it goes with the most others.) */
  add(voter: Voter): boolean {
    if (this.has(voter.server, voter.life)) return false
    this.#voters.push(voter)
    return true
  }

  has(server: ServerId, life: number): boolean {
    return this.#voters.some((voter) => voter.server === server && voter.life === life)
  }

  /** Whether those that `counts` takes hold a majority that goes together. */
  isMajority(counts: (voter: Voter) => boolean = () => true): boolean {
    const voters = this.#voters.filter(counts)
    const wanted = Math.floor(this.#servers / 2) + 1
    return voters.length >= wanted && goTogether([], voters, wanted)
  }
}

/** Whether `wanted` of these can be chosen, the first of them already, of which each goes with each other. */
function goTogether(chosen: readonly Voter[], left: readonly Voter[], wanted: number): boolean {
  if (chosen.length >= wanted) return true
  if (chosen.length + left.length < wanted) return false
  const [next, ...others] = left
  if (next === undefined) return false
  const fits = chosen.every((other) => fit(other, next))
  return (fits && goTogether([...chosen, next], others, wanted)) || goTogether(chosen, others, wanted)
}

function fit(a: Voter, b: Voter): boolean {
  return a.server !== b.server && lifeIn(a.lives, b.server) <= b.life && lifeIn(b.lives, a.server) <= a.life
}

export function lifeIn(lives: Lives, server: ServerId): number {
  return lives[server] ?? 0
}
