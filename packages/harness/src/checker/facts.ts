/** Which facts are needed by operations that are left, and which of those can make them true. */
import type { Configuration } from './configuration.js'
import type { Infos, Used } from './infos.js'
import { NONE } from './machine.js'
import type { Machine } from './machine.js'
import type { Timeline } from './timeline.js'

export class Facts {
  /** By operation; nothing for those that did not complete. */
  readonly needs: readonly (readonly number[])[]
  readonly #makes: Int32Array
  readonly #timeline: Timeline
  readonly #infos: Infos
  /** By fact: where the last operation begins that needs it, and the last one that makes it true and completes. */
  readonly #lastNeed: Float64Array
  readonly #lastMake: Float64Array
  /** By fact: the classes of `info` operations that make it true. */
  readonly #classes = new Map<number, number[]>()
  /** By fact: the operations that need it, in the order of their ends. */
  #needers: readonly (readonly number[])[] | null = null

  constructor(machine: Machine, timeline: Timeline, infos: Infos) {
    const { begins, ends } = timeline
    this.#timeline = timeline
    this.#infos = infos
    this.needs = Array.from(ends, (end, operation) => (end === Infinity ? NONE : machine.needs(operation)))
    this.#makes = Int32Array.from(ends, (_, operation) => machine.makes(operation))
    this.#lastNeed = new Float64Array(machine.facts).fill(-1)
    this.#lastMake = new Float64Array(machine.facts).fill(-1)
    this.#makes.forEach((made, operation) => {
      for (const fact of this.needs[operation] ?? NONE) this.#lastNeed[fact] = begins[operation] ?? 0
      if (made >= 0 && ends[operation] !== Infinity) this.#lastMake[made] = begins[operation] ?? 0
    })
    infos.classes.forEach(([first], which) => {
      const made = this.#makes[first ?? 0] ?? -1
      if (made < 0) return
      const classes = this.#classes.get(made)
      if (classes === undefined) this.#classes.set(made, [which])
      else classes.push(which)
    })
  }

  /**
   * Whether an operation needs the fact, and none can make it true, of those that are left. `taken` was taken just now.
   */
  isGone(fact: number, { at, open }: Configuration, taken: number, used: Used): boolean {
    const here = this.#timeline.places[at] ?? Infinity
    const isNeeded =
      (this.#lastNeed[fact] ?? -1) > here ||
      open.some((operation) => operation !== taken && this.needs[operation]?.includes(fact))
    if (!isNeeded) return false
    const isMade =
      (this.#lastMake[fact] ?? -1) > here ||
      open.some((operation) => operation !== taken && this.#makes[operation] === fact) ||
      this.#classes.get(fact)?.some((which) => this.#infos.isLeft(which, used))
    return !isMade
  }

  /** Where the first operation completes that needs the fact and is left; 0 if none is. */
  endOfNeed(fact: number, { at, taken }: Configuration): number {
    this.#needers ??= this.#index()
    const needers = this.#needers[fact] ?? NONE
    const { ends, places } = this.#timeline
    const here = places[at] ?? Infinity
    let [low, high] = [0, needers.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((ends[needers[middle] ?? 0] ?? 0) < here) low = middle + 1
      else high = middle
    }
    while (taken.includes(needers[low] ?? -1)) low++
    return ends[needers[low] ?? -1] ?? 0
  }

  #index(): readonly (readonly number[])[] {
    const { ends } = this.#timeline
    const needers = Array.from(this.#lastNeed, (): number[] => [])
    this.needs.forEach((facts, operation) => {
      for (const fact of facts) needers[fact]?.push(operation)
    })
    for (const one of needers) one.sort((a, b) => (ends[a] ?? 0) - (ends[b] ?? 0))
    return needers
  }
}
