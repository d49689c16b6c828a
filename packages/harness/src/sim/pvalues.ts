/**
 * All pvalues ⟨ballot, slot, command⟩ that anybody proposed, and whose disks hold them: from this, and from no server's
 * word, follows which command is chosen for a slot.
 */
import type { Ballot, ServerId } from '@synod/paxos/internal/protocol/ballot'
import { compareBallots, sameBallot, showBallot } from '@synod/paxos/internal/protocol/ballot'
import type { Command, Slot } from '@synod/paxos/internal/protocol/command'
import { sameCommand } from '@synod/paxos/internal/protocol/command'
import { Violation } from './violation.js'
import type { Voter } from './votes.js'
import { Votes } from './votes.js'

/** One pvalue of a slot. */
export interface Pvalue {
  readonly ballot: Ballot
  readonly command: Command
  /** Who has accepted it. */
  readonly votes: Votes
  /** By server: the life in which its disk held it last. */
  readonly holders: Map<ServerId, number>
}

interface Chosen {
  /** The lowest ballot at which a majority was seen to hold it. */
  readonly ballot: Ballot
  readonly command: Command
}

export class Pvalues {
  readonly #servers: number
  readonly #slots: Pvalue[][] = []
  readonly #chosen: (Chosen | undefined)[] = []
  #count = 0

  constructor(servers: number) {
    this.#servers = servers
  }

  /** How many slots have a chosen command. */
  get chosenCount(): number {
    return this.#count
  }

  chosen(slot: Slot): Command | undefined {
    return this.#chosen[slot]?.command
  }

  /** The highest ballot at which any of the slots up to this one was chosen, as far as it is known; undefined if none was. */
  chosenAt(last: Slot): Ballot | undefined {
    const ballots = this.#chosen.slice(1, last + 1).flatMap((chosen) => (chosen === undefined ? [] : [chosen.ballot]))
    return ballots.sort(compareBallots).at(-1)
  }

  /** Slots that anything was proposed for lie below it. */
  get end(): Slot {
    return this.#slots.length
  }

  of(slot: Slot): readonly Pvalue[] {
    return this.#slots[slot] ?? []
  }

  /** A command is proposed: A4 (and C1), A5 (and C2). */
  propose(ballot: Ballot, slot: Slot, command: Command): Pvalue {
    const pvalues = (this.#slots[slot] ??= [])
    for (const known of pvalues) {
      if (!sameBallot(known.ballot, ballot)) continue
      if (sameCommand(known.command, command)) return known
      throw new Violation('A4', `two commands are proposed at ballot ${showBallot(ballot)} in slot ${slot}`)
    }
    const pvalue = { ballot, command, votes: new Votes(this.#servers), holders: new Map<ServerId, number>() }
    pvalues.push(pvalue)
    const chosen = this.#chosen[slot]
    if (chosen !== undefined) checkAbove(chosen, pvalue, slot)
    return pvalue
  }

  /** A server's disk holds a pvalue, which it has accepted. Once a majority has, its command is chosen; true if that is news. */
  accept(voter: Voter, ballot: Ballot, slot: Slot, command: Command): boolean {
    const pvalue = this.hold(voter, ballot, slot, command)
    return pvalue.votes.add(voter) && pvalue.votes.isMajority() && this.#choose(pvalue, slot)
  }

  /** A server's disk holds a pvalue, for whatever reason. */
  hold(voter: Voter, ballot: Ballot, slot: Slot, command: Command): Pvalue {
    const pvalue = this.propose(ballot, slot, command)
    pvalue.holders.set(voter.server, voter.life)
    return pvalue
  }

  /** Whether a server's disk holds the pvalue in this life. */
  holds({ server, life }: Pick<Voter, 'server' | 'life'>, ballot: Ballot, slot: Slot): boolean {
    return this.of(slot).some((pvalue) => sameBallot(pvalue.ballot, ballot) && pvalue.holders.get(server) === life)
  }

  /**
   * A server is in a new life. Gives the first slot, from `from` on, in which its disk does not hold what a majority can only
   * have chosen with a vote of a former life of it; null if there is none.
   */
  forgotten(voter: Voter, from: Slot): Slot | null {
    const { server, life } = voter
    for (let slot = from; slot < this.#chosen.length; slot++) {
      const chosen = this.#chosen[slot]
      if (chosen === undefined) continue
      const isFormer = (other: Voter): boolean => other.server === server && other.life < life
      const needed = this.of(slot).some(
        ({ ballot, votes }) =>
          sameBallot(ballot, chosen.ballot) && !votes.isMajority((other) => !isFormer(other)) && votes.isMajority(),
      )
      const remembered = this.of(slot).some(
        ({ ballot, holders }) => holders.get(server) === life && compareBallots(ballot, chosen.ballot) >= 0,
      )
      if (needed && !remembered) return slot
    }
    return null
  }

  #choose(pvalue: Pvalue, slot: Slot): boolean {
    const { ballot, command } = pvalue
    const known = this.#chosen[slot]
    if (known !== undefined && !sameCommand(known.command, command))
      throw new Violation('R1', `two commands are chosen for slot ${slot}`)
    if (known !== undefined && compareBallots(known.ballot, ballot) <= 0) return false
    const chosen = { ballot, command }
    this.#chosen[slot] = chosen
    for (const other of this.of(slot)) checkAbove(chosen, other, slot)
    if (known !== undefined) return false
    this.#count++
    return true
  }
}

/** A5: what is chosen at a ballot is what is proposed at every higher one. */
function checkAbove(chosen: Chosen, other: Pvalue, slot: Slot): void {
  if (compareBallots(other.ballot, chosen.ballot) <= 0 || sameCommand(chosen.command, other.command)) return
  throw new Violation(
    'A5',
    `another command than the one that is chosen at ${showBallot(chosen.ballot)} is proposed at ${showBallot(other.ballot)} in slot ${slot}`,
  )
}
