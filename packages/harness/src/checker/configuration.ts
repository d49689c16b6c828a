/** How far an order has come, and how it goes on. */
import { Detours } from './detours.js'
import { Facts } from './facts.js'
import { Infos } from './infos.js'
import type { Used } from './infos.js'
import { NONE } from './machine.js'
import type { Machine } from './machine.js'
import type { Operation } from './model.js'
import { Timeline } from './timeline.js'

/**
 * What was put in order, and where that led. It stands before the first completion of an operation that was not:
 * whatever began before that may be next, and all that completed before it is in order. So it is known by that place,
 * and by those that are in order and open still.
 */
export interface Configuration {
  /** The event that it stands before; as many as there are events if all is in order. */
  readonly at: number
  /** How many `info` operations have begun. */
  readonly begun: number
  /** Operations that may be next, in the order of their ends. (The first one's is the event `at`.) */
  readonly open: readonly number[]
  /** Operations that are in order and have not completed before `at`. */
  readonly taken: readonly number[]
  /** How many completed operations are in order. */
  readonly done: number
  readonly state: number
  readonly used: Used
  /** What was put in order last, and the configuration before that. */
  readonly added: readonly number[]
  readonly before: Configuration | null
}

/** What is in order at a configuration: operations by their places in the part's list. */
export function orderOf(last: Configuration | null): number[] {
  const added: (readonly number[])[] = []
  for (let at = last; at !== null; at = at.before) added.push(at.added)
  return added.reverse().flat()
}

/** A configuration that is being put together. */
interface Draft {
  at: number
  begun: number
  readonly open: number[]
  readonly taken: number[]
  readonly added: number[]
}

/** If more operations are open at once, sets of them are texts and not numbers. */
const MAX_BITS = 24
const BITS = 2 ** MAX_BITS

/** All configurations of a part. */
export class Space {
  readonly first: Configuration
  readonly infos: Infos
  readonly timeline: Timeline
  /** Whether some operation has no chance at all. */
  readonly isHopeless: boolean
  readonly #machine: Machine
  readonly #isPure: Uint8Array
  readonly #facts: Facts
  readonly #helpers = new Map<number, readonly number[]>()
  #reached = 0
  #guess = 0

  constructor(operations: readonly Operation[], machine: Machine) {
    this.#machine = machine
    this.timeline = new Timeline(operations)
    this.infos = new Infos(machine, this.timeline.infos)
    this.#facts = new Facts(machine, this.timeline, this.infos)
    this.#isPure = Uint8Array.from(operations, (_, operation) => (machine.isPure(operation) ? 1 : 0))
    const draft: Draft = { at: 0, begun: 0, open: [], taken: [], added: [] }
    this.first = this.#finish(draft, machine.initial, this.infos.none, null)
    const { ends } = this.timeline
    const hopeless = ends.filter((end, operation) => end !== Infinity && machine.isHopeless(operation))
    this.isHopeless = hopeless.length > 0
    if (this.isHopeless) this.#guess = hopeless.reduce((a, b) => Math.min(a, b))
  }

  isOver({ at }: Configuration): boolean {
    return at === this.timeline.events.length
  }

  /** With `at`, equal for configurations that differ at most in what `info` operations they used. */
  key({ state, taken }: Configuration): number | string {
    const { slots, width } = this.timeline
    if (width > MAX_BITS)
      return `${state}:${taken
        .map((operation) => slots[operation])
        .sort()
        .join()}`
    let bits = 0
    for (const operation of taken) bits |= 1 << (slots[operation] ?? 0)
    return state * BITS + bits
  }

  /** The last completion that an order came to, and did not get past: its place in the history. */
  get reached(): number {
    return this.timeline.places[this.#reached] ?? -1
  }

  /** Perhaps where the smallest prefix without an order ends: what got furthest would lack a fact there. */
  get guess(): number {
    return Math.max(this.reached, this.#guess)
  }

  /** What leads nowhere by itself, but needs `info` operations before it. */
  detours({ state, used, begun }: Configuration, operation: number): Detours | null {
    if (begun === 0) return null
    let classes = this.#helpers.get(operation)
    if (classes === undefined) {
      classes = this.infos.classesOf(this.#machine.helpers(operation))
      this.#helpers.set(operation, classes)
    }
    if (classes.length === 0) return null
    // Only looks, or needs what is there: see Detours.
    const isGoal =
      this.#isPure[operation] === 1 ||
      (this.#facts.needs[operation] ?? NONE).length > 0 ||
      this.#machine.isGoal?.(operation) === true
    if (isGoal && this.#machine.step(state, operation) >= 0) return null
    return new Detours(this.#machine, this.infos, classes, { state, used, begun, operation, isGoal })
  }

  /** Whether the operation can be next without a detour. (If it is pure, it was taken already or cannot.) */
  isPossible({ state }: Configuration, operation: number): boolean {
    return this.#isPure[operation] === 0 && this.#machine.step(state, operation) >= 0
  }

  /**
   * Of the operations that may be next, one that makes the first to complete possible if that is not; undefined if none
   * does.
   */
  helping(from: Configuration): number | undefined {
    const [next] = from.open
    if (next === undefined || from.open.length < 2 || this.#machine.step(from.state, next) >= 0) return undefined
    return from.open.find((operation) => {
      if (!this.isPossible(from, operation)) return false
      return this.#machine.step(this.#machine.step(from.state, operation), next) >= 0
    })
  }

  /** Where the `info` operations and then the operation lead; null if a fact is gone then that is needed. */
  follow(from: Configuration, infos: readonly number[], operation: number, used: Used): Configuration | null {
    let { state } = from
    for (const info of infos) {
      const lost = this.#machine.loses(state, info)
      // (One that comes later on the detour may still make it true again.)
      if (lost >= 0 && this.#facts.isGone(lost, from, -1, from.used)) return null
      state = this.#machine.step(state, info)
    }
    const after = this.#machine.step(state, operation)
    const lost = after === state ? -1 : this.#machine.loses(state, operation)
    if (lost >= 0 && this.#facts.isGone(lost, from, operation, used)) {
      if (infos.length === 0 && from.at === this.#reached)
        this.#guess = Math.max(this.#guess, this.#facts.endOfNeed(lost, from))
      return null
    }
    const open: number[] = []
    const next: number[] = []
    for (const one of from.open) {
      if (one === operation) continue
      if (this.#machine.isUnseen(one, operation)) next.push(one)
      else open.push(one)
    }
    next.push(operation)
    const taken = [...from.taken, ...next]
    const draft: Draft = { at: from.at, begun: from.begun, open, taken, added: [...infos, ...next] }
    return this.#finish(draft, after, used, from)
  }

  /** Takes all that changes nothing, and goes to the next completion of what was not taken. */
  #finish(draft: Draft, state: number, used: Used, before: Configuration | null): Configuration {
    for (let isMore = true; isMore;) {
      this.#advance(draft)
      isMore = this.#takePure(draft, state)
    }
    const { at, begun, open, taken, added } = draft
    if (at > this.#reached) [this.#reached, this.#guess] = [at, 0]
    const infos =
      this.timeline.infos.length === 0 ? 0 : added.filter((one) => this.timeline.ends[one] === Infinity).length
    const done = (before?.done ?? 0) + added.length - infos
    return { at, begun, open, taken, done, state, used, added, before }
  }

  #takePure({ open, taken, added }: Draft, state: number): boolean {
    let left = 0
    for (const operation of open) {
      if (this.#isPure[operation] === 1 && this.#machine.step(state, operation) >= 0) {
        taken.push(operation)
        added.push(operation)
      } else open[left++] = operation
    }
    const isMore = left < open.length
    while (open.length > left) open.pop()
    return isMore
  }

  #advance(draft: Draft): void {
    const { events, ends } = this.timeline
    const { open, taken } = draft
    for (; draft.at < events.length; draft.at++) {
      const mark = events[draft.at] ?? 0
      if (mark < 0) {
        const place = taken.indexOf(-1 - mark)
        if (place < 0) return
        taken.splice(place, 1)
      } else if (ends[mark] === Infinity) draft.begun++
      else {
        let to = open.length
        for (; to > 0 && (ends[open[to - 1] ?? 0] ?? 0) > (ends[mark] ?? 0); to--) open[to] = open[to - 1] ?? 0
        open[to] = mark
      }
    }
  }
}

/** The ways on from a configuration, the likely ones first; those over detours last. */
export class Ways {
  readonly from: Configuration
  readonly #space: Space
  readonly #helping: number | undefined
  #next = -1
  #goal = 0
  #detours: Detours | null = null

  constructor(space: Space, from: Configuration) {
    this.#space = space
    this.from = from
    this.#helping = space.helping(from)
  }

  /** One attempt: a configuration, undefined if it failed, null if there are no more. */
  next(): Configuration | null | undefined {
    const { open, used } = this.from
    if (this.#next < open.length) {
      const isFirst = this.#next < 0
      const operation = isFirst ? this.#helping : open[this.#next]
      this.#next++
      if (operation === undefined || (!isFirst && operation === this.#helping)) return undefined
      return this.#space.isPossible(this.from, operation)
        ? (this.#space.follow(this.from, [], operation, used) ?? undefined)
        : undefined
    }
    const goal = open[this.#goal]
    if (goal === undefined) return null
    this.#detours ??= this.#space.detours(this.from, goal)
    const detour = this.#detours === null ? null : this.#detours.next()
    if (detour === null) {
      this.#detours = null
      this.#goal++
      return undefined
    }
    return detour && (this.#space.follow(this.from, detour.infos, goal, detour.used) ?? undefined)
  }
}
