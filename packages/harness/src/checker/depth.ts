/** The search that goes one path at a time, as deep as that leads. */
import { Ways } from './configuration.js'
import type { Configuration, Space } from './configuration.js'
import { Memo } from './memo.js'
import type { Room } from './memo.js'

export class Depth {
  /** The end of the order that was found. */
  last: Configuration | null = null
  readonly #space: Space
  readonly #memo: Memo
  readonly #path: Ways[]

  constructor(space: Space, room: Room) {
    this.#space = space
    this.#memo = new Memo(room)
    this.#path = [new Ways(space, space.first)]
    if (space.isOver(space.first)) this.last = space.first
  }

  /** One attempt; null if it is not done. */
  step(): 'order' | 'none' | null {
    if (this.last !== null) return 'order'
    const next = this.#path.at(-1)?.next()
    if (next === undefined) return this.#path.length === 0 ? 'none' : null
    if (next === null) this.#path.pop()
    else if (this.#space.isOver(next)) this.last = next
    else if (this.#memo.add(next.at, this.#space.key(next), next.used)) this.#path.push(new Ways(this.#space, next))
    return null
  }

  /** Gives back the room of what it remembers. */
  forget(): void {
    this.#memo.clear()
  }
}
