/**
 * The machine of a map's operations. Its facts are that a key has a value; a state is an array of them, a key each (of
 * one key: the fact itself).
 *
 * Unless it must be exact, values of a key that no operation looks for are one. Operations look for a value by reading
 * or listing it, or as the old value of a cas; where none does, all go on alike from this value and from that.
 *
 * Unseen: such a value of a key where no operation wants another than some value, or counts. Until the key is
 * overwritten, nothing can look at it. So if it is written later than another write before which it could be, it could
 * be there instead: what follows it until the key is overwritten does not notice.
 *
 * Helpers: consider an order with the fewest `info` operations, each of them as late as can be, and those that come
 * right before an operation p. If one's key is none of p's, it could come later. If p overwrites the key unseen, it
 * could be left out. So p looks at the key. If p needs a value there, the last one on this key made that true; and any
 * before it overwrote in vain, unless the next is a cas that needs what it made, and so on. If p needs another value
 * than some, or a number of keys, they may be any on its keys.
 */
import { NONE } from '../machine.js'
import type { Machine } from '../machine.js'
import type { Operation } from '../model.js'
import { MapSteps } from './map-steps.js'
import type { Step } from './map-steps.js'

/** `byFact` of the `info` operations that make it true, `byKey` of all. */
interface InfoIndex {
  readonly byFact: Map<number, number[]>
  readonly byKey: Map<number, number[]>
}

export class MapMachine implements Machine {
  readonly initial: number
  readonly #map: MapSteps
  readonly #needs: readonly (readonly number[])[]
  readonly #ends: readonly number[]
  /** By fact: where the first operation began that makes it true. */
  readonly #firstMade = new Map<number, number>()
  /** Keys of which some operation wants another than some value, or counts them. */
  readonly #told = new Set<number>()
  readonly #infos: InfoIndex = { byFact: new Map(), byKey: new Map() }

  constructor(operations: readonly Operation[], exact: boolean) {
    this.#map = new MapSteps(operations, exact)
    this.initial = this.#map.initial
    this.#needs = this.#map.steps.map(needsOf)
    this.#ends = operations.map(({ end }) => end)
    for (const fact of this.#map.absent) this.#firstMade.set(fact, -1)
    operations.forEach(({ begin, end }, at) => {
      const made = this.makes(at)
      if (!this.#firstMade.has(made)) this.#firstMade.set(made, begin)
      if (end === Infinity) this.#index(at)
    })
    for (const step of this.#map.steps) {
      if (step.does === 'differ') this.#told.add(step.key)
      if (step.does === 'count') for (let key = step.from; key < step.to; key++) this.#told.add(key)
    }
  }

  get facts(): number {
    return this.#map.facts
  }

  step(state: number, operation: number): number {
    const step = this.#step(operation)
    const { trees } = this.#map
    switch (step.does) {
      case 'nothing':
        return state
      case 'never':
        return -1
      case 'write':
        return trees.set(state, step.key, step.fact)
      case 'read':
        return trees.get(state, step.key) === step.fact ? state : -1
      case 'differ':
        return trees.get(state, step.key) === step.fact ? -1 : state
      case 'cas':
        return trees.get(state, step.key) === step.fact ? trees.set(state, step.key, step.made) : -1
      case 'try cas':
        return trees.get(state, step.key) === step.fact ? trees.set(state, step.key, step.made) : state
      case 'list':
        return trees.isSame(state, step.root, step.from, step.to) ? state : -1
      case 'count':
        return trees.count(state, step.from, step.to) === step.count ? state : -1
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
    return 'key' in step ? this.#map.trees.get(state, step.key) : -1
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
    return this.#map.isOther(step.key, step.fact) && !this.#told.has(step.key)
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
    return this.#map.steps[operation] ?? { does: 'never' }
  }
}

function needsOf(step: Step): readonly number[] {
  if (step.does === 'read' || step.does === 'cas') return [step.fact]
  return step.does === 'list' ? step.facts : NONE
}

function add(map: Map<number, number[]>, key: number, item: number): void {
  const items = map.get(key)
  if (items === undefined) map.set(key, [item])
  else items.push(item)
}
