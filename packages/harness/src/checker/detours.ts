/** The ways to an operation over `info` operations that come right before it. */
import { addSmallest } from './infos.js'
import type { Infos, Used } from './infos.js'
import type { Machine } from './machine.js'

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
  readonly #reached = new Map<number, { readonly used: Used }[]>()

  /**
   * @param classes of the operation's helpers
   * @param from where they begin; `begun`: so many `info` operations have; `isGoal`: once the operation is possible, it
   *   needs no more of them, as whatever else comes may come after it
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
    this.#reached.set(state, [{ used }])
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
      if (addSmallest(reached, one)) this.#queue.push({ infos: [...infos, one.info], used: one.used, state: after })
    }
  }
}
