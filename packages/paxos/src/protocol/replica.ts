/** The replica (the paper's section 2.1): holds the clients' commands until they are decided, and executes them in slot order. */
import { assert } from './assert.js'
import type { Ballot, ServerId } from './ballot.js'
import { BOTTOM, compareBallots, sameBallot, showBallot } from './ballot.js'
import type { Command, Result, Run, Slot } from './command.js'
import { commandBytes, lastSlot, sameCommand } from './command.js'
import type { Limits } from './config.js'
import type { EventRing } from './event-ring.js'
import type { SessionWatch } from './executor.js'
import { Executor } from './executor.js'
import { Fifo } from './fifo.js'
import type { CatchUp, Decided } from './message.js'
import type { Outbox } from './outbox.js'
import type { StateMachine } from './state.js'

const BUSY: Result = { status: 'busy', value: new Uint8Array(0) }

/** A command of a client that this server answers. */
interface Pending {
  readonly command: Command
  /** When it was last handed to a leader; null while it waits in the queue. */
  sentAt: number | null
}

export class Replica {
  readonly #self: ServerId
  readonly #limits: Limits
  readonly #executor: Executor
  /** The decisions, by slot − 1: all of them below slotOut. */
  readonly #decided: Command[] = []
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
  readonly #pending = new Map<string, Pending>()
  #pendingBytes = 0
  /** Commands to propose or to forward, the oldest first: own clients', and those that other servers forwarded. */
  readonly #queue = new Fifo<Command>()
  /** Others' commands that wait in the queue or are proposed here: a copy of one of them need not be proposed again. */
  readonly #foreign = new Set<string>()
  #catchUp: { from: ServerId; at: number } | undefined

  constructor(self: ServerId, limits: Limits, machine: StateMachine, watch: SessionWatch) {
    this.#self = self
    this.#source = self
    this.#limits = limits
    this.#executor = new Executor(machine, watch)
  }

  /** The first slot that is not decided here; all below it are executed (R2, R4: it only grows). */
  get slotOut(): Slot {
    return this.#decided.length + 1
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

  /** What the state emitted last. */
  get events(): EventRing {
    return this.#executor.events
  }

  get queued(): number {
    return this.#queue.length
  }

  /** Clients of this server hand in commands (the paper's request). A retry of what was executed is answered at once. */
  submit(commands: readonly Command[], out: Outbox): void {
    for (const command of commands) {
      const known = command.kind === 'op' ? this.#executor.sessions.lookup(command) : undefined
      const key = keyOf(command)
      if (known !== undefined) replyTo(command, known, out)
      else if (this.#pending.has(key)) continue
      else if (this.#isFull()) replyTo(command, BUSY, out)
      else {
        this.#pending.set(key, { command, sentAt: null })
        this.#pendingBytes += commandBytes(command)
        this.#queue.push(command)
      }
    }
  }

  /** Commands for this server, which leads: other servers' clients', and its own leader's. Those beyond the bound will come again. */
  forwarded(commands: readonly Command[]): void {
    for (const command of commands) {
      const key = keyOf(command)
      if (this.#queue.length >= this.#limits.pending || this.#foreign.has(key) || this.#pending.has(key)) continue
      this.#foreign.add(key)
      this.#queue.push(command)
    }
  }

  /** The leader beside it proposes these again, as a former one did: copies that wait, or come, need not be proposed too. */
  reproposed(commands: readonly Command[], now: number): void {
    const keys = new Set(commands.map(keyOf))
    for (const command of this.#queue.take(this.#queue.length)) if (!keys.has(keyOf(command))) this.#queue.push(command)
    for (const key of keys) {
      const pending = this.#pending.get(key)
      if (pending === undefined) this.#foreign.add(key)
      else pending.sentAt = now
    }
  }

  /** The next commands of the queue, within the limits of a run. */
  take(most: number, now: number): readonly Command[] {
    let count = 0
    let bytes = 0
    while (count < most && count < this.#queue.length) {
      const command = this.#queue.at(count)
      if (command === undefined) break
      bytes += commandBytes(command)
      if (count > 0 && bytes > this.#limits.runBytes) break
      const pending = this.#pending.get(keyOf(command))
      if (pending !== undefined) pending.sentAt = now
      count++
    }
    return this.#queue.take(count)
  }

  /** Another leader, or none: all that is not decided has to be handed over again; others' commands are theirs to resend. */
  requeue(): void {
    this.#queue.clear()
    this.#foreign.clear()
    for (const pending of this.#pending.values()) {
      pending.sentAt = null
      this.#queue.push(pending.command)
    }
  }

  /** Queues again what was forwarded more than `patience` ms ago: the message may be lost. */
  resend(now: number, patience: number): void {
    for (const pending of this.#pending.values()) {
      if (pending.sentAt === null) continue
      if (now - pending.sentAt < patience) return // those behind it were sent later, or can wait for its turn
      pending.sentAt = null
      this.#queue.push(pending.command)
    }
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

  /** Executes as far as decisions are known and the acceptor beside it has their commands (the paper's decision). */
  advance(acceptedAt: (slot: Slot, ballot: Ballot) => Command | undefined, out: Outbox): void {
    while (this.slotOut < this.#heardOf) {
      const command = acceptedAt(this.slotOut, this.#decidedBallot)
      if (command === undefined) return
      if (!sameBallot(this.#executedAt, this.#decidedBallot)) {
        this.logDecisions(out)
        this.#executedAt = this.#decidedBallot
      }
      this.#perform(command, out)
    }
  }

  /**
   * Leaves a hint of what was executed, so that the next start need not ask for it. At recovery the hint must find those
   * slots accepted at its ballot or above, so there is one for each ballot at which decisions were taken from the acceptor.
   */
  logDecisions(out: Outbox): void {
    if (this.#logged === this.slotOut) return
    this.#logged = this.slotOut
    out.record({ type: 'decide', ballot: this.#executedAt, decided: this.slotOut })
  }

  /**
   * Asks for the decisions that the acceptor beside it does not have: whoever told of them, and when no answer comes for
   * `patience` ms the next peer.
   */
  seek(peers: readonly ServerId[], now: number, patience: number, out: Outbox): void {
    if (this.slotOut >= this.#expected) {
      this.#catchUp = undefined
      return
    }
    if (this.#catchUp !== undefined && now - this.#catchUp.at < patience) return
    const last = this.#catchUp === undefined ? -1 : peers.indexOf(this.#catchUp.from)
    const from =
      this.#catchUp === undefined && peers.includes(this.#source) ? this.#source : peers[(last + 1) % peers.length]
    if (from === undefined) return
    this.#catchUp = { from, at: now }
    out.send([from], { type: 'catchUp', from: this.slotOut })
  }

  /** A peer lacks decisions: tells it some. */
  catchUp(from: ServerId, message: CatchUp, out: Outbox): void {
    const commands: Command[] = []
    let bytes = 0
    for (let slot = message.from; slot < this.slotOut && commands.length < this.#limits.runCommands; slot++) {
      const command = this.#decided[slot - 1]
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

  /** Decisions from a peer: executes them, and asks for more when these are durable. */
  decided(from: ServerId, message: Decided, now: number, out: Outbox): void {
    this.hear(message.ballot, message.decided, from)
    const news = message.commands.slice(Math.max(0, this.slotOut - message.first))
    if (news.length > 0 && message.first <= this.slotOut) {
      this.logDecisions(out)
      out.record({ type: 'learn', ballot: message.ballot, first: this.slotOut, commands: news })
      for (const command of news) this.#perform(command, out)
      this.#logged = this.slotOut
    }
    if (this.#catchUp?.from !== from) return
    if (news.length === 0) return // it has no more than we do: after a while another one is asked
    this.#catchUp.at = now
    if (this.slotOut < message.decided) out.sendAfterSync(from, { type: 'catchUp', from: this.slotOut })
    else this.#catchUp = undefined
  }

  /** R1 for slots that are decided here: a run at or above the ballot at which they were chosen holds the same commands (A5). */
  assertSame(run: Run): void {
    if (compareBallots(run.ballot, this.#decidedBallot) < 0) return
    for (let slot = run.first; slot < this.slotOut && slot <= lastSlot(run); slot++) {
      const [known, command] = [this.#decided[slot - 1], run.commands[slot - run.first]]
      const same = known === undefined || command === undefined || sameCommand(known, command)
      assert(
        same,
        'R1',
        () => `slot ${slot} is decided, and another command is proposed for it at ${showBallot(run.ballot)}`,
      )
    }
  }

  /** Recovery: what a `decide` record says; the commands are among those that the acceptor beside it accepted. */
  restoreDecided(
    ballot: Ballot,
    decided: Slot,
    acceptedAt: (slot: Slot, ballot: Ballot) => Command | undefined,
    out: Outbox,
  ): void {
    this.hear(ballot, decided, this.#self)
    while (this.slotOut < decided) {
      const command = acceptedAt(this.slotOut, ballot)
      assert(
        command !== undefined,
        'R2',
        () => `the log says that slot ${this.slotOut} is decided, but does not hold its command`,
      )
      this.#perform(command, out)
    }
    this.#logged = this.slotOut
  }

  /** Recovery: what a `learn` record says. */
  restoreLearned(ballot: Ballot, first: Slot, commands: readonly Command[], out: Outbox): void {
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
    this.#decided.push(command)
    if (this.#heardOf <= slot) this.#heardOf = slot + 1
    const result = this.#executor.execute(slot, command)
    const key = keyOf(command)
    const mine = this.#pending.get(key)
    if (mine === undefined) {
      this.#foreign.delete(key)
      return
    }
    this.#pending.delete(key)
    this.#pendingBytes -= commandBytes(mine.command)
    replyTo(command, result, out)
  }

  #isFull(): boolean {
    return this.#pending.size >= this.#limits.pending || this.#pendingBytes >= this.#limits.pendingBytes
  }
}

/** Tells commands apart, as clients and their retries mean them; ids and nonces hold no `/`. */
function keyOf(command: Command): string {
  if (command.kind === 'op') return `${command.clientId}/${command.localId}`
  if (command.kind === 'open') return `open/${command.nonce}`
  return command.kind === 'end' ? `end/${command.clientId}` : '/noop'
}

function replyTo(command: Command, result: Result, out: Outbox): void {
  if (command.kind === 'op') out.reply({ clientId: command.clientId, localId: command.localId, result })
  else if (command.kind === 'open') out.reply({ clientId: command.nonce, localId: 0, result })
  else if (command.kind === 'end') out.reply({ clientId: command.clientId, localId: 0, result })
}
