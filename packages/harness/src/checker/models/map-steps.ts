/** What each operation on a map does, in numbers: facts are that a key has a value. */
import type { Operation } from '../model.js'
import { Trees } from './trees.js'
import { Values } from './values.js'

type Key = string | null

/** Facts are numbers; `key`, `from` and `to` are places of keys in their order. */
export type Step =
  | { readonly does: 'nothing' | 'never' }
  | { readonly does: 'write'; readonly key: number; readonly fact: number }
  | { readonly does: 'read' | 'differ'; readonly key: number; readonly fact: number }
  | { readonly does: 'cas' | 'try cas'; readonly key: number; readonly fact: number; readonly made: number }
  | {
      readonly does: 'list'
      readonly from: number
      readonly to: number
      readonly root: number
      readonly facts: readonly number[]
    }
  | { readonly does: 'count'; readonly from: number; readonly to: number; readonly count: number }

/** The pairs of a list's result, which the model has looked at. */
type Pairs = readonly (readonly [string, unknown])[]

/** Fact 0 is none: it fills up arrays. */
const FILLER = 0

export class MapSteps {
  /** A step for each operation. */
  readonly steps: readonly Step[]
  /** A state is an array of facts, a key each, in here. */
  readonly trees: Trees
  readonly initial: number
  /** By key: the fact that it is absent. */
  readonly absent: readonly number[]
  readonly #exact: boolean
  readonly #keys: readonly Key[]
  readonly #places: ReadonlyMap<Key, number>
  readonly #values = new Values()
  readonly #facts = new Map<number, number>()
  /** By key: that it has a value for which no operation looks. */
  readonly #others: (number | undefined)[] = []
  #next = FILLER + 1

  /** @param exact every value of a key is a fact of its own, also where no operation looks for it */
  constructor(operations: readonly Operation[], exact: boolean) {
    this.#exact = exact
    this.#keys = keysOf(operations)
    this.#places = new Map(this.#keys.map((key, place) => [key, place]))
    this.absent = this.#keys.map((_, place) => this.#fact(place, null))
    const absent = new Set([FILLER, ...this.absent])
    this.trees = new Trees(Math.max(1, this.#keys.length), (fact) => !absent.has(fact))
    this.initial = this.trees.of(this.absent, FILLER)
    for (const operation of operations) this.#look(operation)
    this.steps = operations.map((operation) => this.#stepOf(operation))
  }

  /** How many facts there are. */
  get facts(): number {
    return this.#next
  }

  /** Whether the fact is that the key has a value for which no operation looks. */
  isOther(key: number, fact: number): boolean {
    return this.#others[key] === fact
  }

  /** Makes facts of the values that the operation looks for. */
  #look({ f, key, argument, outcome, result }: Operation): void {
    if (f === 'read' && outcome === 'ok') this.#fact(this.#place(key), result)
    if (f === 'cas') this.#fact(this.#place(key), oldAndNew(argument)[0])
    if (f !== 'list') return
    for (const [listed, value] of result as Pairs) this.#fact(this.#place(listed), value)
  }

  #stepOf({ f, key, argument, outcome, result }: Operation): Step {
    switch (f) {
      case 'write':
        return { does: 'write', key: this.#place(key), fact: this.#made(key, argument) }
      case 'delete':
        return { does: 'write', key: this.#place(key), fact: this.#made(key, null) }
      case 'cas': {
        const place = this.#place(key)
        const [old, made] = oldAndNew(argument)
        if (outcome === 'fail') return { does: 'differ', key: place, fact: this.#fact(place, old) }
        const does = outcome === 'ok' ? 'cas' : 'try cas'
        return { does, key: place, fact: this.#fact(place, old), made: this.#made(key, made) }
      }
      case 'read':
        if (outcome === 'info') return { does: 'nothing' }
        return { does: 'read', key: this.#place(key), fact: this.#fact(this.#place(key), result) }
      case 'list':
        return this.#list(key ?? '', result as Pairs)
      case 'count':
        return { does: 'count', ...this.#range(key ?? ''), count: result as number }
      default:
        return { does: 'never' }
    }
  }

  #list(prefix: string, pairs: Pairs): Step {
    const isInOrder = pairs.every(
      ([key], at) => key.startsWith(prefix) && (at === 0 || (pairs[at - 1]?.[0] ?? '') < key),
    )
    if (!isInOrder) return { does: 'never' }
    const range = this.#range(prefix)
    const leaves = [...this.absent]
    for (const [key, value] of pairs) leaves[this.#place(key)] = this.#fact(this.#place(key), value)
    return {
      does: 'list',
      ...range,
      root: this.trees.of(leaves, FILLER),
      facts: leaves.slice(range.from, range.to),
    }
  }

  /** The keys that begin with the prefix: they stand side by side. */
  #range(prefix: string): { readonly from: number; readonly to: number } {
    const begins = (key: Key): boolean => key?.startsWith(prefix) ?? false
    const from = this.#keys.findIndex(begins)
    if (from < 0) return { from: 0, to: 0 }
    return { from, to: this.#keys.findLastIndex(begins) + 1 }
  }

  #place(key: Key): number {
    return this.#places.get(key) ?? 0
  }

  /** The fact that a key gets a value. */
  #made(key: Key, value: unknown): number {
    const place = this.#place(key)
    if (this.#exact) return this.#fact(place, value)
    return this.#facts.get(this.#name(place, value)) ?? (this.#others[place] ??= this.#next++)
  }

  #fact(place: number, value: unknown): number {
    const name = this.#name(place, value)
    let fact = this.#facts.get(name)
    if (fact === undefined) {
      fact = this.#next++
      this.#facts.set(name, fact)
    }
    return fact
  }

  #name(place: number, value: unknown): number {
    return this.#values.number(value) * this.#keys.length + place
  }
}

function oldAndNew(argument: unknown): readonly [unknown, unknown] {
  const [old, made] = argument as readonly [unknown, unknown]
  return [old, made]
}

/** All keys, in the order of their UTF-16 code units. */
function keysOf(operations: readonly Operation[]): Key[] {
  const keys = new Set<Key>()
  for (const { f, key, result } of operations) {
    if (f === 'list') for (const [listed] of result as Pairs) keys.add(listed)
    else if (f !== 'count') keys.add(key)
  }
  return [...keys].sort((a, b) => (a === null ? -1 : b === null ? 1 : a < b ? -1 : 1))
}
