/**
 * The machine of one room whose messages are edited and erased. A state is an array of them, a place each. Its facts are that
 * there are so many messages, and that a message says this or that (it says nothing when it was erased).
 *
 * What must be first in a place is often known: a message that was told its number, or one that was found there and is of a
 * place in which nobody changes anything.
 *
 * Helpers: consider an order with the fewest `info` operations, each of them as late as can be, and those that come right
 * before an operation p. An append may have to be there for all that counts messages, or changes one. A change of a message
 * that p changes, too, could be left out; one that p does not look at could come later. So p found it, or was refused for it.
 */
import { refusalOf } from '../../history/operations.js'
import { NONE } from '../machine.js'
import type { Machine } from '../machine.js'
import type { Operation } from '../model.js'
import { changeOf, numberOf } from './chat-operations.js'
import { Trees } from './trees.js'
import { Values } from './values.js'

/** Leaves; what messages say comes behind them. */
const ABSENT = 0
const ERASED = 1
const SAID = 2

type Step =
  | { readonly does: 'append'; readonly leaf: number; readonly number: number; readonly isInfo: boolean }
  | {
      readonly does: 'change'
      readonly place: number
      readonly leaf: number
      readonly outcome: 'ok' | 'info' | 'NO_MESSAGE' | 'DELETED'
    }
  | {
      readonly does: 'read'
      readonly root: number
      readonly leaves: readonly number[]
      readonly needs: readonly number[]
    }
  | { readonly does: 'nothing' | 'never' }

export class EditMachine implements Machine {
  readonly initial: number
  readonly #trees: Trees
  readonly #size: number
  readonly #values = new Values()
  readonly #steps: readonly Step[]
  /** By place: what must be appended there, where that is known. */
  readonly #firsts = new Map<number, number>()
  /** Nobody was told of a message behind this place: whether there are more makes no difference. */
  readonly #known: number
  /** By place and leaf. */
  readonly #facts = new Map<string, number>()
  readonly #infos: readonly number[]
  readonly #ends: readonly number[]
  /** Where the first operation began that says so: by leaf of appends, by place and leaf of changes. */
  readonly #begins = new Map<string, number>()

  constructor(operations: readonly Operation[], exact: boolean) {
    this.#size = Math.max(1, operations.filter(({ f }) => f === 'append').length)
    this.#trees = new Trees(this.#size, (leaf) => leaf !== ABSENT)
    this.initial = this.#trees.of([], ABSENT)
    this.#steps = operations.map((operation) => this.#stepOf(operation))
    this.#known = exact ? Infinity : Math.max(0, ...operations.map(toldOf))
    this.#findFirsts(operations)
    this.#infos = operations.flatMap(({ end }, at) => (end === Infinity ? [at] : []))
    this.#ends = operations.map(({ end }) => end)
    operations.forEach(({ begin }, at) => {
      const step = this.#step(at)
      if (step.does !== 'append' && step.does !== 'change') return
      const said = step.does === 'append' ? `:${step.leaf}` : `${step.place}:${step.leaf}`
      if (!this.#begins.has(said)) this.#begins.set(said, begin)
    })
  }

  get facts(): number {
    return this.#size + 1 + this.#facts.size
  }

  step(state: number, operation: number): number {
    const step = this.#step(operation)
    switch (step.does) {
      case 'nothing':
        return state
      case 'never':
        return -1
      case 'read':
        return step.root === state ? state : -1
      case 'append':
        return this.#append(state, step)
      case 'change': {
        const leaf = step.place < this.#size ? this.#trees.get(state, step.place) : ABSENT
        const refusal = leaf === ABSENT ? 'NO_MESSAGE' : leaf === ERASED ? 'DELETED' : null
        if (refusal !== null) return step.outcome === 'info' || step.outcome === refusal ? state : -1
        const isRefused = step.outcome === 'NO_MESSAGE' || step.outcome === 'DELETED'
        return isRefused ? -1 : this.#trees.set(state, step.place, step.leaf)
      }
    }
  }

  /** What found a message that nobody had said there, or had erased there, by then. */
  isHopeless(operation: number): boolean {
    const step = this.#step(operation)
    if (step.does !== 'read') return step.does === 'never'
    const end = this.#ends[operation] ?? 0
    return step.leaves.some((leaf, place) => this.#firstSaid(place, leaf) > end)
  }

  /** A change of a message may come as soon as there is one. */
  isGoal(operation: number): boolean {
    return this.#step(operation).does === 'change'
  }

  isPure(operation: number): boolean {
    const step = this.#step(operation)
    if (step.does === 'change') return step.outcome === 'NO_MESSAGE' || step.outcome === 'DELETED'
    return step.does !== 'append'
  }

  needs(operation: number): readonly number[] {
    const step = this.#step(operation)
    if (step.does === 'append' && step.number > 0) return [step.number - 1]
    return step.does === 'read' ? step.needs : NONE
  }

  /** What an append makes true was never true before: it cannot make it true again. */
  makes(operation: number): number {
    const step = this.#step(operation)
    return step.does === 'change' ? this.#factOf(step.place, step.leaf) : -1
  }

  loses(state: number, operation: number): number {
    const step = this.#step(operation)
    if (step.does === 'append') return this.#length(state)
    if (step.does !== 'change' || step.place >= this.#size) return -1
    return this.#factOf(step.place, this.#trees.get(state, step.place))
  }

  helpers(operation: number): readonly number[] {
    const step = this.#step(operation)
    return this.#infos.filter((info) => {
      const helper = this.#step(info)
      if (helper.does === 'append') return true
      if (helper.does !== 'change') return false
      if (step.does === 'read') return step.needs.includes(this.#factOf(helper.place, helper.leaf))
      return (
        step.does === 'change' && step.outcome === 'DELETED' && step.place === helper.place && helper.leaf === ERASED
      )
    })
  }

  isUnseen(): boolean {
    return false
  }

  alike(operation: number): string {
    const step = this.#step(operation)
    if (step.does === 'append') return String(step.leaf)
    return step.does === 'change' ? `${step.place}:${step.leaf}` : ''
  }

  #firstSaid(place: number, leaf: number): number {
    return Math.min(this.#begins.get(`:${leaf}`) ?? Infinity, this.#begins.get(`${place}:${leaf}`) ?? Infinity)
  }

  #append(state: number, { leaf, number, isInfo }: Extract<Step, { does: 'append' }>): number {
    const length = this.#length(state)
    if (number > 0 && number !== length + 1) return -1
    if (isInfo && length >= this.#known) return state
    const first = this.#firsts.get(length) ?? leaf
    return first === leaf ? this.#trees.set(state, length, leaf) : -1
  }

  #length(state: number): number {
    return this.#trees.count(state, 0, this.#size)
  }

  #stepOf(operation: Operation): Step {
    const { f, argument, outcome, result } = operation
    if (f === 'append')
      return { does: 'append', leaf: this.#said(argument), number: numberOf(operation), isInfo: outcome === 'info' }
    if (f === 'edit' || f === 'erase') {
      const [number, message] = changeOf(operation)
      const refusal = outcome === 'fail' ? refusalOf(operation.completed) : outcome
      if (refusal === null) return { does: 'never' }
      return { does: 'change', place: number - 1, leaf: this.#said(message), outcome: refusal }
    }
    if (f !== 'read' || outcome !== 'ok') return { does: 'nothing' }
    const found = (result as readonly unknown[]).map((message) => this.#said(message))
    if (found.length > this.#size) return { does: 'never' }
    const needs = found.map((leaf, place) => this.#fact(place, leaf))
    return { does: 'read', root: this.#trees.of(found, ABSENT), leaves: found, needs: [found.length, ...needs] }
  }

  /** The leaf of what a message says. */
  #said(message: unknown): number {
    return message === null ? ERASED : SAID + this.#values.number(message)
  }

  #findFirsts(operations: readonly Operation[]): void {
    const changing = new Set(this.#steps.flatMap((step) => (step.does === 'change' ? [step.place] : [])))
    operations.forEach((operation, at) => {
      const step = this.#step(at)
      if (step.does === 'append' && step.number > 0) this.#firsts.set(step.number - 1, step.leaf)
      if (step.does !== 'read') return
      for (const [place, message] of (operation.result as readonly unknown[]).entries())
        if (!changing.has(place) && !this.#firsts.has(place)) this.#firsts.set(place, this.#said(message))
    })
  }

  #fact(place: number, leaf: number): number {
    const key = `${place}:${leaf}`
    let fact = this.#facts.get(key)
    if (fact === undefined) {
      fact = this.#size + 1 + this.#facts.size
      this.#facts.set(key, fact)
    }
    return fact
  }

  /** -1: no read needs it. */
  #factOf(place: number, leaf: number): number {
    return this.#facts.get(`${place}:${leaf}`) ?? -1
  }

  #step(operation: number): Step {
    return this.#steps[operation] ?? { does: 'never' }
  }
}

/** The last place of which the operation tells something, from 1. */
function toldOf(operation: Operation): number {
  const { f, outcome, result } = operation
  if (f === 'append') return numberOf(operation)
  if (f === 'read') return outcome === 'ok' ? (result as readonly unknown[]).length : 0
  return changeOf(operation)[0]
}
