/**
 * The machine of a map's operations. Its facts are that a key has a value; a state is an array of them, a key each (of one
 * key: the fact itself).
 *
 * Unless it must be exact, values of a key that no operation looks for are one. Operations look for a value by reading
 * or listing it, or as the old value of a cas; where none does, all go on alike from this value and from that.
 *
 * Unseen: such a value of a key where no operation wants another than some value, or counts. Until the key is overwritten,
 * nothing can look at it. So if it is written later than another write before which it could be, it could be there instead: what
 * follows it until the key is overwritten does not notice.
 *
 * Helpers: consider an order with the fewest `info` operations, each of them as late as can be, and those that come right before an
 * operation p. If one's key is none of p's, it could come later. If p overwrites the key unseen, it could be left out. So
 * p looks at the key. If p needs a value there, the last one on this key made that true; and any before it overwrote in vain,
 * unless the next is a cas that needs what it made, and so on. If p needs another value than some, or a number of keys, they may be any on its
 * keys.
 */
import { NONE } from '../machine.js'
import type { Machine } from '../machine.js'
import type { Operation } from '../model.js'
import { Trees } from './trees.js'
import { Values } from './values.js'

type Key = string | null

/** What an operation does. Facts are numbers; `from` and `to` are places of keys in their order. */
type Step =
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

/** `byFact` of the `info` operations that make it true, `byKey` of all. */
interface InfoIndex {
  readonly byFact: Map<number, number[]>
  readonly byKey: Map<number, number[]>
}

export class MapMachine implements Machine {
  readonly initial: number
  readonly #exact: boolean
  readonly #keys: readonly Key[]
  readonly #places: ReadonlyMap<Key, number>
  readonly #values = new Values()
  readonly #facts = new Map<number, number>()
  /** By key: that it is absent, and that it has a value for which no operation looks. */
  readonly #absent: readonly number[]
  readonly #others: (number | undefined)[] = []
  /** Keys of which some operation wants another than some value, or counts them. */
  readonly #told = new Set<number>()
  readonly #ends: readonly number[]
  /** By fact: where the first operation began that makes it true. */
  readonly #firstMade = new Map<number, number>()
  readonly #trees: Trees
  readonly #steps: readonly Step[]
  readonly #needs: readonly (readonly number[])[]
  readonly #infos: InfoIndex = { byFact: new Map(), byKey: new Map() }
  #next = FILLER + 1

  constructor(operations: readonly Operation[], exact: boolean) {
    this.#exact = exact
    this.#keys = keysOf(operations)
    this.#places = new Map(this.#keys.map((key, place) => [key, place]))
    this.#absent = this.#keys.map((_, place) => this.#fact(place, null))
    const absent = new Set([FILLER, ...this.#absent])
    this.#trees = new Trees(Math.max(1, this.#keys.length), (fact) => !absent.has(fact))
    this.initial = this.#trees.of(this.#absent, FILLER)
    for (const operation of operations) this.#look(operation)
    this.#steps = operations.map((operation) => this.#stepOf(operation))
    this.#needs = this.#steps.map(needsOf)
    this.#ends = operations.map(({ end }) => end)
    for (const fact of this.#absent) this.#firstMade.set(fact, -1)
    operations.forEach(({ begin }, at) => {
      const made = this.makes(at)
      if (!this.#firstMade.has(made)) this.#firstMade.set(made, begin)
    })
    operations.forEach(({ end }, at) => {
      if (end === Infinity) this.#index(at)
    })
    for (const step of this.#steps) {
      if (step.does === 'differ') this.#told.add(step.key)
      if (step.does === 'count') for (let key = step.from; key < step.to; key++) this.#told.add(key)
    }
  }

  get facts(): number {
    return this.#next
  }

  step(state: number, operation: number): number {
    const step = this.#step(operation)
    switch (step.does) {
      case 'nothing':
        return state
      case 'never':
        return -1
      case 'write':
        return this.#trees.set(state, step.key, step.fact)
      case 'read':
        return this.#trees.get(state, step.key) === step.fact ? state : -1
      case 'differ':
        return this.#trees.get(state, step.key) === step.fact ? -1 : state
      case 'cas':
        return this.#trees.get(state, step.key) === step.fact ? this.#trees.set(state, step.key, step.made) : -1
      case 'try cas':
        return this.#trees.get(state, step.key) === step.fact ? this.#trees.set(state, step.key, step.made) : state
      case 'list':
        return this.#trees.isSame(state, step.root, step.from, step.to) ? state : -1
      case 'count':
        return this.#trees.count(state, step.from, step.to) === step.count ? state : -1
    }
  }

  /** What needs a value that no operation has given to the key, or none that began in time. */
  isHopeless(operation: number): boolean {
    if (this.#step(operation).does === 'never') return true
    const end = this.#ends[operation] ?? 0
    return this.needs(operation).some((fact) => (this.#firstMade.get(fact) ?? Infinity) > end)
  }

  isPure(operation: number): boolean {
    const step = this.#step(operation)
    if (step.does === 'cas') return step.fact === step.made
    return step.does !== 'write' && step.does !== 'try cas'
  }

  needs(operation: number): readonly number[] {
    return this.#needs[operation] ?? NONE
  }

  makes(operation: number): number {
    const step = this.#step(operation)
    if (step.does === 'write') return step.fact
    return step.does === 'cas' || step.does === 'try cas' ? step.made : -1
  }

  loses(state: number, operation: number): number {
    const step = this.#step(operation)
    return 'key' in step ? this.#trees.get(state, step.key) : -1
  }

  helpers(operation: number): readonly number[] {
    if (this.#infos.byKey.size === 0) return NONE
    const step = this.#step(operation)
    switch (step.does) {
      case 'read':
      case 'cas':
      case 'list':
        return this.#makersOf(this.needs(operation))
      case 'differ':
        return this.#infos.byKey.get(step.key) ?? NONE
      case 'count':
        return [...this.#infos.byKey].flatMap(([key, infos]) => (key >= step.from && key < step.to ? infos : []))
      case 'nothing':
      case 'never':
      case 'write':
      case 'try cas':
        return NONE
    }
  }

  isUnseen(operation: number, next: number): boolean {
    const step = this.#step(operation)
    const after = this.#step(next)
    if (step.does !== 'write' || after.does !== 'write' || step.key !== after.key) return false
    return step.fact === this.#others[step.key] && !this.#told.has(step.key)
  }

  alike(operation: number): string {
    const step = this.#step(operation)
    return step.does === 'try cas' ? `${step.fact}>${step.made}` : String(this.makes(operation))
  }

  /** `info` operations that make one of the facts true, and those that make true what these need, and so on. */
  #makersOf(facts: readonly number[]): readonly number[] {
    const makers = new Set<number>()
    const wanted = [...facts]
    for (let fact = wanted.pop(); fact !== undefined; fact = wanted.pop()) {
      for (const info of this.#infos.byFact.get(fact) ?? NONE) {
        if (makers.has(info)) continue
        makers.add(info)
        const step = this.#step(info)
        if (step.does === 'try cas') wanted.push(step.fact)
      }
    }
    return [...makers]
  }

  #index(info: number): void {
    const step = this.#step(info)
    if (step.does !== 'write' && step.does !== 'try cas') return
    add(this.#infos.byFact, this.makes(info), info)
    add(this.#infos.byKey, step.key, info)
  }

  #step(operation: number): Step {
    return this.#steps[operation] ?? { does: 'never' }
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
      case 'append':
      case 'submit':
        return { does: 'never' }
    }
  }

  #list(prefix: string, pairs: Pairs): Step {
    const isInOrder = pairs.every(
      ([key], at) => key.startsWith(prefix) && (at === 0 || (pairs[at - 1]?.[0] ?? '') < key),
    )
    if (!isInOrder) return { does: 'never' }
    const range = this.#range(prefix)
    const leaves = [...this.#absent]
    for (const [key, value] of pairs) leaves[this.#place(key)] = this.#fact(this.#place(key), value)
    return {
      does: 'list',
      ...range,
      root: this.#trees.of(leaves, FILLER),
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

function needsOf(step: Step): readonly number[] {
  if (step.does === 'read' || step.does === 'cas') return [step.fact]
  return step.does === 'list' ? step.facts : NONE
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

function add(map: Map<number, number[]>, key: number, item: number): void {
  const items = map.get(key)
  if (items === undefined) map.set(key, [item])
  else items.push(item)
}
