/** A row of the elections' table. */
import type { Election } from './elections.js'
import { make, setText } from './elements.js'
import { showDuration, showList } from './format.js'

export class ElectionRow {
  readonly element = make('tr')
  readonly #time = make('time')
  readonly #cells = [make('td', 'what'), make('td'), make('td')] as const

  constructor() {
    this.element.append(make('td', '', this.#time), ...this.#cells)
  }

  show({ at, leader, ballot, seenBy }: Election, now: number): void {
    const [what, ballotCell, seen] = this.#cells
    const date = new Date(at)
    this.#time.dateTime = date.toISOString()
    this.#time.title = date.toLocaleString()
    setText(this.#time, `${showDuration(Math.max(0, now - at))} ago`)
    setText(what, leader === null ? 'no leader known' : `server ${leader} leads`)
    what.classList.toggle('none', leader === null)
    setText(ballotCell, ballot)
    setText(seen, showList(seenBy))
  }
}
