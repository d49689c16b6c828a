/** Texts that came from outside, made fit to be shown: on a page, and on a terminal. */

/** What is not seen, or makes a text look like another one: control characters, halves of surrogate pairs, directions. */
const TREACHEROUS = /[\p{Cc}\p{Surrogate}\p{Bidi_Control}\u2028\u2029]/gu

/** The text with such characters as `\u202e`. A JSON text stays one, and of the same value. */
export function visible(text: string): string {
  return text.replace(TREACHEROUS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** {@link visible}, and not longer than so many characters (and a few more, that tell how many there were). */
export function short(text: string, most: number): string {
  if (text.length <= most) return visible(text)
  const cut = visible(text.slice(0, most).replace(/\p{Surrogate}$/u, ''))
  return `${cut}… (${thousands(text.length)} characters)`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** {@link visible}, as HTML: in an element or in a quoted attribute. */
export function html(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/** `12,345`; the same on every machine. */
export function thousands(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 operation`, `2 operations`. */
export function counted(count: number, thing: string): string {
  return `${thousands(count)} ${thing}${count === 1 ? '' : 's'}`
}
