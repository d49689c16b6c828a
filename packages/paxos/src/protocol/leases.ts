/**
 * When a leader last heard of each session's client. It is the leader's own knowledge, not replicated: a new leader gives
 * every session its full time again, and what it comes to is a command in the log (as in Chubby, OSDI '06, section 2.8).
 */
export class Leases {
  /** How long a session lasts without a word (ms): servers tell of their connections every quarter of its time. */
  readonly #patience: number
  /** So much of the time between two ticks counts, at most (ms). */
  readonly #step: number
  /** ms of {@link #clock}; those that were heard of longest ago first. */
  readonly #heard = new Map<string, number>()
  /** Goes on with time, but may lag: while this server did not run, it could hear of nobody. */
  #clock = 0
  #now = 0

  /** @param ttl how long a session lasts after its client's connection was lost, at least (ms) */
  constructor(ttl: number) {
    this.#patience = (ttl * 5) / 4
    this.#step = ttl / 4
  }

  /** Time passes, up to this moment (ms). */
  advance(now: number): void {
    this.#clock += Math.min(now - this.#now, this.#step)
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

  /** Some of the sessions that were not heard of for too long, at most so many; each again only after as long. */
  due(most: number): string[] {
    const due: string[] = []
    for (const [clientId, at] of this.#heard) {
      if (due.length >= most || this.#clock - at <= this.#patience) break
      due.push(clientId)
    }
    for (const clientId of due) this.heard(clientId)
    return due
  }
}
