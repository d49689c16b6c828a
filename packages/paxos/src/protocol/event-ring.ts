/**
 * The latest events that the state emitted, by slot: what subscribers are sent. It is replicated state: every server
 * changes it in slot order, by the commands alone, so any server can go on where another one stopped.
 */
import type { Slot } from './command.js'
import { Slab } from './slab.js'

/** The events of one slot, in the order in which they were emitted; at least one. */
export interface SlotEvents {
  readonly slot: Slot
  readonly events: readonly Uint8Array[]
}

/** How much is kept: past either, the events of the oldest slots are dropped (those of the last slot never are). */
export interface RingLimits {
  readonly events: number
  /** As {@link eventBytes} counts them. */
  readonly bytes: number
}

export const DEFAULT_RING: RingLimits = { events: 65_536, bytes: 16 << 20 }

/** What an event costs beyond its bytes. */
const EVENT_BYTES = 32

/** What an event counts, wherever events are bounded. */
export function eventBytes(event: Uint8Array): number {
  return event.length + EVENT_BYTES
}

/** Bytes of the events of a part; an event that is larger has one of its own. */
const PART_BYTES = 256 << 10

/** Events one behind the other, and their slots. */
interface Part {
  readonly events: Slab
  readonly slots: Slot[]
}

export class EventRing {
  readonly #limits: RingLimits
  #parts: Part[] = []
  /** The part that was emptied last, to be filled again. */
  #spare: Part | undefined
  /** Of the first part: the events before this one are dropped. */
  #head = 0
  #events = 0
  #bytes = 0
  #oldest: Slot = 1
  #last: Slot = 0
  #emitted = 0

  constructor(limits: RingLimits = DEFAULT_RING) {
    this.#limits = limits
  }

  /** Every event of this slot and of those behind it is here. */
  get oldest(): Slot {
    return this.#oldest
  }

  /** How many events were ever added here: it tells whether there are new ones. */
  get emitted(): number {
    return this.#emitted
  }

  /** Adds an event of a slot, which is the last one's or behind it. */
  add(slot: Slot, event: Uint8Array): void {
    const { events, slots } = this.#partWith(event.length)
    slots[events.count] = slot
    events.push(event)
    this.#last = slot
    this.#events++
    this.#bytes += eventBytes(event)
    this.#emitted++
    while (this.#events > this.#limits.events || this.#bytes > this.#limits.bytes) if (!this.#dropSlot()) break
  }

  /** The events of slots from `from` on, the oldest first: those of one slot, and more up to `most` bytes in all. */
  read(from: Slot, most: number): SlotEvents[] {
    const found: { slot: Slot; events: Uint8Array[] }[] = []
    let bytes = 0
    let last: { slot: Slot; events: Uint8Array[] } | undefined
    for (let at = this.#partOf(from); at < this.#parts.length; at++) {
      const part = this.#parts[at]
      if (part === undefined) break
      for (let index = this.#indexOf(at, part, from); index < part.events.count; index++) {
        const slot = part.slots[index] ?? 0
        const event = part.events.at(index)
        bytes += eventBytes(event)
        if (last?.slot === slot) last.events.push(event)
        else if (last !== undefined && bytes > most) return found
        else found.push((last = { slot, events: [event] }))
      }
    }
    return found
  }

  /** All of it, as a snapshot keeps it: the oldest slot, then the slots' events. A view that is fixed now. */
  snapshot(): Iterable<Slot | SlotEvents> {
    for (const { events } of this.#parts) events.lend()
    const view = this.#parts.map((part, at) => ({ part, from: at === 0 ? this.#head : 0, to: part.events.count }))
    const oldest = this.#oldest
    return {
      *[Symbol.iterator]() {
        yield oldest
        yield* slotsOf(view)
      },
    }
  }

  /** Replaces all of it by what {@link snapshot} yielded. */
  restore(snapshot: Iterable<Slot | SlotEvents>): void {
    this.#parts = []
    this.#head = this.#events = this.#bytes = 0
    for (const item of snapshot) {
      if (typeof item === 'number') this.#oldest = item
      else for (const event of item.events) this.add(item.slot, event)
    }
    this.#emitted++ // so that whoever follows it looks again
  }

  /** The last part, if an event of so many bytes finds room in it; else a new one. */
  #partWith(bytes: number): Part {
    const last = this.#parts.at(-1)
    if (last?.events.fits(bytes) === true) return last
    const isCommon = bytes <= PART_BYTES
    const part = (isCommon ? this.#spare : undefined) ?? { events: new Slab(Math.max(PART_BYTES, bytes)), slots: [] }
    if (isCommon) this.#spare = undefined
    this.#parts.push(part)
    return part
  }

  /** The first part that may hold events of this slot or behind it. */
  #partOf(from: Slot): number {
    let [low, high] = [0, this.#parts.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (lastSlotOf(this.#parts[middle]) < from) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The first event of this slot or behind it in a part. */
  #indexOf(at: number, { slots, events }: Part, from: Slot): number {
    let [low, high] = [at === 0 ? this.#head : 0, events.count]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((slots[middle] ?? 0) < from) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Drops all events of the oldest slot that has any; false if that is the last one. */
  #dropSlot(): boolean {
    const slot = this.#oldestSlot()
    if (slot === undefined || slot === this.#last) return false
    for (let part = this.#parts[0]; part !== undefined && this.#oldestSlot() === slot; part = this.#parts[0]) {
      this.#events--
      this.#bytes -= part.events.lengthOf(this.#head) + EVENT_BYTES
      if (++this.#head < part.events.count) continue
      this.#parts.shift()
      this.#head = 0
      if (part.events.size === PART_BYTES && part.events.clear()) this.#spare = part
    }
    this.#oldest = slot + 1
    return true
  }

  /** The oldest slot that has events. */
  #oldestSlot(): Slot | undefined {
    return this.#parts[0]?.slots[this.#head]
  }
}

/** Parts are only added to until they are dropped, and what is lent stays: so what is in the view is there as long as it is. */
function* slotsOf(view: readonly { part: Part; from: number; to: number }[]): Generator<SlotEvents> {
  let last: { slot: Slot; events: Uint8Array[] } | undefined
  for (const { part, from, to } of view) {
    for (let index = from; index < to; index++) {
      const slot = part.slots[index] ?? 0
      if (last !== undefined && last.slot !== slot) yield last
      if (last?.slot !== slot) last = { slot, events: [] }
      last.events.push(part.events.at(index))
    }
  }
  if (last !== undefined) yield last
}

function lastSlotOf(part: Part | undefined): Slot {
  return part?.slots[part.events.count - 1] ?? 0
}
