/**
 * The latest events that the state emitted, by slot: what subscribers are sent. It is replicated state: every server
 * changes it in slot order, by the commands alone, so any server can go on where another one stopped.
 */
import type { Slot } from './command.js'

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

/** Bytes of a slab; an event that is larger has one of its own. */
const SLAB_BYTES = 256 << 10

/**
 * Events one behind the other in one piece of memory: tens of thousands of small objects that live for a while would
 * cost more than all the rest of an operation.
 */
interface Slab {
  readonly bytes: Uint8Array
  /** Of each event: its slot, and where it ends. */
  readonly slots: Slot[]
  readonly ends: number[]
}

export class EventRing {
  readonly #limits: RingLimits
  #slabs: Slab[] = []
  /** Of the first slab: the events before this one are dropped. */
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
    let slab = this.#slabs.at(-1)
    let start = slab?.ends.at(-1) ?? 0
    if (slab === undefined || start + event.length > slab.bytes.length) {
      slab = { bytes: new Uint8Array(Math.max(SLAB_BYTES, event.length)), slots: [], ends: [] }
      start = 0
      this.#slabs.push(slab)
    }
    slab.bytes.set(event, start)
    slab.slots.push(slot)
    slab.ends.push(start + event.length)
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
    for (let at = this.#slabOf(from); at < this.#slabs.length; at++) {
      const slab = this.#slabs[at]
      if (slab === undefined) break
      for (let index = this.#indexOf(at, slab, from); index < slab.slots.length; index++) {
        const slot = slab.slots[index] ?? 0
        const event = eventOf(slab, index)
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
    const view = this.#slabs.map((slab, at) => ({ slab, from: at === 0 ? this.#head : 0, to: slab.slots.length }))
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
    this.#slabs = []
    this.#head = this.#events = this.#bytes = 0
    for (const item of snapshot) {
      if (typeof item === 'number') this.#oldest = item
      else for (const event of item.events) this.add(item.slot, event)
    }
    this.#emitted++ // so that whoever follows it looks again
  }

  /** The first slab that may hold events of this slot or behind it. */
  #slabOf(from: Slot): number {
    let [low, high] = [0, this.#slabs.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#slabs[middle]?.slots.at(-1) ?? 0) < from) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The first event of this slot or behind it in a slab. */
  #indexOf(at: number, slab: Slab, from: Slot): number {
    let [low, high] = [at === 0 ? this.#head : 0, slab.slots.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((slab.slots[middle] ?? 0) < from) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Drops all events of the oldest slot that has any; false if that is the last one. */
  #dropSlot(): boolean {
    const slot = this.#slabs[0]?.slots[this.#head]
    if (slot === undefined || slot === this.#last) return false
    for (let slab = this.#slabs[0]; slab?.slots[this.#head] === slot; slab = this.#slabs[0]) {
      this.#events--
      this.#bytes -= lengthOf(slab, this.#head) + EVENT_BYTES
      if (++this.#head < slab.slots.length) continue
      this.#slabs.shift()
      this.#head = 0
    }
    this.#oldest = slot + 1
    return true
  }
}

/** Slabs are only added to, so what was in one is there as long as anybody has the slab. */
function* slotsOf(view: readonly { slab: Slab; from: number; to: number }[]): Generator<SlotEvents> {
  let last: { slot: Slot; events: Uint8Array[] } | undefined
  for (const { slab, from, to } of view) {
    for (let index = from; index < to; index++) {
      const slot = slab.slots[index] ?? 0
      if (last !== undefined && last.slot !== slot) yield last
      if (last?.slot !== slot) last = { slot, events: [] }
      last.events.push(eventOf(slab, index))
    }
  }
  if (last !== undefined) yield last
}

function lengthOf({ ends }: Slab, index: number): number {
  return (ends[index] ?? 0) - (ends[index - 1] ?? 0)
}

/** A view of an event. */
function eventOf(slab: Slab, index: number): Uint8Array {
  return slab.bytes.subarray(slab.ends[index - 1] ?? 0, slab.ends[index])
}
