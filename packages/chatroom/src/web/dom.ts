/** Elements: found by id, and made. Text becomes text nodes only, never markup. */

type Child = Node | string

/** The element of this id, which is in index.html. */
export function byId<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new Error(`the page has no ${kind.name} with the id ${id}`)
}

type Properties = Partial<Pick<HTMLElement, 'className' | 'id' | 'title' | 'tabIndex' | 'dir'>> & {
  readonly role?: string
  readonly [attribute: `aria-${string}`]: string
}

/** A new element with these properties and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'role' || name.startsWith('aria-')) made.setAttribute(name, String(value))
    else Object.assign(made, { [name]: value })
  }
  made.append(...children)
  return made
}

/** A button that does this. */
export function button(label: string, className: string, act: () => void): HTMLButtonElement {
  const made = element('button', { className }, label)
  made.type = 'button'
  made.addEventListener('click', act)
  return made
}

/** A picture of lines, by the path that is drawn on 24 by 24 units. */
export function icon(path: string): SVGSVGElement {
  const NAMESPACE = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(NAMESPACE, 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('aria-hidden', 'true')
  const line = document.createElementNS(NAMESPACE, 'path')
  line.setAttribute('d', path)
  svg.append(line)
  return svg
}
