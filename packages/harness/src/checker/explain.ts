/** Says why a prefix has no order, in a sentence that a person understands. */
import type { HistoryEvent } from '../history/history.js'
import { machineOf, NONE } from './machine.js'
import type { Machine } from './machine.js'
import type { Model, Operation } from './model.js'
import { show, textOf } from './models/values.js'
import { prefixOf, replay } from './part.js'
import type { Disorder } from './part.js'
import { Search } from './search.js'
import type { Offence } from './verdict.js'

/** How long it may take to find out what could have been found instead (ms), and how many such finds are told. */
const PATIENCE = 500
const MAX_FINDS = 4
const ROOM = 500_000

/** What an operation could have found in a prefix where it fits nowhere as it is. */
interface Finds {
  readonly shown: readonly string[]
  /** Whether it could have found nothing else. */
  readonly isAll: boolean
  /** Where the first of the operations that led there began. */
  readonly from: number
}

/** @param events the whole history in order */
export function offenceOf(model: Model, disorder: Disorder, events: readonly HistoryEvent[]): Offence {
  const { part, misfit, last, isSmallest } = disorder
  const prefix = prefixOf(part.operations, last)
  const finds = isSmallest ? findsOf(model, prefix, misfit) : null
  const timeOf = (place: number): number => events[place]?.time ?? 0
  return {
    key: part.key,
    prefix: last + 1,
    isSmallest,
    why: finds === null ? NOT_FOUND : `${told(misfit)}${unheard(prefix, misfit)}${instead(finds)}`,
    from: timeOf(finds?.from ?? part.operations[0]?.begin ?? 0),
    to: timeOf(last),
  }
}

/** Where it took too long to find the operation that does not fit. */
const NOT_FOUND =
  'these operations fit into no order; which of them is the first that does not fit was not found in time'

function findsOf(model: Model, prefix: readonly Operation[], misfit: Operation): Finds {
  const at = prefix.indexOf(misfit)
  const operations = prefix.with(at, { ...misfit, f: 'read', outcome: 'info', result: undefined })
  const machine = new Looking(machineOf(model, operations, true), operations, at)
  const shown = new Set<string>()
  let from = misfit.begin
  const until = performance.now() + PATIENCE
  while (shown.size < MAX_FINDS) {
    const search = new Search(operations, machine, { left: ROOM })
    const found = search.run(until)
    if (found === 'none' && machine.lookFurther()) continue
    if (found !== 'order') return { shown: [...shown], isAll: found === 'none', from }
    const order = search.order.slice(0, search.order.indexOf(at))
    shown.add(model.show(replay(model, operations, order), misfit))
    const led = operations[machine.look(order)]
    // One without an answer may have begun long ago: that tells nothing.
    if (led !== undefined && led.end !== Infinity) from = Math.min(from, led.begin)
  }
  return { shown: [...shown], isAll: false, from }
}

/** Another machine, but that one operation finds whatever is there, unless that was found before. */
class Looking implements Machine {
  readonly initial: number
  readonly facts: number
  readonly #machine: Machine
  readonly #operation: number
  readonly #infos: readonly number[]
  #helpers = NONE
  readonly #found = new Set<number>()

  constructor(machine: Machine, operations: readonly Operation[], operation: number) {
    this.initial = machine.initial
    this.facts = machine.facts
    this.#machine = machine
    this.#operation = operation
    this.#infos = operations.flatMap(({ end }, at) => (end === Infinity ? [at] : []))
  }

  /**
   * Notes what the operation finds after these; returns the one that led there, -1 if it is as it was in the beginning.
   */
  look(order: readonly number[]): number {
    let [state, last] = [this.initial, -1]
    for (const operation of order) {
      const next = this.#machine.step(state, operation)
      if (next !== state) last = operation
      state = next
    }
    this.#found.add(state)
    return last
  }

  /** From now on operations without an answer may come right before it, for its sake; false if that was so already. */
  lookFurther(): boolean {
    const isNew = this.#helpers !== this.#infos
    this.#helpers = this.#infos
    return isNew
  }

  step(state: number, operation: number): number {
    if (operation !== this.#operation) return this.#machine.step(state, operation)
    return this.#found.has(state) ? -1 : state
  }

  isHopeless(operation: number): boolean {
    return this.#machine.isHopeless(operation)
  }

  isPure(operation: number): boolean {
    return operation === this.#operation || this.#machine.isPure(operation)
  }

  needs(operation: number): readonly number[] {
    return operation === this.#operation ? NONE : this.#machine.needs(operation)
  }

  makes(operation: number): number {
    return operation === this.#operation ? -1 : this.#machine.makes(operation)
  }

  loses(state: number, operation: number): number {
    return this.#machine.loses(state, operation)
  }

  helpers(operation: number): readonly number[] {
    return operation === this.#operation ? this.#helpers : this.#machine.helpers(operation)
  }

  isGoal(operation: number): boolean {
    return operation !== this.#operation && this.#machine.isGoal?.(operation) === true
  }

  /** It sees everything. */
  isUnseen(): boolean {
    return false
  }

  alike(operation: number): string | number {
    return this.#machine.alike(operation)
  }
}

/** What the history says of the operation. */
function told({ process, f, key, argument, outcome, result, invoked }: Operation): string {
  const asked = invoked.f === f ? key : (invoked.key ?? null)
  const who = `process ${process}'s ${invoked.f}${asked === null ? '' : ` of ${show(asked)}`}`
  if (f === 'submit') {
    if (outcome === 'ok') return `${who} of ${show(argument)} was answered with ${show(result)}`
    return `${who} of ${show(argument)} was refused with ${show((result as { readonly refused: unknown }).refused)}`
  }
  if (f === 'cas') {
    const [old, made] = argument as readonly [unknown, unknown]
    const what = `${who} from ${show(old)} to ${show(made)}`
    return outcome === 'ok' ? `${what} found ${show(old)}` : `${what} found another value than ${show(old)}`
  }
  if (f === 'append') return `${who}, ${show(argument)}, was told ${show(result)}`
  if (f === 'edit' || f === 'erase') {
    const what = f === 'edit' ? (argument as readonly unknown[]).map(show).join(' to ') : show(argument)
    const { refused } = (result ?? {}) as { readonly refused?: unknown }
    return `${who}, message ${what}, was ${outcome === 'ok' ? 'done' : `refused with ${show(refused)}`}`
  }
  // A list is one read of each key, too.
  return `${who} found ${show(result)}${invoked.f === f ? '' : ` at ${show(key)}`}`
}

/** What was found and nobody had said. */
function unheard(prefix: readonly Operation[], { f, result }: Operation): string {
  if (f !== 'read') return ''
  const isRoom = prefix.some((operation) => operation.f === 'append')
  const said = new Set([textOf(null)])
  for (const { f, argument } of prefix) {
    if (f === 'write' || f === 'append') said.add(textOf(argument))
    if (f === 'edit') said.add(textOf((argument as readonly unknown[])[1]))
    if (f === 'cas') said.add(textOf((argument as readonly unknown[])[1]))
  }
  const found = isRoom ? (result as readonly unknown[]) : [result]
  const strange = found.find((value) => !said.has(textOf(value)))
  if (strange === undefined) return ''
  return isRoom ? `, of which ${show(strange)} was never said by then` : `, which was never written by then`
}

function instead({ shown, isAll }: Finds): string {
  if (shown.length === 0) return '; no order of the operations allows that'
  const finds = shown.length === 1 ? shown[0] : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`
  return isAll ? `; it can only have found ${finds}` : `; it could have found ${finds}, for example`
}
