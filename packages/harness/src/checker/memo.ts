/** Which configurations the search has met, so that it enters none twice. Nothing is hashed: equal keys are the same. */

/** Which of the `info` operations were used, as bits. Never changed. */
export type Used = Int32Array

/** How many configurations may still be kept, by all searches of a history together. */
export interface Room {
  left: number
}

/** Whether all in `a` are in `b`. */
export function isWithin(a: Used, b: Used): boolean {
  for (let word = 0; word < a.length; word++) if (((a[word] ?? 0) & ~(b[word] ?? 0)) !== 0) return false
  return true
}

/** Adds `used` to sets of which none holds another; false if one of them is within it already. */
export function addSmallest(sets: Used[], used: Used): boolean {
  for (const set of sets) if (isWithin(set, used)) return false
  let kept = 0
  for (const set of sets) if (!isWithin(used, set)) sets[kept++] = set
  sets.length = kept
  sets.push(used)
  return true
}

/** The only sets of a part without `info` operations. */
const NO_INFOS: Used[] = [new Int32Array(0)]

export class Memo {
  readonly #room: Room
  readonly #met: (Map<number | string, Used[]> | undefined)[] = []
  #kept = 0

  constructor(room: Room) {
    this.#room = room
  }

  /** False if there is no room left to keep more. */
  get hasRoom(): boolean {
    return this.#room.left > 0
  }

  /** Keeps a configuration; false if it was met before, or one like it that had used fewer `info` operations. */
  add(at: number, key: number | string, used: Used): boolean {
    const met = (this.#met[at] ??= new Map<number | string, Used[]>())
    const sets = met.get(key)
    if (sets === undefined) met.set(key, used.length === 0 ? NO_INFOS : [used])
    else if (!addSmallest(sets, used)) return false
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
