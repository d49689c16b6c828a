/** The operations that the timeline shows, as a table: for those who read rather than look, and for copying. */
import { outcome, title } from './describe.js'
import { inRange } from './find.js'
import { showTime } from './range.js'
import type { OperationItem } from './rows.js'
import type { Timeline } from './timeline.js'

/** More rows than this are not shown. */
const MOST_ROWS = 200

/** Fills the table's body, and tells how many operations there are. */
export function showTable(timeline: Timeline, count: HTMLElement, body: HTMLElement): void {
  const found = inRange(timeline.layout, timeline.range, timeline.word, MOST_ROWS)
  const more = found.count > MOST_ROWS ? `, the first ${MOST_ROWS} are shown` : ''
  count.textContent = `${found.count} ${found.count === 1 ? 'operation' : 'operations'}${more}`
  body.replaceChildren(...found.operations.map(rowOf))
}

function rowOf(item: OperationItem): HTMLElement {
  const row = document.createElement('tr')
  row.className = item.outcome
  const took = item.open ? '' : showTime(item.to - item.from)
  for (const text of [showTime(item.from), took, item.process, title(item), outcome(item)]) {
    row.insertCell().textContent = text
  }
  return row
}
