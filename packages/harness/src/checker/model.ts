/** What a model tells the checker: how a correct service would behave, one operation at a time. */
import type { HistoryEvent, Kind } from '../history/history.js'
import type { Machine } from './machine.js'

/** An operation of a history, from its invocation to its outcome. */
export interface Operation {
  readonly process: string | number
  readonly f: Kind
  readonly key: string | null
  /** What was asked for. */
  readonly argument: unknown
  /**
   * `ok` and `fail` (of a cas: there was another value) happened between both times; `info` at any time after its
   * begin, or never.
   */
  readonly outcome: 'ok' | 'fail' | 'info'
  /** What was answered, for `ok`. */
  readonly result: unknown
  /** Places of its two events in the order of the history; Infinity for one without an outcome. */
  readonly begin: number
  readonly end: number
  readonly invoked: HistoryEvent
  readonly completed: HistoryEvent | null
}

/** Operations that can be judged without the others. */
export interface Part {
  /** Null if they are not of one key. */
  readonly key: string | null
  /** In the order of their begins. */
  readonly operations: readonly Operation[]
}

/**
 * A sequential specification. States are values that never change: `step` makes new ones.
 * A state's `id` is equal for equal states, and only for them.
 */
export interface Model<State = unknown> {
  readonly name: string
  readonly initial: State
  /**
   * The state after the operation; null if it cannot have had this outcome here. An `info` operation has any result.
   */
  step(state: State, operation: Operation): State | null
  id(state: State): string | number
  /**
   * Splits a history into parts: it is linearizable if and only if each of them is (Herlihy and Wing's locality). Parts
   * may overlap: one that follows from another but is easier to judge may find its fault where the other takes too
   * long.
   */
  partition(operations: readonly Operation[]): readonly Part[]
  /** For the sentence of an offence: what the operation would have found in this state. */
  show(state: State, operation: Operation): string
  /** Why this operation of a history is none of the model's; null if it is. */
  misfit(operation: Operation): string | null
  /**
   * A faster judge of a part's operations, which comes to the same verdict as `step` does; null if there is none.
   *
   * @param exact each state stands for itself; else the machine may take those for one that no operation tells apart
   */
  machine?(operations: readonly Operation[], exact: boolean): Machine | null
}
