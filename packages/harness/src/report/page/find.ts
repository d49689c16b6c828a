/** Which item is meant: by a place, by a step with the keyboard, or by a word. Pure. */
import type { Range } from './range.js'
import type { Item, Layout, OperationItem, Row } from './rows.js'

/** An item and the row that it stands in. */
export interface Place {
  readonly row: Row
  readonly item: Item
}

/** The place of the first of the items, which are in the order of their begins, that begins after `time`; their number if none does. */
export function firstAfter(items: readonly Range[], time: number): number {
  let [low, high] = [0, items.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((items[middle]?.from ?? Infinity) <= time) low = middle + 1
    else high = middle
  }
  return low
}

/** The row at so many pixels from the top of the first. */
export function rowAt({ rows }: Layout, y: number): Row | undefined {
  return rows.find(({ top, height }) => y >= top && y < top + height)
}

/** The item of the row that is at the time, or nearest to it within `reach` ms; of several, what began last. */
export function itemAt(row: Row, time: number, reach: number): Item | undefined {
  let best: Item | undefined
  let distance = Infinity
  for (let index = firstAfter(row.items, time + reach) - 1; index >= 0; index--) {
    const item = row.items[index]
    if (item === undefined) break
    const away = Math.max(item.from - time, time - item.to, 0)
    if (away < distance && away <= reach) [best, distance] = [item, away]
    // Operations do not overlap; of what does there is little enough to look at all of it.
    if (away === 0 || (item.kind === 'operation' && item.to < time - reach)) break
  }
  return best
}

/** The item before or after in the same row. */
export function neighbour({ row, item }: Place, by: -1 | 1): Place | undefined {
  const next = row.items[row.items.indexOf(item) + by]
  return next && { row, item: next }
}

/** What stands nearest to the item in the next row, up or down, that has anything. */
export function across({ rows }: Layout, { row, item }: Place, by: -1 | 1): Place | undefined {
  for (let index = rows.indexOf(row) + by; index >= 0 && index < rows.length; index += by) {
    const other = rows[index]
    const found = other && itemAt(other, item.from, Infinity)
    if (other && found) return { row: other, item: found }
  }
  return undefined
}

/** Whether an operation's process, kind, key, value, result or error holds the word, which is in small letters. */
export function matches({ process, f, key, value, result, error }: OperationItem, word: string): boolean {
  return [process, f, key, value, result, error].some((text) => text?.toLowerCase().includes(word))
}

/** Operations that were under way in the range, in the order of their begins; `most` of them, and how many there are. */
export function inRange(layout: Layout, { from, to }: Range, word: string, most: number) {
  const found: OperationItem[] = []
  for (const { items } of layout.rows) {
    for (const item of items) {
      if (item.from > to) break
      if (item.kind === 'operation' && item.to >= from && matches(item, word)) found.push(item)
    }
  }
  found.sort((a, b) => a.from - b.from)
  return { count: found.length, operations: found.slice(0, most) }
}
