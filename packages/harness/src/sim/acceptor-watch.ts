/** Watches one acceptor: what its disk holds, and what it says. Every method throws {@link Violation} when a rule is broken. */
import type { Ballot, ServerId } from '@synod/paxos/internal/protocol/ballot'
import { BOTTOM, compareBallots, sameBallot, showBallot } from '@synod/paxos/internal/protocol/ballot'
import type { Run, Slot } from '@synod/paxos/internal/protocol/command'
import { lastSlot } from '@synod/paxos/internal/protocol/command'
import type { Lives, P1b, P2b, Revived, TellLife } from '@synod/paxos/internal/protocol/message'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import type { Loss } from './durable-log.js'
import { DurableLog } from './durable-log.js'
import type { Promises } from './promises.js'
import type { Pvalues } from './pvalues.js'
import { Violation } from './violation.js'
import type { Voter } from './votes.js'
import { lifeIn } from './votes.js'

/**
 * What was done to a server's disk since its last start: null for nothing; `wiped` if it was emptied, also to be repaired;
 * otherwise the numbers of all batches that were still whole on it afterwards.
 */
export type Damage = 'wiped' | readonly number[] | null

/** What a message may not fall short of. */
interface Settled {
  readonly collected: Slot
  readonly lives: Lives
}

export class AcceptorWatch {
  readonly #server: ServerId
  readonly #pvalues: Pvalues
  readonly #promises: Promises
  #disk: DurableLog
  /** It lost what it had promised: until it is repaired it must not answer any more. */
  #forgetful = false
  /** How often it was repaired. */
  #life = 0
  /** Slots below it were decided when it was repaired: what it had accepted in them is in no other way in its memory. */
  #known: Slot = 1
  /** The last slot of the newest snapshot that was durable here. */
  #snapshot: Slot = 0
  /** What was durable before the last write was: what leaves together with that write may be older than it. */
  #settled: Settled = { collected: 0, lives: [] }
  /** The highest ballot that it has answered with, and what that was when its present process began. */
  #answered: Ballot = BOTTOM
  #answeredBefore: Ballot = BOTTOM

  constructor(server: ServerId, pvalues: Pvalues, promises: Promises) {
    this.#server = server
    this.#pvalues = pvalues
    this.#promises = promises
    this.#disk = new DurableLog(server)
  }

  /** Whether it may answer: it has all that it ever promised, or was repaired since it lost it. */
  get remembers(): boolean {
    return !this.#forgetful
  }

  /** Its log at or below this slot may be gone. */
  get collected(): Slot {
    return this.#disk.collected
  }

  /** A new process of its server begins. */
  started(): void {
    this.#answeredBefore = this.#answered
  }

  /** These records have become durable together, in this batch. True if a command is chosen by that. */
  durable(records: readonly StoredRecord[], batch: number): boolean {
    this.#settled = { collected: this.#disk.collected, lives: [...this.#disk.lives] }
    let chosen = false
    for (const record of records) if (this.#durable(record, batch)) chosen = true
    return chosen
  }

  /** A snapshot through this slot is durable. */
  snapshotted(slot: Slot): void {
    this.#snapshot = Math.max(this.#snapshot, slot)
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
    if (loss !== null && damage === 'wiped') {
      this.#forgetful = true
      this.#snapshot = 0
    } else if (loss !== null) {
      if (damage !== null && damage !== 'wiped' && damage.every((whole) => whole <= loss.batch)) return loss
      throw this.#violation('durability', `forgot ${loss.what}, and noticed nothing`)
    }
    this.#disk = new DurableLog(this.#server)
    return null
  }

  /** It answers a p2a: what it votes for is durable. */
  votes({ ballot, first, last, lives }: P2b): void {
    this.#answers(ballot, lives)
    for (let slot = first; slot <= last; slot++) {
      if (!this.#pvalues.holds(this.#voter, ballot, slot))
        throw this.#violation('durability', `votes for slot ${slot} at ${showBallot(ballot)} before that is durable`)
    }
  }

  /** It answers a p1a: what it tells is durable, and it is all that it accepted before it promised (A3). */
  promises(message: P1b): void {
    this.#answers(message.ballot, message.lives)
    if (message.collected < this.#settled.collected)
      throw this.#violation(
        'collection',
        `tells in a p1b that its log is collected through slot ${message.collected}, and not ${this.#settled.collected}`,
      )
    this.#reports(message)
  }

  /** It tells a server that is being repaired what it knows: that it does so is durable, and so is what it tells. */
  revives(server: ServerId, message: Revived): void {
    if (lifeIn(this.#disk.lives, server) < message.life)
      throw this.#violation(
        'lives',
        `answers a revive of life ${message.life} of server ${server} before that is durable`,
      )
    this.#answers(message.ballot, message.lives)
    this.#reports(message)
  }

  /** It tells a server that is being repaired which life of it it knows. */
  tellsLife(server: ServerId, { life }: TellLife): void {
    this.#mayAnswer()
    if (life < lifeIn(this.#settled.lives, server))
      throw this.#violation('lives', `tells server ${server} of its life ${life}, and knows a later one`)
  }

  /** The answers that it gives now are of this life, and name these lives at least. */
  get #voter(): Voter {
    return { server: this.#server, life: this.#life, lives: [...this.#disk.lives] }
  }

  #durable(record: StoredRecord, batch: number): boolean {
    const { promised } = this.#disk
    if (record.type === 'promise' && compareBallots(record.ballot, promised) <= 0)
      throw this.#violation('A1', `promised ${showBallot(record.ballot)} after ${showBallot(promised)}`)
    if (record.type === 'base' && compareBallots(record.ballot, promised) < 0)
      throw this.#violation(
        'A1',
        `collects its log under ballot ${showBallot(record.ballot)} after ${showBallot(promised)}`,
      )
    if (record.type === 'accept' && compareBallots(record.run.ballot, promised) < 0)
      throw this.#violation(
        'A2',
        `accepted at ${showBallot(record.run.ballot)} under its promise of ${showBallot(promised)}`,
      )
    if (record.type === 'base' || record.type === 'lives') this.#checkLives(record.lives, this.#disk.lives)
    this.#disk.add(record, batch)
    const isNews = this.#forgetful || (record.type === 'repaired' && record.life !== this.#life)
    if (record.type === 'repaired' && isNews) return this.#repaired(record.life)
    if (this.#forgetful) return false
    if (record.type === 'promise' || record.type === 'base') this.#promises.adopt(this.#voter, record.ballot)
    return record.type === 'accept' && this.#accepts(record.run)
  }

  #accepts({ ballot, first, commands }: Run): boolean {
    const voter = this.#voter
    this.#promises.adopt(voter, ballot)
    let chosen = false
    for (const [index, command] of commands.entries()) {
      if (this.#pvalues.accept(voter, ballot, first + index, command)) chosen = true
    }
    return chosen
  }

  /**
   * From now on it answers again, in a new life. Whatever could have been counted of its former lives must be in its log
   * again: each ballot that a majority adopted with it, and what a majority has chosen with it.
   */
  #repaired(life: number): boolean {
    if (life <= this.#life) throw this.#violation('lives', `is repaired as life ${life}, after life ${this.#life}`)
    this.#life = life
    this.#forgetful = false
    this.#answered = this.#answeredBefore = BOTTOM
    const voter = this.#voter
    const { promised, runs, decided } = this.#disk
    let chosen = false
    for (const run of runs) {
      // What is below its ballot it has not accepted in this life: it only tells of it.
      if (sameBallot(run.ballot, promised)) chosen = this.#accepts(run) || chosen
      else
        for (const [index, command] of run.commands.entries())
          this.#pvalues.hold(voter, run.ballot, run.first + index, command)
    }
    this.#promises.adopt(voter, promised)
    const ballot = this.#promises.forgotten(voter, promised)
    if (ballot !== null)
      throw this.#violation(
        'repair',
        `votes again under ${showBallot(promised)}, and a majority adopted ${showBallot(ballot)} with a former life of it`,
      )
    this.#known = Math.max(decided, this.#snapshot + 1)
    const slot = this.#pvalues.forgotten(voter, this.#known)
    if (slot !== null)
      throw this.#violation('repair', `votes again, and has forgotten what it had chosen in slot ${slot}`)
    return chosen
  }

  /** What it tells of its pvalues, from its slotOut on, is all that it holds of lower ballots. */
  #reports(message: P1b | Revived): void {
    if (message.decided < this.#known)
      throw this.#violation(
        'repair',
        `says in a ${message.type} that slot ${message.decided} may be undecided; it was decided when it was repaired`,
      )
    for (const run of message.accepted) this.#checkTold(run)
    const voter = this.#voter
    const end = message.next ?? this.#pvalues.end
    // Below its slotOut it has left everything to the replica beside it.
    for (let slot = Math.max(message.from, message.decided); slot < end; slot++) {
      const told = message.accepted.find((run) => run.first <= slot && slot <= lastSlot(run))
      for (const { ballot, holders } of this.#pvalues.of(slot)) {
        const before = holders.get(voter.server) === voter.life && compareBallots(ballot, message.ballot) < 0
        if (before && (told === undefined || compareBallots(told.ballot, ballot) < 0))
          throw this.#violation(
            'A3',
            `accepted at ${showBallot(ballot)} in slot ${slot}, and its ${message.type} does not tell it`,
          )
      }
    }
  }

  #checkTold({ ballot, first, commands }: Run): void {
    const voter = this.#voter
    for (const [index, command] of commands.entries()) {
      const slot = first + index
      this.#pvalues.propose(ballot, slot, command)
      if (!this.#pvalues.holds(voter, ballot, slot))
        throw this.#violation('durability', `tells of slot ${slot} before that is durable`)
    }
  }

  /** The ballot of an answer must be durable, and no lower than any that a former process of this life answered with. */
  #answers(ballot: Ballot, lives: Lives): void {
    this.#mayAnswer()
    this.#checkLives(lives, this.#settled.lives)
    if (lifeIn(lives, this.#server) !== this.#life)
      throw this.#violation('lives', `answers in life ${lifeIn(lives, this.#server)}, and is in life ${this.#life}`)
    if (compareBallots(ballot, this.#disk.promised) > 0)
      throw this.#violation('durability', `answers with ballot ${showBallot(ballot)} before it is durable`)
    if (compareBallots(ballot, this.#answeredBefore) < 0)
      throw this.#violation(
        'A1',
        `answers with ballot ${showBallot(ballot)} after a restart, and with ${showBallot(this.#answeredBefore)} before it`,
      )
    if (compareBallots(ballot, this.#answered) > 0) this.#answered = ballot
  }

  #mayAnswer(): void {
    if (this.#forgetful) throw this.#violation('durability', 'votes, though it lost what it had promised')
  }

  /** Lives that are known must not be forgotten. */
  #checkLives(lives: Lives, known: Lives): void {
    const forgotten = known.findIndex((life, server) => lifeIn(lives, server) < life)
    if (forgotten >= 0)
      throw this.#violation('lives', `tells or writes of an earlier life of server ${forgotten} than it knows`)
  }

  #violation(rule: string, what: string): Violation {
    return new Violation(rule, `server ${this.#server} ${what}`)
  }
}
