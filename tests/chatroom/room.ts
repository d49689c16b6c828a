/** A chatroom's state in the hands of a test: operations in slot order, and what they emitted. */
import { ChatState } from '@synod/chatroom'
import type { ChatEvent, ChatOp, ChatOpOf, ChatResults } from '@synod/chatroom'
import { Refusal } from '@synod/paxos'

/** Keys and nonces of 32 hexadecimal digits, told apart by a word's characters. */
export function hex(word: string): string {
  return Buffer.from(word).toString('hex').padEnd(32, '0').slice(0, 32)
}

/** A post with all that a post needs. */
export function post(
  room: string,
  author: string,
  text: string,
  more: Partial<ChatOpOf<'post'>> = {},
): ChatOpOf<'post'> {
  return { type: 'post', room, author, key: hex(author), text, at: 1, ...more }
}

export class TestRoom {
  state = new ChatState()
  slot = 0
  /** What was emitted since this was last set to an empty list. */
  events: ChatEvent[] = []

  readonly #emit = (event: ChatEvent): void => {
    this.events.push(event)
  }

  do<Op extends ChatOp>(op: Op, clientId = 'someone'): ChatResults[Op['type']] {
    return this.state.execute(++this.slot, { clientId, op }, this.#emit) as ChatResults[Op['type']]
  }

  end(clientId: string): void {
    this.state.ended(++this.slot, clientId, this.#emit)
  }

  /** The code of the refusal that the operation must have; nothing may have changed or been emitted. */
  refusal(op: ChatOp, clientId = 'someone'): string {
    const before = JSON.stringify([...this.state.snapshot()])
    const events = this.events.length
    try {
      this.do(op, clientId)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (JSON.stringify([...this.state.snapshot()]) !== before) return `${error.code}, after a change`
      return this.events.length === events ? error.code : `${error.code}, after an event`
    }
    return 'none'
  }

  /** Emitted since the last time. */
  taken(): ChatEvent[] {
    const { events } = this
    this.events = []
    return events
  }

  /** Another one, made of this one's snapshot, so many entries at a time. */
  copy(piece = 3): TestRoom {
    const copy = new TestRoom()
    copy.slot = this.slot
    const entries = structuredClone([...this.state.snapshot()])
    for (let at = 0; at < entries.length; at += piece) copy.state.restore(entries.slice(at, at + piece))
    return copy
  }
}
