/** How long a client waits before it tries again. */
import type { Clock } from '../clock.js'

/** A server that is silent for this long (ms), though it was sent something, is left for another one. */
export const ATTEMPT_TIMEOUT = 2_000
/** So is one that takes nothing in for this long (ms): its disk may be full, and another's not. */
export const BUSY_PATIENCE = 500

/** A server that is silent for this long (ms), though it was sent something, is asked who leads, and so is another one. */
export const DOUBT_AFTER = 400

/** The first wait after a server was too busy (ms), doubled each time up to the longest. */
const FIRST_BUSY_WAIT = 20
const LONGEST_BUSY_WAIT = 1_000

/** How long to wait (ms) after so many refusals in a row, spread at random. */
export function busyWait(clock: Clock, refusals: number): number {
  return spread(clock, Math.min(FIRST_BUSY_WAIT * 2 ** refusals, LONGEST_BUSY_WAIT))
}

/** Between half as long and one and a half times: so that those who failed together do not come back together. */
export function spread(clock: Clock, wait: number): number {
  return wait * (0.5 + chance(clock))
}

/** A number in [0, 1). */
export function chance(clock: Clock): number {
  const [high = 0, low = 0] = clock.random(2)
  return (high * 256 + low) / 65_536
}
