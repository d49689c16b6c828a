/** Where messages are written. Each room has its own draft, which is kept. */
import { byId } from './dom.js'
import { keep, kept } from './keep.js'
import { asSent, showLimit } from './limit.js'
import { plain } from './text.js'

export interface ComposerHost {
  send(text: string): void
  /** The arrow up in an empty field: the last message is to be edited. */
  editLast(): void
}

export class Composer {
  readonly #host: ComposerHost
  readonly #text = byId('text', HTMLTextAreaElement)
  readonly #send = byId('send', HTMLButtonElement)
  readonly #limit = byId('text-limit', HTMLElement)
  #room = ''

  constructor(host: ComposerHost) {
    this.#host = host
    this.#text.dir = 'auto'
    this.#text.addEventListener('input', () => {
      keep(`draft/${this.#room}`, this.#text.value)
      this.#show()
    })
    this.#text.addEventListener('keydown', (event) => this.#pressed(event))
    byId('composer', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      this.#submit()
    })
  }

  /** Writes into this room from now on. */
  enter(room: string): void {
    this.#room = room
    this.#text.value = kept(`draft/${room}`) ?? ''
    this.#text.placeholder = `Message #${plain(room)}`
    this.#show()
  }

  focus(): void {
    this.#text.focus()
  }

  #pressed(event: KeyboardEvent): void {
    if (isEnter(event)) {
      event.preventDefault()
      this.#submit()
    } else if (event.key === 'ArrowUp' && this.#text.value === '') {
      event.preventDefault()
      this.#host.editLast()
    }
  }

  #submit(): void {
    if (!this.#show()) return
    const text = asSent(this.#text.value)
    this.#text.value = ''
    keep(`draft/${this.#room}`, null)
    this.#show()
    this.#text.focus()
    this.#host.send(text)
  }

  /** Whether it can be sent. */
  #show(): boolean {
    const isFit = showLimit(this.#text.value, this.#limit)
    this.#send.setAttribute('aria-disabled', String(!isFit))
    fit(this.#text)
    return isFit
  }
}

/** Enter alone, and not to choose among what an input method offers. */
export function isEnter(event: KeyboardEvent): boolean {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only sign that Safari gives
  const isChoosing = event.isComposing || event.keyCode === 229
  return event.key === 'Enter' && !event.shiftKey && !isChoosing
}

/** Makes a field as high as its text, as far as the style sheet allows. */
export function fit(field: HTMLTextAreaElement): void {
  field.style.height = 'auto'
  field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`
}
