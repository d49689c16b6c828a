/** Who the acceptors of a slot are, and what the timing of one server's roles is. */
import type { ServerId } from './ballot.js'

/** The servers that decide a slot (the paper's section 4.4). There is one configuration for all slots for now. */
export interface Configuration {
  readonly servers: readonly ServerId[]
}

/** Whether `votes` hold a majority of the configuration's servers. */
export function isQuorum(configuration: Configuration, votes: ReadonlySet<ServerId>): boolean {
  let count = 0
  for (const server of configuration.servers) if (votes.has(server)) count++
  return count * 2 > configuration.servers.length
}

/** How long the roles wait, in ms of the clock that the inputs carry. */
export interface Timing {
  /** An active leader is heard from at least this often. */
  readonly heartbeat: number
  /**
   * Without a word from a leader for this long (and up to half as much more, at random) a server tries to lead. Up to four times
   * as long where silences of servers that live have been long lately (see {@link Election.patience}).
   */
  readonly election: number
  /** What got no answer for this long is sent again. */
  readonly resend: number
  /** The leader ends a session whose client no server has been connected to for this long. */
  readonly sessionTtl: number
  /**
   * How long a leader's lease lasts, at most 2,000; 0: none. While it has one it answers reads without asking anybody; and for so long
   * nobody can follow a leader that died.
   */
  readonly lease: number
  /** By how much the rate of a server's clock may be wrong, for leases: a ratio, the same on all servers. */
  readonly drift: number
}

/** How much may be under way at once. */
export interface Limits {
  /** R5: no slot is proposed at or above slotOut + window (slots). */
  readonly window: number
  /** Runs of a leader that are not decided yet; what comes while so many are under way forms the next run. */
  readonly runsInFlight: number
  /** Commands in one run, at most. */
  readonly runCommands: number
  /** Bytes of operations in one run, in one chunk of a p1b or of a catch-up, at most (one command may be larger). */
  readonly runBytes: number
  /** Clients' commands that one server holds undecided; past that it answers `BUSY`. */
  readonly pending: number
  /** Bytes of those commands, likewise. */
  readonly pendingBytes: number
  /** Decided commands that are kept in memory for servers that lag; who lags by more gets a snapshot. */
  readonly tailCommands: number
  /** Bytes of those commands, likewise. */
  readonly tailBytes: number
}

export const DEFAULT_TIMING: Timing = {
  heartbeat: 50,
  election: 400,
  resend: 500,
  sessionTtl: 3_600_000,
  lease: 0,
  drift: 0.01,
}

export const DEFAULT_LIMITS: Limits = {
  window: 16_384,
  runsInFlight: 4,
  runCommands: 1024,
  runBytes: 1 << 20,
  pending: 8_192,
  pendingBytes: 64 << 20,
  tailCommands: 32_768,
  tailBytes: 16 << 20,
}

/** What one server's core must be told before its first step. */
export interface Config {
  readonly id: ServerId
  readonly configuration: Configuration
  /** Drawn anew at every start of the process (see {@link Ballot}); a safe non-negative integer. */
  readonly start: number
  /** Of the pseudo-random numbers by which timeouts are spread; any integer. */
  readonly seed: number
  readonly timing: Timing
  readonly limits: Limits
}
