/** The search that knows all configurations with so many operations in order before any that has more. */
import { Ways } from './configuration.js'
import type { Configuration, Space } from './configuration.js'
import { addSmallest } from './infos.js'
import type { Room } from './memo.js'

export class Levels {
  /** The end of the order that was found. */
  last: Configuration | null = null
  readonly #space: Space
  readonly #room: Room
  /** By how much is in order; then by place and key. */
  readonly #levels: (Map<string, Configuration[]> | undefined)[] = []
  #level = 0
  #here: Configuration[] = []
  #ways: Ways | null = null
  #kept = 0

  constructor(space: Space, room: Room) {
    this.#space = space
    this.#room = room
    if (space.isOver(space.first)) this.last = space.first
    else this.#add(space.first)
  }

  /** One attempt; null if it is not done. */
  step(): 'order' | 'none' | null {
    if (this.last !== null) return 'order'
    const next = this.#ways === null ? null : this.#ways.next()
    if (next === null) return this.#goOn()
    if (next === undefined) return null
    if (this.#space.isOver(next)) this.last = next
    else this.#add(next)
    return null
  }

  /** Gives back the room of what it remembers. */
  forget(): void {
    this.#keep(-this.#kept)
    this.#levels.length = 0
  }

  #goOn(): 'none' | null {
    const next = this.#here.pop()
    this.#ways = next === undefined ? null : new Ways(this.#space, next)
    if (next !== undefined) {
      this.#keep(-1)
      return null
    }
    if (this.#level >= this.#levels.length) return 'none'
    this.#here = [...(this.#levels[this.#level]?.values() ?? [])].flat()
    this.#levels[this.#level++] = undefined
    return null
  }

  #add(configuration: Configuration): void {
    const level = (this.#levels[configuration.done] ??= new Map<string, Configuration[]>())
    const key = `${configuration.at} ${this.#space.key(configuration)}`
    const same = level.get(key)
    const before = same?.length ?? 0
    if (same === undefined) level.set(key, [configuration])
    else addSmallest(same, configuration)
    this.#keep((same?.length ?? 1) - before)
  }

  #keep(more: number): void {
    this.#kept += more
    this.#room.left -= more
  }
}
