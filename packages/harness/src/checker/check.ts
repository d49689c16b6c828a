/** Is a history linearizable? */
import type { HistoryEvent } from '../history/history.js'
import { MalformedHistory } from '../history/malformed.js'
import { inOrder, operationsOf } from '../history/operations.js'
import { offenceOf } from './explain.js'
import type { Room } from './memo.js'
import type { Model, Part } from './model.js'
import { judgePart, prefixOf } from './part.js'
import type { Disorder, Judgement } from './part.js'
import type { Verdict } from './verdict.js'

export interface CheckOptions {
  /** How long it may take (ms); without end if it is not given. A little more goes into what is said of an offence. */
  readonly timeout?: number
  /** Where each of the events stands in a file, for what is thrown. */
  readonly lines?: readonly number[]
}

/** The parts take turns of so long (ms), so that one that is hard does not keep the others waiting. */
const TURN = 20

/** Configurations that may be remembered at a time. */
const ROOM = 3_000_000

interface Task {
  readonly part: Part
  readonly turns: Generator<Judgement, Judgement>
  /** As far as is known. */
  judgement: Judgement
}

/**
 * Judges a history. Events count in the order of their times.
 *
 * @throws MalformedHistory for one that makes no sense, or that has operations which the model has not
 */
export function check(history: readonly HistoryEvent[], model: Model, options: CheckOptions = {}): Verdict {
  const deadline = performance.now() + (options.timeout ?? Infinity)
  const events = inOrder(history)
  const { operations, invoked } = operationsOf(events, options.lines)
  for (const operation of operations) {
    const misfit = model.misfit(operation)
    const at = operation.end === Infinity ? operation.begin : operation.end
    if (misfit !== null) throw new MalformedHistory(options.lines?.[at] ?? at + 1, misfit)
  }
  const { first, undecided } = new Parts(model, model.partition(operations), deadline)
  if (first !== null) {
    const offence = offenceOf(model, first, events)
    const isSmallest = offence.isSmallest && undecided.length === 0
    return { result: 'not linearizable', operations: invoked, offence: { ...offence, isSmallest } }
  }
  if (undecided.length === 0) return { result: 'linearizable', operations: invoked }
  return { result: 'unknown', operations: invoked, undecided: [...new Set(undecided.map(({ key }) => key))] }
}

/** All parts, judged in turns. */
class Parts {
  /** The part whose disorder shows first. */
  first: Disorder | null = null
  readonly undecided: Part[] = []
  readonly #model: Model
  readonly #deadline: number
  readonly #room: Room = { left: ROOM }

  constructor(model: Model, parts: readonly Part[], deadline: number) {
    this.#model = model
    this.#deadline = deadline
    let tasks: readonly Task[] = parts
      .toSorted((a, b) => a.operations.length - b.operations.length)
      .map((part) => this.#begin(part))
    while (tasks.length > 0 && performance.now() < deadline) tasks = this.#round(tasks)
    for (const task of tasks) this.#note(task)
  }

  /** A turn for each; returns those that are not done. */
  #round(tasks: readonly Task[]): readonly Task[] {
    const before = this.first
    const left = tasks.filter((task) => {
      if (performance.now() >= this.#deadline) return true
      const { done, value } = task.turns.next()
      task.judgement = value
      if (done) this.#note(task)
      return !done
    })
    const { first } = this
    if (first === null || first === before) return left
    // The others matter only if they have no order earlier still.
    return left.map(({ part, turns }) => {
      turns.return({ result: 'undecided' })
      return this.#begin({ ...part, operations: prefixOf(part.operations, first.last - 1) })
    })
  }

  #note({ part, judgement }: Task): void {
    if (judgement.result === 'undecided') this.undecided.push(part)
    else if (judgement.result === 'no order' && judgement.last < (this.first?.last ?? Infinity)) this.first = judgement
  }

  #begin(part: Part): Task {
    const until = (): number => Math.min(this.#deadline, performance.now() + TURN)
    return { part, turns: judgePart(this.#model, part, this.#room, until), judgement: { result: 'undecided' } }
  }
}
