/**
 * Which configurations the search has met, so that it enters none twice. Nothing is hashed: equal keys are the same.
 */
import { addSmallest } from './infos.js'
import type { Used } from './infos.js'

/** How many configurations may still be kept, by all searches of a history together. */
export interface Room {
  left: number
}

interface Met {
  readonly used: Used
}

/** All that is to be known where there are no `info` operations. */
const ONCE: Met[] = [{ used: new Int32Array(0) }]

export class Memo {
  readonly #room: Room
  /** By the event that they stand before, and by their keys. */
  readonly #met: (Map<number | string, Met[]> | undefined)[] = []
  #kept = 0

  constructor(room: Room) {
    this.#room = room
  }

  /** Keeps a configuration; false if it was met before, or one like it that had used fewer `info` operations. */
  add(at: number, key: number | string, used: Used): boolean {
    const met = (this.#met[at] ??= new Map<number | string, Met[]>())
    const same = met.get(key)
    if (same === undefined) met.set(key, used.length === 0 ? ONCE : [{ used }])
    else if (!addSmallest(same, { used })) return false
    this.#kept++
    this.#room.left--
    return true
  }

  /** Gives its room back. */
  clear(): void {
    this.#met.length = 0
    this.#room.left += this.#kept
    this.#kept = 0
  }
}
