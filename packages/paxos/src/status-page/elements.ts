/** The parts of the page that its script fills. All that comes from elsewhere becomes text, never HTML. */

/** The element with the id. Throws if there is none. */
export function element(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no ${id}`)
  return found
}

/** A new element with a class and children. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className = '',
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  if (className !== '') made.className = className
  made.append(...children)
  return made
}

/** Sets a text where it has changed: what is selected or being read aloud is left alone. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

/** Keeps as many children as there are items, and lets each child show its item. */
export class Rows<Item, Row extends { readonly element: HTMLElement }> {
  readonly #parent: HTMLElement
  readonly #make: () => Row
  readonly #rows: Row[] = []

  constructor(parent: HTMLElement, makeRow: () => Row) {
    this.#parent = parent
    this.#make = makeRow
  }

  show(items: readonly Item[], showOne: (row: Row, item: Item) => void): void {
    for (const { element: left } of this.#rows.splice(items.length)) left.remove()
    for (const [index, item] of items.entries()) {
      let row = this.#rows[index]
      if (row === undefined) {
        this.#rows.push((row = this.#make()))
        this.#parent.append(row.element)
      }
      showOne(row, item)
    }
  }
}
