/** How the log tool's process ends, and what it says about an error. */
import { SynodError } from '../protocol/error.js'

/** Done; of `verify`: all is whole. */
export const EXIT_WHOLE = 0
/** Something is damaged; of `restore`: it could not be done. */
export const EXIT_DAMAGED = 1
/** What was asked for makes no sense: a wrong flag, or a place where no data is. */
export const EXIT_USAGE = 2

/** The user asked for something that makes no sense; the message says what, and what to do. */
export class UsageError extends SynodError {
  constructor(message: string) {
    super('USAGE', message)
    this.name = 'UsageError'
  }
}
