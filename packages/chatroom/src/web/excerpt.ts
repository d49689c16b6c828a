/** Which of a room's messages are in the page: enough to scroll in, and never so many that the page becomes slow. */
import type { ChatMessage } from '../command.js'

/** So many more are shown when the reader comes near to the first or the last one. */
const STEP = 60
/** So many are shown at most. */
const MOST = 240

export class Excerpt {
  /** Numbers of the first and the last message that are shown; without bounds: the latest ones. */
  #from = Infinity
  #through = Infinity

  /** Shows the latest ones from now on. */
  toEnd(): void {
    this.#from = Infinity
    this.#through = Infinity
  }

  /** Whether the latest message is shown, and whatever comes behind it will be. */
  get hasEnd(): boolean {
    return this.#through === Infinity
  }

  /** What is shown of these, which have no gaps. @param isFollowed the reader is at the end, and does not see the first */
  of(messages: readonly ChatMessage[], isFollowed: boolean): readonly ChatMessage[] {
    const [first, last] = ends(messages)
    this.#from = Math.max(first, Math.min(this.#from, last - STEP + 1))
    if (this.hasEnd && last - this.#from >= MOST) {
      if (isFollowed) this.#from = last - STEP + 1
      else this.#through = this.#from + MOST - 1
    }
    return messages.slice(this.#from - first, Math.min(this.#through, last) - first + 1)
  }

  /** Shows earlier ones, as far as they are among these; tells whether there were any. */
  earlier(messages: readonly ChatMessage[]): boolean {
    const [first, last] = ends(messages)
    if (this.#from <= first || messages.length === 0) return false
    this.#from = Math.max(first, this.#from - STEP)
    if (Math.min(this.#through, last) - this.#from >= MOST) this.#through = this.#from + MOST - 1
    return true
  }

  /** Shows later ones; tells whether there were any. */
  later(messages: readonly ChatMessage[]): boolean {
    if (this.hasEnd) return false
    const [first, last] = ends(messages)
    this.#through += STEP
    if (this.#through >= last) this.#through = Infinity
    this.#from = Math.max(first, this.#from, Math.min(this.#through, last) - MOST + 1)
    return true
  }
}

function ends(messages: readonly ChatMessage[]): [first: number, last: number] {
  const first = messages[0]?.number ?? 1
  return [first, first + messages.length - 1]
}
