/** The keyboard in a list: it is one stop of the tab key, and the arrows go from row to row. */

/** What within a row can have the focus, too; the tab key comes to it from its row. */
const WITHIN = 'a, button'

export class Roving {
  readonly #list: HTMLElement
  readonly #rows: string
  #current: HTMLElement | null = null

  /** @param rows selects the rows among the list's children */
  constructor(list: HTMLElement, rows: string) {
    this.#list = list
    this.#rows = rows
    list.addEventListener('focusin', ({ target }) => {
      const row = target instanceof Element ? target.closest<HTMLElement>(rows) : null
      if (row !== null) this.#choose(row)
    })
    list.addEventListener('keydown', (event) => {
      if (!(event.target instanceof HTMLElement) || !event.target.matches(rows)) return
      const next = this.#next(event.key, event.target)
      if (next === undefined) return
      event.preventDefault()
      next.focus()
      next.scrollIntoView({ block: 'nearest' })
    })
  }

  /** Rows came or went: the tab key comes to the one that it came to before, or to the last. */
  settle(): void {
    for (const each of this.#list.querySelectorAll<HTMLElement>(WITHIN)) {
      if (this.#current?.contains(each) !== true) each.tabIndex = -1
    }
    if (this.#current?.isConnected === true && this.#current.contains(document.activeElement)) return
    const rows = this.#list.querySelectorAll<HTMLElement>(`:scope > ${this.#rows}`)
    this.#choose(rows[rows.length - 1] ?? null)
  }

  #choose(row: HTMLElement | null): void {
    if (this.#current !== null) this.#set(this.#current, -1)
    this.#current = row
    if (row !== null) this.#set(row, 0)
  }

  #set(row: HTMLElement, tabIndex: number): void {
    row.tabIndex = tabIndex
    for (const each of row.querySelectorAll<HTMLElement>(WITHIN)) each.tabIndex = tabIndex
  }

  #next(key: string, from: Element): HTMLElement | undefined {
    const rows = [...this.#list.querySelectorAll<HTMLElement>(`:scope > ${this.#rows}`)]
    const at = rows.findIndex((row) => row === from)
    if (key === 'ArrowUp') return rows[at - 1]
    if (key === 'ArrowDown') return rows[at + 1]
    if (key === 'Home') return rows[0]
    return key === 'End' ? rows.at(-1) : undefined
  }
}
