/** The commander (the paper's section 2.2): phase 2 of one run of contiguous slots at one ballot. */
import { assert } from './assert.js'
import type { ServerId } from './ballot.js'
import { sameBallot, showBallot } from './ballot.js'
import type { Run, Slot } from './command.js'
import { lastSlot } from './command.js'
import type { Configuration } from './config.js'
import { Answers } from './lives.js'
import type { P2b } from './message.js'
import type { Outbox } from './outbox.js'

export class Commander {
  readonly run: Run
  readonly #configuration: Configuration
  readonly #votes = new Answers()
  #sentAt: number
  #decided = false

  constructor(run: Run, configuration: Configuration, decided: Slot, now: number, out: Outbox) {
    this.run = run
    this.#configuration = configuration
    this.#sentAt = now
    out.send(configuration.servers, { type: 'p2a', run, decided })
  }

  /** Whether a majority has accepted the run (C2: it stays so). */
  get decided(): boolean {
    return this.#decided
  }

  /** An acceptor's vote for every slot of the run; true if that makes a majority. */
  p2b(from: ServerId, message: P2b): boolean {
    if (!sameBallot(message.ballot, this.run.ballot) || this.#decided) return false
    assert(
      message.last === lastSlot(this.run),
      'C1',
      () => `a vote for slots ${message.first} to ${message.last} of another run at ${showBallot(message.ballot)}`,
    )
    this.#votes.add(from, message.lives)
    this.#decided = this.#votes.isQuorum(this.#configuration)
    return this.#decided
  }

  /** Sends the run again to those that have not voted: a p2a or a p2b may be lost. */
  tick(now: number, resend: number, decided: Slot, out: Outbox): void {
    if (this.#decided || now - this.#sentAt < resend) return
    this.#sentAt = now
    for (const server of this.#votes.outlived()) this.#votes.drop(server) // it may vote again, in its new life
    const missing = this.#configuration.servers.filter((server) => !this.#votes.has(server))
    out.send(missing, { type: 'p2a', run: this.run, decided })
  }
}
