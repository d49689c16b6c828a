/** The acceptor (the paper's section 2.2): the fault-tolerant memory. */
import { assert } from './assert.js'
import type { Ballot, ServerId } from './ballot.js'
import { BOTTOM, compareBallots, sameBallot, showBallot } from './ballot.js'
import type { Command, Run, Slot } from './command.js'
import { commandBytes, lastSlot, sameCommand } from './command.js'
import type { Limits } from './config.js'
import type { Lives, P1a, P2a } from './message.js'
import type { Outbox } from './outbox.js'
import { clip, RunLog } from './run-log.js'

/** Bytes of commands that it holds while the replica beside it cannot execute; a leader never has so many under way. */
const MOST_ACCEPTED = 128 << 20

/**
 * Its pvalues below the slots that the replica beside it knows as decided are left to that replica: a scout is told
 * where they end (`decided`), and its leader learns them as decisions before it proposes (state reduction, 4.1).
 */
export class Acceptor {
  readonly #limits: Limits
  #ballot: Ballot = BOTTOM
  readonly #accepted = new RunLog()
  /** Below it, pvalues are forgotten: the replica beside it has them as decisions. */
  #forgotten: Slot = 1
  /** Slots at or below it are collected: they are in a snapshot, here or wherever that was taken from. */
  #collected: Slot = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** The ballot that it has adopted. */
  get ballot(): Ballot {
    return this.#ballot
  }

  get collected(): Slot {
    return this.#collected
  }

  /**
   * It holds so much that is not executed beside it, while others go on, that it had better take in no more: a p2a is as if
   * it were lost, and comes again.
   */
  get isFull(): boolean {
    return this.#accepted.bytes > MOST_ACCEPTED
  }

  /** Promises the ballot if it is above every one before, and reports what was accepted from a slot on. */
  p1a(from: ServerId, message: P1a, decided: Slot, lives: Lives, out: Outbox): void {
    const order = compareBallots(message.ballot, this.#ballot)
    if (order < 0) return out.send([from], { type: 'preempt', ballot: this.#ballot })
    if (order > 0) {
      this.#adopt(message.ballot)
      out.record({ type: 'promise', ballot: message.ballot })
    }
    const told = this.report(message.from, decided)
    const collected = this.#collected
    out.sendAfterSync(from, { type: 'p1b', ballot: this.#ballot, from: message.from, ...told, collected, lives })
  }

  /**
   * A chunk of what was accepted from a slot on. What was forgotten is decided, whether or not the replica beside it has it
   * (it may have lost its snapshot): so `decided` is not below that.
   */
  report(from: Slot, decided: Slot): { accepted: Run[]; next: Slot | null; decided: Slot } {
    return { ...this.#chunk(Math.max(from, this.#forgotten)), decided: Math.max(decided, this.#forgotten) }
  }

  /** Accepts the run unless it has promised a higher ballot; answers when every slot of it is durable at that ballot. */
  p2a(from: ServerId, message: P2a, decided: Slot, lives: Lives, out: Outbox): void {
    const { run } = message
    if (compareBallots(run.ballot, this.#ballot) < 0) return out.send([from], { type: 'preempt', ballot: this.#ballot })
    if (!this.#holds(run)) {
      this.#accept(run)
      out.record({ type: 'accept', run })
    }
    const [first, last] = [run.first, lastSlot(run)]
    out.sendAfterSync(from, { type: 'p2b', ballot: this.#ballot, first, last, decided, lives })
  }

  /** What was accepted for the slot, if at this ballot or above: the decision, where one is known at or below the ballot (A5). */
  acceptedAt(slot: Slot, ballot: Ballot): Command | undefined {
    const run = this.#accepted.find(slot)
    return run !== undefined && compareBallots(run.ballot, ballot) >= 0 ? run.commands[slot - run.first] : undefined
  }

  /** Leaves the slots below to the replica beside it, which has them as decisions (A3). */
  forget(below: Slot): void {
    this.#forgotten = Math.max(this.#forgotten, below)
    this.#accepted.trim(below)
  }

  /** Slots at or below are in a durable snapshot (4.2). */
  collect(through: Slot): void {
    this.#collected = Math.max(this.#collected, through)
    this.forget(through + 1)
  }

  /**
   * The memory of a server that lost it, rebuilt from the others': pvalues in the order of their ballots, and a ballot that
   * is not below any of these.
   */
  rebuild(runs: readonly Run[], ballot: Ballot, out: Outbox): void {
    assert(sameBallot(this.#ballot, BOTTOM), 'A1', () => `rebuilding what has adopted ${showBallot(this.#ballot)}`)
    for (const run of runs) {
      this.#accept(run)
      out.record({ type: 'accept', run })
    }
    if (compareBallots(ballot, this.#ballot) <= 0) return
    this.#adopt(ballot)
    out.record({ type: 'promise', ballot })
  }

  /** Recovery: what a `base` record says. It repeats what the records before it said, as far as those are still there. */
  restoreBase(ballot: Ballot, collected: Slot): void {
    if (compareBallots(ballot, this.#ballot) > 0) this.#adopt(ballot)
    this.collect(collected)
  }

  /** Recovery: what a `promise` record says. */
  restorePromise(ballot: Ballot): void {
    this.#adopt(ballot)
  }

  /** Recovery: what an `accept` record says. */
  restoreAccept(run: Run): void {
    this.#accept(run)
  }

  #adopt(ballot: Ballot): void {
    assert(
      compareBallots(ballot, this.#ballot) > 0,
      'A1',
      () => `adopting ${showBallot(ballot)} after ${showBallot(this.#ballot)}`,
    )
    this.#ballot = ballot
  }

  #accept(run: Run): void {
    if (compareBallots(run.ballot, this.#ballot) > 0) this.#adopt(run.ballot)
    assert(
      sameBallot(run.ballot, this.#ballot),
      'A2',
      () => `accepting at ${showBallot(run.ballot)} under ${showBallot(this.#ballot)}`,
    )
    this.#assertOneCommandASlot(run)
    if (lastSlot(run) >= this.#forgotten)
      this.#accepted.put(clip(run, Math.max(run.first, this.#forgotten), lastSlot(run)))
  }

  /** Whether every slot of the run was accepted at its ballot already: a p2a that came twice. */
  #holds(run: Run): boolean {
    if (run.first < this.#forgotten) return false // accepted or not, it is not known here any more: accept again
    for (let slot = run.first; slot <= lastSlot(run);) {
      const held = this.#accepted.find(slot)
      if (held === undefined || !sameBallot(held.ballot, run.ballot)) return false
      slot = lastSlot(held) + 1
    }
    this.#assertOneCommandASlot(run)
    return true
  }

  #assertOneCommandASlot(run: Run): void {
    for (const held of this.#accepted.from(run.first)) {
      if (held.first > lastSlot(run)) return
      if (!sameBallot(held.ballot, run.ballot)) continue
      const end = Math.min(lastSlot(held), lastSlot(run))
      for (let slot = Math.max(held.first, run.first); slot <= end; slot++) {
        const [old, now] = [held.commands[slot - held.first], run.commands[slot - run.first]]
        assert(
          old !== undefined && now !== undefined && sameCommand(old, now),
          'A4',
          () => `two commands at ${showBallot(run.ballot)} in slot ${slot}`,
        )
      }
    }
  }

  #chunk(from: Slot): { accepted: Run[]; next: Slot | null } {
    const accepted: Run[] = []
    let count = 0
    let bytes = 0
    for (const run of this.#accepted.from(from)) {
      const first = Math.max(run.first, from)
      for (let slot = first; slot <= lastSlot(run); slot++) {
        const command = run.commands[slot - run.first]
        bytes += command === undefined ? 0 : commandBytes(command)
        if (count > 0 && (bytes > this.#limits.runBytes || count >= this.#limits.runCommands)) {
          if (slot > first) accepted.push(clip(run, first, slot - 1))
          return { accepted, next: slot }
        }
        count++
      }
      accepted.push(clip(run, first, lastSlot(run)))
    }
    return { accepted, next: null }
  }
}
