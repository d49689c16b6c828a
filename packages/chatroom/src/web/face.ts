/** The coloured square that stands for a person: easier to tell apart than names are. */
import { element } from './dom.js'

/** There are so many colours in the style sheet. */
const COLOURS = 8

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Decoration: the name stands beside it. */
export function face(name: string): HTMLElement {
  const made = element('span', { className: 'face', 'aria-hidden': 'true' })
  paint(made, name)
  return made
}

export function paint(face: HTMLElement, name: string): void {
  let hash = 0
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0
  face.className = `face face-${hash % COLOURS}`
  face.textContent = initialOf(name)
}

/** The first letter, digit or picture of the name; a letter with a tower of marks without it. */
function initialOf(name: string): string {
  for (const { segment } of graphemes.segment(name)) {
    const isSeen =
      /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(segment) && !/\p{Default_Ignorable_Code_Point}$/u.test(segment)
    if (isSeen) return segment.replace(/\p{M}{3,}/gu, '').toLocaleUpperCase()
  }
  return '·'
}
