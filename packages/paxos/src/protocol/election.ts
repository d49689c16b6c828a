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

export class Election {
  readonly #config: Config
  readonly #prng: Prng
  /** In ms: multiplicative increase, additive decrease. */
  #timeout: number
  #deadline = 0
  /** The ballot of the leader that was heard last. */
  #leader: Ballot | null = null
  #heardAt = 0
  #attempt = 0
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

  /** First thing: waits a part of the timeout, so that a new cluster need not wait for all of it. */
  begin(now: number): void {
    this.#deadline = now + this.#timeout * this.#prng.float()
  }

  /** A sign of life from an active leader; true if it is another one than before. */
  heard(ballot: Ballot, now: number): boolean {
    if (this.#leader !== null && compareBallots(ballot, this.#leader) < 0) return false
    const changed = this.#leader === null || !sameBallot(ballot, this.#leader)
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

  /** Somebody else's ballot won over ours: wait longer from now on, or two leaders go on preempting each other. */
  preempted(now: number): void {
    this.#timeout = Math.min(this.#config.timing.election * MOST, this.#timeout * INCREASE)
    this.#asking = false
    this.#deadline = now + this.#timeout * this.#prng.float()
  }

  /** Waits a whole timeout from now: somebody leads, or is about to. */
  postpone(now: number): void {
    this.#deadline = now + this.#timeout * (1 + this.#prng.float())
  }

  /** Whether to follow this server if it tried to lead: unless another one is known to. */
  wouldFollow(server: ServerId, now: number): boolean {
    return this.#leader === null || this.#leader.server === server || now - this.#heardAt > this.#config.timing.election
  }

  /** Whether it is time to ask the others; gives the number of the attempt, and forgets a leader that fell silent. */
  due(now: number): number | undefined {
    if (now < this.#deadline) return undefined
    this.#leader = null
    this.#asking = true
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

  /** One answer to the prescout of this number. */
  grant(from: ServerId, attempt: number): void {
    if (this.#asking && attempt === this.#attempt) this.#grants.add(from)
  }

  /** The prescout is over: the scout begins. */
  scouting(now: number): void {
    this.#asking = false
    this.postpone(now)
  }
}
