/** How one server votes: its acceptor, what it knows of all servers' lives, and its repair while its votes are lost. */
import { Acceptor } from './acceptor.js'
import type { Ballot, ServerId } from './ballot.js'
import { sameBallot } from './ballot.js'
import type { Command, Slot } from './command.js'
import type { Config } from './config.js'
import { LeaseHold, LONGEST_LEASE } from './leader-lease.js'
import { LivesKnown } from './lives.js'
import type { Heartbeat, P1a, P2a, Revive, Revived, TellLife } from './message.js'
import type { Outbox } from './outbox.js'
import type { LogRecord } from './ready.js'
import { Repair } from './repair.js'

/** What it needs of the replica beside it. */
export interface BesideVoter {
  readonly slotOut: Slot
  readonly decision: { readonly ballot: Ballot; readonly decided: Slot }
  expect(decided: Slot, from: ServerId): void
  logDecisions(out: Outbox): void
  snapshotted(through: Slot): void
}

export class Voter {
  readonly #config: Config
  readonly #out: Outbox
  readonly #beside: BesideVoter
  readonly #acceptor: Acceptor
  readonly #lives = new LivesKnown()
  readonly #hold = new LeaseHold()
  /** Until it is done, this server's acceptor answers nobody. */
  #repair: Repair | undefined

  constructor(config: Config, out: Outbox, beside: BesideVoter) {
    this.#config = config
    this.#out = out
    this.#beside = beside
    this.#acceptor = new Acceptor(config.limits)
  }

  /** What its acceptor has adopted. */
  get ballot(): Ballot {
    return this.#acceptor.ballot
  }

  /** The log at or below it is collected. */
  get collected(): Slot {
    return this.#acceptor.collected
  }

  /** Whether this server has lost its votes, and does not vote yet. */
  get repairing(): boolean {
    return this.#repair !== undefined
  }

  /** How often a server was repaired, as far as it is known here. */
  lifeOf(server: ServerId): number {
    return this.#lives.of(server)
  }

  /** See {@link Acceptor.acceptedAt}. */
  acceptedAt(slot: Slot, ballot: Ballot): Command | undefined {
    return this.#acceptor.acceptedAt(slot, ballot)
  }

  /** See {@link Acceptor.forget}. */
  forget(below: Slot): void {
    this.#acceptor.forget(below)
  }

  /** First thing. */
  begin(now: number): void {
    this.#hold.begin(now)
  }

  /** Whether this server's ballots are not to be adopted yet: another one has a lease, or may have. */
  refuses(server: ServerId, now: number): boolean {
    return this.#hold.refuses(server, now)
  }

  /** Grants an active leader its lease. */
  grant({ ballot, lease }: Heartbeat, now: number): void {
    if (this.#hold.grant(ballot, lease, now)) this.#out.record({ type: 'lease', ms: this.#hold.longest })
  }

  /** The leader of this ballot leads no more, and has said so itself. */
  release(ballot: Ballot): void {
    this.#hold.release(ballot)
  }

  /** True if it has adopted the ballot. */
  p1a(from: ServerId, message: P1a, now: number): boolean {
    if (this.#repair !== undefined || this.#hold.refuses(message.ballot.server, now)) return false
    this.#acceptor.p1a(from, message, this.#beside.slotOut, this.#lives.told, this.#out)
    return sameBallot(this.#acceptor.ballot, message.ballot)
  }

  p2a(from: ServerId, message: P2a): void {
    if (this.#repair !== undefined || this.#acceptor.isFull) return
    this.#acceptor.p2a(from, message, this.#beside.slotOut, this.#lives.told, this.#out)
  }

  askLife(from: ServerId): void {
    if (this.#repair === undefined) this.#out.sendAfterSync(from, { type: 'tellLife', life: this.#lives.of(from) })
  }

  tellLife(from: ServerId, message: TellLife): void {
    this.#repair?.tellLife(from, message, this.#out)
  }

  /** A server that lost its votes is in a new life: from now on every vote of this one says so. */
  revive(from: ServerId, { life, from: slot }: Revive): void {
    if (this.#repair !== undefined) return // this one's own memory is not to be relied on
    const known = this.#lives.of(from)
    if (known > life) return this.#out.sendAfterSync(from, { type: 'tellLife', life: known })
    if (this.#lives.raise(from, life)) this.#out.record({ type: 'lives', lives: this.#lives.told })
    const told = this.#acceptor.report(slot, this.#beside.slotOut)
    const { ballot } = this.#acceptor
    this.#out.sendAfterSync(from, { type: 'revived', life, from: slot, ballot, ...told, lives: this.#lives.told })
  }

  revived(from: ServerId, message: Revived): void {
    this.#repair?.revived(from, message, this.#out)
  }

  tick(now: number): void {
    if (this.#hold.expire(now)) this.#out.record({ type: 'lease', ms: 0 })
    this.#repair?.tick(now, this.#out)
  }

  /**
   * Once a majority has told what it remembers, and all that was decided by then is here: this server votes again. True when
   * that happened just now.
   */
  finishRepair(): boolean {
    const remembered = this.#repair?.remembered
    if (remembered === undefined) return false
    const { decided, decidedBy, runs, ballot, life } = remembered
    this.#beside.expect(decided, decidedBy)
    if (this.#beside.slotOut < decided) return false
    this.#repair = undefined
    this.#beside.logDecisions(this.#out)
    this.#acceptor.rebuild(runs, ballot, this.#out)
    this.#out.record({ type: 'lives', lives: this.#lives.told })
    this.#out.record({ type: 'repaired', life })
    return true
  }

  /** A snapshot is durable: what must survive is logged anew, and all that it holds may go (4.2). */
  snapshotted(slot: Slot): void {
    this.#beside.snapshotted(slot)
    if (slot < this.#acceptor.collected) return
    this.#beside.logDecisions(this.#out) // first: should the snapshot be lost, a log that is whole still rebuilds the state
    this.#acceptor.collect(slot)
    const { ballot: decidedBallot, decided } = this.#beside.decision
    const { ballot } = this.#acceptor
    this.#out.record({ type: 'base', collected: slot, ballot, decidedBallot, decided, lives: this.#lives.told })
    if (this.#hold.longest > 0) this.#out.record({ type: 'lease', ms: this.#hold.longest })
  }

  /** Recovery: its part of one record of a former life. */
  restore(record: LogRecord): void {
    switch (record.type) {
      case 'promise':
        return this.#acceptor.restorePromise(record.ballot)
      case 'accept':
        return this.#acceptor.restoreAccept(record.run)
      case 'learn':
        // Also where the replica cannot execute them: they are decided, and this server may have voted for none of them.
        return this.#acceptor.forget(record.first + record.commands.length)
      case 'decide':
        return
      case 'base':
        this.#acceptor.restoreBase(record.ballot, record.collected)
        return void this.#lives.merge(record.lives)
      case 'lives':
        return void this.#lives.merge(record.lives)
      case 'lease':
        return this.#hold.restore(record.ms)
      case 'repairing':
        this.#hold.restore(LONGEST_LEASE) // what it granted is forgotten, too
        this.#repair ??= new Repair(this.#config, this.#lives)
        return
      case 'repaired':
        this.#repair = undefined
        return void this.#lives.raise(this.#config.id, record.life)
    }
  }
}
