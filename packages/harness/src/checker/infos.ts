/** The `info` operations of a part, which may or may not be put in order. */
import type { Machine } from './machine.js'

/** Which of them were used, as bits. Never changed. */
export type Used = Int32Array

/** Whether all in `a` are in `b`. */
function isWithin(a: Used, b: Used): boolean {
  for (let word = 0; word < a.length; word++) if (((a[word] ?? 0) & ~(b[word] ?? 0)) !== 0) return false
  return true
}

/** Adds to items none of which has used all that another has; false if one of them has used no more than this. */
export function addSmallest<Item extends { readonly used: Used }>(items: Item[], item: Item): boolean {
  for (const { used } of items) if (isWithin(used, item.used)) return false
  let kept = 0
  for (const other of items) if (!isWithin(item.used, other.used)) items[kept++] = other
  items.length = kept
  items.push(item)
  return true
}

/** Those that do the same are a class, of which the first that began is used first. */
export class Infos {
  /** The operations of each class, in the order of their begins. */
  readonly classes: readonly (readonly number[])[]
  /** Nothing used. */
  readonly none: Used
  readonly #classOf = new Map<number, number>()
  /** The bit of a class's first operation; the others follow. */
  readonly #firstBits: readonly number[]
  /** Of each in the order of all begins. */
  readonly #places: ReadonlyMap<number, number>

  /** @param infos in the order of their begins */
  constructor(machine: Machine, infos: readonly number[]) {
    const classes = new Map<string | number, number[]>()
    for (const info of infos) {
      const alike = machine.alike(info)
      const found = classes.get(alike)
      if (found === undefined) classes.set(alike, [info])
      else found.push(info)
    }
    this.classes = [...classes.values()]
    this.#places = new Map(infos.map((info, place) => [info, place]))
    let bit = 0
    this.#firstBits = this.classes.map((members, which) => {
      for (const info of members) this.#classOf.set(info, which)
      bit += members.length
      return bit - members.length
    })
    this.none = new Int32Array((bit + 31) >>> 5)
  }

  /** The classes of these operations. */
  classesOf(infos: readonly number[]): number[] {
    return [...new Set(infos.map((info) => this.#classOf.get(info) ?? 0))]
  }

  /** Whether some of a class are not used yet. */
  isLeft(which: number, used: Used): boolean {
    const last = (this.#firstBits[which] ?? 0) + (this.classes[which]?.length ?? 0) - 1
    return !isSet(used, last)
  }

  /**
   * The next operation of a class to be used, and what is used then; null if there is none among the first `begun` that
   * began.
   */
  next(which: number, used: Used, begun: number): { readonly info: number; readonly used: Used } | null {
    let bit = this.#firstBits[which] ?? 0
    for (const info of this.classes[which] ?? []) {
      if (!isSet(used, bit)) {
        if ((this.#places.get(info) ?? Infinity) >= begun) return null
        const more = used.slice()
        more[bit >>> 5] = (more[bit >>> 5] ?? 0) | (1 << (bit & 31))
        return { info, used: more }
      }
      bit++
    }
    return null
  }
}

function isSet(used: Used, bit: number): boolean {
  return (((used[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1
}
