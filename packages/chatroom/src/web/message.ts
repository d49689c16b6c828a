/** One message as a row of the list. */
import type { ChatMessage } from '../command.js'
import type { Unsent } from '../live/outbox.js'
import { button, element, icon } from './dom.js'
import { face } from './face.js'
import { name, rich } from './text.js'
import { fullTimeOf, machineTimeOf, timeOf } from './times.js'

const PENCIL = 'M4 20h4L19 9l-4-4L4 16v4M13 7l4 4'
const BIN = 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5'
const CLOCK = 'M12 7v5l3 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18'
const WARNING = 'M12 9v4M12 17h.01M10.3 4 2.5 17.5A2 2 0 0 0 4.2 20.5h15.6a2 2 0 0 0 1.7-3L13.7 4a2 2 0 0 0-3.4 0'

/** Texts beyond this are folded, until they are unfolded. */
const FOLD_CHARACTERS = 1_500
const FOLD_LINES = 16

/** What can be done with a message. */
export interface MessageHost {
  edit(message: ChatMessage): void
  delete(message: ChatMessage): void
}

export interface RowOptions {
  /** It follows another one of the same author closely, and needs no name. */
  readonly isFollowing: boolean
  readonly isMine: boolean
  readonly host: MessageHost
}

/** A message that is in the room. */
export function messageRow(message: ChatMessage, { isFollowing, isMine, host }: RowOptions): HTMLLIElement {
  const row = rowOf(message.author, message.at, isFollowing)
  const body = element('div', { className: 'body' })
  if (message.deleted) body.append(element('p', { className: 'gone' }, 'This message was deleted.'))
  else {
    body.append(...texts(message.text))
    if (message.edits > 0) body.append(element('span', { className: 'edited' }, '(edited)'))
  }
  row.append(body)
  if (isMine && !message.deleted) row.append(actions(message, host))
  return row
}

/** A message that is on its way. */
export function unsentRow(
  unsent: Unsent,
  { isConnected, isFollowing }: { readonly isConnected: boolean; readonly isFollowing: boolean },
  host: { retry(unsent: Unsent): void; discard(unsent: Unsent): void },
): HTMLLIElement {
  const row = rowOf(unsent.author, unsent.at, isFollowing)
  const body = element('div', { className: 'body' }, ...texts(unsent.text))
  row.append(body)
  if (unsent.state === 'sent') return row // and comes back in the room's own order in a moment
  const words = element('span')
  const fate = element('p', { className: 'fate' }, icon(unsent.state === 'refused' ? WARNING : CLOCK), words)
  if (unsent.state === 'refused') {
    row.classList.add('refused')
    words.append(`Not sent: ${unsent.error?.message ?? 'it was refused'}. `)
    words.append(
      button('Try again', 'text-button', () => host.retry(unsent)),
      ' ',
    )
    words.append(button('Discard', 'text-button', () => host.discard(unsent)))
  } else if (isConnected && unsent.state !== 'waiting') {
    words.append('Sending…')
  } else {
    row.classList.add('waiting')
    words.append('Not sent yet. It will be, once there is an answer. ')
    if (isConnected) words.append(button('Try now', 'text-button', () => host.retry(unsent)))
  }
  body.append(fate)
  return row
}

function rowOf(author: string, at: number, isFollowing: boolean): HTMLLIElement {
  const row = element('li', { className: 'message', tabIndex: -1 })
  const time = element('time', { title: fullTimeOf(at) }, timeOf(at))
  time.dateTime = machineTimeOf(at)
  if (isFollowing) {
    // Whoever cannot see that it stands below the name is told whose it is.
    row.append(time, element('span', { className: 'unseen' }, name(author)))
    return row
  }
  row.classList.add('first')
  const head = element('div', { className: 'head' }, element('span', { className: 'author' }, name(author)), time)
  row.append(face(author), head)
  return row
}

/** The text; a long one with a button that unfolds it. */
function texts(text: string): HTMLElement[] {
  const shown = element('div', { className: 'text', dir: 'auto' }, ...rich(text))
  if (text.length <= FOLD_CHARACTERS && text.split('\n', FOLD_LINES + 1).length <= FOLD_LINES) return [shown]
  shown.classList.add('folded')
  const more = button('Show more', 'text-button', () => {
    const isFolded = shown.classList.toggle('folded')
    more.textContent = isFolded ? 'Show more' : 'Show less'
    more.setAttribute('aria-expanded', String(!isFolded))
  })
  more.setAttribute('aria-expanded', 'false')
  return [shown, more]
}

function actions(message: ChatMessage, host: MessageHost): HTMLElement {
  const made = element('div', { className: 'actions' })
  for (const [label, path, act] of [
    ['Edit', PENCIL, () => host.edit(message)],
    ['Delete', BIN, () => host.delete(message)],
  ] as const) {
    const one = button('', 'icon', act)
    one.setAttribute('aria-label', label)
    one.title = label
    one.append(icon(path))
    made.append(one)
  }
  return made
}
