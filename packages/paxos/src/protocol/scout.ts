/** The scout (the paper's section 2.2): phase 1 of one ballot, for all slots from one on. */
import { assert } from './assert.js'
import type { Ballot, ServerId } from './ballot.js'
import { compareBallots, sameBallot, showBallot } from './ballot.js'
import type { Adopted, Command, Slot } from './command.js'
import { sameCommand } from './command.js'
import type { Configuration } from './config.js'
import type { P1b } from './message.js'
import type { Outbox } from './outbox.js'
import { Reports } from './reports.js'

export class Scout {
  readonly ballot: Ballot
  readonly #resend: number
  readonly #reports: Reports
  readonly #pvalues = new Map<Slot, { ballot: Ballot; command: Command }>()
  #decided: Slot = 0
  #decidedBy: ServerId = 0
  #collected: Slot = 0
  #sentAt: number

  constructor(ballot: Ballot, from: Slot, configuration: Configuration, resend: number, now: number, out: Outbox) {
    this.ballot = ballot
    this.#resend = resend
    this.#reports = new Reports(configuration, configuration.servers, from)
    this.#sentAt = now
    out.send(configuration.servers, { type: 'p1a', ballot, from })
  }

  /** An acceptor's promise, with a chunk of its pvalues; asks for the next chunk where there is one. */
  p1b(from: ServerId, message: P1b, out: Outbox): Adopted | undefined {
    if (!sameBallot(message.ballot, this.ballot) || !this.#reports.take(from, message)) return undefined
    for (const run of message.accepted) {
      assert(
        compareBallots(run.ballot, this.ballot) <= 0,
        'A2',
        () => `a pvalue of ${showBallot(run.ballot)} under ${showBallot(this.ballot)}`,
      )
      run.commands.forEach((command, index) => {
        this.#keep(run.first + index, run.ballot, command)
      })
    }
    if (message.decided > this.#decided) [this.#decided, this.#decidedBy] = [message.decided, from]
    this.#collected = Math.max(this.#collected, message.collected)
    if (message.next !== null) out.send([from], { type: 'p1a', ballot: this.ballot, from: message.next })
    return this.#reports.isQuorum ? this.#adopted() : undefined
  }

  /** Asks again those that have not told all: a p1a or a p1b may be lost. */
  tick(now: number, out: Outbox): void {
    if (now - this.#sentAt < this.#resend) return
    this.#sentAt = now
    for (const [server, from] of this.#reports.asked()) out.send([server], { type: 'p1a', ballot: this.ballot, from })
  }

  #keep(slot: Slot, ballot: Ballot, command: Command): void {
    const known = this.#pvalues.get(slot)
    if (known === undefined || compareBallots(ballot, known.ballot) > 0) this.#pvalues.set(slot, { ballot, command })
    else
      assert(
        !sameBallot(ballot, known.ballot) || sameCommand(known.command, command),
        'A4',
        () => `two commands at ${showBallot(ballot)} in slot ${slot}`,
      )
  }

  #adopted(): Adopted {
    const proposals = new Map<Slot, Command>()
    for (const [slot, pvalue] of this.#pvalues) proposals.set(slot, pvalue.command)
    return { proposals, decided: this.#decided, decidedBy: this.#decidedBy, collected: this.#collected }
  }
}
