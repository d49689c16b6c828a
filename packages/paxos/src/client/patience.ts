/** How long a client waits before it tries again. */
import type { Clock } from '../clock.js'

/** A server that is silent for this long (ms), though it was sent something, is left for another one. */
export const ATTEMPT_TIMEOUT = 2_000
/** So is one that takes nothing in for this long (ms): its disk may be full, and another's not. */
export const BUSY_PATIENCE = 500

/** A server that is silent for this long (ms), though it was sent something, is asked for a word: or for longer, as outcomes take. */
const SHORTEST_DOUBT = 250
const LONGEST_DOUBT = 5_000
/** If there is no word within this part of the same time, another server is asked, too. */
const WORD = 0.6
/** As if an outcome had taken so long (ms), before there was one: thousands of clients may begin together. */
export const UNKNOWN = 500
/** Unless a server has welcomed the client within so long (ms), another one is tried besides. */
export const WELCOME_WITHIN = 400

/**
 * For how long a server may be silent (ms) before it is doubted.
 *
 * @param took how long the last outcome took (ms)
 */
export function doubtAfter(took: number): number {
  return Math.min(LONGEST_DOUBT, Math.max(SHORTEST_DOUBT, 2 * took))
}

/** How long it may then take to say a word (ms). */
export function wordWithin(took: number): number {
  return WORD * doubtAfter(took)
}

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
