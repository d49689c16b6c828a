/** How a client's process ends, and what it says about an error. */
import { Refusal, SynodError } from '@synod/paxos'

/** Done. */
export const EXIT_DONE = 0
/** A clean "no", of the service or of what it was asked for. */
export const EXIT_NO = 1
/** What was asked for makes no sense: a wrong flag, address, file or operation. */
export const EXIT_USAGE = 2
/** The cluster did not answer in time, or cannot be talked to. */
export const EXIT_UNAVAILABLE = 3

/** The user asked for something that makes no sense; the message says what, and what to do. */
export class UsageError extends SynodError {
  constructor(message: string) {
    super('USAGE', message)
    this.name = 'UsageError'
  }
}

/** The user pressed Ctrl-C while a command was on its way. */
export class CancelledError extends SynodError {
  constructor() {
    super('CANCELLED', 'cancelled; what was sent already may take effect nevertheless')
    this.name = 'CancelledError'
  }
}

const USAGE_CODES = new Set(['USAGE', 'BAD_OPERATION', 'BAD_OPTION'])
const NO_CODES = new Set(['SNAPSHOT_FAILED', 'TRANSFER_FAILED'])

/** The exit code for an error, or undefined for one that is not an operating error but a bug. */
export function exitCodeOf(error: unknown): number | undefined {
  if (!(error instanceof SynodError)) return undefined
  if (error instanceof Refusal || NO_CODES.has(error.code)) return EXIT_NO
  return USAGE_CODES.has(error.code) ? EXIT_USAGE : EXIT_UNAVAILABLE
}

/** One sentence for people, or one JSON object `{"error":{"code","message"}}` for machines. */
export function describeError(error: SynodError, json: boolean): string {
  if (json) return JSON.stringify({ error: { code: error.code, message: error.message } })
  return `${error.message}${/[.!?]$/.test(error.message) ? '' : '.'}`
}
