/** What a seed draws of a simulated cluster's settings: small numbers, so that every edge is met all the time. */
import type { Limits, Timing } from '@synod/paxos/internal/protocol/config'
import { DEFAULT_LIMITS } from '@synod/paxos/internal/protocol/config'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import type { SnapshotPolicy } from '@synod/paxos/internal/server/snapshotter'
import type { LogLimits } from '@synod/paxos/internal/storage/log-writer'

/** Small limits make the edges of windows, runs and chunks be met all the time. */
export function drawLimits(prng: Prng): Limits {
  return {
    ...DEFAULT_LIMITS,
    window: prng.pick([4, 16, 1024]),
    runsInFlight: prng.pick([1, 2, 4]),
    runCommands: prng.pick([1, 3, 64]),
    runBytes: prng.pick([100, 400, 1 << 20]),
  }
}

/** Small tails: who lags a little needs a snapshot. */
export function drawTail(prng: Prng): Pick<Limits, 'tailCommands' | 'tailBytes'> {
  return { tailCommands: prng.pick([1, 4, 16, 1024]), tailBytes: prng.pick([200, 2_000, 1 << 20]) }
}

/** How wrong the rates of clocks may be where leaders have leases: so much that it matters in every run. */
export const DRIFT = 0.2

/** Quick elections; now and then sessions that expire while their clients are idle, unless the service says how long they last. */
export function drawTiming(prng: Prng, lease: number, sessionTtl?: number): Timing {
  const drawn = prng.chance(0.2) ? 1_500 : 3_600_000
  return { heartbeat: 20, election: 100, resend: 60, sessionTtl: sessionTtl ?? drawn, lease, drift: DRIFT }
}

/** A few batches of 512 bytes make a snapshot due; in some seeds none is made but for those that are asked for. */
export function drawSnapshots(prng: Prng): SnapshotPolicy {
  return { minBytes: prng.pick([2_000, 8_000, 20_000, 1 << 30]), multiple: prng.pick([0.5, 1, 2]) }
}

/** Small files and reservations; the smallest hold a few batches. */
export function drawLog(prng: Prng): Partial<LogLimits> {
  return { fileBytes: prng.pick([4 << 10, 8 << 10, 32 << 10]), reserveBytes: 4 << 10 }
}
