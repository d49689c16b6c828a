/**
 * The machine of one room whose messages nobody changes. As they only come and stay, what was found by the read that found
 * most tells which message must be at each of these places, and every other read found a beginning of that, or fits
 * nowhere; and behind them the appends that were told their places tell it. So a state is how many messages there are; and
 * once there are more than anybody was told of, nothing that follows makes a difference (but to those who ask exactly). Its
 * facts are that there are so many messages.
 */
import { NONE } from '../machine.js'
import type { Machine } from '../machine.js'
import type { Operation } from '../model.js'
import { numberOf } from './chat-operations.js'
import { isSame, Values } from './values.js'

/** Any message may be there. */
const ANY = -1

type Step =
  /** `number`: the place that it was told, from 1; 0 if none. */
  | { readonly does: 'append'; readonly message: number; readonly number: number; readonly isInfo: boolean }
  | { readonly does: 'read'; readonly length: number }
  | { readonly does: 'nothing' }
  | { readonly does: 'never' }

export class ChatMachine implements Machine {
  readonly initial = 0
  readonly facts: number
  /** The messages at each place, as far as anybody was told of them. */
  readonly #found: readonly number[]
  readonly #steps: readonly Step[]
  readonly #infos: readonly number[]
  /** Where each message leads, beyond those that were found; null if all of that is one state. */
  readonly #beyond: Map<string, number> | null

  constructor(operations: readonly Operation[], exact: boolean) {
    const values = new Values()
    const longest = longestOf(operations)
    this.#found = foundOf(operations, longest, values)
    this.facts = this.#found.length + 2
    this.#beyond = exact ? new Map() : null
    this.#steps = operations.map((operation) => stepOf(operation, longest, values))
    const found = new Set(this.#found)
    this.#infos = this.#steps.flatMap((step, at) =>
      step.does === 'append' && step.isInfo && (exact || found.has(ANY) || found.has(step.message)) ? [at] : [],
    )
  }

  step(state: number, operation: number): number {
    const step = this.#step(operation)
    switch (step.does) {
      case 'nothing':
        return state
      case 'never':
        return -1
      case 'read':
        return step.length === state ? state : -1
      case 'append': {
        if (step.number > 0 && step.number !== state + 1) return -1
        const found = this.#found[state]
        if (found === undefined) return this.#stepBeyond(state, step.message, step.isInfo)
        return found === step.message || found === ANY ? state + 1 : -1
      }
    }
  }

  isHopeless(operation: number): boolean {
    return this.#step(operation).does === 'never'
  }

  isPure(operation: number): boolean {
    return this.#step(operation).does !== 'append'
  }

  needs(operation: number): readonly number[] {
    const step = this.#step(operation)
    if (step.does === 'append') return step.number > 0 ? [step.number - 1] : NONE
    return step.does === 'read' ? [step.length] : NONE
  }

  /** No number of messages comes again once it is exceeded. */
  makes(): number {
    return -1
  }

  loses(state: number): number {
    return state <= this.#found.length ? state : -1
  }

  /** Messages that were found may have to be there before any other operation. */
  helpers(): readonly number[] {
    return this.#infos
  }

  isUnseen(): boolean {
    return false
  }

  alike(operation: number): string {
    const step = this.#step(operation)
    return step.does === 'append' ? String(step.message) : ''
  }

  #stepBeyond(state: number, message: number, isInfo: boolean): number {
    const first = this.#found.length + 1
    if (this.#beyond === null) return isInfo ? state : first
    const name = `${state} ${message}`
    const next = this.#beyond.get(name) ?? first + this.#beyond.size
    this.#beyond.set(name, next)
    return next
  }

  #step(operation: number): Step {
    return this.#steps[operation] ?? { does: 'never' }
  }
}

function longestOf(operations: readonly Operation[]): readonly unknown[] {
  let longest: readonly unknown[] = []
  for (const operation of operations) {
    const found = foundBy(operation)
    if (found !== null && found.length > longest.length) longest = found
  }
  return longest
}

function foundOf(operations: readonly Operation[], longest: readonly unknown[], values: Values): number[] {
  const found = longest.map((message) => values.number(message))
  for (const operation of operations) {
    const number = numberOf(operation)
    while (found.length < number) found.push(ANY)
    if (found[number - 1] === ANY) found[number - 1] = values.number(operation.argument)
  }
  return found
}

/** What a read found; null if that is not known, or it is none. */
function foundBy({ f, outcome, result }: Operation): readonly unknown[] | null {
  return f === 'read' && outcome === 'ok' ? (result as readonly unknown[]) : null
}

function stepOf(operation: Operation, longest: readonly unknown[], values: Values): Step {
  if (operation.f === 'append')
    return {
      does: 'append',
      message: values.number(operation.argument),
      number: numberOf(operation),
      isInfo: operation.outcome === 'info',
    }
  const found = foundBy(operation)
  if (found === null) return { does: 'nothing' }
  if (!found.every((message, place) => isSame(message, longest[place]))) return { does: 'never' }
  return { does: 'read', length: found.length }
}
