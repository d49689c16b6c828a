/**
 * The search for an order: the algorithm of Wing and Gong (JPDC 17, 1993) with Lowe's memoisation (Concurrency and
 * Computation 29(4), 2017), as a depth-first walk with undo. A *configuration* is which completed operations were put in
 * order, which `info` operations were used, and the state they led to.
 *
 * Why it finds an order wherever there is one:
 *
 * 1. *Memo.* Each move puts a completed operation in order, so a configuration that was met and is not on the present path
 *    has failed. One that has used a superset of its `info` operations, and else is equal, can do nothing that it cannot: it
 *    fails too.
 * 2. *Alike.* Of `info` operations that do the same, the one that began first may stand for any other: none of them must come
 *    before anything.
 * 3. *Pure first.* An operation that changes nothing, and is possible now, is put in order at once: in any order that begins
 *    here it could be moved to the front. It may be next, so none that is left must come before it; the others do not notice.
 * 4. *Detours.* An `info` operation is used only right before a completed one of which it is a helper (see {@link Machine});
 *    and a detour to where that leads without it is none.
 * 5. *Lost facts.* If a fact becomes false that an operation which is left needs, and none which is left can make it true,
 *    that operation can never come.
 */
import { Detours, Infos } from './detours.js'
import { NONE } from './machine.js'
import type { Machine } from './machine.js'
import { Memo } from './memo.js'
import type { Room, Used } from './memo.js'
import type { Operation } from './model.js'
import { Timeline, Walk } from './timeline.js'

/** `full`: there is no room to remember more configurations. */
export type Found = 'order' | 'none' | 'full'

interface Frame {
  readonly state: number
  readonly used: Used
  /** How long the trail was before the move that led here. */
  readonly trail: number
  /** What may be next. */
  readonly choices: readonly number[]
  choice: number
  /** And what may be over detours. */
  goal: number
  detours: Detours | null
}

/** After so many steps it looks at the clock. */
const STEPS = 64

export class Search {
  readonly #machine: Machine
  readonly #timeline: Timeline
  readonly #walk: Walk
  readonly #infos: Infos
  readonly #memo: Memo
  readonly #frames: Frame[] = []
  /** What was put in order (`info` operations as -1 - operation), and where the walk stood before. */
  readonly #trail: number[] = []
  readonly #stood: number[] = []
  /** What the machine says of each operation. */
  readonly #isPure: Uint8Array
  readonly #needs: readonly (readonly number[])[]
  readonly #makes: Int32Array
  /** By fact: operations left that need it, and that can make it true. */
  readonly #needed: Int32Array
  readonly #makers: Int32Array
  readonly #helpers = new Map<number, readonly number[]>()
  /** By fact: the operations that need it, in the order of their ends. */
  #needers: readonly (readonly number[])[] | null = null
  #state: number
  #reached = 0
  #guess = 0
  #found: Found | null = null
  #steps = 0

  constructor(operations: readonly Operation[], machine: Machine, room: Room) {
    this.#machine = machine
    this.#timeline = new Timeline(operations)
    this.#walk = new Walk(this.#timeline)
    this.#infos = new Infos(machine, this.#timeline.infos)
    this.#memo = new Memo(room)
    const completes = operations.map(({ end }) => end !== Infinity)
    this.#isPure = Uint8Array.from(operations, (_, at) => (completes[at] && machine.isPure(at) ? 1 : 0))
    this.#needs = operations.map((_, at) => (completes[at] ? machine.needs(at) : NONE))
    this.#makes = Int32Array.from(operations, (_, at) => machine.makes(at))
    this.#needed = new Int32Array(machine.facts)
    this.#makers = new Int32Array(machine.facts)
    for (let operation = 0; operation < operations.length; operation++) this.#count(operation, 1)
    this.#state = machine.initial
    this.#enter(0, this.#infos.none)
  }

  /** Goes on until this moment (as of `performance.now()`); null if it is not done by then. */
  run(until: number): Found | null {
    while (this.#found === null) {
      if (++this.#steps % STEPS === 0 && performance.now() >= until) return null
      if (!this.#memo.hasRoom) this.#found = 'full'
      else this.#step()
    }
    return this.#found
  }

  /** Gives back the room of what it remembers: it will not go on. */
  forget(): void {
    this.#memo.clear()
  }

  /** The last completion that some order came to, and did not get past: its place in the history. */
  get reached(): number {
    return this.#timeline.places[this.#reached] ?? -1
  }

  /** Perhaps where the smallest prefix without an order ends: what got furthest would lack a fact there. */
  get guess(): number {
    return Math.max(this.reached, this.#guess)
  }

  /** The order that was found: operations by their places in the list. */
  get order(): number[] {
    return this.#trail.map((mark) => (mark < 0 ? -1 - mark : mark))
  }

  /** One attempt to put something in order. */
  #step(): void {
    const frame = this.#frames.at(-1)
    if (frame === undefined) {
      this.#found = 'none'
      return
    }
    const operation = frame.choices[frame.choice]
    if (operation !== undefined) {
      frame.choice++
      // What is pure and possible has been taken already.
      if (this.#isPure[operation] === 1) return
      if (this.#machine.step(frame.state, operation) >= 0) this.#move(frame, operation, frame.used, NONE)
      return
    }
    const goal = frame.choices[frame.goal]
    if (goal === undefined || this.#walk.begun === 0) {
      this.#undo(frame.trail)
      this.#frames.pop()
      return
    }
    frame.detours ??= this.#detours(frame, goal)
    const detour = frame.detours === null ? null : frame.detours.next()
    if (detour === null) {
      frame.detours = null
      frame.goal++
    } else if (detour !== undefined) {
      this.#move(frame, goal, detour.used, detour.infos)
    }
  }

  #detours({ state, used }: Frame, operation: number): Detours | null {
    let classes = this.#helpers.get(operation)
    if (classes === undefined) {
      classes = this.#infos.classesOf(this.#machine.helpers(operation))
      this.#helpers.set(operation, classes)
    }
    if (classes.length === 0) return null
    // Only looks, or needs what is there: see Detours.
    const isGoal = this.#isPure[operation] === 1 || (this.#needs[operation] ?? NONE).length > 0
    if (isGoal && this.#machine.step(state, operation) >= 0) return null
    return new Detours(this.#machine, this.#infos, classes, { state, used, begun: this.#walk.begun, operation, isGoal })
  }

  /** Puts the `info` operations and then the operation in order, unless a fact is lost or the configuration is known. */
  #move(frame: Frame, operation: number, used: Used, infos: readonly number[]): void {
    const trail = this.#trail.length
    this.#state = frame.state
    const isPossible = infos.every((info) => this.#take(-1 - info)) && this.#take(operation)
    if (!isPossible || !this.#enter(trail, used)) this.#undo(trail)
  }

  /** Comes to a configuration; false if it is known. */
  #enter(trail: number, used: Used): boolean {
    const choices = this.#takePure()
    const { at, isOver } = this.#walk
    if (isOver) {
      this.#found = 'order'
      return true
    }
    if (!this.#memo.add(at, this.#walk.key(this.#state), used)) return false
    if (at > this.#reached) {
      this.#reached = at
      this.#guess = 0
    }
    this.#frames.push({ state: this.#state, used, trail, choices, choice: 0, goal: 0, detours: null })
    return true
  }

  /** Takes all that changes nothing; returns what else may be next. */
  #takePure(): readonly number[] {
    for (;;) {
      const choices = this.#walk.choices()
      const { at } = this.#walk
      let left = 0
      for (const operation of choices) {
        const isTaken = this.#isPure[operation] === 1 && this.#machine.step(this.#state, operation) >= 0
        if (isTaken) this.#take(operation)
        else choices[left++] = operation
      }
      if (this.#walk.at !== at) continue
      while (choices.length > left) choices.pop()
      return left < 2 ? choices : this.#inBestOrder(choices)
    }
  }

  /** First what makes the next completion possible, then what completes earlier. Any order is right; this one is fast. */
  #inBestOrder(choices: number[]): number[] {
    const { events, ends } = this.#timeline
    const next = -1 - (events[this.#walk.at] ?? 0)
    const isStuck = this.#machine.step(this.#state, next) < 0
    for (let sorted = 1; sorted < choices.length; sorted++) {
      const operation = choices[sorted] ?? 0
      const end = ends[operation] ?? 0
      let to = sorted
      for (; to > 0 && (ends[choices[to - 1] ?? 0] ?? 0) > end; to--) choices[to] = choices[to - 1] ?? 0
      choices[to] = operation
    }
    if (!isStuck) return choices
    const helper = choices.findIndex((operation) => {
      const state = this.#isPure[operation] === 1 ? -1 : this.#machine.step(this.#state, operation)
      return state >= 0 && this.#machine.step(state, next) >= 0
    })
    if (helper > 0) choices.unshift(...choices.splice(helper, 1))
    return choices
  }

  /** Puts one operation in order (an `info` one is -1 - operation); false if a fact is gone then. */
  #take(mark: number): boolean {
    const operation = mark < 0 ? -1 - mark : mark
    const state = this.#machine.step(this.#state, operation)
    const lost = state === this.#state ? -1 : this.#machine.loses(this.#state, operation)
    this.#state = state
    this.#trail.push(mark)
    this.#stood.push(this.#walk.at)
    this.#count(operation, -1)
    const { at } = this.#walk
    if (mark >= 0) this.#walk.take(mark)
    if (lost < 0 || this.#needed[lost] === 0 || this.#makers[lost] !== 0) return true
    if (mark >= 0 && at === this.#reached) this.#guess = Math.max(this.#guess, this.#endOfNeed(lost))
    return false
  }

  /** Where the first operation completes that needs the fact and is left. */
  #endOfNeed(fact: number): number {
    this.#needers ??= this.#indexNeeds()
    const needers = this.#needers[fact] ?? NONE
    const { ends, places } = this.#timeline
    const here = places[this.#walk.at] ?? Infinity
    let [low, high] = [0, needers.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((ends[needers[middle] ?? 0] ?? 0) < here) low = middle + 1
      else high = middle
    }
    while (this.#walk.isTaken(needers[low] ?? -1)) low++
    return ends[needers[low] ?? -1] ?? 0
  }

  #indexNeeds(): number[][] {
    const { ends } = this.#timeline
    const needers: number[][] = Array.from({ length: this.#machine.facts }, () => [])
    this.#needs.forEach((facts, operation) => {
      for (const fact of facts) needers[fact]?.push(operation)
    })
    for (const one of needers) one.sort((a, b) => (ends[a] ?? 0) - (ends[b] ?? 0))
    return needers
  }

  #undo(length: number): void {
    while (this.#trail.length > length) {
      const mark = this.#trail.pop() ?? 0
      const at = this.#stood.pop() ?? 0
      this.#count(mark < 0 ? -1 - mark : mark, 1)
      if (mark >= 0) this.#walk.untake(mark, at)
    }
  }

  #count(operation: number, by: 1 | -1): void {
    for (const fact of this.#needs[operation] ?? NONE) this.#needed[fact] = (this.#needed[fact] ?? 0) + by
    const made = this.#makes[operation] ?? -1
    if (made >= 0) this.#makers[made] = (this.#makers[made] ?? 0) + by
  }
}
