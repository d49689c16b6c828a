/** The leader (the paper's sections 2.2 and 4.1): one ballot at a time, and which slot takes which command at it. */
import { assert } from './assert.js'
import type { Ballot, ServerId } from './ballot.js'
import { BOTTOM, compareBallots, showBallot } from './ballot.js'
import type { Adopted, Command, Run, Slot } from './command.js'
import { commandBytes, lastSlot, NOOP } from './command.js'
import type { Config } from './config.js'
import { isQuorum } from './config.js'

/**
 * - `passive`: does not lead, nor tries to.
 * - `scouting`: a scout asks the acceptors to adopt its ballot.
 * - `catchingUp`: adopted, but the replica beside it does not know yet all that a member of the quorum knows as decided.
 * - `active`: proposes.
 */
export type Phase = 'passive' | 'scouting' | 'catchingUp' | 'active'

export class Leader {
  readonly #config: Config
  #phase: Phase = 'passive'
  #ballot: Ballot = BOTTOM
  /** Commands that may have been chosen at lower ballots: proposed again before anything new. */
  #proposals: ReadonlyMap<Slot, Command> = new Map()
  #lastProposal: Slot = 0
  /** The paper's slot_in: the next slot to propose for. */
  #slotIn: Slot = 1
  #catchUpTo: Slot = 0
  /** Nothing is proposed at or below it: it is decided, and somebody has forgotten what (4.2). */
  #collected: Slot = 0
  #sequence = 0
  readonly #heard = new Map<ServerId, number>()
  /** The slotOut that each server told last, while this one led. */
  readonly #reached = new Map<ServerId, Slot>()

  constructor(config: Config) {
    this.#config = config
  }

  get phase(): Phase {
    return this.#phase
  }

  /** The ballot that it leads, or tries to lead, or led last. */
  get ballot(): Ballot {
    return this.#ballot
  }

  /** Takes a new ballot, above every one that this server has seen; the scout for it is to be spawned. */
  scout(above: Ballot): Ballot {
    const round = Math.max(above.round, this.#ballot.round) + 1
    this.#ballot = { round, server: this.#config.id, start: this.#config.start }
    this.#phase = 'scouting'
    return this.#ballot
  }

  /** A majority has adopted its ballot. */
  adopted(adopted: Adopted): void {
    this.#phase = 'catchingUp'
    this.#proposals = adopted.proposals
    this.#lastProposal = 0
    for (const slot of adopted.proposals.keys()) this.#lastProposal = Math.max(this.#lastProposal, slot)
    this.#catchUpTo = adopted.decided
    this.#collected = adopted.collected
    this.#sequence = 0
  }

  /** Begins to propose as soon as the replica beside it has caught up; true when that happened just now. */
  activate(slotOut: Slot, now: number): boolean {
    if (this.#phase !== 'catchingUp' || slotOut < this.#catchUpTo) return false
    for (const server of this.#config.configuration.servers) this.#heard.set(server, now) // only now are they asked
    this.#reached.clear()
    this.#phase = 'active'
    this.#slotIn = slotOut
    return true
  }

  /** The last slot for which it has, or had, something to propose again. */
  get lastProposal(): Slot {
    return this.#lastProposal
  }

  /** The commands that it will propose again. */
  reproposals(): readonly Command[] {
    return [...this.#proposals].filter(([slot]) => slot >= this.#slotIn).map(([, command]) => command)
  }

  /** Leads no more: preempted, or out of touch with a majority. */
  retire(): void {
    this.#phase = 'passive'
    this.#proposals = new Map()
  }

  /** Whether somebody else's ballot ends its leadership, or its attempt at one. */
  isPreemptedBy(ballot: Ballot): boolean {
    return this.#phase !== 'passive' && compareBallots(ballot, this.#ballot) > 0
  }

  /**
   * The next run, if there is anything to propose and room in the window (R5): first what may have been chosen before,
   * with no-ops in the holes, then what `take` hands out (at most so many commands).
   */
  propose(slotOut: Slot, take: (most: number) => readonly Command[]): Run | undefined {
    if (this.#phase !== 'active') return undefined
    const { window, runCommands } = this.#config.limits
    this.#slotIn = Math.max(this.#slotIn, slotOut) // late decisions of a former leader may have overtaken it
    const room = Math.min(runCommands, slotOut + window - this.#slotIn)
    if (room <= 0) return undefined
    const commands = this.#slotIn <= this.#lastProposal ? this.#again(room) : take(room)
    if (commands.length === 0) return undefined
    const run = { ballot: this.#ballot, first: this.#slotIn, commands }
    assert(run.first > this.#collected, 'A3', () => `proposing for slot ${run.first}, which is collected`)
    assert(run.first >= slotOut, 'C1', () => `proposing for slot ${run.first}, which is decided`)
    assert(
      lastSlot(run) < slotOut + window,
      'R5',
      () => `proposing for slot ${lastSlot(run)} with slotOut ${slotOut} and window ${window}`,
    )
    this.#slotIn = lastSlot(run) + 1
    return run
  }

  /** The number of the next heartbeat of this ballot. */
  nextSequence(): number {
    assert(this.#phase !== 'passive', 'C1', () => `a heartbeat at ${showBallot(this.#ballot)} without leading`)
    return ++this.#sequence
  }

  /** A server answered something of this ballot, and told its slotOut. */
  heardFrom(server: ServerId, decided: Slot, now: number): void {
    this.#heard.set(server, now)
    this.#reached.set(server, decided)
  }

  /** The servers that have answered within `patience` ms, those first that have executed the most. */
  near(now: number, patience: number): ServerId[] {
    const near = [...this.#reached.keys()].filter((server) => now - (this.#heard.get(server) ?? 0) <= patience)
    return near.sort((a, b) => (this.#reached.get(b) ?? 0) - (this.#reached.get(a) ?? 0) || a - b)
  }

  /** The last slot that each server has executed, as far as it told; of a leader that is active. */
  reached(own: Slot): (Slot | null)[] {
    if (this.#phase !== 'active') return []
    return this.#config.configuration.servers.map((server) => {
      const slotOut = server === this.#config.id ? own + 1 : this.#reached.get(server)
      return slotOut === undefined ? null : slotOut - 1
    })
  }

  /** Whether a majority (itself included) has answered within `patience` ms. */
  inTouch(now: number, patience: number): boolean {
    const near = new Set<ServerId>([this.#config.id])
    for (const [server, at] of this.#heard) if (now - at <= patience) near.add(server)
    return isQuorum(this.#config.configuration, near)
  }

  #again(room: number): Command[] {
    const commands: Command[] = []
    let bytes = 0
    for (let slot = this.#slotIn; slot <= this.#lastProposal && commands.length < room; slot++) {
      const command = this.#proposals.get(slot) ?? NOOP
      bytes += commandBytes(command)
      if (commands.length > 0 && bytes > this.#config.limits.runBytes) break
      commands.push(command)
    }
    return commands
  }
}
