/** Plain values (what JSON has) compared by what they hold. */

/** The value as a text that is equal for equal values, and only for them: JSON, with the keys of objects in order. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`
  if (value === undefined) return 'undefined'
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${textOf(item)}`).join(',')}}`
}

export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  return textOf(a) === textOf(b)
}

/** Numbers values from 0 on. */
export class Values {
  readonly #plain = new Map<unknown, number>()
  readonly #composed = new Map<string, number>()
  #next = 0

  number(value: unknown): number {
    const isPlain = typeof value !== 'object' || value === null
    const map: Map<unknown, number> = isPlain ? this.#plain : this.#composed
    const key = isPlain ? value : textOf(value)
    let number = map.get(key)
    if (number === undefined) {
      number = this.#next++
      map.set(key, number)
    }
    return number
  }
}

/** Characters of a value, and items of an array, that a sentence shows at most. */
const MAX_TEXT = 80
const MAX_ITEMS = 4

/** The value for a sentence: its text, cut where that is long. Of an array the end is shown: there histories differ. */
export function show(value: unknown): string {
  if (Array.isArray(value)) {
    const last = value.slice(-MAX_ITEMS).map(show).join(', ')
    return value.length <= MAX_ITEMS ? `[${last}]` : `[… ${last}] (${value.length} in all)`
  }
  const text = textOf(value)
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 20)} … ${text.slice(-16)}`
}
