/**
 * A leader's lease (the paper's 4.5): while it holds, no other server can have been adopted, so reads need no confirmation.
 * It rests on clocks whose rates are right to within `timing.drift`. docs/PROTOCOL.md, "Leases", has the rule and why it holds.
 */
import type { Ballot, ServerId } from './ballot.js'
import { BOTTOM, sameBallot } from './ballot.js'
import type { Config, Timing } from './config.js'
import { isQuorum } from './config.js'

/** No lease is longer (ms): a server that cannot know what it granted in a former life keeps to this. */
export const LONGEST_LEASE = 2_000

/** So many heartbeats are remembered for the answers that may still come. */
const REMEMBERED = 64

/** What one end of a lease saw of the other's clock: its reading, between these two of its own. */
interface Sample {
  readonly sent: number
  readonly received: number
  readonly clock: number
}

/** The leader's part: until when it may rely on the others. */
export class LeaderLease {
  readonly #config: Config
  /** How long it counts on a grant, in ms of its own clock. */
  readonly #trusted: number
  /** By heartbeat: when it was about to leave. */
  readonly #sent = new Map<number, number>()
  /** By server: when the latest heartbeat was about to leave that it has granted a lease for. */
  readonly #granted = new Map<ServerId, number>()
  readonly #samples = new Map<ServerId, Sample>()
  #mistrusted = false

  constructor(config: Config) {
    this.#config = config
    const { lease, drift } = config.timing
    this.#trusted = (lease * (1 - drift)) / (1 + drift)
  }

  /** The clocks turned out not to be as they must: no lease is relied on any more in this life. */
  get mistrusted(): boolean {
    return this.#mistrusted
  }

  /** This server's clock went back. */
  mistrust(): void {
    if (this.#trusted > 0) this.#mistrusted = true
  }

  /** A heartbeat is about to leave. */
  sent(heartbeat: number, now: number): void {
    if (this.#trusted === 0) return
    this.#sent.set(heartbeat, now)
    if (this.#sent.size > REMEMBERED) for (const oldest of this.#sent.keys()) return void this.#sent.delete(oldest)
  }

  /** A server has granted the lease that this heartbeat asked for, when its clock said `clock`. */
  granted(from: ServerId, heartbeat: number, clock: number, now: number): void {
    const sent = this.#sent.get(heartbeat)
    if (sent === undefined) return
    this.#compare(from, { sent, received: now, clock })
    this.#granted.set(from, Math.max(sent, this.#granted.get(from) ?? sent))
  }

  /** Whether a majority, this server itself included, keeps all others out at this moment. */
  holds(now: number): boolean {
    if (this.#trusted === 0 || this.#mistrusted) return false
    const keeping = new Set<ServerId>([this.#config.id])
    for (const [server, sent] of this.#granted) if (now - sent < this.#trusted) keeping.add(server)
    return isQuorum(this.#config.configuration, keeping)
  }

  /** It leads no more: first of all it relies on nobody. */
  drop(): void {
    this.#sent.clear()
    this.#granted.clear()
    this.#samples.clear()
  }

  /** A grant ends too early if the other clock is faster than this one by more than the drift of two clocks. */
  #compare(from: ServerId, now: Sample): void {
    const then = this.#samples.get(from)
    if (then === undefined || now.clock < then.clock) return void this.#samples.set(from, now) // the first, or a new process
    const { drift } = this.#config.timing
    const most = ((now.received - then.sent) * (1 + drift)) / (1 - drift)
    if (now.clock - then.clock > most + 1) this.mistrust() // readings are whole ms
  }
}

/** The acceptor's part: whose ballots it does not adopt for now. */
export class LeaseHold {
  /** The longest that it ever granted, as its log says (ms). */
  #longest = 0
  /** The ballot that it was granted to; bottom: in a former life, to nobody knows whom. */
  #holder: Ballot = BOTTOM
  #until = -Infinity

  /** First thing: what was granted in a former life may last. */
  begin(now: number): void {
    if (this.#longest > 0) this.#until = now + this.#longest
  }

  /** Whether nothing lasts any more that was granted in a former life, nor was any granted in this one. True once. */
  expire(now: number): boolean {
    if (this.#longest === 0 || now < this.#until || !sameBallot(this.#holder, BOTTOM)) return false
    this.#longest = 0
    return true
  }

  /** Recovery: in a former life it granted leases of so many ms at most. */
  restore(ms: number): void {
    this.#longest = ms
  }

  /** What a start behind this must know; 0 if it never granted any. */
  get longest(): number {
    return this.#longest
  }

  /** Grants so long a lease, from now on. True if the log has to say so first. */
  grant(holder: Ballot, ms: number, now: number): boolean {
    this.#holder = holder
    this.#until = Math.max(this.#until, now + ms)
    if (ms <= this.#longest) return false
    this.#longest = ms
    return true
  }

  /** The leader of this ballot needs its lease no more. */
  release(ballot: Ballot): void {
    if (sameBallot(ballot, this.#holder)) this.#until = -Infinity
  }

  /** Whether this server's ballots are not to be adopted: a lease holds that is not its own. */
  refuses(server: ServerId, now: number): boolean {
    return now < this.#until && (sameBallot(this.#holder, BOTTOM) || this.#holder.server !== server)
  }
}

/** What is wrong with the timing of leases, in a sentence; null if nothing is. */
export function leaseFault({ lease, heartbeat, drift }: Timing): string | null {
  if (lease === 0) return null
  if (!(lease > 0 && lease <= LONGEST_LEASE)) return `a lease is at most ${LONGEST_LEASE} ms long, not ${lease}`
  if (!(drift >= 0 && drift < 1)) return `the drift of clocks is a ratio from 0 to 1, not ${drift}`
  if (lease < 2 * heartbeat)
    return `a lease of ${lease} ms ends before the next heartbeat can renew it (every ${heartbeat} ms)`
  return null
}
