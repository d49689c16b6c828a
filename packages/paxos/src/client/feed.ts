/** One subscription, as its reader sees it: events in order, each once, whatever becomes of the servers that send them. */
import type { Slot } from '../protocol/command.js'
import type { SlotEvents } from '../protocol/event-ring.js'
import { decodeValue } from '../service/service-codec.js'
import { ClientError, FeedError } from './error.js'

/** An event that the state emitted. */
export interface FeedEvent<Event> {
  /** The slot whose command emitted it. */
  readonly slot: number
  /** Its place among the events of this slot, from 0. ⟨slot, index⟩ names an event, and is the same on all servers. */
  readonly index: number
  readonly value: Event
}

export interface SubscribeOptions {
  /**
   * The first slot whose events are wanted, 0 and 1 being the beginning; `'now'` (the default): all that are decided from now
   * on, and perhaps a few before, if the server that is asked lags behind the others. To go on behind an event that was taken
   * before, begin with its slot, and leave out those of that slot up to its index.
   */
  readonly from?: number | 'now'
}

/** What a feed needs of its client. */
export interface FeedHost {
  /** All events up to this slot were taken. */
  taken(feed: FeedState, through: Slot): void
  /** It is not read any more. */
  left(feed: FeedState): void
}

/**
 * Events as they are decided; made by {@link Client.subscribe}, and read by `for await`: once, by one reader (two would
 * share the events). While nothing can be heard from the cluster it waits; the reader need not know. It ends without an error
 * when the reader leaves its loop, or by {@link close}; else with a {@link FeedError} or {@link ClientError}.
 */
export interface Feed<Event> extends AsyncIterable<FeedEvent<Event>> {
  /**
   * The first slot whose events come: nothing that is decided from there on is missed. Resolves when a server has begun to
   * send; rejects if none ever will. Need not be waited for.
   */
  readonly started: Promise<number>
  /** Ends it; a reader that waits gets no more events. */
  close(): void
}

/** So many events that were taken may stay in memory. */
const DROP_AT = 1024

/** The feed, as its client sees it. */
export class FeedState implements Feed<unknown>, AsyncIterableIterator<FeedEvent<unknown>> {
  readonly started: Promise<number>
  readonly #host: FeedHost
  /** The first slot whose events did not come yet; null: whatever the server begins with. */
  #next: Slot | null
  #queue: FeedEvent<unknown>[] = []
  /** The reader is in this place of the queue. */
  #at = 0
  #end: { readonly error: Error | null } | undefined
  /** Questions that came before their answers: mostly one. */
  #waiting: { resolve: (result: IteratorResult<FeedEvent<unknown>>) => void; reject: (error: Error) => void }[] = []
  #begun = false
  #start: (slot: Slot) => void = () => undefined
  #neverStart: (error: Error) => void = () => undefined

  constructor(from: Slot | null, host: FeedHost) {
    this.#next = from
    this.#host = host
    this.started = new Promise((resolve, reject) => {
      this.#start = resolve
      this.#neverStart = reject
    })
    this.started.catch(() => undefined) // whoever reads the feed is told, too
  }

  /** What to ask a server for. */
  get from(): Slot | null {
    return this.#next
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<FeedEvent<unknown>>> {
    const event = this.#queue[this.#at]
    if (event !== undefined) return Promise.resolve({ done: false, value: this.#take(event) })
    if (this.#end !== undefined) return this.#ended(this.#end.error)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  /** The reader left its loop. */
  return(): Promise<IteratorResult<FeedEvent<unknown>>> {
    this.close()
    return Promise.resolve({ done: true, value: undefined })
  }

  close(): void {
    if (this.#end !== undefined && this.#queue.length === 0) return
    this.#queue = []
    this.#at = 0
    this.fail(null)
    this.#end = { error: null }
  }

  // What its client tells.

  /** A server begins to send, with this slot. */
  begun(from: Slot): void {
    this.#next ??= from
    this.#begun = true
    this.#start(this.#next)
  }

  /** What comes next. */
  arrived(slots: readonly SlotEvents[]): void {
    let failure: ClientError | undefined
    try {
      for (const { slot, events } of slots) {
        this.#next = slot + 1
        for (const [index, bytes] of events.entries()) this.#queue.push({ slot, index, value: decodeValue(bytes) })
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      failure = new ClientError('INCOMPATIBLE', `an event of the feed cannot be read: ${why}`)
    }
    while (this.#waiting.length > 0) {
      const event = this.#queue[this.#at]
      if (event === undefined) break
      this.#waiting.shift()?.resolve({ done: false, value: this.#take(event) })
    }
    if (failure !== undefined) this.fail(failure)
  }

  /** The servers have dropped what comes next. */
  compacted(oldest: Slot): void {
    const next = this.#next ?? oldest
    this.fail(
      this.#begun
        ? new FeedError(
            'LAGGED',
            `the feed was read too slowly, or cut off for too long: the events of slots ${next} to ${oldest - 1} are gone`,
            oldest,
          )
        : new FeedError(
            'COMPACTED',
            `the events of slots ${next} to ${oldest - 1} are gone: begin with the state, or with slot ${oldest}`,
            oldest,
          ),
    )
  }

  /** It ends behind what came already; null: without an error. */
  fail(error: Error | null): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    this.#host.left(this)
    this.#neverStart(error ?? new ClientError('CLOSED', 'the feed was closed before it had begun'))
    for (const { resolve, reject } of this.#waiting.splice(0)) this.#ended(this.#end.error).then(resolve, reject)
  }

  #take(event: FeedEvent<unknown>): FeedEvent<unknown> {
    this.#at++
    const isLast = this.#queue[this.#at]?.slot !== event.slot
    if (this.#at === this.#queue.length || this.#at >= DROP_AT) {
      this.#queue = this.#queue.slice(this.#at)
      this.#at = 0
    }
    if (isLast) this.#host.taken(this, event.slot)
    return event
  }

  #ended(error: Error | null): Promise<IteratorResult<FeedEvent<unknown>>> {
    this.#end = { error: null } // it is told once
    return error === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error)
  }
}
