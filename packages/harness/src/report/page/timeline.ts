/** The timeline on the page: what of it is seen, what is chosen, and when it is drawn again. */
import type { PageData } from './data.js'
import { AXIS, draw } from './draw.js'
import type { Elements } from './elements.js'
import { prepare } from './elements.js'
import type { Place } from './find.js'
import { across, itemAt, matches, neighbour, rowAt } from './find.js'
import type { Controlled } from './input.js'
import type { Density } from './overview.js'
import { densityOf, drawOverview } from './overview.js'
import type { Palette } from './palette.js'
import { DARK, LIGHT } from './palette.js'
import type { Range } from './range.js'
import { fitted } from './range.js'
import type { Layout, OperationItem } from './rows.js'
import { layOut } from './rows.js'
import { Tip } from './tip.js'

/** An item is found within so many pixels. */
const REACH = 5
/** So that what happened last is seen: a part of the run's length. */
const ROOM_AT_THE_END = 0.005
/** A canvas may not be higher than this (pixels, before the screen's own density); matters only on paper. */
const HIGHEST = 8_000

export class Timeline implements Controlled {
  readonly canvas: HTMLCanvasElement
  readonly whole: Range
  readonly layout: Layout
  range: Range
  /** Called when another part is shown, or another word searched. */
  onChange: () => void = () => undefined
  readonly #elements: Elements
  readonly #tip: Tip
  #density: Density
  #word = ''
  #matching = new Set<OperationItem>()
  #selected: Place | null = null
  #hovered: Place | null = null
  #pointer: { x: number; y: number } | null = null
  #drag: Range | null = null
  #isAwaited = false
  #isPrinting = false

  constructor(data: PageData, elements: Elements) {
    this.#elements = elements
    this.canvas = elements.canvas
    this.whole = { from: 0, to: data.end * (1 + ROOM_AT_THE_END) }
    this.range = this.whole
    this.layout = layOut(data)
    this.#tip = new Tip(elements.tip)
    elements.chart.style.height = `${AXIS + this.layout.height}px`
    this.#density = densityOf(this.layout, this.whole, 1)
    const redraw = (): void => this.redraw()
    new ResizeObserver(() => {
      this.#density = densityOf(this.layout, this.whole, Math.max(1, Math.floor(elements.overview.clientWidth / 2)))
      this.redraw()
    }).observe(elements.chart)
    window.addEventListener('scroll', () => this.#explain(), { passive: true })
    window.addEventListener('resize', redraw)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
    window.addEventListener('beforeprint', () => this.#print(true))
    window.addEventListener('afterprint', () => this.#print(false))
  }

  get word(): string {
    return this.#word
  }

  timeAt(x: number): number {
    const width = this.canvas.clientWidth - this.#gutter
    return this.range.from + ((x - this.#gutter) / width) * (this.range.to - this.range.from)
  }

  show(range: Range): void {
    this.range = fitted(range, this.whole)
    this.#hovered = null
    this.#explain()
    this.onChange()
  }

  point(place: { x: number; y: number } | null): void {
    this.#pointer = place
    this.#hovered = place === null ? null : this.#at(place.x, place.y)
    this.#explain()
  }

  choose(x: number, y: number): void {
    this.#selected = this.#at(x, y)
    this.#hovered = null
    this.#explain()
  }

  unchoose(): void {
    this.#selected = null
    this.#hovered = null
    this.#explain()
  }

  step(direction: 'left' | 'right' | 'up' | 'down'): void {
    const next = this.#selected === null ? this.#first() : this.#next(this.#selected, direction)
    if (next === undefined) return
    this.#selected = next
    this.#hovered = null
    const { item, row } = next
    const length = this.range.to - this.range.from
    if (item.to < this.range.from || item.from > this.range.to) {
      this.show({ from: item.from - length / 2, to: item.from + length / 2 })
    }
    const top = this.#elements.chart.getBoundingClientRect().top + AXIS + row.top
    if (top < AXIS) window.scrollBy(0, top - AXIS - 40)
    else if (top + row.height > window.innerHeight) window.scrollBy(0, top + row.height - window.innerHeight + 40)
    this.#explain()
  }

  mark(range: Range | null): void {
    this.#drag = range
    this.#tip.hide()
    this.redraw()
  }

  /** Lets only the operations stand out that hold the word; all, if it is empty. */
  search(word: string): void {
    this.#word = word.trim().toLowerCase()
    this.#matching = new Set()
    if (this.#word !== '') {
      for (const item of this.layout.rows.flatMap(({ items }) => items)) {
        if (item.kind === 'operation' && matches(item, this.#word)) this.#matching.add(item)
      }
    }
    this.redraw()
    this.onChange()
  }

  /** Draws at the next opportunity, once, however often it is called before. */
  redraw(): void {
    if (this.#isAwaited) return
    this.#isAwaited = true
    requestAnimationFrame(() => this.#draw())
  }

  /** The names of rows are as wide as what the style sheet leaves free beside the overview. */
  get #gutter(): number {
    return this.#elements.overview.getBoundingClientRect().left - this.canvas.getBoundingClientRect().left
  }

  /** What of the rows is above the canvas, which stays in sight while the page is scrolled. */
  get #scroll(): number {
    if (this.#isPrinting) return 0
    const { top } = this.#elements.chart.getBoundingClientRect()
    return Math.max(0, Math.min(-top, AXIS + this.layout.height - this.canvas.clientHeight))
  }

  get #palette(): Palette {
    const isDark = !this.#isPrinting && matchMedia('(prefers-color-scheme: dark)').matches
    return isDark ? DARK : LIGHT
  }

  #at(x: number, y: number): Place | null {
    const row = x < this.#gutter || y < AXIS ? undefined : rowAt(this.layout, y - AXIS + this.#scroll)
    const reach = this.timeAt(REACH) - this.timeAt(0)
    const item = row && itemAt(row, this.timeAt(x), reach)
    return row && item ? { row, item } : null
  }

  /** What the keyboard begins with: a check that failed, or what else is first. */
  #first(): Place | undefined {
    const row = this.layout.rows.find(({ items }) => items.length > 0)
    const item = row?.items[0]
    return row && item && { row, item }
  }

  #next(place: Place, direction: 'left' | 'right' | 'up' | 'down'): Place | undefined {
    if (direction === 'left' || direction === 'right') return neighbour(place, direction === 'left' ? -1 : 1)
    return across(this.layout, place, direction === 'up' ? -1 : 1)
  }

  /** Tells what is pointed at or else chosen. */
  #explain(): void {
    const place = this.#hovered ?? this.#selected
    if (place === null) this.#tip.hide()
    else this.#tip.explain(place.item, this.#rectangle(place))
    this.redraw()
  }

  /** Where an item is in the window, as far as it is seen; what is pointed at is where the pointer is. */
  #rectangle(place: Place): { left: number; top: number; bottom: number } {
    const { row, item } = place
    const canvas = this.canvas.getBoundingClientRect()
    const part = Math.max(0, (item.from - this.range.from) / (this.range.to - this.range.from))
    const begin = this.#gutter + part * (canvas.width - this.#gutter)
    const left = canvas.left + (place === this.#hovered ? (this.#pointer?.x ?? begin) : begin)
    const top = canvas.top + AXIS + row.top - this.#scroll
    return { left, top, bottom: top + row.height }
  }

  #draw(): void {
    this.#isAwaited = false
    const { chart, overview } = this.#elements
    const palette = this.#palette
    const full = AXIS + this.layout.height
    const height = this.#isPrinting ? Math.min(full, HIGHEST) : Math.min(full, window.innerHeight)
    const width = chart.clientWidth
    draw({
      context: prepare(this.canvas, width, height),
      width,
      height,
      gutter: this.#gutter,
      scroll: this.#scroll,
      range: this.range,
      end: this.whole.to,
      layout: this.layout,
      palette,
      selected: this.#selected,
      hovered: this.#hovered,
      pointer: this.#pointer && this.timeAt(this.#pointer.x),
      drag: this.#drag,
      isDim: (operation) => this.#word !== '' && !this.#matching.has(operation),
    })
    const size = { width: overview.clientWidth, height: overview.clientHeight }
    drawOverview({
      context: prepare(overview, size.width, size.height),
      ...size,
      whole: this.whole,
      range: this.range,
      layout: this.layout,
      density: this.#density,
      palette,
    })
  }

  #print(begins: boolean): void {
    this.#isPrinting = begins
    this.#tip.hide()
    this.#draw()
  }
}
