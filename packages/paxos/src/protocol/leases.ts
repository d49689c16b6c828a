/**
 * When a leader last heard of each session's client. It is the leader's own knowledge, not replicated: a new leader gives
 * every session its full time again, and what it comes to is a command in the log (as in Chubby, OSDI '06, section 2.8).
 */
export class Leases {
  readonly #ttl: number
  /** ms of {@link #clock}; those that were heard of longest ago first. */
  readonly #heard = new Map<string, number>()
  /** Goes on with time, but may lag: while this server did not run, it could hear of nobody. */
  #clock = 0
  #now = 0

  /** @param ttl how long a session lasts whose client is not heard of (ms) */
  constructor(ttl: number) {
    this.#ttl = ttl
  }

  /** Time passes, up to this moment (ms). */
  advance(now: number): void {
    this.#clock += Math.min(now - this.#now, this.#ttl / 4)
    this.#now = now
  }

  /** This server leads from now on: these sessions have their full time. */
  begin(clientIds: Iterable<string>): void {
    this.#heard.clear()
    for (const clientId of clientIds) this.opened(clientId)
  }

  opened(clientId: string): void {
    this.#heard.set(clientId, this.#clock)
  }

  /** A server holds a connection of this session's client. Nothing is noted of a session that is not open. */
  heard(clientId: string): void {
    if (this.#heard.delete(clientId)) this.#heard.set(clientId, this.#clock)
  }

  ended(clientId: string): void {
    this.#heard.delete(clientId)
  }

  /** The sessions that were not heard of for too long; each again after as long, as what is done about it may be lost. */
  due(): string[] {
    const due: string[] = []
    for (const [clientId, at] of this.#heard) {
      if (this.#clock - at <= this.#ttl) break
      due.push(clientId)
    }
    for (const clientId of due) this.heard(clientId)
    return due
  }
}
