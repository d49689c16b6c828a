/** The feeds of one client: each begins anew, where it stopped, on every connection. */
import type { Slot } from '../protocol/command.js'
import { eventBytes } from '../protocol/event-ring.js'
import type { SlotEvents } from '../protocol/event-ring.js'
import { MAX_FEEDS } from '../transport/wire.js'
import type { ClientFrame, ServerFrame } from '../transport/wire.js'
import { ClientError } from './error.js'
import { FeedState } from './feed.js'

/** The servers are told that events were taken when these have so many bytes together: a part of what they send ahead. */
const TELL_AT = 128 << 10
/** As long as so many bytes wait for the reader, no other server is asked for more. */
const ENOUGH = 1 << 20

export type FeedFrame = Extract<ServerFrame, { type: 'subscribed' | 'events' | 'compacted' }>

/** Where their frames go. */
export interface FeedsHost {
  /** Sends a frame if the connection is up. */
  send(frame: ClientFrame): void
  /** A feed was added. */
  wanted(): void
}

interface Entry {
  readonly feed: FeedState
  /** On the wire: no number is used twice over a connection. 0: it was not asked for over the one that is up. */
  number: number
  /** By slot: bytes of events that came and were not taken. */
  readonly untaken: Map<Slot, number>
  untakenBytes: number
  /** Bytes that were taken, since the server was told. */
  takenBytes: number
}

export class Feeds {
  readonly #host: FeedsHost
  readonly #entries = new Map<FeedState, Entry>()
  #lastNumber = 0
  #isUp = false

  constructor(host: FeedsHost) {
    this.#host = host
  }

  get size(): number {
    return this.#entries.size
  }

  add(from: Slot | null): FeedState {
    const feed = new FeedState(from, {
      taken: (which, through) => {
        this.#taken(which, through)
      },
      left: (which) => {
        this.#left(which)
      },
    })
    const entry = { feed, number: 0, untaken: new Map<Slot, number>(), untakenBytes: 0, takenBytes: 0 }
    if (this.#entries.size >= MAX_FEEDS) {
      feed.fail(new ClientError('BUSY', `this client has ${MAX_FEEDS} feeds already: close one that is not needed`))
      return feed
    }
    this.#entries.set(feed, entry)
    if (this.#isUp) this.#ask(entry)
    else this.#host.wanted()
    return feed
  }

  /** A connection is up: asks for all feeds, from where they stopped. */
  linkReady(): void {
    this.#isUp = true
    this.#lastNumber = 0 // servers like the same numbers on all connections: they make frames of events once
    for (const entry of this.#entries.values()) if (entry.untakenBytes < ENOUGH) this.#ask(entry)
  }

  linkLost(): void {
    this.#isUp = false
    for (const entry of this.#entries.values()) entry.number = 0
  }

  frame(frame: FeedFrame): void {
    for (const entry of this.#entries.values()) {
      if (entry.number !== frame.feed) continue
      if (frame.type === 'subscribed') entry.feed.begun(frame.from)
      else if (frame.type === 'compacted') entry.feed.compacted(frame.oldest)
      else this.#arrived(entry, frame.slots)
      return
    }
    // It was closed meanwhile.
  }

  /** All of them end. */
  fail(error: Error): void {
    for (const feed of [...this.#entries.keys()]) feed.fail(error)
  }

  #arrived(entry: Entry, slots: readonly SlotEvents[]): void {
    const from = entry.feed.from ?? 0
    const news = slots.filter(({ slot }) => slot >= from) // it was told where to begin
    for (const { slot, events } of news) {
      const bytes = bytesOf(events)
      entry.untaken.set(slot, bytes)
      entry.untakenBytes += bytes
    }
    entry.feed.arrived(news)
  }

  #ask(entry: Entry): void {
    entry.number = ++this.#lastNumber
    entry.takenBytes = 0
    this.#host.send({ type: 'subscribe', feed: entry.number, from: entry.feed.from })
  }

  #taken(feed: FeedState, through: Slot): void {
    const entry = this.#entries.get(feed)
    if (entry === undefined) return
    const bytes = entry.untaken.get(through) ?? 0
    entry.untaken.delete(through)
    entry.untakenBytes -= bytes
    entry.takenBytes += bytes
    if (!this.#isUp) return
    if (entry.number === 0) {
      if (entry.untakenBytes < ENOUGH / 2) this.#ask(entry)
    } else if (entry.takenBytes >= TELL_AT) {
      entry.takenBytes = 0
      this.#host.send({ type: 'taken', feed: entry.number, through })
    }
  }

  #left(feed: FeedState): void {
    const number = this.#entries.get(feed)?.number ?? 0
    this.#entries.delete(feed)
    if (number !== 0) this.#host.send({ type: 'unsubscribe', feed: number })
  }
}

function bytesOf(events: SlotEvents['events']): number {
  return events.reduce((bytes, event) => bytes + eventBytes(event), 0)
}
