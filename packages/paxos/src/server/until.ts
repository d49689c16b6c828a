/** Waiting for what nobody tells. */
import type { Clock } from '../clock.js'

/** Between two looks (ms). */
const LOOK = 5

/** Resolves when the condition holds, or after so many ms; with whether it does. */
export async function until(clock: Clock, condition: () => boolean, within: number): Promise<boolean> {
  const deadline = clock.now() + within
  while (!condition()) {
    if (clock.now() >= deadline) return false
    await new Promise<void>((resolve) => void clock.after(LOOK, resolve))
  }
  return true
}
