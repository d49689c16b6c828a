/** The replicated state: the room's messages, in the order in which the cluster decided them. */
import type { Command, State } from '@synod/paxos'
import { MAX_PAGE, type ChatMessage, type ChatOp, type ChatResult } from './command.js'

export class ChatState implements State<ChatOp, ChatResult> {
  #messages: ChatMessage[] = []

  execute(_slot: number, { op }: Command<ChatOp>): ChatResult {
    if (op.type === 'post') {
      const number = this.#messages.length + 1
      this.#messages.push({ number, author: op.author, text: op.text })
      return { number }
    }
    const messages = this.#messages.slice(op.from - 1, op.from - 1 + MAX_PAGE)
    return { messages, total: this.#messages.length }
  }

  *snapshot(): Iterable<ChatMessage> {
    yield* this.#messages
  }

  restore(entries: Iterable<unknown>): void {
    this.#messages = Array.from(entries, (entry) => entry as ChatMessage)
  }
}
