/** Who is in the open room now. */
import type { Presence } from '../command.js'
import { byId, element } from './dom.js'
import { face } from './face.js'
import { name } from './text.js'

const list = byId('people-list', HTMLUListElement)
const count = byId('here-count', HTMLElement)
const button = byId('open-people', HTMLButtonElement)

/** @param me the id of one's own stay */
export function showPeople(here: readonly Presence[], me: number | null): void {
  count.textContent = String(here.length)
  button.setAttribute('aria-label', `${here.length} here now: show who`)
  list.replaceChildren(
    ...here.map((who) => {
      const row = element('li', {}, face(who.name), name(who.name))
      if (who.id === me) row.append(element('small', {}, '(you)'))
      return row
    }),
  )
}
