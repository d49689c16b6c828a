/** The open room: its messages, old and new, and one's own on their way. */
import type { ChatMessage } from '../command.js'
import type { Unsent } from '../live/outbox.js'
import type { Room, RoomChange } from '../live/room.js'
import { announce } from './announcer.js'
import { ask } from './dialogs.js'
import { byId } from './dom.js'
import { editor } from './editor.js'
import { Excerpt } from './excerpt.js'
import type { Identity } from './identity.js'
import { unsentRow } from './message.js'
import { Roving } from './roving.js'
import { Rows, stand } from './rows.js'
import { Scroll } from './scroll.js'

export interface RoomViewHost {
  /** All messages up to this one were seen. */
  read(room: string, number: number): void
  /** How far the reader had come in a room before. */
  readThrough(room: string): number
  retry(unsent: Unsent): void
  discard(unsent: Unsent): void
  /** Messages are to be written again. */
  write(): void
  readonly isConnected: boolean
}

export class RoomView {
  readonly #host: RoomViewHost
  readonly #identity: Identity
  readonly #list = byId('messages', HTMLOListElement)
  readonly #unsent = byId('unsent', HTMLOListElement)
  readonly #beginning = byId('beginning', HTMLElement)
  readonly #earlier = byId('earlier', HTMLButtonElement)
  readonly #toEnd = byId('to-end', HTMLButtonElement)
  readonly #rows: Rows
  readonly #roving: Roving
  readonly #scroll: Scroll
  readonly #excerpt = new Excerpt()
  #room: Room | null = null
  /** The first message that came while the reader was elsewhere; 0: none. */
  #newFrom = 0
  /** The last one that was there when the reader was last at the end. */
  #seenThrough = 0
  #isLoading = false
  /** Why the room cannot be entered; empty if it can. */
  #refusal = ''

  constructor(identity: Identity, host: RoomViewHost) {
    this.#identity = identity
    this.#host = host
    this.#rows = new Rows(this.#list, {
      isMine: ({ nonce }) => identity.wrote(nonce),
      edit: (message) => this.#edit(message),
      delete: (message) => void this.#delete(message),
    })
    this.#roving = new Roving(this.#list, '.message')
    this.#scroll = new Scroll(
      byId('scroller', HTMLElement),
      () => this.#excerpt.hasEnd,
      () => this.#moved(),
    )
    this.#earlier.addEventListener('click', () => this.#showEarlier())
    this.#toEnd.addEventListener('click', () => {
      this.#goToEnd()
      host.write()
    })
    document.addEventListener('visibilitychange', () => this.#moved())
  }

  enter(room: Room): void {
    this.#room = room
    this.#newFrom = 0
    this.#seenThrough = 0
    this.#refusal = ''
    this.#rows.clear()
    this.#goToEnd()
  }

  /** Hears of what became different in the open room. */
  changed(change: RoomChange): void {
    if (change.room !== this.#room) return
    if (change.type === 'opened' && change.isNew) this.#opened(change.room)
    if (change.type === 'posted' && !this.#identity.wrote(change.message.nonce)) announce(change.message)
    // Whoever writes wants to see it.
    if (change.type === 'unsent' && change.unsent.state === 'sending') this.#goToEnd()
    if (change.type === 'refused') this.#refusal = `This room cannot be entered: ${change.error.message}.`
  }

  /** Shows all as it is now. */
  show(): void {
    const room = this.#room
    if (room === null) return
    this.#notice(room)
    this.#scroll.keep(this.#list, () => {
      const shown = this.#excerpt.of(room.messages, this.#scroll.atEnd)
      this.#rows.show(shown, this.#newFrom)
      this.#unsent.hidden = !this.#excerpt.hasEnd
      this.#showUnsent(room)
      this.#showBeginning(room, shown[0])
    })
    this.#roving.settle()
    this.#moved()
  }

  /** Begins to edit the reader's own last message. */
  editLast(): void {
    const mine = this.#room?.messages.findLast(({ nonce, deleted }) => !deleted && this.#identity.wrote(nonce))
    if (mine !== undefined) this.#edit(mine)
  }

  #opened(room: Room): void {
    const readThrough = this.#host.readThrough(room.name)
    const last = room.messages.at(-1)?.number ?? 0
    if (readThrough > 0 && readThrough < last) this.#newFrom = readThrough + 1
    this.#seenThrough = last
    this.#goToEnd()
  }

  #goToEnd(): void {
    this.#excerpt.toEnd()
    this.#scroll.toEnd()
    this.show()
  }

  #showUnsent(room: Room): void {
    const { isConnected } = this.#host
    let before: { author: string; at: number } | undefined = room.messages.at(-1)
    this.#unsent.replaceChildren(
      ...room.unsent.map((unsent) => {
        const isFollowing = before !== undefined && stand(before, unsent)
        before = unsent
        return unsentRow(unsent, { isConnected, isFollowing }, this.#host)
      }),
    )
  }

  #showBeginning(room: Room, first: ChatMessage | undefined): void {
    const hasEarlier = room.hasOlder || first !== room.messages[0]
    this.#earlier.hidden = !hasEarlier
    if (this.#refusal !== '') this.#beginning.textContent = this.#refusal
    else if (!room.isOpen) this.#beginning.textContent = 'Loading…'
    else if (hasEarlier) this.#beginning.textContent = ''
    else if (first === undefined) this.#beginning.textContent = 'Nobody has written here yet.'
    else if (first.number > 1) this.#beginning.textContent = 'What was written before is not kept any more.'
    else this.#beginning.textContent = 'This is where the room begins.'
  }

  /** The reader is somewhere else in the list now, or sees it at all. */
  #moved(): void {
    const room = this.#room
    if (room?.isOpen !== true) return
    this.#notice(room)
    const last = room.messages.at(-1)?.number ?? 0
    const unseen = last > this.#seenThrough ? room.messages.slice(this.#seenThrough - last) : []
    const count = unseen.filter(({ nonce }) => !this.#identity.wrote(nonce)).length
    this.#toEnd.hidden = this.#scroll.atEnd || (count === 0 && !this.#scroll.isFar && this.#excerpt.hasEnd)
    this.#toEnd.textContent =
      count === 0 ? 'To the latest ↓' : count === 1 ? '1 new message ↓' : `${count} new messages ↓`
    if (this.#scroll.nearFirst) this.#showEarlier()
    if (this.#scroll.nearLast && this.#excerpt.later(room.messages)) this.show()
  }

  #showEarlier(): void {
    if (this.#room !== null && this.#excerpt.earlier(this.#room.messages)) this.show()
    else void this.#loadOlder()
  }

  /** Keeps in mind what was seen, and where the new begins for somebody who looks elsewhere. */
  #notice(room: Room): void {
    const last = room.messages.at(-1)?.number ?? 0
    const isSeen = document.visibilityState === 'visible' && this.#scroll.atEnd
    if (isSeen) {
      this.#seenThrough = last
      this.#host.read(room.name, last)
    } else if (this.#newFrom <= this.#seenThrough && last > this.#seenThrough) this.#newFrom = this.#seenThrough + 1
  }

  async #loadOlder(): Promise<void> {
    const room = this.#room
    if (room === null || this.#isLoading || !room.hasOlder) return
    this.#isLoading = true
    this.#earlier.textContent = 'Loading…'
    try {
      await room.loadOlder()
      this.#earlier.textContent = 'Load earlier messages'
    } catch {
      this.#earlier.textContent = 'No answer. Load earlier messages again'
    }
    this.#isLoading = false
  }

  #edit(message: ChatMessage): void {
    const row = this.#rows.row(message.number)
    const body = row?.querySelector('.body')
    if (row === undefined || !body) return
    const form = editor(message.text, {
      save: async (text) => {
        if (text !== message.text) await this.#room?.edit(message.number, text)
      },
      done: () => {
        form.replaceWith(body)
        this.#rows.row(message.number)?.focus()
      },
    })
    body.replaceWith(form)
    row.scrollIntoView({ block: 'nearest' })
  }

  async #delete({ number }: ChatMessage): Promise<void> {
    const title = 'Delete this message?'
    const answer = await ask({ title, text: 'It cannot be brought back.', yes: 'Delete', no: 'Cancel', isGrave: true })
    if (answer === null) return
    try {
      await this.#room?.delete(number)
    } catch (error) {
      const text = error instanceof Error ? `${error.message}.` : String(error)
      await ask({ title: 'The message was not deleted', text, yes: 'Close' })
    }
  }
}
