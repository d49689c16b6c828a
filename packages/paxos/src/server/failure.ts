/** Whatever may end a server, as one clear sentence. */
import { InvariantError } from '../protocol/assert.js'
import type { Slot } from '../protocol/command.js'
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

/** The only server of its cluster has nobody to get its state from. */
export function stateLost(collected: Slot): SynodError {
  return new SynodError(
    'STATE_LOST',
    `the snapshot is damaged that holds what the log said up to slot ${collected}, and a cluster of one server has nobody to get it from: ` +
      'put a back-up of that snapshot in its place, or make a new cluster of an older one with synod-log restore',
    { collected },
  )
}
