/** One room of the replicated state: its messages, and who is in it. */
import { MAX_MESSAGES, PAGE_TEXT } from './command.js'
import type { ChatMessage, ChatOpOf, Presence } from './command.js'

/** A message as the state keeps it. */
export interface Kept {
  readonly message: ChatMessage
  /** Its author's: never told to anybody. */
  readonly key: string
}

/** A room, as it was at one moment. */
export interface RoomView {
  readonly name: string
  readonly messages: ReadonlyMap<number, Kept>
  readonly here: ReadonlyMap<string, Presence>
}

export class RoomState {
  /** By number: from the oldest that is kept to the last, without gaps. Messages are replaced, never changed. */
  #messages = new Map<number, Kept>()
  /** The numbers of those that came with a nonce, by key and nonce. */
  readonly #nonces = new Map<string, number>()
  /** By client id, which is never told to anybody; in the order of their ids. */
  #here = new Map<string, Presence>()
  #last = 0
  /** A view has the maps, too: they must not be changed any more. */
  #isViewed = false

  constructor(readonly name: string) {}

  /** The last message's number; 0 if there is none. */
  get last(): number {
    return this.#last
  }

  /** The oldest message's number; one behind `last` if there is none. */
  get first(): number {
    return this.#last - this.#messages.size + 1
  }

  get here(): ReadonlyMap<string, Presence> {
    return this.#here
  }

  /** The room as it is now: it costs nothing before the room is changed, and a copy of its maps then. */
  view(): RoomView {
    this.#isViewed = true
    return { name: this.name, messages: this.#messages, here: this.#here }
  }

  message(number: number): Kept | undefined {
    return this.#messages.get(number)
  }

  /** The message that has this key and nonce. */
  known(key: string, nonce: string): number | undefined {
    return this.#nonces.get(`${key}/${nonce}`)
  }

  /** Puts a message behind all others, or in the place of the one that has its number. */
  put(kept: Kept): void {
    this.#leaveToViews()
    const { number, nonce } = kept.message
    this.#messages.set(number, kept)
    if (number <= this.#last) return
    this.#last = number
    if (nonce !== undefined) this.#nonces.set(`${kept.key}/${nonce}`, number)
    const oldest = this.#messages.size > MAX_MESSAGES ? this.#messages.get(this.first) : undefined
    if (oldest !== undefined) this.#forget(oldest)
  }

  /** The messages of a page, in order. */
  page({ limit, before, after }: ChatOpOf<'read'>): readonly ChatMessage[] {
    const page: ChatMessage[] = []
    const step = after === undefined ? -1 : 1
    let number =
      after === undefined ? Math.min(before ?? Infinity, this.#last + 1) - 1 : Math.max(after + 1, this.first)
    for (let length = 0; page.length < limit; number += step) {
      const kept = this.#messages.get(number)
      if (kept === undefined) break
      length += kept.message.text.length
      if (page.length > 0 && length > PAGE_TEXT) break
      page.push(kept.message)
    }
    return step === 1 ? page : page.reverse()
  }

  enter(clientId: string, who: Presence): void {
    this.#leaveToViews()
    this.#here.set(clientId, who)
  }

  leave(clientId: string): void {
    this.#leaveToViews()
    this.#here.delete(clientId)
  }

  #leaveToViews(): void {
    if (!this.#isViewed) return
    this.#messages = new Map(this.#messages)
    this.#here = new Map(this.#here)
    this.#isViewed = false
  }

  #forget({ message: { number, nonce }, key }: Kept): void {
    this.#messages.delete(number)
    if (nonce !== undefined) this.#nonces.delete(`${key}/${nonce}`)
  }
}
