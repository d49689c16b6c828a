/**
 * The events of one part, and a walk through them. At any time the walk stands before the completion of an operation that was not yet
 * put in order: whatever began before that may be next, and all that completed before it has been. So what was put in order
 * is known by the place of the walk, and by which of the few operations that are open there were.
 */
import type { Operation } from './model.js'

/** More open operations at once, and sets of them no longer fit into a number. */
const MAX_BITS = 24
const BITS = 2 ** MAX_BITS

export class Timeline {
  /** For each event its operation: as it is where that begins, as -1 - operation where it completes. */
  readonly events: Int32Array
  /** For each event its place in the history. */
  readonly places: Int32Array
  /** Operations that completed, and others, by their places in the part's list. */
  readonly completed: number
  readonly infos: readonly number[]
  /** For each operation that completed, a number that no other has which is open at the same time. */
  readonly slots: Int32Array
  /** Such numbers in all. */
  readonly width: number
  readonly ends: Float64Array

  constructor(operations: readonly Operation[]) {
    this.ends = Float64Array.from(operations, ({ end }) => end)
    this.infos = operations.flatMap(({ end }, at) => (end === Infinity ? [at] : []))
    this.completed = operations.length - this.infos.length
    const marks: number[] = []
    const placeOf = (mark: number): number =>
      (mark >= 0 ? operations[mark]?.begin : operations[-1 - mark]?.end) ?? Infinity
    operations.forEach(({ end }, at) => {
      marks.push(at)
      if (end !== Infinity) marks.push(-1 - at)
    })
    marks.sort((a, b) => placeOf(a) - placeOf(b))
    this.events = Int32Array.from(marks)
    this.places = Int32Array.from(marks, placeOf)
    this.slots = new Int32Array(operations.length)
    this.width = this.#giveSlots()
  }

  #giveSlots(): number {
    const free: number[] = []
    let width = 0
    for (const mark of this.events) {
      if (mark < 0) free.push(this.slots[-1 - mark] ?? 0)
      else if (this.ends[mark] !== Infinity) this.slots[mark] = free.pop() ?? width++
    }
    return width
  }
}

export class Walk {
  readonly #timeline: Timeline
  /** By slot: the operation that is open, -1 if none; and whether it was put in order. */
  readonly #open: Int32Array
  readonly #taken: Uint8Array
  /** The taken ones as bits, where they fit. */
  #bits = 0
  #at = 0
  #begun = 0
  readonly #fits: boolean

  constructor(timeline: Timeline) {
    this.#timeline = timeline
    this.#open = new Int32Array(timeline.width).fill(-1)
    this.#taken = new Uint8Array(timeline.width)
    this.#fits = timeline.width <= MAX_BITS
    this.#advance()
  }

  /** The event that the walk stands before; as many as there are events when all is in order. */
  get at(): number {
    return this.#at
  }

  get isOver(): boolean {
    return this.#at === this.#timeline.events.length
  }

  /** `info` operations that have begun. */
  get begun(): number {
    return this.#begun
  }

  /** What was put in order, with a state: equal keys at one event mean the same. */
  key(state: number): number | string {
    return this.#fits ? state * BITS + this.#bits : `${state}:${this.#taken.join('')}`
  }

  /** The operations that may be next, except `info` ones. */
  choices(): number[] {
    const choices: number[] = []
    for (let slot = 0; slot < this.#open.length; slot++) {
      const operation = this.#open[slot] ?? -1
      if (operation >= 0 && this.#taken[slot] === 0) choices.push(operation)
    }
    return choices
  }

  /** Whether an operation was put in order that is open still. */
  isTaken(operation: number): boolean {
    const slot = this.#timeline.slots[operation] ?? -1
    return this.#open[slot] === operation && this.#taken[slot] === 1
  }

  /** Puts an open operation in order. */
  take(operation: number): void {
    this.#mark(this.#timeline.slots[operation] ?? 0, 1)
    this.#advance()
  }

  /** Goes back to where the walk stood at event `at`, before this operation was taken. */
  untake(operation: number, at: number): void {
    const { events, slots, ends } = this.#timeline
    while (this.#at > at) {
      const mark = events[--this.#at] ?? 0
      if (mark < 0) {
        const slot = slots[-1 - mark] ?? 0
        this.#open[slot] = -1 - mark
        this.#mark(slot, 1)
      } else if (ends[mark] === Infinity) this.#begun--
      else this.#open[slots[mark] ?? 0] = -1
    }
    this.#mark(slots[operation] ?? 0, 0)
  }

  /** To the next completion of what was not taken. */
  #advance(): void {
    const { events, slots, ends } = this.#timeline
    for (; this.#at < events.length; this.#at++) {
      const mark = events[this.#at] ?? 0
      if (mark >= 0) {
        if (ends[mark] === Infinity) this.#begun++
        else this.#open[slots[mark] ?? 0] = mark
        continue
      }
      const slot = slots[-1 - mark] ?? 0
      if (this.#taken[slot] === 0) return
      this.#mark(slot, 0)
      this.#open[slot] = -1
    }
  }

  #mark(slot: number, taken: 0 | 1): void {
    if (this.#taken[slot] === taken) return
    this.#taken[slot] = taken
    if (this.#fits) this.#bits ^= 1 << slot
  }
}
