/** What the log holds: commands, and the pvalues and runs in which they travel. */
import type { Ballot, ServerId } from './ballot.js'

/** A position in the log, from 1. (Slot 0 is before the first.) */
export type Slot = number

/**
 * One entry of the log.
 * - `op`: a client's operation, executed once under its session.
 * - `open`: opens a session; its client id is ⟨slot, nonce⟩, so that a late copy opens another one, never this again.
 * - `end`: ends a session: its client closed it, or the leader has not heard of that client for as long as a session lasts.
 * - `mark`: nothing but a place in the log, at which every server takes a digest of its state, so that they can be compared.
 * - `noop`: fills a hole that a leader found when it was adopted (the paper's section 4.1).
 */
export type Command =
  | {
      readonly kind: 'op'
      readonly clientId: string
      readonly localId: number
      readonly acked: number
      readonly op: Uint8Array
    }
  | { readonly kind: 'open'; readonly nonce: string }
  | { readonly kind: 'end'; readonly clientId: string }
  | { readonly kind: 'mark'; readonly nonce: string }
  | { readonly kind: 'noop' }

export const NOOP: Command = { kind: 'noop' }

/** Commands of contiguous slots from `first`, proposed or accepted at one ballot: the paper's pvalues ⟨b, s, c⟩, in a row. */
export interface Run {
  readonly ballot: Ballot
  readonly first: Slot
  readonly commands: readonly Command[]
}

/** The last slot of a run. */
export function lastSlot(run: { readonly first: Slot; readonly commands: readonly Command[] }): Slot {
  return run.first + run.commands.length - 1
}

/** What a majority of acceptors told a scout: its ballot is adopted (2.2). */
export interface Adopted {
  /** For each slot, the command that was accepted at the highest ballot: the paper's pmax. */
  readonly proposals: ReadonlyMap<Slot, Command>
  /** The highest slotOut among those that answered, and whose it is: to be reached before anything is proposed. */
  readonly decided: Slot
  readonly decidedBy: ServerId
  /** The highest slot at or below which a member of the quorum has collected its log (4.2): decided, and below `decided`. */
  readonly collected: Slot
}

/** Bytes that count against a limit: the operation's, and a little for what goes with it. */
export function commandBytes(command: Command): number {
  return command.kind === 'op' ? command.op.length + 48 : 48
}

/** Whether two commands are the same, byte for byte. */
export function sameCommand(a: Command, b: Command): boolean {
  if (a === b) return true
  if (a.kind === 'op') {
    return (
      b.kind === 'op' &&
      a.clientId === b.clientId &&
      a.localId === b.localId &&
      a.acked === b.acked &&
      sameBytes(a.op, b.op)
    )
  }
  if (a.kind === 'open') return b.kind === 'open' && a.nonce === b.nonce
  if (a.kind === 'end') return b.kind === 'end' && a.clientId === b.clientId
  if (a.kind === 'mark') return b.kind === 'mark' && a.nonce === b.nonce
  return b.kind === 'noop'
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** What a client is told: the outcome of the command that it sent under this key. */
export interface Reply {
  /** The session's client id; for the opening of a session and for a mark, the nonce. */
  readonly clientId: string
  /** The command's number in its session; 0 for the opening and the end of a session, and for a mark. */
  readonly localId: number
  readonly result: Result
}

/**
 * - `ok`: executed; what `execute` returned, encoded (for the opening of a session: its client id, in
 *   UTF-8; for a mark: its slot, in decimal digits).
 * - `refused`: executed, and the service refused it with a coded error, encoded.
 * - `expired`: the session is unknown: not executed by this copy of the command.
 * - `stale`: below the session's watermark: its client had said that it knows the outcome.
 * - `busy`: not taken in, too many commands wait at this server.
 */
export interface Result {
  readonly status: 'ok' | 'refused' | 'expired' | 'stale' | 'busy'
  readonly value: Uint8Array
}
