/** How the harness's process ends, and what it says about an error. */
import { InvalidArgumentError } from 'commander'

/** Every check held. */
export const EXIT_HELD = 0
/** A check failed. */
export const EXIT_FAILED = 1
/** The file, or what was asked for, makes no sense. */
export const EXIT_USAGE = 2

/** The user asked for something that makes no sense; the message says what, and what to do. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** For commander: a whole number from 0. */
export function whole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}
