/** Who leads, as far as this server can tell, and when it should try to lead itself (the paper's section 3). */
import type { Ballot, ServerId } from './ballot.js'
import { compareBallots, sameBallot } from './ballot.js'
import type { Config } from './config.js'
import { isQuorum } from './config.js'
import type { Prng } from './prng.js'

/** Timeouts grow by this factor when a ballot is preempted … */
const INCREASE = 2
/** … up to this many times the configured one, and shrink by a tenth of it with every sign of a working leader. */
const MOST = 4
/** A silence must be so many times as long as the longest wait for a living server was lately … */
const CAUTION = 2
/** … which is forgotten bit by bit, within about so long (ms). */
const MEMORY = 60_000
/** Timeouts are spread at random by up to so much of themselves. */
const SPREAD = 0.5
/** When a leader was there though the connections to it had broken, such news is not heeded for so many timeouts. */
const DISTRUST = 16

export class Election {
  readonly #config: Config
  readonly #prng: Prng
  /** In ms: multiplicative increase, additive decrease. */
  #timeout: number
  /** How long servers that live have let this one wait for a word, lately (ms). */
  #longest = 0
  #deadline = 0
  /** The ballot of the leader that was heard last. */
  #leader: Ballot | null = null
  #heardAt = 0
  /** The leader's ballot, if the connections to its server broke since it was heard. */
  #suspect: Ballot | null = null
  /** The moment before which broken connections say nothing. */
  #heedFrom = 0
  #attempt = 0
  #askedAt = 0
  readonly #grants = new Set<ServerId>()
  #asking = false

  constructor(config: Config, prng: Prng) {
    this.#config = config
    this.#prng = prng
    this.#timeout = config.timing.election
  }

  /** The active leader's ballot, or null if none is known. */
  get leader(): Ballot | null {
    return this.#leader
  }

  /** Whether a prescout is under way. */
  get asking(): boolean {
    return this.#asking
  }

  /** For how long a leader must be silent to be taken for gone (ms), and a majority's answers stay away from a leader. */
  get patience(): number {
    return Math.min(MOST * this.#config.timing.election, Math.max(this.#timeout, CAUTION * this.#longest))
  }

  /** First thing: waits a part of the timeout, so that a new cluster need not wait for all of it. */
  begin(now: number): void {
    this.#deadline = now + this.#timeout * this.#prng.float()
  }

  /** A sign of life from an active leader; true if it is another one than before. */
  heard(ballot: Ballot, now: number): boolean {
    if (this.#leader !== null && compareBallots(ballot, this.#leader) < 0) return false
    const changed = this.#leader === null || !sameBallot(ballot, this.#leader)
    // Its own beats tell a leader nothing of others: when it was stopped, that was no silence of anybody.
    if (!changed && ballot.server !== this.#config.id) this.#waited(now - this.#heardAt)
    if (this.#suspect !== null && sameBallot(ballot, this.#suspect))
      this.#heedFrom = now + DISTRUST * this.#config.timing.election
    this.#suspect = null
    this.#leader = ballot
    this.#heardAt = now
    this.#asking = false
    this.#timeout = Math.max(this.#config.timing.election, this.#timeout - this.#config.timing.election / 10)
    this.postpone(now)
    return changed
  }

  /** The leader of this ballot leads no more. */
  lost(ballot: Ballot, now: number): void {
    if (this.#leader === null || compareBallots(ballot, this.#leader) < 0) return
    this.#leader = null
    this.#asking = false
    this.#deadline = now + this.#timeout * this.#prng.float()
  }

  /**
   * The connections to this server broke, both ways, as they do when its process is killed. If it leads, it has to be asked
   * at once who else has noticed: others that hear it still will refuse.
   */
  unreachable(server: ServerId, now: number): void {
    if (this.#leader?.server !== server || now < this.#heedFrom) return
    this.#suspect = this.#leader
    this.#deadline = Math.min(this.#deadline, now + this.#config.timing.heartbeat * this.#prng.float())
  }

  /** Somebody else's ballot won over ours: wait longer from now on, or two leaders go on preempting each other. */
  preempted(now: number): void {
    this.#timeout = Math.min(this.#config.timing.election * MOST, this.#timeout * INCREASE)
    this.#asking = false
    this.#deadline = now + this.#timeout * this.#prng.float()
  }

  /** Waits a whole timeout from now: somebody leads, or is about to. */
  postpone(now: number): void {
    this.#deadline = now + this.patience * (1 + SPREAD * this.#prng.float())
  }

  /**
   * Whether to follow this server if it tried to lead: unless another one is known to. Its last heartbeat may have reached
   * this server, and not the one that asks.
   */
  wouldFollow(server: ServerId, now: number): boolean {
    if (this.#leader === null || this.#leader.server === server || this.#suspect !== null) return true
    const { election, heartbeat } = this.#config.timing
    return now - this.#heardAt > election - heartbeat
  }

  /** Whether it is time to ask the others; gives the number of the attempt, and forgets a leader that fell silent. */
  due(now: number): number | undefined {
    if (now < this.#deadline) return undefined
    this.#leader = null
    this.#asking = true
    this.#askedAt = now
    this.#attempt++
    this.#grants.clear()
    this.#grants.add(this.#config.id)
    this.postpone(now)
    return this.#attempt
  }

  /** Whether a majority would follow, so that the ballot may be raised. */
  get granted(): boolean {
    return this.#asking && isQuorum(this.#config.configuration, this.#grants)
  }

  /** One answer to the prescout of this number. One that comes when the next was sent already took too long to be waited for. */
  answered(from: ServerId, attempt: number, granted: boolean, now: number): void {
    if (!this.#asking) return // a majority was sooner: it need not be waited for
    this.#waited(attempt === this.#attempt ? now - this.#askedAt : this.patience)
    if (granted && attempt === this.#attempt) this.#grants.add(from)
  }

  /** The prescout is over: the scout begins. */
  scouting(now: number): void {
    this.#asking = false
    this.postpone(now)
  }

  /** So long nothing came from a server that lives. One that was taken for gone teaches to wait for twice as long, not for more. */
  #waited(ms: number): void {
    const left = 1 - Math.min(1, ms / MEMORY)
    this.#longest = Math.max(Math.min(ms, this.patience), this.#longest * left)
  }
}
