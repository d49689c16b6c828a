/** The ways to an operation over `info` operations that come right before it. */
import type { Machine } from './machine.js'
import { addSmallest } from './memo.js'
import type { Used } from './memo.js'

/** `info` operations of a part: those that do the same are a class, of which the first that began is used first. */
export class Infos {
  /** The operations of each class, in the order of their begins. */
  readonly classes: readonly (readonly number[])[]
  readonly #classOf = new Map<number, number>()
  /** The bit of a class's first operation; the others follow. */
  readonly #firstBit: readonly number[]
  readonly #places: ReadonlyMap<number, number>
  readonly #words: number

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
    this.#firstBit = this.classes.map((members, at) => {
      for (const info of members) this.#classOf.set(info, at)
      bit += members.length
      return bit - members.length
    })
    this.#words = (bit + 31) >>> 5
  }

  get none(): Used {
    return new Int32Array(this.#words)
  }

  /** The classes of these operations. */
  classesOf(infos: readonly number[]): number[] {
    return [...new Set(infos.map((info) => this.#classOf.get(info) ?? 0))]
  }

  /** The next operation of a class to be used, and what is used then; null if none is left among the first `begun` that began. */
  next(which: number, used: Used, begun: number): { readonly info: number; readonly used: Used } | null {
    const members = this.classes[which] ?? []
    let bit = this.#firstBit[which] ?? 0
    for (const info of members) {
      if ((((used[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 0) {
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

/** `info` operations in a row, and what they lead to. */
export interface Detour {
  readonly infos: readonly number[]
  readonly used: Used
  readonly state: number
}

/** All detours to one operation, the shorter ones first. */
export class Detours {
  readonly #machine: Machine
  readonly #infos: Infos
  readonly #classes: readonly number[]
  readonly #operation: number
  readonly #begun: number
  /** Where the operation leads to by itself. */
  readonly #direct: number
  readonly #isGoal: boolean
  readonly #queue: Detour[]
  #next = 0
  readonly #reached = new Map<number, Used[]>()

  /**
   * @param classes of the operation's helpers
   * @param from where they begin; `begun`: so many `info` operations have; `isGoal`: once the operation is possible, it needs no more
   *   of them, as whatever else comes may come after it
   */
  constructor(
    machine: Machine,
    infos: Infos,
    classes: readonly number[],
    from: {
      readonly state: number
      readonly used: Used
      readonly begun: number
      readonly operation: number
      readonly isGoal: boolean
    },
  ) {
    const { state, used, begun, operation, isGoal } = from
    this.#machine = machine
    this.#infos = infos
    this.#classes = classes
    this.#operation = operation
    this.#begun = begun
    this.#direct = machine.step(state, operation)
    this.#isGoal = isGoal
    this.#queue = [{ infos: [], used, state }]
    this.#reached.set(state, [used])
  }

  /** One step further: a detour, undefined if this step led to none, null if there are no more. */
  next(): Detour | null | undefined {
    const detour = this.#queue[this.#next++]
    if (detour === undefined) return null
    const after = this.#machine.step(detour.state, this.#operation)
    if (after < 0 || !this.#isGoal) this.#extend(detour)
    return detour.infos.length > 0 && after >= 0 && after !== this.#direct ? detour : undefined
  }

  #extend({ infos, used, state }: Detour): void {
    for (const which of this.#classes) {
      const one = this.#infos.next(which, used, this.#begun)
      if (one === null) continue
      const after = this.#machine.step(state, one.info)
      if (after < 0 || after === state) continue
      let reached = this.#reached.get(after)
      if (reached === undefined) this.#reached.set(after, (reached = []))
      if (addSmallest(reached, one.used))
        this.#queue.push({ infos: [...infos, one.info], used: one.used, state: after })
    }
  }
}
