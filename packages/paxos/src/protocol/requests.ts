/** Commands on their way to a decision: this server's clients' until they are answered, and others' while it leads. */
import { ByCommand } from './by-command.js'
import type { Command, Result } from './command.js'
import { commandBytes } from './command.js'
import type { Limits } from './config.js'
import type { Outbox } from './outbox.js'

const BUSY: Result = { status: 'busy', value: new Uint8Array(0) }

/** A command of a client that this server answers. */
interface Pending {
  readonly command: Command
  /** When it was last handed to a leader; null while it waits in the queue. */
  sentAt: number | null
  isAnswered: boolean
}

/** So many that are answered may stand among those in order, beside as many as are not: they leave in bulk. */
const ANSWERED = 64

/** What a command came to that was executed already; undefined if it was not, or that is not known. */
export type OutcomeOf = (command: Command) => Result | undefined

export class Requests {
  readonly #limits: Limits
  readonly #pending = new ByCommand<Pending>()
  /** The same, in the order in which they came; and some that are answered. */
  #inOrder: Pending[] = []
  #pendingBytes = 0
  /** Commands to propose or to forward, the oldest first: own clients', and those that other servers forwarded. */
  #queue: Command[] = []
  /** Others' commands that wait in the queue or are proposed here: a copy of one of them need not be proposed again. */
  readonly #foreign = new ByCommand<true>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** How many wait to be proposed or forwarded. */
  get queued(): number {
    return this.#queue.length
  }

  /** How many of its clients' commands it would take in now, as long as they are small. */
  get room(): number {
    return this.#isFull() ? 0 : this.#limits.pending - this.#pending.size
  }

  /** Clients of this server hand in commands (the paper's request). A retry of what was executed is answered at once. */
  submit(commands: readonly Command[], outcomeOf: OutcomeOf, out: Outbox): void {
    for (const command of commands) {
      const known = outcomeOf(command)
      if (known !== undefined) replyTo(command, known, out)
      else if (this.#pending.get(command) !== undefined) continue
      else if (this.#isFull()) replyTo(command, BUSY, out)
      else {
        const pending = { command, sentAt: null, isAnswered: false }
        this.#pending.set(command, pending)
        this.#inOrder.push(pending)
        this.#pendingBytes += commandBytes(command)
        this.#queue.push(command)
      }
    }
  }

  /** Commands for this server, which leads: other servers' clients', and its own leader's. Those beyond the bound will come again. */
  forwarded(commands: readonly Command[]): void {
    for (const command of commands) {
      const isHere = this.#foreign.get(command) !== undefined || this.#pending.get(command) !== undefined
      if (isHere || this.#queue.length >= this.#limits.pending) continue
      this.#foreign.set(command, true)
      this.#queue.push(command)
    }
  }

  /** The leader beside it proposes these again, as a former one did: copies that wait, or come, need not be proposed too. */
  reproposed(commands: readonly Command[], now: number): void {
    const again = new ByCommand<true>()
    for (const command of commands) {
      again.set(command, true)
      const pending = this.#pending.get(command)
      if (pending === undefined) this.#foreign.set(command, true)
      else pending.sentAt = now
    }
    this.#queue = this.#queue.filter((command) => again.get(command) === undefined)
  }

  /** The next commands of the queue, within the limits of a run. */
  take(most: number, now: number): readonly Command[] {
    let count = 0
    let bytes = 0
    while (count < most && count < this.#queue.length) {
      const command = this.#queue[count]
      if (command === undefined) break
      bytes += commandBytes(command)
      if (count > 0 && bytes > this.#limits.runBytes) break
      const pending = this.#pending.get(command)
      if (pending !== undefined) pending.sentAt = now
      count++
    }
    return this.#queue.splice(0, count)
  }

  /** Another leader, or none: all that is not decided has to be handed over again; others' commands are theirs to resend. */
  requeue(): void {
    this.#queue = []
    this.#foreign.clear()
    for (const pending of this.#inOrder) {
      if (pending.isAnswered) continue
      pending.sentAt = null
      this.#queue.push(pending.command)
    }
  }

  /** Queues again what was forwarded more than `patience` ms ago: the message may be lost. */
  resend(now: number, patience: number): void {
    for (const pending of this.#inOrder) {
      if (pending.isAnswered || pending.sentAt === null) continue
      if (now - pending.sentAt < patience) return // those behind it were sent later, or can wait for its turn
      pending.sentAt = null
      this.#queue.push(pending.command)
    }
  }

  /** A command was executed: answers, if it is one of this server's clients'. */
  executed(command: Command, result: Result, out: Outbox): void {
    if (this.#pending.size === 0 && this.#foreign.size === 0) return // all clients are others'
    const mine = this.#pending.get(command)
    if (this.#foreign.size > 0) this.#foreign.delete(command) // it may have come both ways
    if (mine !== undefined) this.#answer(mine, result, out)
  }

  /** What its clients wait for may be among what the snapshot came with: those that it tells of are answered. */
  installed(outcomeOf: OutcomeOf, out: Outbox): void {
    const answered = new ByCommand<true>()
    for (const pending of this.#inOrder) {
      const result = pending.isAnswered ? undefined : outcomeOf(pending.command)
      if (result === undefined) continue
      answered.set(pending.command, true)
      this.#answer(pending, result, out)
    }
    this.#foreign.clear()
    for (const command of this.#queue.splice(0)) {
      if (answered.get(command) !== undefined) continue
      if (this.#pending.get(command) === undefined) this.#foreign.set(command, true)
      this.#queue.push(command)
    }
  }

  #answer(pending: Pending, result: Result, out: Outbox): void {
    const { command } = pending
    this.#pending.delete(command)
    pending.isAnswered = true
    if (this.#inOrder.length > 2 * this.#pending.size + ANSWERED)
      this.#inOrder = this.#inOrder.filter(({ isAnswered }) => !isAnswered)
    this.#pendingBytes -= commandBytes(command)
    replyTo(command, result, out)
  }

  #isFull(): boolean {
    return this.#pending.size >= this.#limits.pending || this.#pendingBytes >= this.#limits.pendingBytes
  }
}

function replyTo(command: Command, result: Result, out: Outbox): void {
  if (command.kind === 'op') out.reply({ clientId: command.clientId, localId: command.localId, result })
  else if (command.kind === 'open' || command.kind === 'mark')
    out.reply({ clientId: command.nonce, localId: 0, result })
  else if (command.kind === 'end') out.reply({ clientId: command.clientId, localId: 0, result })
}
