/** Watches one acceptor: what its disk holds, and what it says. Every method throws {@link Violation} when a rule is broken. */
import type { Ballot, ServerId } from '@synod/paxos/internal/protocol/ballot'
import { BOTTOM, compareBallots, showBallot } from '@synod/paxos/internal/protocol/ballot'
import type { Run } from '@synod/paxos/internal/protocol/command'
import { lastSlot } from '@synod/paxos/internal/protocol/command'
import type { P1b, P2b } from '@synod/paxos/internal/protocol/message'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import type { Loss } from './durable-log.js'
import { DurableLog } from './durable-log.js'
import type { Pvalues } from './pvalues.js'
import { Violation } from './violation.js'

/**
 * What was done to a server's disk since its last start: null for nothing; `wiped` if it was emptied; otherwise the numbers
 * of all batches that were still whole on it afterwards.
 */
export type Damage = 'wiped' | readonly number[] | null

export class AcceptorWatch {
  readonly #server: ServerId
  readonly #pvalues: Pvalues
  #disk = new DurableLog()
  /** Its directory was emptied when it had promised something: it must not answer any more. */
  #forgetful = false
  /** The highest ballot that it has answered with, and what that was when its present life began. */
  #answered: Ballot = BOTTOM
  #answeredBefore: Ballot = BOTTOM

  constructor(server: ServerId, pvalues: Pvalues) {
    this.#server = server
    this.#pvalues = pvalues
  }

  /** A new life of its server begins. */
  started(): void {
    this.#answeredBefore = this.#answered
  }

  /** A record has become durable, in this batch. True if a command is chosen by that. */
  durable(record: StoredRecord, batch: number): boolean {
    const { promised } = this.#disk
    if (record.type === 'promise' && compareBallots(record.ballot, promised) <= 0)
      throw this.#violation('A1', `promised ${showBallot(record.ballot)} after ${showBallot(promised)}`)
    if (record.type === 'accept' && compareBallots(record.run.ballot, promised) < 0)
      throw this.#violation(
        'A2',
        `accepted at ${showBallot(record.run.ballot)} under its promise of ${showBallot(promised)}`,
      )
    this.#disk.add(record, batch)
    if (record.type !== 'accept') return false
    const { ballot, first, commands } = record.run
    let chosen = false
    for (const [index, command] of commands.entries()) {
      if (this.#pvalues.hold(this.#server, ballot, first + index, command)) chosen = true
    }
    return chosen
  }

  /**
   * A start found these records: nothing that was durable may be missing. What they say is to be told to {@link durable}
   * again, unless something is missing.
   *
   * @returns null if all is there; otherwise what is missing, where no single server could have known: nothing whole stood
   *   behind it, so it looked like a write that was torn off
   */
  recovered(records: readonly StoredRecord[], damage: Damage): Loss | null {
    const loss = this.#disk.firstLoss(records)
    if (loss !== null && damage === 'wiped') this.#forgetful = true
    else if (loss !== null) {
      if (damage !== null && damage !== 'wiped' && damage.every((whole) => whole <= loss.batch)) return loss
      throw this.#violation('durability', `forgot ${loss.what}, and noticed nothing`)
    }
    this.#disk = new DurableLog()
    return null
  }

  /** It answers a p2a: what it votes for is durable. */
  votes({ ballot, first, last }: P2b): void {
    this.#answers(ballot)
    for (let slot = first; slot <= last; slot++) {
      if (!this.#pvalues.holds(this.#server, ballot, slot))
        throw this.#violation('durability', `votes for slot ${slot} at ${showBallot(ballot)} before that is durable`)
    }
  }

  /** It answers a p1a: what it tells is durable, and it is all that it accepted before it promised (A3). */
  promises(message: P1b): void {
    this.#answers(message.ballot)
    for (const run of message.accepted) this.#checkTold(run)
    const end = message.next ?? this.#pvalues.end
    // Below its slotOut it has left everything to the replica beside it.
    for (let slot = Math.max(message.from, message.decided); slot < end; slot++) {
      const told = message.accepted.find((run) => run.first <= slot && slot <= lastSlot(run))
      for (const { ballot, holders } of this.#pvalues.of(slot)) {
        const before = (holders & (1 << this.#server)) !== 0 && compareBallots(ballot, message.ballot) < 0
        if (before && (told === undefined || compareBallots(told.ballot, ballot) < 0))
          throw this.#violation('A3', `accepted at ${showBallot(ballot)} in slot ${slot}, and its p1b does not tell it`)
      }
    }
  }

  #checkTold({ ballot, first, commands }: Run): void {
    for (const [index, command] of commands.entries()) {
      const slot = first + index
      this.#pvalues.propose(ballot, slot, command)
      if (!this.#pvalues.holds(this.#server, ballot, slot))
        throw this.#violation('durability', `tells of slot ${slot} in its p1b before that is durable`)
    }
  }

  /** The ballot of an answer must be durable, and no lower than any that it answered with in a former life. */
  #answers(ballot: Ballot): void {
    if (this.#forgetful) throw this.#violation('durability', 'votes, though its directory was wiped')
    if (compareBallots(ballot, this.#disk.promised) > 0)
      throw this.#violation('durability', `answers with ballot ${showBallot(ballot)} before it is durable`)
    if (compareBallots(ballot, this.#answeredBefore) < 0)
      throw this.#violation(
        'A1',
        `answers with ballot ${showBallot(ballot)} after a restart, and with ${showBallot(this.#answeredBefore)} before it`,
      )
    if (compareBallots(ballot, this.#answered) > 0) this.#answered = ballot
  }

  #violation(rule: string, what: string): Violation {
    return new Violation(rule, `server ${this.#server} ${what}`)
  }
}
