/** The replica (the paper's section 2.1): holds the clients' commands until they are decided, and executes them in slot order. */
import type { Chain } from './audit.js'
import { assert } from './assert.js'
import type { Ballot, ServerId } from './ballot.js'
import { BOTTOM, compareBallots, sameBallot, showBallot } from './ballot.js'
import type { Command, Run, Slot } from './command.js'
import { commandBytes, lastSlot, sameCommand } from './command.js'
import type { Limits } from './config.js'
import type { EventRing } from './event-ring.js'
import type { SessionWatch } from './executor.js'
import { Executor } from './executor.js'
import { Holds } from './holds.js'
import type { CatchUp, Compacted, Decided, Fetch } from './message.js'
import type { Outbox } from './outbox.js'
import { Requests } from './requests.js'
import type { CoreSnapshot } from './snapshot.js'
import type { StateMachine } from './state.js'
import { Tail } from './tail.js'

/** Who is behind executes so many commands at a time: so that whoever drives it can stop in between. */
const HELPING = 64

/** A peer that is about to have a snapshot is asked so often, before another one is. */
const MOST_WAITS = 60

/** What the acceptor beside it accepted for a slot, if at this ballot or above. */
type AcceptedAt = (slot: Slot, ballot: Ballot) => Command | undefined

export class Replica {
  readonly #self: ServerId
  readonly #limits: Limits
  readonly #executor: Executor
  /** Commands that are not decided yet. */
  readonly requests: Requests
  /** The last decisions below slotOut. */
  readonly #tail: Tail
  /** The last slot of this server's durable snapshot; 0 without one. */
  #snapshot: Slot = 0
  /** The log at or below it is collected: without a snapshot this replica cannot know those slots by itself. */
  #collected: Slot = 0
  /** What the tail is to have for servers that are far behind. */
  readonly #holds = new Holds()
  /** A snapshot takes the state's place: nothing is executed meanwhile. */
  #suspended = false
  /** When a peer said last that this server is too far behind to be told decisions (ms). */
  #outpacedAt = -Infinity
  /** All that is known as decided was chosen at or below this ballot. */
  #decidedBallot: Ballot = BOTTOM
  /** All slots below it are in the log as decided: by `learn` records, or by `decide` hints. */
  #logged: Slot = 1
  /** The slots from `#logged` to slotOut were executed from what the acceptor held at or above this ballot. */
  #executedAt: Ballot = BOTTOM
  /** Slots below it are decided, as far as this server was told; it may not have the commands of all of them. */
  #heardOf: Slot = 1
  /** Slots below it are decided, as anybody said; and who said so. */
  #expected: Slot = 1
  #source: ServerId
  /** Who is asked for decisions, since when; how often it said that it is about to have a snapshot; whether it has more. */
  #catchUp: { from: ServerId; at: number; waits: number; waiting: boolean; more: boolean } | undefined
  /** What a peer told, from a slot on: decided, logged, and not all executed yet. */
  #learned: { readonly first: Slot; readonly commands: readonly Command[] } = { first: 1, commands: [] }
  /** There is more to execute than is done in one go: it is done bit by bit, in {@link goOn}. */
  #isBehind = false

  constructor(self: ServerId, limits: Limits, machine: StateMachine, watch: SessionWatch) {
    this.#self = self
    this.#source = self
    this.#limits = limits
    this.requests = new Requests(limits)
    this.#tail = new Tail(limits)
    this.#executor = new Executor(machine, watch)
  }

  /** The first slot that is not decided here; all below it are executed (R2, R4: it only grows). */
  get slotOut(): Slot {
    return this.#tail.next
  }

  /** The snapshot is lost behind which the log goes on: a peer's has to take its place before anything can be executed. */
  get lacksState(): boolean {
    return this.slotOut <= this.#collected
  }

  /** ⟨ballot, through⟩ as far as this server was told: each slot below `decided` was chosen at or below the ballot. */
  get decision(): { readonly ballot: Ballot; readonly decided: Slot } {
    return { ballot: this.#decidedBallot, decided: this.#heardOf }
  }

  get sessions(): number {
    return this.#executor.sessions.size
  }

  /** The client ids of all open sessions. */
  get clientIds(): Iterable<string> {
    return this.#executor.sessions.clientIds
  }

  get executed(): number {
    return this.#executor.executed
  }

  /** The hashes of what was executed. */
  get chain(): Chain {
    return this.#executor.chain
  }

  /** What the state emitted last. */
  get events(): EventRing {
    return this.#executor.events
  }

  /** Clients of this server hand in commands (the paper's request). A retry of what was executed is answered at once. */
  submit(commands: readonly Command[], out: Outbox): void {
    this.requests.submit(commands, (command) => this.#executor.outcome(command), out)
  }

  /** Notes that, as `from` says, all slots below `decided` were chosen at or below the ballot. */
  hear(ballot: Ballot, decided: Slot, from: ServerId): void {
    this.expect(decided, from)
    if (decided <= this.#heardOf) return
    this.#heardOf = decided
    if (compareBallots(ballot, this.#decidedBallot) > 0) this.#decidedBallot = ballot
  }

  /** Notes that all slots below `decided` are decided, at whatever ballots, and that `from` knows their commands. */
  expect(decided: Slot, from: ServerId): void {
    if (decided <= this.#expected) return
    this.#expected = decided
    this.#source = from
  }

  /** Whether something that is decided waits for {@link goOn}. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  /** The last slot that is known to be decided. */
  get known(): Slot {
    return Math.max(this.#expected, this.#heardOf, this.slotOut) - 1
  }

  /**
   * Executes as far as decisions are known, and their commands are: a peer told them, or the acceptor beside it has them (the
   * paper's decision). What is more than a leader has under way at once waits for {@link goOn}.
   */
  advance(acceptedAt: AcceptedAt, out: Outbox): void {
    this.#execute(this.#isBehind ? 0 : this.#atOnce, acceptedAt, out)
  }

  /** Executes some of what it is behind by. */
  goOn(acceptedAt: AcceptedAt, out: Outbox): void {
    this.#execute(HELPING, acceptedAt, out)
  }

  #execute(most: number, acceptedAt: AcceptedAt, out: Outbox): void {
    for (let count = 0; !this.#suspended; count++) {
      const command = this.#next(acceptedAt, out)
      this.#isBehind = command !== undefined && count >= most
      if (command === undefined || this.#isBehind) return
      this.#perform(command, out)
    }
  }

  /** The decision of slotOut, if it is known. */
  #next(acceptedAt: AcceptedAt, out: Outbox): Command | undefined {
    const learned = this.#learned.commands[this.slotOut - this.#learned.first]
    if (learned !== undefined || this.slotOut >= this.#heardOf) return learned
    const command = acceptedAt(this.slotOut, this.#decidedBallot)
    if (command === undefined || sameBallot(this.#executedAt, this.#decidedBallot)) return command
    this.logDecisions(out)
    this.#executedAt = this.#decidedBallot
    return command
  }

  /**
   * Leaves a hint of what was executed, so that the next start need not ask for it. At recovery the hint must find those
   * slots accepted at its ballot or above, so there is one for each ballot at which decisions were taken from the acceptor.
   */
  logDecisions(out: Outbox): void {
    if (this.#logged >= this.slotOut) return
    this.#logged = this.slotOut
    out.record({ type: 'decide', ballot: this.#executedAt, decided: this.slotOut })
  }

  /**
   * Asks for the decisions that the acceptor beside it does not have: whoever told of them, and when no answer comes for
   * `patience` ms the next peer.
   */
  seek(peers: readonly ServerId[], now: number, patience: number, out: Outbox): void {
    if (this.#suspended || this.#isBehind) return
    if (this.slotOut >= this.#expected) {
      this.#catchUp = undefined
      return
    }
    if (this.#catchUp?.more === true) {
      this.#catchUp.more = false
      this.#catchUp.at = now
      return out.sendAfterSync(this.#catchUp.from, { type: 'catchUp', from: this.slotOut })
    }
    if (this.#catchUp !== undefined && now - this.#catchUp.at < patience) return
    const from = this.#nextToAsk(peers)
    if (from === undefined) return
    const waits = this.#catchUp?.from === from ? this.#catchUp.waits : 0
    this.#catchUp = { from, at: now, waits, waiting: false, more: false }
    out.send([from], { type: 'catchUp', from: this.slotOut })
  }

  /** A peer lacks decisions: tells it some, or that it needs a snapshot. */
  catchUp(from: ServerId, message: CatchUp, now: number, out: Outbox): void {
    if (message.from < this.#tail.first) return this.#compacted(from, message, now, out)
    this.#holds.asked(from, message.from, now)
    const commands: Command[] = []
    let bytes = 0
    for (let slot = message.from; slot < this.slotOut && commands.length < this.#limits.runCommands; slot++) {
      const command = this.#tail.at(slot)
      if (command === undefined) break
      bytes += commandBytes(command)
      if (commands.length > 0 && bytes > this.#limits.runBytes) break
      commands.push(command)
    }
    out.send([from], {
      type: 'decided',
      ballot: this.#decidedBallot,
      first: message.from,
      commands,
      decided: this.slotOut,
    })
  }

  /** A peer does not have those decisions in memory any more: a snapshot of its is needed, if it has one by now. */
  compacted(from: ServerId, message: Compacted, now: number, out: Outbox): void {
    this.hear(message.ballot, message.decided, from)
    if (message.from !== this.slotOut || this.#suspended) return
    this.#outpacedAt = now
    const isThere = message.snapshot >= this.slotOut
    if (isThere) out.fetch(from)
    if (this.#catchUp?.from !== from) return
    this.#catchUp.waits++ // also if it is there: it may turn out that it cannot be had
    this.#catchUp.waiting = this.#catchUp.waits < MOST_WAITS
  }

  /** A snapshot takes the state's place: nothing is executed, nor may be read. */
  get isSuspended(): boolean {
    return this.#suspended
  }

  /** Whether this server was told lately that it is too far behind: it had better not lead. */
  isOutpaced(now: number, patience: number): boolean {
    return this.#suspended || now - this.#outpacedAt < patience
  }

  /** A peer takes a snapshot of this server's: the tail behind that is held for it. */
  fetching(from: ServerId, { slot }: Fetch, now: number): void {
    if (slot > 0) this.#holds.hold(from, slot + 1, now)
  }

  /** A peer has executed all slots below `decided`. */
  reached(by: ServerId, decided: Slot): void {
    this.#holds.reached(by, decided, this.slotOut - decided <= this.#atOnce)
  }

  /** Time has passed. */
  tick(now: number): void {
    this.#holds.expire(now)
  }

  /** A snapshot of this server through the slot is durable. */
  snapshotted(through: Slot): void {
    this.#snapshot = Math.max(this.#snapshot, through)
    this.#collected = Math.max(this.#collected, through)
  }

  /** As it is now, to be kept in a snapshot; `servers`: how many decide what comes behind it. */
  capture(servers: number): CoreSnapshot {
    const { end, block } = this.#executor.chain
    const head = { slot: end.slot, ballot: this.#decidedBallot, chain: end, block, servers }
    return { head, ...this.#executor.capture() }
  }

  /** Nothing is executed until {@link install}. */
  suspend(): void {
    this.#suspended = true
    this.#isBehind = false
  }

  /** A snapshot takes the place of all that was executed. */
  install(snapshot: CoreSnapshot, out: Outbox): void {
    const { slot, ballot } = snapshot.head
    assert(slot + 1 >= this.slotOut, 'R4', () => `installing slot ${slot} over slot ${this.slotOut - 1}`)
    this.#suspended = false
    this.#snapshot = Math.max(this.#snapshot, slot)
    this.#catchUp = undefined
    this.#learned = { first: 1, commands: [] }
    this.#executor.install(snapshot)
    this.#tail.reset(slot + 1)
    this.#logged = slot + 1
    this.hear(ballot, slot + 1, this.#self)
    this.requests.installed(this.#executor.outcomes(), out)
  }

  /** Decisions from a peer, to be executed next. If it has more, it is asked for them once these are executed, and durable. */
  decided(from: ServerId, message: Decided, now: number, out: Outbox): void {
    this.hear(message.ballot, message.decided, from)
    if (this.#suspended || this.slotOut < this.#learned.first + this.#learned.commands.length) return
    const news = message.commands.slice(Math.max(0, this.slotOut - message.first))
    if (message.first > this.slotOut || news.length === 0) return // of no use: after a while another one is asked
    this.logDecisions(out)
    out.record({ type: 'learn', ballot: message.ballot, first: this.slotOut, commands: news })
    this.#learned = { first: this.slotOut, commands: news }
    this.#logged = this.slotOut + news.length
    const more = this.#logged < message.decided
    if (more) this.#isBehind = true
    if (this.#catchUp?.from !== from) return
    this.#catchUp = more ? { ...this.#catchUp, at: now, more } : undefined
  }

  /** R1 for slots that are decided here: a run at or above the ballot at which they were chosen holds the same commands (A5). */
  assertSame(run: Run): void {
    if (compareBallots(run.ballot, this.#decidedBallot) < 0) return
    for (let slot = Math.max(run.first, this.#tail.first); slot < this.slotOut && slot <= lastSlot(run); slot++) {
      const [known, command] = [this.#tail.at(slot), run.commands[slot - run.first]]
      const same = known === undefined || command === undefined || sameCommand(known, command)
      assert(
        same,
        'R1',
        () => `slot ${slot} is decided, and another command is proposed for it at ${showBallot(run.ballot)}`,
      )
    }
  }

  /** Recovery: what a `decide` record says; the commands are among those that the acceptor beside it accepted. */
  restoreDecided(ballot: Ballot, decided: Slot, acceptedAt: AcceptedAt, out: Outbox): void {
    this.hear(ballot, decided, this.#self)
    while (this.slotOut < decided) {
      const command = acceptedAt(this.slotOut, ballot)
      if (command === undefined && this.lacksState) return
      assert(
        command !== undefined,
        'R2',
        () => `the log says that slot ${this.slotOut} is decided, but does not hold its command`,
      )
      this.#perform(command, out)
    }
    this.#logged = this.slotOut
  }

  /** Recovery, before any record: the log at or below this slot is collected. */
  restoreCollected(through: Slot): void {
    this.#collected = Math.max(this.#collected, through)
  }

  /** Recovery: what a `learn` record says. */
  restoreLearned(ballot: Ballot, first: Slot, commands: readonly Command[], out: Outbox): void {
    if (first > this.slotOut && this.lacksState) return this.hear(ballot, first + commands.length, this.#self)
    assert(
      first <= this.slotOut,
      'R2',
      () => `the log goes on at slot ${first}, but only the slots below ${this.slotOut} are known`,
    )
    this.hear(ballot, first + commands.length, this.#self)
    for (const command of commands.slice(this.slotOut - first)) this.#perform(command, out)
    this.#logged = this.slotOut
  }

  /** Executes the decision of slotOut (the paper's perform), and answers if it is one of this server's clients' (R3). */
  #perform(command: Command, out: Outbox): void {
    const slot = this.slotOut
    this.#tail.push(command, this.#holds.first)
    if (this.#heardOf <= slot) this.#heardOf = slot + 1
    const result = this.#executor.execute(slot, command)
    this.requests.executed(command, result, out)
  }

  /** Who told of what is missing; then one after the other, but that one again which is about to have a snapshot. */
  #nextToAsk(peers: readonly ServerId[]): ServerId | undefined {
    if (this.#catchUp === undefined) return peers.includes(this.#source) ? this.#source : peers[0]
    const { from, waiting } = this.#catchUp
    return waiting ? from : peers[(peers.indexOf(from) + 1) % peers.length]
  }

  /** Commands that a leader has under way at once, at most: who lacks no more is not behind. */
  get #atOnce(): number {
    return this.#limits.runsInFlight * this.#limits.runCommands
  }

  /** Tells a peer that it needs a snapshot: this server's, if the tail goes on behind it; else one is to be made. */
  #compacted(from: ServerId, message: CatchUp, now: number, out: Outbox): void {
    const fits = this.#snapshot + 1 >= this.#tail.first
    if (!fits) out.wantSnapshot()
    this.#holds.hold(from, fits ? this.#snapshot + 1 : this.slotOut, now)
    const [ballot, decided] = [this.#decidedBallot, this.slotOut]
    const snapshot = fits ? this.#snapshot : 0
    out.send([from], { type: 'compacted', from: message.from, snapshot, ballot, decided })
  }
}
