/** A stretch of a room's messages, without gaps, that ends with the latest one that was heard of. */
import type { ChatMessage, ChatResults } from '../command.js'

/** So many are held; past twice as many the oldest go, and can be read again. */
const HELD = 2_000

export class Messages {
  #list: ChatMessage[] = []
  #last = 0
  /** The oldest that the room keeps, as far as was heard. */
  #oldest = 1
  /** While a page of older messages is being read: changes of what is not here, by number, which it may lack. */
  #meanwhile: Map<number, ChatMessage> | null = null

  get list(): readonly ChatMessage[] {
    return this.#list
  }

  /** The number with which the list ends. */
  get last(): number {
    return this.#last
  }

  /** The number with which the list begins; one behind `last` if it is empty. */
  get first(): number {
    return this.#last - this.#list.length + 1
  }

  /** Whether the room has older ones. */
  get hasOlder(): boolean {
    return this.first > this.#oldest
  }

  /** Begins anew, with the latest page. */
  reset({ messages, first, last }: ChatResults['read']): void {
    this.#list = [...messages]
    this.#oldest = first
    this.#last = last
    this.#meanwhile = null
  }

  /** Adds the next one. */
  add(message: ChatMessage): void {
    this.#last = message.number
    this.#list.push(message)
    if (this.#list.length > 2 * HELD) this.#list = this.#list.slice(-HELD)
  }

  /** Puts another version in its place; false if that is not here, or not an older one. */
  change(message: ChatMessage): boolean {
    const at = message.number - this.first
    const held = this.#list[at]
    if (held === undefined) this.#meanwhile?.set(message.number, message)
    if (held === undefined || !isNewer(message, held)) return false
    this.#list[at] = message
    return true
  }

  /** Reads a page of older ones, and puts it before the list; gives what was added. Rejects as `read` does. */
  async loadOlder(read: (before: number) => Promise<ChatResults['read']>): Promise<readonly ChatMessage[]> {
    const meanwhile = (this.#meanwhile = new Map<number, ChatMessage>())
    try {
      const { messages, first } = await read(this.first)
      if (this.#meanwhile !== meanwhile) return [] // the list has begun anew
      this.#oldest = first
      if (messages.at(-1)?.number !== this.first - 1) return []
      const older = messages.map((message) => {
        const changed = meanwhile.get(message.number)
        return changed !== undefined && isNewer(changed, message) ? changed : message
      })
      this.#list = [...older, ...this.#list]
      return older
    } finally {
      if (this.#meanwhile === meanwhile) this.#meanwhile = null
    }
  }
}

/** Of two versions of one message. */
function isNewer(message: ChatMessage, than: ChatMessage): boolean {
  return !than.deleted && (message.deleted || message.edits > than.edits)
}
