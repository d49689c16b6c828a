/** What tests of the client have in common. */
import { ClientError, Refusal } from '@synod/paxos'
import type { Script } from './scripted-cluster.js'

/** What became of a call: its value, or `CODE maybe` or `CODE no`, or the refusal's code. */
export function watch(promise: Promise<number>): { outcome: string } {
  const seen = { outcome: 'pending' }
  promise.then(
    (value) => {
      seen.outcome = `value ${value}`
    },
    (error: unknown) => {
      if (error instanceof ClientError) seen.outcome = `${error.code} ${error.mayHaveHappened ? 'maybe' : 'no'}`
      else seen.outcome = error instanceof Refusal ? `refusal ${error.code}` : `unexpected ${String(error)}`
    },
  )
  return seen
}

export const deaf: Script = () => undefined

/** Opens sessions, and leaves the rest unanswered. */
export const onlyOpens: Script = (frame, server, connection) => {
  if (frame.type === 'open') server.answer(frame, connection)
}
