/** Time, chance and turn-taking for everything outside the core; the simulator has its own. */
import { randomBytes } from 'node:crypto'

/** Cancels what a {@link Clock} was asked to do; harmless afterwards. */
export type Cancel = () => void

export interface Clock {
  /** Monotonic, in ms, with fractions. */
  now(): number
  /** Calls once after `ms`. */
  after(ms: number, call: () => void): Cancel
  /** Calls once, after the events that have already arrived. */
  defer(call: () => void): void
  /** Bytes that nobody can guess (in the simulator: from its seed). */
  random(bytes: number): Uint8Array
}

/** A random integer of 48 bits. */
export function randomInteger(clock: Clock): number {
  return Buffer.from(clock.random(6)).readUIntBE(0, 6)
}

export const realClock: Clock = {
  now: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms)
    return () => {
      clearTimeout(timer)
    }
  },
  defer: (call) => {
    setImmediate(call)
  },
  random: (bytes) => randomBytes(bytes),
}
