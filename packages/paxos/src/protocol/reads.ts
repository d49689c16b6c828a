/**
 * Reads without the log (the paper's 4.5; the read index of Ongaro's thesis, 6.4): which of the reads that this server's clients
 * wait for may be answered from the state beside it. docs/PROTOCOL.md, "Reads", has the rule and why it holds.
 */
import type { Ballot, ServerId } from './ballot.js'
import type { Slot } from './command.js'
import type { TellIndex } from './message.js'
import type { Outbox } from './outbox.js'

/** All reads up to this number, and since when the leader's server is asked for their index. */
interface Asked {
  readonly through: number
  readonly leader: ServerId
  readonly sequence: number
  readonly at: number
}

export class Reads {
  /** Of the last question; begins anywhere, so that an answer to a former life of this server is not taken for one to this. */
  #sequence: number
  /** Reads are counted from the start of the process; these have arrived. */
  #arrived = 0
  /** Those up to this number have an index. */
  #known = 0
  /** Under way: what arrives meanwhile is asked for with the next question. */
  #asked: Asked | undefined
  /** Reads that may be answered once the state has this slot; in the order of both. */
  #indexed: { readonly through: number; readonly index: Slot }[] = []
  #readable = 0

  /** @param start drawn anew at every start of the process */
  constructor(start: number) {
    this.#sequence = start
  }

  /** Reads up to this number may be answered. */
  get readable(): number {
    return this.#readable
  }

  /** So many more have arrived. */
  arrived(count: number): void {
    this.#arrived += count
  }

  /**
   * Asks the active leader for the index of what has arrived: again, if another one leads now, or there was no answer for
   * `patience` ms.
   *
   * @param ballot what the acceptor beside it has adopted by now: the first vote of the confirmation
   */
  ask(leader: ServerId | null, ballot: Ballot, now: number, patience: number, out: Outbox): void {
    if (this.#known === this.#arrived || leader === null) return
    const asked = this.#asked
    if (asked?.leader === leader && now - asked.at < patience) return
    this.#sequence++
    this.#asked = { through: this.#arrived, leader, sequence: this.#sequence, at: now }
    out.send([leader], { type: 'askIndex', ballot, sequence: this.#sequence })
  }

  /** The leader's server has answered. */
  told({ sequence, index }: TellIndex): void {
    const asked = this.#asked
    if (asked?.sequence !== sequence) return
    this.#asked = undefined
    this.#known = asked.through
    const last = this.#indexed.at(-1)
    // A leader that has just begun may name a lower index than the one before it did; both are right.
    this.#indexed.push({ through: asked.through, index: Math.max(index, last?.index ?? 0) })
  }

  /** The state has executed all slots up to this one. */
  reached(applied: Slot): void {
    for (let first = this.#indexed[0]; first !== undefined && first.index <= applied; first = this.#indexed[0]) {
      this.#readable = first.through
      this.#indexed.shift()
    }
  }
}
