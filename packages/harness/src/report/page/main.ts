/** The page's script: reads what the page was given, and brings its parts to life. */
import type { PageData } from './data.js'
import { element } from './elements.js'
import { command, listenToKeys, listenToPointers, listenToWheel } from './input.js'
import { framed } from './range.js'
import { showTable } from './table.js'
import { Timeline } from './timeline.js'

function main(): void {
  const data = JSON.parse(element('data', HTMLScriptElement).text) as PageData
  const chart = element('chart', HTMLElement)
  const overview = element('overview', HTMLCanvasElement)
  const canvas = element('canvas', HTMLCanvasElement)
  const timeline = new Timeline(data, { chart, canvas, overview, tip: element('tip', HTMLElement) })
  listenToWheel(timeline)
  listenToPointers(timeline)
  listenToKeys(chart, timeline)
  listenToOverview(timeline, overview)
  listenToButtons(timeline)
  const search = element('search', HTMLInputElement)
  search.addEventListener('input', () => timeline.search(search.value))

  const list = element('operations', HTMLDetailsElement)
  const [count, body] = [element('count', HTMLElement), element('rows', HTMLElement)]
  const update = (): void => {
    if (list.open) showTable(timeline, count, body)
  }
  list.addEventListener('toggle', update)
  timeline.onChange = update
  for (const hidden of document.querySelectorAll<HTMLElement>('.scripted')) hidden.hidden = false
}

/** A press on the whole run, or a drag over it, brings that moment to the middle. */
function listenToOverview(timeline: Timeline, overview: HTMLCanvasElement): void {
  const go = (event: PointerEvent): void => {
    if (event.buttons === 0) return
    overview.setPointerCapture(event.pointerId)
    const { whole, range } = timeline
    const middle = whole.from + (event.offsetX / overview.clientWidth) * (whole.to - whole.from)
    const half = (range.to - range.from) / 2
    timeline.show({ from: middle - half, to: middle + half })
  }
  overview.addEventListener('pointerdown', go)
  overview.addEventListener('pointermove', go)
}

function listenToButtons(timeline: Timeline): void {
  document.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('button') : null
    if (button === null) return
    const { command: name, from, to } = button.dataset
    if (name !== undefined) command(timeline, name)
    if (from === undefined || to === undefined) return
    timeline.show(framed({ from: Number(from), to: Number(to) }, timeline.whole))
    timeline.canvas.scrollIntoView({ block: 'nearest' })
  })
}

main()
