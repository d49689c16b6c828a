/**
 * All pvalues ⟨ballot, slot, command⟩ that anybody proposed, and whose disks hold them: from this, and from no server's
 * word, follows which command is chosen for a slot.
 */
import type { Ballot, ServerId } from '@synod/paxos/internal/protocol/ballot'
import { compareBallots, sameBallot, showBallot } from '@synod/paxos/internal/protocol/ballot'
import type { Command, Slot } from '@synod/paxos/internal/protocol/command'
import { sameCommand } from '@synod/paxos/internal/protocol/command'
import { Violation } from './violation.js'

/** One pvalue of a slot. */
export interface Pvalue {
  readonly ballot: Ballot
  readonly command: Command
  /** A bit for each server whose disk holds it. */
  holders: number
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
    const pvalue = { ballot, command, holders: 0 }
    pvalues.push(pvalue)
    const chosen = this.#chosen[slot]
    if (chosen !== undefined) checkAbove(chosen, pvalue, slot)
    return pvalue
  }

  /** A server's disk holds a pvalue. Once a majority's do, its command is chosen; true if that happened just now. */
  hold(server: ServerId, ballot: Ballot, slot: Slot, command: Command): boolean {
    const pvalue = this.propose(ballot, slot, command)
    if ((pvalue.holders & (1 << server)) !== 0) return false
    pvalue.holders |= 1 << server
    return bits(pvalue.holders) * 2 > this.#servers && this.#choose(pvalue, slot)
  }

  holds(server: ServerId, ballot: Ballot, slot: Slot): boolean {
    return this.of(slot).some((pvalue) => sameBallot(pvalue.ballot, ballot) && (pvalue.holders & (1 << server)) !== 0)
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

function bits(mask: number): number {
  let count = 0
  for (let left = mask; left !== 0; left &= left - 1) count++
  return count
}
