/** What of the conversation is on the screen: messages and remarks go there in their order, each once. */
import type { ChatMessage } from '../command.js'
import type { ChatChange } from '../live/chat.js'
import type { Room } from '../live/room.js'
import { counted, oneLine, type Lines } from './lines.js'

/** Messages that are shown when one enters a room, and with each look at older ones. */
export const SHOWN = 20
/** So many names are told when one enters. */
const NAMES = 20

export class View {
  readonly #lines: Lines
  readonly #show: (text: string) => void
  /** The room that is shown. */
  #room = ''
  /** Its messages from `#first` to `#last` are on the screen. */
  #first = 1
  #last = 0
  /** When the last message on the screen was written. */
  #at: number | null = null

  constructor(lines: Lines, show: (text: string) => void) {
    this.#lines = lines
    this.#show = show
  }

  /** A sentence about the connection, or whatever is no answer and no message. */
  say(sentence: string): void {
    this.#show(this.#lines.remark(`— ${sentence}`))
  }

  /** Whether a change of this message is told. */
  tellsOf(number: number): boolean {
    return number >= this.#first
  }

  /** What happened in the room that one is in. */
  changed(change: ChatChange): void {
    switch (change.type) {
      case 'opened':
        return this.#opened(change.room)
      case 'posted':
        this.#messages([change.message])
        this.#last = change.message.number
        return
      case 'changed':
        // What was not seen is shown as it is then, if ever.
        if (this.tellsOf(change.message.number)) this.#show(this.#lines.change(change.message))
        return
      case 'joined':
        if (change.who.id === change.room.myId) return
        return this.#show(
          this.#lines.remark(
            change.before === null
              ? `${oneLine(change.who.name)} joined`
              : `${oneLine(change.before.name)} is called ${oneLine(change.who.name)} now`,
          ),
        )
      case 'left':
        if (change.who.id !== change.room.myId) this.#show(this.#lines.remark(`${oneLine(change.who.name)} left`))
        return
      case 'older':
      case 'unsent':
      case 'refused':
      case 'trouble':
      case 'rooms':
        return
    }
  }

  /** Shows older messages than those that were shown, and reads them if need be. */
  async older(room: Room, count: number): Promise<void> {
    while (room.hasOlder && this.#first - count < (room.messages[0]?.number ?? 0)) {
      if ((await room.loadOlder()).length === 0) break
    }
    const before = room.messages.filter(({ number }) => number < this.#first).slice(-count)
    const [from] = before
    if (from === undefined) {
      this.say('there are no older messages')
      return
    }
    const to = this.#first - 1
    this.say(`messages ${from.number} to ${to}:`)
    const at = this.#at
    this.#at = null
    this.#messages(before)
    this.#at = at
    this.say(`these were messages ${from.number} to ${to}`)
    this.#first = from.number
  }

  /** Shows messages that may have been shown before, as they come. */
  async log(pages: AsyncIterable<readonly ChatMessage[]>): Promise<void> {
    const at = this.#at
    let last: number | null = null
    let count = 0
    for await (const messages of pages) {
      this.#at = last
      this.#messages(messages)
      last = this.#at
      this.#at = at
      count += messages.length
    }
    this.say(`these were all ${counted(count, 'message')}`)
  }

  #opened(room: Room): void {
    const isOther = room.name !== this.#room
    if (isOther) {
      this.#room = room.name
      this.#last = 0
      this.#at = null
    }
    const news = room.messages.filter(({ number }) => number > this.#last)
    const shown = isOther ? news.slice(-SHOWN) : news
    const first = shown[0]?.number ?? (isOther ? (room.messages.at(-1)?.number ?? 0) + 1 : this.#last + 1)
    const missed = first - 1 - this.#last
    this.say(`${oneLine(room.name)}: ${this.#here(room)}`)
    if (missed > 0) this.say(`${counted(missed, 'message')} before these: /history shows them`)
    if (isOther || missed > 0) this.#first = first
    this.#messages(shown)
    this.#last = room.messages.at(-1)?.number ?? 0
  }

  #here({ here }: Room): string {
    const names = here.slice(0, NAMES).map(({ name }) => oneLine(name))
    const others = here.length - names.length
    return `${names.join(', ')}${others > 0 ? ` and ${others} others` : ''} ${here.length === 1 ? 'is' : 'are'} here`
  }

  #messages(messages: readonly ChatMessage[]): void {
    for (const message of messages) {
      const day = this.#lines.day(message.at, this.#at)
      if (day !== null) this.#show(day)
      this.#at = message.at
      this.#show(this.#lines.message(message))
    }
  }
}
