/**
 * The search for an order: the algorithm of Wing and Gong (JPDC 17, 1993) with Lowe's memoisation (Concurrency and
 * Computation 29(4), 2017). A *configuration* is which completed operations were put in order, which `info` operations
 * were used, and the state they led to.
 *
 * Why it finds an order wherever there is one:
 *
 * 1. *Memo.* Each move puts a completed operation in order, so a configuration that was met and is not on the present
 *    path has failed. One that has used a superset of its `info` operations, and else is equal, can do nothing that it
 *    cannot: it fails too.
 * 2. *Alike.* Of `info` operations that do the same, the one that began first may stand for any other: none of them
 *    must come before anything.
 * 3. *Pure first.* An operation that changes nothing, and is possible now, is put in order at once: in any order that
 *    begins here it could be moved to the front. It may be next, so none that is left must come before it; the others
 *    do not notice.
 * 4. *Detours.* An `info` operation is used only right before a completed one of which it is a helper (see `Machine`);
 *    and a detour to where that leads without it is none.
 * 5. *Unseen.* What nobody sees goes right before a move that hides it (see `Machine`).
 * 6. *Lost facts.* If a fact becomes false that an operation which is left needs, and none which is left can make it
 *    true, that operation can never come.
 *
 * It goes into the depth first, which finds an order soon where there are many. Where there is none, it would meet the
 * same configurations again and again with ever fewer `info` operations used. So if it takes long, it begins again and
 * goes level by level, where those that have used fewest are known before any of them is followed; and it forgets the
 * levels behind it.
 */
import { orderOf, Space } from './configuration.js'
import { Depth } from './depth.js'
import { Levels } from './levels.js'
import type { Machine } from './machine.js'
import type { Room } from './memo.js'
import type { Operation } from './model.js'

/** `full`: there is no room to remember more configurations. */
export type Found = 'order' | 'none' | 'full'

/** After so many steps it looks at the clock. */
const STEPS = 64

/** It goes into the depth for so many steps for each operation, and so many at least. */
const DEPTH = 20
const MIN_DEPTH = 10_000

export class Search {
  readonly #space: Space
  readonly #room: Room
  readonly #depth: number
  #way: Depth | Levels
  #steps = 0

  constructor(operations: readonly Operation[], machine: Machine, room: Room) {
    this.#space = new Space(operations, machine)
    this.#room = room
    this.#depth = this.#space.infos.classes.length === 0 ? Infinity : Math.max(MIN_DEPTH, DEPTH * operations.length)
    this.#way = new Depth(this.#space, room)
  }

  /** Goes on until this moment (as of `performance.now()`); null if it is not done by then. */
  run(until: number): Found | null {
    if (this.#space.isHopeless) return 'none'
    for (;;) {
      if (++this.#steps % STEPS === 0 && performance.now() >= until) return null
      const found = this.#way.step()
      if (found !== null) return found
      const isFull = this.#room.left <= 0
      if (this.#way instanceof Depth) {
        if (isFull || this.#steps > this.#depth) this.#goByLevels(this.#way)
      } else if (isFull) return 'full'
    }
  }

  /** The last completion that an order came to, and did not get past: its place in the history. */
  get reached(): number {
    return this.#space.reached
  }

  /** Perhaps where the smallest prefix without an order ends. */
  get guess(): number {
    return this.#space.guess
  }

  /** The order that was found: operations by their places in the list. */
  get order(): number[] {
    return orderOf(this.#way.last)
  }

  /** Gives back the room of what it remembers: it will not go on. */
  forget(): void {
    this.#way.forget()
  }

  #goByLevels(way: Depth): void {
    way.forget()
    this.#way = new Levels(this.#space, this.#room)
  }
}
