/**
 * What clients subscribed to: each feed is a place in the ring of events, and no more is sent ahead than a window. So a
 * slow reader costs nothing but its place, and when the ring has passed it, it is told.
 */
import type { Slot } from '../protocol/command.js'
import type { EventRing, SlotEvents } from '../protocol/event-ring.js'
import { encodeFrame } from '../transport/codec.js'
import type { Connection } from '../transport/transport.js'
import { MAX_FEEDS } from '../transport/wire.js'

/** A feed is sent more as long as less than this (bytes) was sent and not taken. */
const WINDOW = 1 << 20
/** A frame of events is closed at this size (bytes). */
const FRAME_BYTES = 256 << 10
/** More events than this (bytes) of one slot are not sent: its frame might not be taken in. */
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
    feeds.set(number, new Feed(connection, number, first))
    this.#feeds.set(connection, feeds)
    this.#serveOne(connection, new FrameCache())
    return true
  }

  taken(connection: Connection, number: number, through: Slot): void {
    this.#feeds.get(connection)?.get(number)?.taken(through)
    this.#serveOne(connection, new FrameCache())
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

  /** Sends what is new. */
  serve(): void {
    const { emitted } = this.#source.events
    if (emitted === this.#served) return
    this.#served = emitted
    const frames = new FrameCache()
    for (const connection of this.#feeds.keys()) this.#serveOne(connection, frames)
  }

  #serveOne(connection: Connection, frames: FrameCache): void {
    for (const [number, feed] of this.#feeds.get(connection) ?? [])
      if (!feed.pump(this.#source, frames)) this.close(connection, number)
  }
}

/** One subscription of a client's. */
class Feed {
  readonly #connection: Connection
  /** The client's number of it. */
  readonly #number: number
  #next: Slot
  /** What was sent and not taken, the oldest first. */
  #sent: { readonly slot: Slot; readonly bytes: number }[] = []
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
      const frame = frames.at(this.#number, this.#next, source)
      if (frame === null) return true
      const { slots, bytes, encoded } = frame
      const last = slots.at(-1)?.slot ?? this.#next
      if (encoded === null) return this.#end(last + 1)
      this.#connection.send(encoded)
      this.#next = last + 1
      this.#sent.push({ slot: last, bytes })
      this.#sentBytes += bytes
    }
    return this.#next >= source.events.oldest || this.#end(source.events.oldest)
  }

  #end(oldest: Slot): false {
    this.#connection.send(encodeFrame({ type: 'compacted', feed: this.#number, oldest }))
    return false
  }
}

interface Frame {
  readonly slots: readonly SlotEvents[]
  readonly bytes: number
  /** null: too much for one frame. */
  readonly encoded: Uint8Array | null
}

/** Frames of one moment: feeds in the same place, which have the same number mostly, are sent the same bytes. */
class FrameCache {
  readonly #frames = new Map<string, Frame | null>()

  /** The frame for a feed that is in this place; null if nothing comes there yet. */
  at(feed: number, from: Slot, { events }: FeedSource): Frame | null {
    const key = `${feed} ${from}`
    const known = this.#frames.get(key)
    if (known !== undefined) return known
    const frame = frameOf(feed, events.read(from, FRAME_BYTES))
    this.#frames.set(key, frame)
    return frame
  }
}

function frameOf(feed: number, slots: readonly SlotEvents[]): Frame | null {
  if (slots.length === 0) return null
  let bytes = 0
  for (const { events } of slots) for (const event of events) bytes += event.length + 32
  return { slots, bytes, encoded: bytes > SLOT_LIMIT ? null : encodeFrame({ type: 'events', feed, slots }) }
}
