/** One room as somebody in it sees it: messages, people and his own unsent messages, kept up to date. */
import type { ChatClient } from '../client.js'
import type { ChatEvent, ChatMessage, ChatResults, Presence } from '../command.js'
import { Messages } from './messages.js'
import { Outbox, type Draft, type Me, type Unsent } from './outbox.js'
import { codeOf, mayPass, Patience } from './patience.js'

/** Messages that are read at first, and with each page of older ones. */
const PAGE = 50

/** What became different in a room. */
export type RoomChange =
  /**
   * Messages and people were read: when one enters, and again when the events between were lost; then all may be different.
   * `isNew`: for the first time.
   */
  | { readonly type: 'opened'; readonly room: Room; readonly isNew: boolean }
  /** One more message; if it is one's own, it is not among the unsent any more. */
  | { readonly type: 'posted'; readonly room: Room; readonly message: ChatMessage }
  | { readonly type: 'changed'; readonly room: Room; readonly message: ChatMessage }
  | { readonly type: 'older'; readonly room: Room; readonly messages: readonly ChatMessage[] }
  /** Somebody came, or has another name: then `before` is the old one. */
  | { readonly type: 'joined'; readonly room: Room; readonly who: Presence; readonly before: Presence | null }
  | { readonly type: 'left'; readonly room: Room; readonly who: Presence }
  /** An unsent message is new, or has another state. */
  | { readonly type: 'unsent'; readonly room: Room; readonly unsent: Unsent }
  /** It cannot be entered: the refusal says why. One is not in it, and it is not tried again. */
  | { readonly type: 'refused'; readonly room: Room; readonly error: Error }
  /** The cluster gave no answer; it is asked again. */
  | { readonly type: 'trouble'; readonly room: Room; readonly error: Error }

/** An event that came before what it is to change. */
interface Early {
  readonly slot: number
  readonly event: ChatEvent
}

export class Room {
  readonly name: string
  readonly #client: ChatClient
  readonly #me: Me
  readonly #tell: (change: RoomChange) => void
  readonly #outbox: Outbox
  readonly #patience = new Patience()
  readonly #messages = new Messages()
  /** By id, in their order. */
  #here = new Map<number, Presence>()
  #myId: number | null = null
  #isOpen = false
  #isLeft = true
  /** Messages and people are as of these slots, and of all events behind them that came. */
  #readAt = 0
  #joinedAt = 0
  /** The slot of the last event that came. */
  #heard = 0
  /** While messages and people are being read: the events that came since. */
  #early: Early[] | null = []
  #older: Promise<readonly ChatMessage[]> | null = null

  /** @internal Use `Chat.enter`. */
  constructor(client: ChatClient, name: string, me: Me, tell: (change: RoomChange) => void) {
    this.#client = client
    this.name = name
    this.#me = me
    this.#tell = tell
    this.#outbox = new Outbox(client, name, me, (unsent) => tell({ type: 'unsent', room: this, unsent }))
  }

  /** Whether one is not in it, and not on the way into it. */
  get isLeft(): boolean {
    return this.#isLeft
  }

  /** How many of one's own messages have no outcome yet. */
  get pending(): number {
    return this.#outbox.pending
  }

  /** Whether messages and people were read. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Without gaps, up to the latest; older ones come by {@link loadOlder}. The list is changed in place. */
  get messages(): readonly ChatMessage[] {
    return this.#messages.list
  }

  /** Whether there are messages before these. */
  get hasOlder(): boolean {
    return this.#messages.hasOlder
  }

  /** Who is in the room, oneself included, in the order in which they came. */
  get here(): readonly Presence[] {
    return [...this.#here.values()]
  }

  /** Names oneself in `here`; null as long as one is not in. */
  get myId(): number | null {
    return this.#myId
  }

  /** One's own messages that are not among `messages` yet, in the order in which they were written. */
  get unsent(): readonly Unsent[] {
    return this.#outbox.entries
  }

  /** Writes a message. It is among `unsent` at once, and goes on its way; nothing needs to be done if the cluster is out of reach. */
  post(text: string, draft?: Draft): Unsent {
    const unsent = this.#outbox.post(text, draft)
    this.#tell({ type: 'unsent', room: this, unsent })
    return unsent
  }

  /** Takes an unsent message that was refused off the list. */
  dismiss(unsent: Unsent): void {
    this.#outbox.remove(unsent)
  }

  /** Gives one's own message another text. Rejects as `ChatClient.edit` does. */
  async edit(number: number, text: string): Promise<ChatMessage> {
    return (await this.#client.edit({ room: this.name, number, key: this.#me.key, text })).message
  }

  /** Takes one's own message back. Rejects as `ChatClient.delete` does. */
  async delete(number: number): Promise<ChatMessage> {
    return (await this.#client.delete({ room: this.name, number, key: this.#me.key })).message
  }

  /** Reads a page of older messages, and gives them; none if there are none. Rejects as `ChatClient.read` does. */
  loadOlder(limit = PAGE): Promise<readonly ChatMessage[]> {
    if (!this.hasOlder) return Promise.resolve([])
    this.#older ??= this.#loadOlder(limit).finally(() => {
      this.#older = null
    })
    return this.#older
  }

  async #loadOlder(limit: number): Promise<readonly ChatMessage[]> {
    const messages = await this.#messages.loadOlder((before) => this.#client.read(this.name, { limit, before }))
    if (messages.length > 0) this.#tell({ type: 'older', room: this, messages })
    return messages
  }

  // What the chat tells.

  /** One wants to be in it, again. */
  enter(): void {
    this.#isLeft = false
    this.#early = []
  }

  /** Joins, and reads messages and people anew; the feed, which runs already, brings what comes after that. */
  async load(): Promise<void> {
    const early: Early[] = []
    this.#early = early
    const isOver = (): boolean => this.#isLeft || this.#early !== early
    for (;;) {
      try {
        const { name } = this.#me
        const joining = this.#client.join(this.name, name)
        const reading = this.#client.read(this.name, { limit: PAGE })
        const [joined, page] = await Promise.all([joining, reading])
        if (isOver()) return
        this.#patience.worked()
        this.#opened(joined, page)
        this.#early = null
        for (const { slot, event } of early) this.apply(slot, event)
        if (this.#me.name !== name) void this.rejoin()
        return
      } catch (error) {
        if (isOver() || !this.#isPassing(error)) return
        await this.#patience.wait()
        if (isOver()) return
        early.length = 0 // what came until now is in what will be read
      }
    }
  }

  /** An event of this room. */
  apply(slot: number, event: ChatEvent): void {
    this.#heard = slot
    if (this.#isLeft) {
      if (event.type === 'posted') this.#notice(event.message)
    } else if (this.#early !== null) this.#early.push({ slot, event })
    else if (event.type === 'joined' || event.type === 'left') {
      if (slot > this.#joinedAt) this.#moved(event)
    } else if (slot > this.#readAt) this.#written(event)
  }

  /** Joins once more: one was away for so long that the cluster took one for gone, or has another name. */
  async rejoin(): Promise<void> {
    this.#myId = null
    const isWanted = (): boolean => !this.#isLeft && this.#early === null && this.#myId === null
    while (isWanted()) {
      try {
        const { id, slot } = await this.#client.join(this.name, this.#me.name)
        this.#patience.worked()
        // If the feed is ahead of this answer, it may have told already that one is gone again.
        if (this.#heard < slot || this.#here.has(id)) this.#myId = id
      } catch (error) {
        if (!isWanted() || !this.#isPassing(error)) return
        await this.#patience.wait()
      }
    }
  }

  /** There may be an answer now: tries again what waits for another try. */
  hurry(): void {
    this.#patience.hurry()
    this.#outbox.hurry()
  }

  /** One is not in the room any more; what was written goes its way nevertheless. */
  leave(): void {
    this.#isLeft = true
    this.#isOpen = false
    this.#myId = null
    this.#patience.hurry()
  }

  /** Nothing is sent any more. */
  close(): void {
    this.leave()
    this.#outbox.close()
  }

  #opened(joined: ChatResults['join'], page: ChatResults['read']): void {
    const isNew = !this.#isOpen
    this.#isOpen = true
    this.#myId = joined.id
    this.#joinedAt = joined.slot
    this.#here = new Map(joined.here.map((who) => [who.id, who]))
    this.#readAt = page.slot
    this.#messages.reset(page)
    for (const message of page.messages) this.#notice(message)
    this.#outbox.shownThrough(page.last)
    this.#tell({ type: 'opened', room: this, isNew })
  }

  #written({ type, message }: Extract<ChatEvent, { message: ChatMessage }>): void {
    if (type === 'posted') {
      this.#messages.add(message)
      this.#notice(message)
    } else if (!this.#messages.change(message)) return
    this.#tell({ type, room: this, message })
  }

  #moved({ type, who }: Extract<ChatEvent, { who: Presence }>): void {
    const before = this.#here.get(who.id) ?? null
    if (type === 'joined') {
      this.#here.set(who.id, who)
      return this.#tell({ type, room: this, who, before })
    }
    this.#here.delete(who.id)
    this.#tell({ type, room: this, who })
    if (who.id === this.#myId) void this.rejoin()
  }

  /** Tells what went wrong, and whether it is worth another try. */
  #isPassing(error: unknown): boolean {
    if (!(error instanceof Error) || codeOf(error) === '') throw error
    if (codeOf(error) === 'CLOSED') return false
    const isPassing = mayPass(error)
    if (!isPassing) this.leave()
    this.#tell({ type: isPassing ? 'trouble' : 'refused', room: this, error })
    return isPassing
  }

  #notice({ nonce, number }: ChatMessage): void {
    if (nonce !== undefined) this.#outbox.seen(nonce, number)
  }
}
