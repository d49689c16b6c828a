/** All ballots that acceptors have adopted, as their disks say: which of them a scout could take for adopted. */
import type { Ballot } from '@synod/paxos/internal/protocol/ballot'
import { compareBallots, showBallot } from '@synod/paxos/internal/protocol/ballot'
import type { Voter } from './votes.js'
import { Votes } from './votes.js'

interface Adopted {
  readonly ballot: Ballot
  readonly votes: Votes
}

export class Promises {
  readonly #servers: number
  readonly #adopted = new Map<string, Adopted>()

  constructor(servers: number) {
    this.#servers = servers
  }

  /** An acceptor's disk says that it has adopted the ballot. */
  adopt(voter: Voter, ballot: Ballot): void {
    const key = keyOf(ballot)
    const adopted = this.#adopted.get(key) ?? { ballot, votes: new Votes(this.#servers) }
    adopted.votes.add(voter)
    this.#adopted.set(key, adopted)
  }

  /** Whether a majority has adopted it, by answers that go together. */
  isAdopted(ballot: Ballot): boolean {
    return this.#adopted.get(keyOf(ballot))?.votes.isMajority() === true
  }

  /**
   * A server is in a new life, and has adopted `promised`. Gives the first ballot above that which a majority can only have
   * adopted with a former life of it; null if there is none.
   */
  forgotten({ server, life }: Voter, promised: Ballot): Ballot | null {
    for (const { ballot, votes } of this.#adopted.values()) {
      if (compareBallots(ballot, promised) <= 0 || !votes.isMajority()) continue
      if (!votes.isMajority((other) => other.server !== server || other.life >= life)) return ballot
    }
    return null
  }
}

function keyOf(ballot: Ballot): string {
  return `${showBallot(ballot)}.${ballot.start}`
}
