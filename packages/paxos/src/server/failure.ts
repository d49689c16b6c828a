/** Whatever may end a server, as one clear sentence. */
import { InvariantError } from '../protocol/assert.js'
import { SynodError } from '../protocol/error.js'

/** The error, if it is an operating error already; else one that says what to think of it: `INVARIANT` or `BUG`. */
export function asSynodError(error: unknown): SynodError {
  if (error instanceof SynodError) return error
  if (error instanceof InvariantError) {
    const { code, invariant, message } = error
    return new SynodError(
      code,
      `${message}; the server stops rather than lose or change what was acknowledged: please report it`,
      { invariant },
    )
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new SynodError('BUG', `the server stops after an unexpected error: ${text}`)
}
