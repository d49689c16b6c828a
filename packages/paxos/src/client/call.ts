/** One `submit` of a client's, until it has an outcome. */
import type { Result } from '../protocol/command.js'
import { decodeRefusal, decodeValue } from '../service/service-codec.js'
import { ClientError } from './error.js'
import type { ClientErrorCode } from './error.js'

export interface Call {
  readonly op: Uint8Array
  /** The moment after which it fails (ms of the client's clock). */
  readonly deadline: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  /** In its session; 0 as long as it has no number. */
  localId: number
  /** Copies that were sent and not answered by "not taken in": it may have been executed as long as there is one. */
  open: number
  /** When it was last sent over the connection that is up; null if it was not sent over that one. */
  sentAt: number | null
  /** How often it was sent over that connection. */
  tries: number
  /** A server was too busy for it. */
  isRefused: boolean
}

/** A new call. */
export function callOf(op: Uint8Array, deadline: number, resolve: Call['resolve'], reject: Call['reject']): Call {
  return { op, deadline, resolve, reject, localId: 0, open: 0, sentAt: null, tries: 0, isRefused: false }
}

/** It was not sent over the connection that is up. */
export function unsend(call: Call): void {
  call.sentAt = null
  call.tries = 0
}

/** It was executed, and this is its result. */
export function settle(call: Call, status: 'ok' | 'refused', value: Result['value']): void {
  let outcome: unknown
  try {
    outcome = status === 'ok' ? decodeValue(value) : decodeRefusal(value)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const message = `the command was executed, but its result cannot be read: ${why}`
    call.reject(new ClientError('INCOMPATIBLE', message, true))
    return
  }
  if (status === 'ok') call.resolve(outcome)
  else call.reject(outcome as Error)
}

/** It has no result; the error says whether it may have been executed. */
export function fail(call: Call, code: ClientErrorCode, message: string): void {
  call.reject(new ClientError(code, message, call.open > 0))
}

/**
 * Why there was no outcome in time.
 *
 * @param isBusy servers were too busy for it
 * @param reason why there is no connection; null if there is one
 */
export function timeout(
  { open }: Call,
  isBusy: boolean,
  reason: string | null,
): readonly [code: ClientErrorCode, message: string] {
  if (open === 0 && reason !== null)
    return ['UNAVAILABLE', `no server could take the command in time (the last try: ${reason})`]
  if (open === 0 && isBusy)
    return ['BUSY', 'the servers were too busy to take the command in, or have no room on their disks']
  return ['TIMEOUT', 'the command has no outcome in time: perhaps a majority of the servers is out of reach']
}
