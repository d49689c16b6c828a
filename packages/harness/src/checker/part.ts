/** Judges one part of a history, in turns: whether there is an order, and if not, the smallest prefix without one. */
import { READS } from '../history/operations.js'
import { machineOf } from './machine.js'
import type { Room } from './memo.js'
import type { Model, Operation, Part } from './model.js'
import { Search } from './search.js'
import type { Found } from './search.js'

/** What came of a part. `undecided`: there was no time, or no room to remember what was tried. */
export type Judgement = { readonly result: 'in order' | 'undecided' } | Disorder

/** Of the history, the events to place `last`, where `misfit` completes, have no order. */
export interface Disorder {
  readonly result: 'no order'
  readonly part: Part
  readonly last: number
  readonly misfit: Operation
  /** Whether all shorter prefixes have one. */
  readonly isSmallest: boolean
}

const UNDECIDED: Judgement = { result: 'undecided' }

/**
 * The operations of the prefix that ends with the event at place `last`: what completes later may have happened, or
 * not. (So what only reads says nothing.)
 */
export function prefixOf(operations: readonly Operation[], last: number): Operation[] {
  return operations.flatMap((operation): Operation[] => {
    if (operation.end <= last) return [operation]
    if (operation.begin > last || READS.has(operation.f)) return []
    return [{ ...operation, outcome: 'info', result: undefined, end: Infinity }]
  })
}

/**
 * Judges a part. It yields what is known so far whenever the moment has come that `until` returns, and goes on when it
 * is asked again.
 */
export function* judgePart(model: Model, part: Part, room: Room, until: () => number): Generator<Judgement, Judgement> {
  const { operations } = part
  const whole = yield* searching(model, operations, room, until, UNDECIDED)
  if (whole.found === 'order') return { result: 'in order' }
  if (whole.found === 'full') return UNDECIDED
  const ends = operations.flatMap(({ end }) => (end === Infinity ? [] : [end])).sort((a, b) => a - b)
  // A prefix without an order is part of every longer one, which has none either. To see that there is none takes long,
  // to find one does not: so first the guess and the one before it, which mostly is all, then up from below, further
  // each time.
  let [low, high, stride] = [ends.indexOf(whole.reached), ends.length - 1, 0]
  const guess = ends.indexOf(whole.guess)
  const guesses = [guess - 1, guess]
  while (low < high) {
    const guessed = guesses.pop() ?? -1
    const middle = guessed >= low && guessed < high ? guessed : Math.min(low + stride, (low + high) >> 1)
    const known = disorder(part, ends[high], false)
    const probe = yield* searching(model, prefixOf(operations, ends[middle] ?? 0), room, until, known)
    if (probe.found === 'full') return known
    if (probe.found === 'order') [low, stride] = [middle + 1, 2 * stride + 1]
    else [low, high, stride] = [Math.max(low, ends.indexOf(probe.reached)), middle, 0]
  }
  return disorder(part, ends[high], true)
}

function disorder(part: Part, last: number | undefined, isSmallest: boolean): Disorder {
  const misfit = part.operations.find(({ end }) => end === last)
  if (misfit === undefined || last === undefined) throw new Error('a part without completed operations has an order')
  return { result: 'no order', part, last, misfit, isSmallest }
}

function* searching(
  model: Model,
  operations: readonly Operation[],
  room: Room,
  until: () => number,
  known: Judgement,
): Generator<Judgement, { readonly found: Found; readonly reached: number; readonly guess: number }> {
  const search = new Search(operations, machineOf(model, operations, false), room)
  try {
    let found = search.run(until())
    while (found === null) {
      yield known
      found = search.run(until())
    }
    if (found === 'order') replay(model, operations, search.order)
    return { found, reached: search.reached, guess: search.guess }
  } finally {
    search.forget()
  }
}

/**
 * Plays operations through the model itself, so that no order is believed because of a mistake in a machine or in the
 * search.
 *
 * @param order their places in the list
 * @returns the state after the last of them
 * @throws Error if the model does not go this way
 */
export function replay<State>(model: Model<State>, operations: readonly Operation[], order: readonly number[]): State {
  let state = model.initial
  for (const at of order) {
    const operation = operations[at]
    const next = operation === undefined ? null : model.step(state, operation)
    if (next === null) throw new Error(`the ${model.name} model does not go the way that its machine went`)
    state = next
  }
  return state
}
