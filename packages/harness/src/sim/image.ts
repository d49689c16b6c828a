/** What a replica holds after a slot: as the service should hold it, and as a snapshot says. */
import { packValue } from '@synod/paxos/internal/codec/values'
import type { AuditMark } from '@synod/paxos/internal/protocol/audit'
import type { Slot } from '@synod/paxos/internal/protocol/command'
import type { RingLimits, SlotEvents } from '@synod/paxos/internal/protocol/event-ring'
import { DEFAULT_RING, eventBytes } from '@synod/paxos/internal/protocol/event-ring'
import type { SessionEntry, SnapshotHead } from '@synod/paxos/internal/protocol/snapshot'
import { SnapshotReader } from '@synod/paxos/internal/server/snapshot-codec'
import type { SnapshotChunk } from '@synod/paxos/internal/storage/snapshots'

/** All replicated state after a slot. */
export interface Image {
  readonly chain: AuditMark
  /** The last end of a block of the chain. */
  readonly block: AuditMark
  /** In the order of their last use. */
  readonly sessions: readonly SessionEntry[]
  readonly events: readonly SlotEvents[]
  /** What the state's snapshot yields, in whatever order. */
  readonly entries: readonly unknown[]
}

/** What a snapshot's chunks say. Throws StorageError `BAD_SNAPSHOT` for what is none. */
export function imageOf(chunks: readonly SnapshotChunk[]): { readonly head: SnapshotHead; readonly image: Image } {
  const reader = new SnapshotReader()
  const entries = chunks.flatMap((chunk) => reader.take(chunk) ?? [])
  const { head, sessions, events } = reader.finish()
  const slots = [...events].filter((item): item is SlotEvents => typeof item !== 'number')
  return { head, image: { chain: head.chain, block: head.block, sessions: [...sessions], events: slots, entries } }
}

/** Names the first part in which two images differ; null if they are the same. */
export function differs(a: Image, b: Image): string | null {
  for (const [name, of] of Object.entries(PARTS)) if (!sameText(of(a), of(b))) return name
  return null
}

/** Whether the entries of two states differ, in whatever order they stand. */
export function stateDiffers(a: readonly unknown[], b: readonly unknown[]): boolean {
  return !sameText(a.map(textOf).sort(), b.map(textOf).sort())
}

const PARTS: Readonly<Record<string, (image: Image) => Iterable<unknown>>> = {
  'the chain': ({ chain, block }) => [chain, block],
  // A session's results may stand in any order: they are found by their number.
  sessions: ({ sessions }) =>
    sessions.map(({ clientId, acked, results }) => [clientId, acked, ...[...results].sort(([a], [b]) => a - b)]),
  // Those of a slot may come in parts.
  events: ({ events }) => events.flatMap(({ slot, events }) => events.map((event) => [slot, event])),
  'the state': ({ entries }) => [...entries].map(textOf).sort(),
}

function sameText(a: Iterable<unknown>, b: Iterable<unknown>): boolean {
  return textOf([...a]) === textOf([...b])
}

function textOf(value: unknown): string {
  return Buffer.from(packValue(value)).toString('latin1')
}

/** The latest of these events, as many as a ring of this size keeps: whole slots, and always the last one. */
export function latest(all: ReadonlyMap<Slot, readonly Uint8Array[]>, limits: RingLimits = DEFAULT_RING): SlotEvents[] {
  const kept: SlotEvents[] = []
  let [count, bytes] = [0, 0]
  for (const [slot, events] of [...all].sort(([a], [b]) => b - a)) {
    count += events.length
    for (const event of events) bytes += eventBytes(event)
    if (kept.length > 0 && (count > limits.events || bytes > limits.bytes)) break
    kept.push({ slot, events })
  }
  return kept.reverse()
}
