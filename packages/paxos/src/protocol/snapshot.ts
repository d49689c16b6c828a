/** The core's part of a snapshot; the state machine's entries are the host's to save and restore. */
import type { AuditMark } from './audit.js'
import type { Ballot } from './ballot.js'
import type { Result, Slot } from './command.js'
import type { SlotEvents } from './event-ring.js'

/** What a snapshot says first. */
export interface SnapshotHead {
  /** The last slot that is in it. */
  readonly slot: Slot
  /** All that is in it was chosen at or below this ballot. */
  readonly ballot: Ballot
  /** The chain's hash after this slot, and the last whole block of it. */
  readonly chain: AuditMark
  readonly block: AuditMark
  /** How many servers decide the slots behind it (the configuration; all of them, by id). */
  readonly servers: number
}

/** A session as a snapshot keeps it, in the order of their last use. */
export interface SessionEntry {
  readonly clientId: string
  readonly acked: number
  readonly results: readonly (readonly [localId: number, status: Result['status'], value: Uint8Array])[]
}

/** The core at one moment. The iterables are fixed: they can be read later, whatever happens meanwhile. */
export interface CoreSnapshot {
  readonly head: SnapshotHead
  readonly sessions: Iterable<SessionEntry>
  /** The oldest slot of the ring, then the slots' events. */
  readonly events: Iterable<Slot | SlotEvents>
}
