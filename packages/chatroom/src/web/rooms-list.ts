/** All rooms, with what is unread in them; and the field by which one finds a room or creates one. */
import type { RoomSummary } from '../command.js'
import { told } from './attention.js'
import { byId, element } from './dom.js'
import { wrongName } from './identity.js'
import { addressOf } from './route.js'
import { name, plain } from './text.js'

export class RoomsList {
  readonly #list = byId('room-list', HTMLUListElement)
  readonly #find = byId('find-name', HTMLInputElement)
  readonly #hint = byId('find-hint', HTMLElement)
  readonly #go = byId('find-go', HTMLButtonElement)
  #rooms: readonly RoomSummary[] = []
  #open = ''
  #unread: (room: RoomSummary) => number = () => 0

  /** @param enter is called with the name of a room */
  constructor(enter: (room: string) => void) {
    this.#find.addEventListener('input', () => this.#show())
    this.#find.addEventListener('keydown', ({ key }) => {
      if (key !== 'Escape') return
      this.#clear()
    })
    byId('find', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      const wanted = this.#wanted
      if (wanted === '' || wrongName(wanted) !== null) return
      this.#clear()
      enter(wanted)
    })
    this.#list.addEventListener('click', (event) => {
      if (event.target instanceof Element && event.target.closest('a') !== null) this.#clear()
    })
  }

  show(rooms: readonly RoomSummary[], open: string, unread: (room: RoomSummary) => number): void {
    // One's own room is there, whether the servers know it already or not.
    this.#rooms =
      open === '' || rooms.some(({ room }) => room === open) ? rooms : [...rooms, { room: open, last: 0, here: 0 }]
    this.#open = open
    this.#unread = unread
    this.#show()
  }

  get #wanted(): string {
    return this.#find.value.trim()
  }

  #clear(): void {
    this.#find.value = ''
    this.#show()
  }

  #show(): void {
    const wanted = this.#wanted
    const found = this.#rooms.filter(({ room }) => room.toLowerCase().includes(wanted.toLowerCase()))
    const focused = document.activeElement?.closest('#room-list a')?.getAttribute('href')
    this.#list.replaceChildren(...found.map((room) => this.#row(room)))
    if (focused != null) {
      for (const link of this.#list.querySelectorAll('a')) if (link.getAttribute('href') === focused) link.focus()
    }
    const isThere = this.#rooms.some(({ room }) => room === wanted)
    const wrong = wanted === '' ? null : wrongName(wanted)
    this.#hint.textContent = wrong ?? ''
    this.#go.hidden = wanted === '' || wrong !== null
    byId('find-verb', HTMLElement).textContent = isThere ? 'Open' : 'Create'
    byId('find-what', HTMLElement).textContent = `#${plain(wanted)}`
  }

  #row(room: RoomSummary): HTMLLIElement {
    const link = element('a', {}, element('span', { className: 'room-name' }, name(room.room)))
    link.href = addressOf(room.room)
    if (room.room === this.#open) link.setAttribute('aria-current', 'page')
    const unread = this.#unread(room)
    if (unread > 0) {
      link.classList.add('unread')
      const mark = element('span', { className: 'mark' }, told(unread))
      mark.append(element('span', { className: 'unseen' }, ' unread'))
      link.append(mark)
    }
    return element('li', {}, link)
  }
}
