/** What a host keeps for a core in tests: snapshots, and a log of which a base record lets go what is not needed. */
import type { Slot } from '@synod/paxos/internal/protocol/command'
import { lastSlot } from '@synod/paxos/internal/protocol/command'
import type { SlotEvents } from '@synod/paxos/internal/protocol/event-ring'
import type { Paxos } from '@synod/paxos/internal/protocol/paxos'
import type { LogRecord } from '@synod/paxos/internal/protocol/ready'
import type { CoreSnapshot, SessionEntry, SnapshotHead } from '@synod/paxos/internal/protocol/snapshot'
import type { Journal } from './transcript.js'

/** A snapshot as a file would hold it. */
export interface Saved {
  readonly head: SnapshotHead
  readonly sessions: readonly SessionEntry[]
  readonly events: readonly (number | SlotEvents)[]
  readonly state: Journal
}

/** Reads a core's part of a snapshot now. */
export function read({ head, sessions, events }: CoreSnapshot): Pick<Saved, 'head' | 'sessions' | 'events'> {
  return { head, sessions: [...sessions], events: [...events] }
}

/** The core, and the state machine that it executes on, as they are now. */
export function save(core: Pick<Paxos, 'capture'>, state: Journal): Saved {
  return { ...read(core.capture()), state: state.copy() }
}

/** What is left of a log when all has gone that its last base record makes superfluous. */
export function collect(records: readonly LogRecord[]): LogRecord[] {
  const at = records.findLastIndex(({ type }) => type === 'base')
  const base = records[at]
  if (base?.type !== 'base' || isRepairing(records)) return [...records]
  const needed = (record: LogRecord): boolean =>
    record.type === 'accept'
      ? lastSlot(record.run) > base.collected
      : record.type === 'learn' && lastSlot(record) > base.collected
  const first = records.findIndex(needed)
  return records.slice(first < 0 ? at : Math.min(first, at))
}

/** Whether a repair was begun and not ended. */
export function isRepairing(records: readonly LogRecord[]): boolean {
  const last = records.findLast(({ type }) => type === 'repairing' || type === 'repaired')
  return last?.type === 'repairing'
}

/** Rebuilds a core from what is durable: as a host does it, the snapshot first, then the log. Gives what was collected. */
export function recover(from: {
  readonly core: Paxos
  readonly machine: Journal
  readonly snapshot: Saved | null
  readonly durable: readonly LogRecord[]
}): Slot {
  const { core, machine, snapshot, durable } = from
  const collected = durable.reduce((most, each) => (each.type === 'base' ? each.collected : most), 0)
  core.restoreCollected(collected)
  if (snapshot !== null) {
    machine.replace(snapshot.state)
    core.install(snapshot)
  }
  for (const record of durable) core.restore(record)
  return collected
}
