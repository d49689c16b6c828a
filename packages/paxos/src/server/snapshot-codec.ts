/**
 * A snapshot's content as chunks, and back: the head, then sessions, events, and the state's entries, each section in chunks
 * of about 128 KiB. What is read back has a checksum that fits, so only another version, or a mistake, could have made it
 * wrong; it is checked all the same. docs/ARCHITECTURE.md has the format.
 */
import { z } from 'zod'
import { packValue, unpackValue } from '../codec/values.js'
import type { Slot } from '../protocol/command.js'
import { SynodError } from '../protocol/error.js'
import type { SlotEvents } from '../protocol/event-ring.js'
import type { CoreSnapshot, SessionEntry, SnapshotHead } from '../protocol/snapshot.js'
import type { Section, SnapshotChunk } from '../storage/snapshots.js'
import { StorageError } from '../storage/storage.js'
import { sizeOf } from './value-size.js'

/** A chunk is closed at about this size (bytes). */
const CHUNK_BYTES = 128 << 10
/** More than this (bytes) is not read as one chunk; only one large entry of a state can come near it. */
const MAX_CHUNK = 64 << 20

/** The sections, in the order in which they stand. */
const SECTIONS: readonly Section[] = ['head', 'sessions', 'events', 'state']

/** A session, or a part of one: those of one client id that follow each other belong together. */
type SessionFields = readonly [clientId: string, acked: number, results: SessionEntry['results']]
type EventFields = readonly [slot: Slot, events: readonly Uint8Array[]]

/** The chunk that begins a snapshot. `pieces`: the state is restored piece by piece. */
export function encodeHead(head: SnapshotHead, pieces: boolean): SnapshotChunk {
  return { section: 'head', payload: packValue([head, { pieces }]) }
}

/** All chunks before those of the state. They can be drained later, as the core's snapshot can. */
export function* coreChunks(core: CoreSnapshot, pieces: boolean): Generator<SnapshotChunk, undefined> {
  yield encodeHead(core.head, pieces)
  yield* grouped('sessions', sessionParts(core.sessions))
  yield* grouped('events', eventParts(core.events))
}

/**
 * The chunks of a state's entries. Throws SynodError `STATE_UNSAVABLE` for what the state throws meanwhile, and for an entry
 * that is no plain data, or too large.
 */
export function* stateChunks(entries: Iterable<unknown>): Generator<SnapshotChunk, undefined> {
  try {
    for (const chunk of grouped('state', entries)) {
      if (chunk.payload.length > MAX_CHUNK)
        throw new Error(`an entry of it has more than ${MAX_CHUNK} bytes: it should yield several`)
      yield chunk
    }
  } catch (error) {
    throw unsavable(error)
  }
}

/** What a state threw when it was to be saved, as SynodError `STATE_UNSAVABLE`. */
export function unsavable(error: unknown): SynodError {
  const reason = error instanceof Error ? error.message : String(error)
  const failure = new SynodError('STATE_UNSAVABLE', `the state cannot be saved: ${reason}`)
  failure.cause = error
  return failure
}

function* grouped(section: Section, items: Iterable<unknown>): Generator<SnapshotChunk, undefined> {
  let group: unknown[] = []
  let bytes = 0
  for (const item of items) {
    group.push(item)
    bytes += sizeOf(item)
    if (bytes < CHUNK_BYTES) continue
    yield { section, payload: packValue(group) }
    group = []
    bytes = 0
  }
  if (group.length > 0) yield { section, payload: packValue(group) }
}

/** One session may have tens of MiB of results. */
function* sessionParts(sessions: Iterable<SessionEntry>): Generator<SessionFields, undefined> {
  for (const { clientId, acked, results } of sessions) {
    let from = 0
    let bytes = 0
    for (const [at, [, , value]] of results.entries()) {
      bytes += value.length
      if (bytes < CHUNK_BYTES) continue
      yield [clientId, acked, results.slice(from, at + 1)]
      from = at + 1
      bytes = 0
    }
    if (from === 0 || from < results.length) yield [clientId, acked, from === 0 ? results : results.slice(from)]
  }
}

/** The oldest slot, then the slots' events: those of one slot may be some MiB. */
function* eventParts(items: CoreSnapshot['events']): Generator<Slot | EventFields, undefined> {
  for (const item of items) {
    if (typeof item === 'number') yield item
    else if (item.events.length === 1) yield [item.slot, item.events]
    else yield* partsOf(item)
  }
}

function* partsOf({ slot, events }: SlotEvents): Generator<EventFields, undefined> {
  let from = 0
  let bytes = 0
  for (const [at, event] of events.entries()) {
    bytes += event.length
    if (bytes < CHUNK_BYTES && at < events.length - 1) continue
    yield [slot, events.slice(from, at + 1)]
    from = at + 1
    bytes = 0
  }
}

const integer = z.int().nonnegative()
const mark = z.strictObject({ slot: integer, hash: z.string().regex(/^[0-9a-f]{16}$/) })
const headFields = z.tuple([
  z.strictObject({
    slot: integer,
    ballot: z.strictObject({ round: integer, server: integer, start: integer }),
    chain: mark,
    block: mark,
    servers: integer.min(1),
  }),
  z.strictObject({ pieces: z.boolean() }),
])

/** Reads a snapshot's chunks, in their order. What does not fit is StorageError `BAD_SNAPSHOT`. */
export class SnapshotReader {
  #head: { readonly head: SnapshotHead; readonly pieces: boolean } | null = null
  #section = 0
  readonly #sessions: { clientId: string; acked: number; results: SessionEntry['results'][number][] }[] = []
  #oldest: Slot | null = null
  readonly #events: SlotEvents[] = []

  /** What it says first; null before the first chunk. */
  get head(): SnapshotHead | null {
    return this.#head?.head ?? null
  }

  /** Whether the state is restored piece by piece. */
  get pieces(): boolean {
    return this.#head?.pieces === true
  }

  /** Takes the next chunk. Gives the state's entries in it; null if it is another section's. */
  take({ section, payload }: SnapshotChunk): readonly unknown[] | null {
    const order = SECTIONS.indexOf(section)
    if (order < this.#section || (order === 0) !== (this.#head === null)) throw bad(`its ${section} is out of place`)
    this.#section = order
    let value: unknown
    try {
      value = unpackValue(payload)
    } catch (error) {
      throw bad(`its ${section} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (section === 'head') this.#takeHead(value)
    else if (!Array.isArray(value)) throw bad(`its ${section} is no list`)
    else if (section === 'state') return value as unknown[]
    else for (const item of value) this.#takeItem(section, item)
    return null
  }

  /** All chunks were taken: the core's part. */
  finish(): CoreSnapshot {
    if (this.#head === null || this.#oldest === null) throw bad('it ends before its state')
    return { head: this.#head.head, sessions: this.#sessions, events: [this.#oldest, ...this.#events] }
  }

  #takeHead(value: unknown): void {
    const parsed = headFields.safeParse(value)
    if (!parsed.success) throw bad('its head is not as this version writes it')
    const [head, { pieces }] = parsed.data
    this.#head = { head, pieces }
  }

  #takeItem(section: 'sessions' | 'events', item: unknown): void {
    if (section === 'sessions') this.#takeSession(item)
    else if (this.#oldest === null) this.#oldest = integerOf(item, section)
    else {
      const [slot, events, ...more] = listOf(item, section)
      if (more.length > 0) throw bad(`its ${section} are not as this version writes them`)
      this.#events.push({
        slot: integerOf(slot, section),
        events: listOf(events, section).map((event) => bytesOf(event, section)),
      })
    }
  }

  #takeSession(item: unknown): void {
    const section = 'sessions'
    const [clientId, acked, listed, ...more] = listOf(item, section)
    if (typeof clientId !== 'string' || more.length > 0) throw bad('its sessions are not as this version writes them')
    const last = this.#sessions.at(-1)
    const session = last?.clientId === clientId ? last : { clientId, acked: integerOf(acked, section), results: [] }
    if (session !== last) this.#sessions.push(session)
    for (const result of listOf(listed, section)) {
      const [localId, status, value, ...beyond] = listOf(result, section)
      if ((status !== 'ok' && status !== 'refused') || beyond.length > 0)
        throw bad('its sessions are not as this version writes them')
      session.results.push([integerOf(localId, section), status, bytesOf(value, section)])
    }
  }
}

function listOf(value: unknown, section: Section): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw bad(`its ${section} are not as this version writes them`)
}

function integerOf(value: unknown, section: Section): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw bad(`its ${section} are not as this version writes them`)
}

function bytesOf(value: unknown, section: Section): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw bad(`its ${section} are not as this version writes them`)
}

function bad(what: string): StorageError {
  return new StorageError('BAD_SNAPSHOT', `the snapshot cannot be used: ${what}`)
}
