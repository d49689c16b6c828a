/** A part of the page that has a place of its own in a wide window, and comes out of the side in a small one. */
import { button, byId, element, icon } from './dom.js'

const CROSS = 'M6 6l12 12M18 6L6 18'

export class Drawer {
  readonly #dialog: HTMLDialogElement
  readonly #wide: MediaQueryList
  readonly #part: HTMLElement
  readonly #place: HTMLElement

  /** @param name of the part; its place has the id `<name>-place`, the button that opens it `open-<name>` */
  constructor(name: string, { title, side, wide }: { title: string; side: 'left' | 'right'; wide: string }) {
    this.#part = byId(name, HTMLElement)
    this.#place = byId(`${name}-place`, HTMLElement)
    this.#wide = matchMedia(wide)
    this.#dialog = element('dialog', { className: `drawer ${side}`, 'aria-label': title })
    const close = button('', 'icon close', () => this.close())
    close.setAttribute('aria-label', 'Close')
    close.append(icon(CROSS))
    this.#dialog.append(close)
    // A click beside it.
    this.#dialog.addEventListener('click', (event) => {
      if (event.target === this.#dialog) this.close()
    })
    document.body.append(this.#dialog)
    byId(`open-${name}`, HTMLButtonElement).addEventListener('click', () => this.#dialog.showModal())
    this.#wide.addEventListener('change', () => this.#put())
    this.#put()
  }

  close(): void {
    if (this.#dialog.open) this.#dialog.close()
  }

  #put(): void {
    this.#place.hidden = !this.#wide.matches
    if (this.#wide.matches) {
      this.close()
      this.#place.append(this.#part)
    } else this.#dialog.append(this.#part)
  }
}
