/** Text of strangers as nodes: nothing in it is markup, nothing hides, nothing reaches beyond its own place. */
import { element } from './dom.js'

/**
 * Characters that are not seen but change what is: controls, line and paragraph separators, those that turn the direction
 * of writing, that have no width, or that carry hidden meanings. But for those that ordinary text needs, each text being
 * isolated: the joiners of scripts and emoji, the forms of characters, the marks of direction, and the flags made of tags.
 */
const ORDINARY = '[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}\\n\\t\\u061c\\u200c-\\u200f]'
/** A flag has at most five letters, and their end. */
const IN_FLAG = '(?<=\\u{1f3f4}[\\u{e0020}-\\u{e007f}]{0,5})[\\u{e0020}-\\u{e007f}]'
const HIDDEN = `(?!${ORDINARY}|${IN_FLAG})[\\p{Cc}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\ufff9-\\ufffb]`
const HIDDEN_ONES = new RegExp(HIDDEN, 'gu')
const HIDDEN_OR_LINK = new RegExp(
  `(?<hidden>${HIDDEN})|(?<link>\\bhttps?://[^\\s<>"\\p{Cc}\\p{Cf}\\p{Default_Ignorable_Code_Point}]+)`,
  'giu',
)
/** A text that has more is plain text behind them: so many of these would make the page slow. */
const MOST_PIECES = 500
/** What ends a sentence rather than an address. */
const TRAILING = '.,;:!?\'"*_~)]}»”’'

/** A name or any other short text; isolated, so that its direction of writing is its own. */
export function name(text: string): HTMLElement {
  const made = element('bdi', { className: 'name' })
  made.append(...pieces(text, false))
  return made
}

/** A message's text, with links. To be put into an element with `dir="auto"`. */
export function rich(text: string): (Node | string)[] {
  return pieces(text, true)
}

/** A text in a place for plain text only, such as the window's title: hidden characters are named. */
export function plain(text: string): string {
  return text.replace(HIDDEN_ONES, label)
}

function pieces(text: string, withLinks: boolean): (Node | string)[] {
  const made: (Node | string)[] = []
  let done = 0
  for (const { 0: found, index, groups } of text.matchAll(HIDDEN_OR_LINK)) {
    if (made.length >= MOST_PIECES) break
    if (groups?.['link'] !== undefined && !withLinks) continue
    const node = groups?.['link'] === undefined ? hidden(found) : link(found)
    if (node === null) continue
    made.push(text.slice(done, index), node.made)
    done = index + node.length
  }
  made.push(plain(text.slice(done)))
  return made.filter((piece) => piece !== '')
}

interface Piece {
  readonly made: Node
  /** Of the text that it stands for. */
  readonly length: number
}

function hidden(character: string): Piece {
  const made = element(
    'span',
    { className: 'hidden-character', title: 'a character that is not seen' },
    label(character),
  )
  return { made, length: character.length }
}

function label(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}

function link(found: string): Piece | null {
  const address = addressIn(found)
  if (!URL.canParse(address)) return null
  const { protocol, href } = new URL(address)
  if (protocol !== 'http:' && protocol !== 'https:') return null
  const made = element('a', { title: href }, address)
  made.href = href
  made.target = '_blank'
  made.rel = 'noopener noreferrer nofollow'
  return { made, length: address.length }
}

/** (No pattern finds the end of what may be trailing in less than seconds, if it is meant to take long.) */
function addressIn(found: string): string {
  let end = found.length
  while (TRAILING.includes(found.charAt(end - 1))) end -= 1
  const address = found.slice(0, end)
  // A closing bracket belongs to the address if it was opened there.
  return found.charAt(end) === ')' && address.includes('(') ? `${address})` : address
}
