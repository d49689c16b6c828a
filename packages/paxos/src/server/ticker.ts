/** What a server does as time goes by, whatever else happens. */
import type { Timing } from '../protocol/config.js'
import type { Input } from '../protocol/ready.js'
import type { Cancel, Clock } from '../clock.js'

/** Ticks in one heartbeat interval. */
const TICKS_PER_HEARTBEAT = 4
/** A server that knows no leader for so many times the election timeout leaves its subscribers to the others. */
const LEADERLESS = 4
/** The leader is told of connected clients so often in the time that a session lasts; it counts on that (leases.ts). */
const ALIVE_IN_TTL = 4
/** Session ids in one message, at most. */
const ALIVE_IDS = 1_024

export interface TickerHost {
  step(input: Input): void
  /** The sessions whose clients are connected here. */
  sessions(): readonly string[]
  /** For how long no leader is known (ms). */
  leaderless(now: number): number
  /** Feeds are to go on at another server: events may be decided that this one does not learn of. */
  dropSubscribers(): void
  /** What else is to be done from time to time. */
  ticked(now: number): void
}

export class Ticker {
  readonly #timing: Timing
  readonly #clock: Clock
  readonly #host: TickerHost
  #cancel: Cancel = () => undefined
  #stopped = false
  /** When the leader was told of connected clients last. */
  #aliveAt = 0

  constructor(timing: Timing, clock: Clock, host: TickerHost) {
    this.#timing = timing
    this.#clock = clock
    this.#host = host
  }

  /** The first tick, and from then on one after the other. */
  tick(): void {
    const now = this.#clock.now()
    this.#host.step({ type: 'tick', now })
    if (this.#stopped) return
    this.#host.ticked(now)
    // A machine's clock may jump back.
    if (Math.abs(now - this.#aliveAt) >= this.#timing.sessionTtl / ALIVE_IN_TTL) this.#sayAlive(now)
    if (this.#host.leaderless(now) > LEADERLESS * this.#timing.election) this.#host.dropSubscribers()
    // Behind what has arrived: a process that did not run for a while hears first what came meanwhile, before it misses it.
    this.#cancel = this.#clock.after(this.#timing.heartbeat / TICKS_PER_HEARTBEAT, () => {
      this.#clock.defer(() => {
        if (!this.#stopped) this.tick()
      })
    })
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  /** The sessions of clients that are connected here must not end. */
  #sayAlive(now: number): void {
    this.#aliveAt = now
    const clientIds = this.#host.sessions()
    for (let at = 0; at < clientIds.length; at += ALIVE_IDS)
      this.#host.step({ type: 'alive', clientIds: clientIds.slice(at, at + ALIVE_IDS), now })
  }
}
