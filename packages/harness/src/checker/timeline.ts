/** The events of one part in their order, and what is known of each operation beforehand. */
import type { Operation } from './model.js'

export class Timeline {
  /** For each event its operation: as it is where that begins, as -1 - operation where it completes. */
  readonly events: Int32Array
  /** For each event its place in the history. */
  readonly places: Int32Array
  /** For each operation the places of its events; the end of one that did not complete is Infinity. */
  readonly begins: Float64Array
  readonly ends: Float64Array
  /** The operations that did not complete. */
  readonly infos: readonly number[]
  /**
   * For each operation that completed, a number that no other has which is open at the same time; and how many numbers
   * that takes.
   */
  readonly slots: Int32Array
  readonly width: number

  constructor(operations: readonly Operation[]) {
    this.begins = Float64Array.from(operations, ({ begin }) => begin)
    this.ends = Float64Array.from(operations, ({ end }) => end)
    this.infos = operations.flatMap(({ end }, at) => (end === Infinity ? [at] : []))
    const marks: number[] = []
    operations.forEach(({ end }, at) => {
      marks.push(at)
      if (end !== Infinity) marks.push(-1 - at)
    })
    const placeOf = (mark: number): number => (mark >= 0 ? this.begins[mark] : this.ends[-1 - mark]) ?? 0
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
