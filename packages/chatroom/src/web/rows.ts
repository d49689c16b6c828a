/** The list of a room's messages: rows are made once, and again when something about them changed. */
import type { ChatMessage } from '../command.js'
import { element } from './dom.js'
import { messageRow } from './message.js'
import type { MessageHost } from './message.js'
import { dayLabel, dayOf } from './times.js'

/** Messages of one author within this time (ms) stand together. */
const TOGETHER = 5 * 60_000

interface Row {
  readonly element: HTMLLIElement
  readonly message: ChatMessage
  readonly isFollowing: boolean
}

export interface RowsHost extends MessageHost {
  isMine(message: ChatMessage): boolean
}

export class Rows {
  readonly #list: HTMLElement
  readonly #host: RowsHost
  readonly #rows = new Map<number, Row>()
  readonly #marks = new Map<string, HTMLLIElement>()

  constructor(list: HTMLElement, host: RowsHost) {
    this.#list = list
    this.#host = host
  }

  /** Of another room: nothing is the same. */
  clear(): void {
    this.#rows.clear()
    this.#marks.clear()
    this.#list.replaceChildren()
  }

  row(number: number): HTMLLIElement | undefined {
    return this.#rows.get(number)?.element
  }

  /**
   * Shows these messages, and no others.
   * @param newFrom the first one that is new to the reader, who is told where it begins; 0: none
   */
  show(messages: readonly ChatMessage[], newFrom: number): void {
    const wanted: HTMLElement[] = []
    const marks = new Set<string>()
    const now = Date.now()
    let before: ChatMessage | undefined
    for (const message of messages) {
      const isNewDay = before === undefined || dayOf(before.at) !== dayOf(message.at)
      const isNew = message.number === newFrom
      if (isNewDay) wanted.push(this.#mark(`day ${message.number}`, 'day', dayLabel(message.at, now), marks))
      if (isNew) wanted.push(this.#mark('new', 'day new-from', 'New', marks))
      const isFollowing = !isNewDay && !isNew && before !== undefined && stand(before, message)
      wanted.push(this.#row(message, isFollowing))
      before = message
    }
    const [first, last] = [messages[0]?.number ?? 0, before?.number ?? 0]
    for (const number of this.#rows.keys()) if (number < first || number > last) this.#rows.delete(number)
    for (const id of this.#marks.keys()) if (!marks.has(id)) this.#marks.delete(id)
    arrange(this.#list, wanted)
  }

  #row(message: ChatMessage, isFollowing: boolean): HTMLElement {
    const known = this.#rows.get(message.number)
    if (known?.message === message && known.isFollowing === isFollowing) return known.element
    const isMine = this.#host.isMine(message)
    const made = messageRow(message, { isFollowing, isMine, host: this.#host })
    made.dataset['number'] = String(message.number)
    made.tabIndex = known?.element.tabIndex ?? -1
    const hadFocus = known?.element.contains(document.activeElement) === true
    if (known !== undefined) known.element.replaceWith(made)
    if (hadFocus) made.focus()
    this.#rows.set(message.number, { element: made, message, isFollowing })
    return made
  }

  #mark(id: string, className: string, label: string, marks: Set<string>): HTMLElement {
    marks.add(id)
    const known = this.#marks.get(id)
    if (known?.textContent === label) return known
    const made = element('li', { className }, label)
    this.#marks.set(id, made)
    return made
  }
}

/** Whether the second of two neighbours needs no head of its own. */
export function stand(
  before: { readonly author: string; readonly at: number; readonly nonce?: string },
  after: { readonly author: string; readonly at: number; readonly nonce?: string },
): boolean {
  return before.author === after.author && Math.abs(after.at - before.at) < TOGETHER
}

/** Gives the list these children in this order, and moves none that is in its place. */
function arrange(list: HTMLElement, wanted: readonly HTMLElement[]): void {
  const stays = new Set<Element>(wanted)
  for (const child of [...list.children]) if (!stays.has(child)) child.remove()
  let next = list.firstElementChild
  for (const child of wanted) {
    if (child === next) next = next.nextElementSibling
    else list.insertBefore(child, next)
  }
}
