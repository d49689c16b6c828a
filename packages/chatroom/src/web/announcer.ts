/** Tells those who listen to the page what comes; the list itself is not read out when older messages are added to it. */
import type { ChatMessage } from '../command.js'
import { byId, element } from './dom.js'
import { plain } from './text.js'

/** A long text is told in part (characters). */
const TOLD = 200
/** So many stay to be read again. */
const KEPT = 5

const place = byId('heard', HTMLElement)

export function announce({ author, text }: ChatMessage): void {
  const told = text.length > TOLD ? `${text.slice(0, TOLD)}…` : text
  place.append(element('p', { dir: 'auto' }, `${plain(author)}: ${plain(told)}`))
  while (place.childElementCount > KEPT) place.firstElementChild?.remove()
}
