/** The box that tells what an item is, beside the item. Screen readers read it out when it changes. */
import { describe } from './describe.js'
import type { Item } from './rows.js'

/** CSS pixels, in the window. */
interface Rectangle {
  readonly left: number
  readonly top: number
  readonly bottom: number
}

const MARGIN = 8

export class Tip {
  readonly #element: HTMLElement
  #item: Item | null = null

  constructor(element: HTMLElement) {
    this.#element = element
  }

  /** Moves below, or else above, what it is about, and stays in the window; what is not in sight is not explained. */
  explain(item: Item, beside: Rectangle): void {
    if (beside.bottom < 0 || beside.top > window.innerHeight) return this.hide()
    if (item !== this.#item) {
      const lines = describe(item).map((text, place) => {
        const line = document.createElement(place === 0 ? 'strong' : 'span')
        line.textContent = text
        return line
      })
      this.#element.replaceChildren(...lines)
      this.#item = item
    }
    this.#element.hidden = false
    const { offsetWidth, offsetHeight, style } = this.#element
    const left = Math.min(beside.left, window.innerWidth - offsetWidth - MARGIN)
    const below = beside.bottom + MARGIN
    const top = below + offsetHeight < window.innerHeight ? below : beside.top - offsetHeight - MARGIN
    style.left = `${Math.max(MARGIN, left)}px`
    style.top = `${Math.max(MARGIN, top)}px`
  }

  hide(): void {
    this.#element.hidden = true
  }
}
