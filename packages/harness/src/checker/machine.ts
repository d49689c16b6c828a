/** What the search walks through: states are whole numbers, and operations their places in the part's list. */
import { READS } from '../history/operations.js'
import type { Model, Operation } from './model.js'

/**
 * A model, made ready for the operations of one part. Equal states have equal numbers.
 *
 * *Facts* are what an operation may need to find, and another may make true: of a map, that a key has a value. A
 * machine without facts leaves the search to find out by trying.
 */
export interface Machine {
  readonly initial: number
  /** The state after the operation; -1 if it cannot have had its outcome here. */
  step(state: number, operation: number): number
  /** Whether no state that the operations lead to allows it. (It need not know.) */
  isHopeless(operation: number): boolean
  /** Whether it changes no state at all, be it possible there or not. */
  isPure(operation: number): boolean
  /** How many facts there are: they are the numbers below. */
  readonly facts: number
  /** Facts without which the operation cannot have had its outcome. (All that it needs, or none.) */
  needs(operation: number): readonly number[]
  /** The only fact that the operation can make true; -1 if none. */
  makes(operation: number): number
  /** The only fact that it makes false in this state, where it changes the state; -1 if none. */
  loses(state: number, operation: number): number
  /**
   * The `info` operations that may have to come right before this one, for its outcome's sake. For every linearization
   * there must be one in which only such come between this operation and the completed one before it.
   */
  helpers(operation: number): readonly number[]
  /**
   * Whether the operation, once it is possible, needs no more helpers before it: they may as well come after it. (Left out:
   * this is so of those that are pure or need facts, and of no others.)
   */
  isGoal?(operation: number): boolean
  /**
   * Whether the first operation may as well come right before the second, if both may be next and the second will be:
   * whatever the first did, no operation sees it.
   */
  isUnseen(operation: number, next: number): boolean
  /** Equal for operations that do the same in every state. Asked of `info` operations only. */
  alike(operation: number): string | number
}

/** No facts, no helpers. */
export const NONE: readonly number[] = []

/** The model's machine, or one that is made of its `step`. */
export function machineOf(model: Model, operations: readonly Operation[], exact: boolean): Machine {
  return model.machine?.(operations, exact) ?? new StepMachine(model, operations)
}

/** Numbers the states as they are met, and asks the model once for each step. */
class StepMachine implements Machine {
  readonly initial: number
  readonly facts = 0
  readonly #model: Model
  readonly #operations: readonly Operation[]
  readonly #infos: readonly number[]
  readonly #states: unknown[] = []
  readonly #numbers = new Map<string | number, number>()
  readonly #steps = new Map<number, number>()

  constructor(model: Model, operations: readonly Operation[]) {
    this.#model = model
    this.#operations = operations
    this.#infos = operations.flatMap(({ end }, at) => (end === Infinity ? [at] : []))
    this.initial = this.#number(model.initial)
  }

  step(state: number, operation: number): number {
    const key = state * this.#operations.length + operation
    let next = this.#steps.get(key)
    if (next === undefined) {
      const asked = this.#operations[operation]
      const made = asked === undefined ? null : this.#model.step(this.#states[state], asked)
      next = made === null ? -1 : this.#number(made)
      this.#steps.set(key, next)
    }
    return next
  }

  isHopeless(): boolean {
    return false
  }

  /** What else an operation does is the model's own affair. */
  isPure(operation: number): boolean {
    const f = this.#operations[operation]?.f
    return f !== undefined && READS.has(f)
  }

  needs(): readonly number[] {
    return NONE
  }

  makes(): number {
    return -1
  }

  loses(): number {
    return -1
  }

  helpers(): readonly number[] {
    return this.#infos
  }

  isUnseen(): boolean {
    return false
  }

  alike(operation: number): number {
    return operation
  }

  #number(state: unknown): number {
    const id = this.#model.id(state)
    let number = this.#numbers.get(id)
    if (number === undefined) {
      number = this.#states.length
      this.#states.push(state)
      this.#numbers.set(id, number)
    }
    return number
  }
}
