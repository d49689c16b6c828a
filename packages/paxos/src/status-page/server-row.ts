/** A server's row in the table. On a phone, each is a card of its own. */
import { make, setText } from './elements.js'
import { showBytes, showCount, showDuration, showLatency, showList, showRate, showSome } from './format.js'
import type { History } from './history.js'
import { Sparkline } from './sparkline.js'
import { progressOf } from './view.js'
import type { EntryView, ServerView } from './view.js'

/** A cell: a value, what belongs to it in small print, and perhaps a drawing. */
class Cell {
  readonly element: HTMLTableCellElement
  readonly #main = make('div', 'main')
  readonly #side = make('div', 'side')

  constructor(label: string, drawing?: Sparkline) {
    const caption = make('div', 'label', label)
    caption.setAttribute('aria-hidden', 'true') // the column's heading says it
    this.element = make('td', '', caption, make('div', 'values', this.#main, this.#side))
    // The roles stay what they are when the style sheet makes cards of the rows.
    this.element.setAttribute('role', 'cell')
    if (drawing !== undefined) this.element.append(drawing.element)
  }

  show(main: string, side: string): void {
    setText(this.#main, main)
    setText(this.#side, side)
  }
}

/** What a server's row needs besides the server. */
export interface Surroundings {
  /** How many servers there are. */
  readonly count: number
  readonly history: History
  /** The highest values of all servers. */
  readonly scale: { readonly rate: number; readonly p99: number }
  /** ms since 1970 */
  readonly now: number
  /** The last slot that each server has executed, as the leader knows (index: id). */
  readonly reached: readonly (number | null)[]
}

export class ServerRow {
  readonly element = make('tr')
  readonly #name = make('span', 'name')
  readonly #link = make('a')
  readonly #role = make('span', 'role')
  readonly #ballot = make('div', 'side')
  readonly #progress = make('progress')
  readonly #trouble = make('div', 'trouble')
  readonly #rateLine = new Sparkline(['line'])
  readonly #latencyLine = new Sparkline(['line', 'line second'])
  readonly #slots = new Cell('Slots')
  readonly #rate = new Cell('Commands/s', this.#rateLine)
  readonly #latency = new Cell('Latency', this.#latencyLine)
  readonly #log = new Cell('Log')
  readonly #snapshot = new Cell('Snapshot')
  readonly #clients = new Cell('Clients')
  readonly #up = new Cell('Up')

  constructor() {
    const heading = make('th', '', this.#name, this.#link)
    heading.scope = 'row'
    heading.setAttribute('role', 'rowheader')
    this.#progress.setAttribute('aria-label', 'how far it has come')
    const standing = make('div', 'values', this.#role, this.#ballot)
    const role = make('td', 'standing', standing, this.#progress, this.#trouble)
    role.setAttribute('role', 'cell')
    this.element.setAttribute('role', 'row')
    this.element.append(heading, role, ...this.#cells.map((cell) => cell.element))
  }

  get #cells(): readonly Cell[] {
    return [this.#slots, this.#rate, this.#latency, this.#log, this.#snapshot, this.#clients, this.#up]
  }

  show({ id, address, status, error, lagSlots }: EntryView, surroundings: Surroundings): void {
    const { count, history, scale, now, reached } = surroundings
    setText(this.#name, `Server ${id}`)
    setText(this.#link, address)
    this.#link.href = `${location.protocol}//${address}/status`
    const role = status?.role ?? 'unreachable'
    setText(this.#role, role)
    this.#role.className = `role ${role}`
    setText(this.#ballot, status === null ? '' : sideOf(status))
    this.#showProgress(status === null ? null : progressOf(status))
    setText(this.#trouble, error ?? status?.reason ?? '')
    this.element.classList.toggle('gone', status === null)
    if (status === null) {
      for (const cell of this.#cells) cell.show('–', '')
      const last = reached[id] ?? null
      if (last !== null) this.#slots.show(showCount(last), 'as the leader knows')
    } else {
      this.#showNumbers(status, lagSlots ?? 0, count, history.highest('rate', id))
    }
    const { rate, p50, p99 } = history.of(id)
    this.#rateLine.draw([rate], now, scale.rate)
    this.#latencyLine.draw([p50, p99], now, scale.p99)
  }

  #showProgress(part: number | null): void {
    this.#progress.hidden = part === null
    this.#progress.value = part ?? 0
  }

  #showNumbers(status: ServerView, lag: number, count: number, highest: number): void {
    const { latency } = status
    this.#slots.show(showCount(status.applied), lag === 0 ? 'up to date' : `${showCount(lag)} behind`)
    // The figure is a mean over ten seconds, the line is drawn from what was seen since the page was opened.
    const most = Math.max(highest, status.commandsPerSecond)
    this.#rate.show(showRate(status.commandsPerSecond), `highest ${showRate(most)}`)
    if (latency === null) this.#latency.show('–', 'no commands here')
    else this.#latency.show(showLatency(latency.p50Ms), `p99 ${showLatency(latency.p99Ms)}`)
    const { collected, snapshot } = status
    const from = collected === 0 ? '' : `from slot ${showCount(collected + 1)}, `
    this.#log.show(showBytes(status.logBytes), `${from}${showSome(status.syncs, 'sync')}`)
    if (snapshot.slot === 0) this.#snapshot.show('–', 'none yet')
    else this.#snapshot.show(showBytes(snapshot.bytes), `through slot ${showCount(snapshot.slot)}`)
    const [feeds, sessions] = [showSome(status.feeds, 'feed'), showSome(status.sessions, 'session')]
    this.#clients.show(showCount(status.clients), `${feeds}, ${sessions}, ${readsOf(status)}`)
    this.#up.show(showDuration(status.uptimeMs), connections(status, count))
  }
}

/** What is told beside the role. */
function sideOf({ ballot, life }: ServerView): string {
  return life === 0
    ? `ballot ${ballot}`
    : `ballot ${ballot}, repaired ${life === 1 ? 'once' : `${showCount(life)} times`}`
}

/** Those that needed no log. */
function readsOf({ reads: { answered, waiting } }: ServerView): string {
  return `${showSome(answered, 'read')}${waiting === 0 ? '' : `, ${showCount(waiting)} wait`}`
}

function connections({ connected }: ServerView, count: number): string {
  if (count === 1) return 'alone'
  if (connected.length === 0) return 'connected to none'
  return connected.length > 6
    ? `connected to ${connected.length} servers`
    : `connected to ${showList([...connected].sort((a, b) => a - b))}`
}
