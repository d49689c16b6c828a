/**
 * What clients subscribed to: each feed is a place in the ring of events, and no more is sent ahead than a window. So a
 * slow reader costs nothing but its place, and when the ring has passed it, it is told.
 */
import type { Slot } from '../protocol/command.js'
import { eventBytes } from '../protocol/event-ring.js'
import type { EventRing, SlotEvents } from '../protocol/event-ring.js'
import { encodeFrame } from '../transport/codec.js'
import type { Connection } from '../transport/transport.js'
import { MAX_FEEDS } from '../transport/wire.js'

/** A feed is sent more as long as less than this (bytes) was sent and not taken. */
const WINDOW = 1 << 20
/** Nothing is sent to a connection on which more than this (bytes) waits to leave, whatever it is: more than any one frame. */
const BACKLOG = 16 << 20
/** A frame of events is closed at this size (bytes). */
const FRAME_BYTES = 256 << 10
/** What was sent is noted in pieces of about this size (bytes), however small its frames are. */
const PIECE_BYTES = 64 << 10
/** More events than this (as they count) of one slot are not sent: its frame might not be taken in. */
const SLOT_LIMIT = 12 << 20

/** Where events come from. */
export interface FeedSource {
  readonly events: Pick<EventRing, 'oldest' | 'emitted' | 'read'>
  /** The first slot that was not executed. */
  next(): Slot
}

/** The feeds of all connections. */
export class Feeds {
  readonly #source: FeedSource
  /** By connection, and by the client's number. */
  readonly #feeds = new Map<Connection, Map<number, Feed>>()
  /** How many events there were when all were served last. */
  #served = 0
  /** Connections on which too much waited then. */
  #clogged = new Set<Connection>()

  constructor(source: FeedSource) {
    this.#source = source
  }

  get size(): number {
    let size = 0
    for (const feeds of this.#feeds.values()) size += feeds.size
    return size
  }

  /** The connections that have feeds. */
  get connections(): Connection[] {
    return [...this.#feeds.keys()]
  }

  /** Begins a feed with a slot; null: with the next one that is executed. False if this connection may not have it. */
  open(connection: Connection, number: number, from: Slot | null): boolean {
    const feeds = this.#feeds.get(connection) ?? new Map<number, Feed>()
    if (feeds.has(number) || feeds.size >= MAX_FEEDS) return false
    const first = Math.max(1, from ?? this.#source.next())
    const { oldest } = this.#source.events
    if (first < oldest) {
      connection.send(encodeFrame({ type: 'compacted', feed: number, oldest }))
      return true
    }
    connection.send(encodeFrame({ type: 'subscribed', feed: number, from: first }))
    const feed = new Feed(connection, number, first)
    feeds.set(number, feed)
    this.#feeds.set(connection, feeds)
    this.#serve(connection, number, feed, new FrameCache())
    return true
  }

  taken(connection: Connection, number: number, through: Slot): void {
    const feed = this.#feeds.get(connection)?.get(number)
    if (feed === undefined) return
    feed.taken(through)
    this.#serve(connection, number, feed, new FrameCache())
  }

  close(connection: Connection, number: number): void {
    const feeds = this.#feeds.get(connection)
    feeds?.delete(number)
    if (feeds?.size === 0) this.#feeds.delete(connection)
  }

  /** The connection is gone. */
  forget(connection: Connection): void {
    this.#feeds.delete(connection)
  }

  /** Sends what is new, and what could not be sent before. To be called from time to time. */
  serve(): void {
    const { emitted } = this.#source.events
    const isNew = emitted !== this.#served
    if (!isNew && this.#clogged.size === 0) return
    const connections = isNew ? this.#feeds.keys() : this.#clogged
    this.#served = emitted
    this.#clogged = new Set()
    const frames = new FrameCache()
    for (const connection of connections)
      for (const [number, feed] of this.#feeds.get(connection) ?? []) this.#serve(connection, number, feed, frames)
  }

  #serve(connection: Connection, number: number, feed: Feed, frames: FrameCache): void {
    if (connection.buffered > BACKLOG) this.#clogged.add(connection)
    else if (!feed.pump(this.#source, frames)) this.close(connection, number)
  }
}

/** One subscription of a client's. */
class Feed {
  readonly #connection: Connection
  /** The client's number of it. */
  readonly #number: number
  #next: Slot
  /** What was sent and not taken, in pieces that end with a slot, the oldest first. */
  #sent: { slot: Slot; bytes: number }[] = []
  #sentBytes = 0

  constructor(connection: Connection, number: number, from: Slot) {
    this.#connection = connection
    this.#number = number
    this.#next = from
  }

  taken(through: Slot): void {
    const left = this.#sent.findIndex(({ slot }) => slot > through)
    for (const { bytes } of this.#sent.splice(0, left === -1 ? this.#sent.length : left)) this.#sentBytes -= bytes
  }

  /** Sends what there is, as far as there is room. False if it has ended. */
  pump(source: FeedSource, frames: FrameCache): boolean {
    while (this.#sentBytes < WINDOW) {
      if (this.#next < source.events.oldest) return this.#end(source.events.oldest)
      const frame = frames.at(this.#next, source)
      if (frame === null) return true
      const { last, bytes } = frame
      if (bytes > SLOT_LIMIT) return this.#end(last + 1)
      this.#connection.send(frame.of(this.#number))
      this.#next = last + 1
      this.#note(last, bytes)
    }
    return this.#next >= source.events.oldest || this.#end(source.events.oldest)
  }

  #note(slot: Slot, bytes: number): void {
    this.#sentBytes += bytes
    const piece = this.#sent.at(-1)
    if (piece === undefined || piece.bytes + bytes > PIECE_BYTES) return void this.#sent.push({ slot, bytes })
    piece.slot = slot
    piece.bytes += bytes
  }

  #end(oldest: Slot): false {
    this.#connection.send(encodeFrame({ type: 'compacted', feed: this.#number, oldest }))
    return false
  }
}

/** Frames of one moment, by the slot from which they tell: many feeds are in the same place. */
class FrameCache {
  readonly #frames = new Map<Slot, EventsFrame | null>()

  /** What comes next for a feed that is in this place; null if there is nothing yet. */
  at(from: Slot, { events }: FeedSource): EventsFrame | null {
    const known = this.#frames.get(from)
    if (known !== undefined) return known
    const slots = events.read(from, FRAME_BYTES)
    const frame = slots.length === 0 ? null : frameOf(slots)
    this.#frames.set(from, frame)
    return frame
  }
}

/** The frame of these slots; if they are too much for one, of those before the last, which only can be so large. */
function frameOf(slots: readonly SlotEvents[]): EventsFrame {
  const frame = new EventsFrame(slots)
  return frame.bytes > SLOT_LIMIT && slots.length > 1 ? new EventsFrame(slots.slice(0, -1)) : frame
}

class EventsFrame {
  readonly last: Slot
  readonly bytes: number
  readonly #slots: readonly SlotEvents[]
  /** By the number of the feed, which is the same for most of them. */
  readonly #encoded = new Map<number, Uint8Array>()

  constructor(slots: readonly SlotEvents[]) {
    this.#slots = slots
    this.last = slots.at(-1)?.slot ?? 0
    this.bytes = slots.reduce((sum, { events }) => events.reduce((bytes, event) => bytes + eventBytes(event), sum), 0)
  }

  /** As it is sent to a feed of this number. */
  of(feed: number): Uint8Array {
    const known = this.#encoded.get(feed)
    if (known !== undefined) return known
    const encoded = encodeFrame({ type: 'events', feed, slots: this.#slots })
    this.#encoded.set(feed, encoded)
    return encoded
  }
}
