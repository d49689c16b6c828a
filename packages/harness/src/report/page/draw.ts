/** Draws the timeline: what is shaded, the rows that are in sight, and over them the axis and the names of the rows. */
import { drawFault, drawOffence, drawOperations, drawSpan } from './draw-items.js'
import type { Place } from './find.js'
import type { Palette } from './palette.js'
import type { Range } from './range.js'
import { ticks } from './range.js'
import type { Layout, OperationItem, Row } from './rows.js'

/** Pixels: the height of the axis above the rows. */
export const AXIS = 26
/** Of all texts, but for the names of low rows. */
export const FONT = '11px system-ui, sans-serif'

/** What is drawn, and onto what. Sizes are CSS pixels. */
export interface Scene {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  /** The width of the names of rows. */
  readonly gutter: number
  /** So much of the rows is above the top. */
  readonly scroll: number
  readonly range: Range
  /** Of the run (ms). */
  readonly end: number
  readonly layout: Layout
  readonly palette: Palette
  readonly selected: Place | null
  readonly hovered: Place | null
  /** Where the pointer is (ms). */
  readonly pointer: number | null
  /** What is being selected with the mouse. */
  readonly drag: Range | null
  readonly isDim: (operation: OperationItem) => boolean
}

/** Where a moment is. Far outside it is cut, for canvases do not like large numbers. */
export function xOf({ gutter, width, range }: Scene, time: number): number {
  const x = gutter + ((time - range.from) / (range.to - range.from)) * (width - gutter)
  return Math.max(gutter - 50, Math.min(x, width + 50))
}

/** Draws all of it anew. */
export function draw(scene: Scene): void {
  const { context, width, height, gutter, layout, palette } = scene
  context.font = FONT
  context.textBaseline = 'middle'
  context.fillStyle = palette.page
  context.fillRect(0, 0, width, height)
  const inSight = layout.rows.filter((row) => yOf(scene, row) < height && yOf(scene, row) + row.height > AXIS)
  context.save()
  context.beginPath()
  context.rect(gutter, AXIS, width - gutter, height - AXIS)
  context.clip()
  drawGround(scene, inSight)
  const isFlag = ({ items }: Row): boolean => items[0]?.kind === 'offence'
  for (const row of inSight) if (!isFlag(row)) drawRow(scene, row)
  drawOffenceEdges(scene)
  for (const row of inSight) if (isFlag(row)) drawRow(scene, row)
  outline(scene, scene.hovered, palette.muted)
  outline(scene, scene.selected, palette.text)
  if (scene.drag !== null) shade(scene, scene.drag, `${palette.text}30`)
  context.restore()
  drawNames(scene, inSight)
  drawAxis(scene)
}

function yOf({ scroll }: Scene, { top }: { readonly top: number }): number {
  return AXIS + top - scroll
}

/** Stripes, the shades of faults, the lines of the axis, and where a check failed. */
function drawGround(scene: Scene, inSight: readonly Row[]): void {
  const { context, layout, palette, width, height, gutter, range } = scene
  context.fillStyle = `${palette.panel}a0`
  for (const row of inSight) {
    if (layout.rows.indexOf(row) % 2 === 1) context.fillRect(gutter, yOf(scene, row), width - gutter, row.height)
  }
  for (const range of layout.troubled) shade(scene, range, `${palette.network}24`)
  for (const { fault, ...rows } of layout.shades) {
    const [left, right] = edges(scene, fault)
    context.fillStyle = `${palette[fault.cause]}30`
    context.fillRect(left, yOf(scene, rows), right - left, rows.height)
  }
  context.fillStyle = palette.line
  for (const { time } of ticks(range, width - gutter)) context.fillRect(Math.round(xOf(scene, time)), AXIS, 1, height)
  for (const offence of layout.offences) shade(scene, offence, `${palette.failed}26`)
}

/** Left and right of a range that is to be seen however short it is. */
function edges(scene: Scene, { from, to }: Range): readonly [number, number] {
  const [left, right] = [xOf(scene, from), xOf(scene, to)]
  return right - left >= 3 ? [left, right] : [(left + right) / 2 - 1.5, (left + right) / 2 + 1.5]
}

function shade(scene: Scene, range: Range, colour: string): void {
  const [left, right] = edges(scene, range)
  scene.context.fillStyle = colour
  scene.context.fillRect(left, AXIS, right - left, scene.height)
}

function drawRow(scene: Scene, row: Row): void {
  const y = yOf(scene, row)
  const operations: OperationItem[] = []
  for (const item of row.items) {
    if (item.from > scene.range.to) break
    if (item.kind === 'operation') operations.push(item)
    else if (item.to < scene.range.from) continue
    else if (item.kind === 'span') drawSpan(scene, item, y, row.height)
    else if (item.kind === 'fault') drawFault(scene, item, y, row.height, edges(scene, item))
    else drawOffence(scene, item, y, row.height, edges(scene, item))
  }
  if (operations.length > 0) drawOperations(scene, operations, y, row.height)
}

function drawOffenceEdges(scene: Scene): void {
  const { context, layout, palette, height } = scene
  context.fillStyle = palette.failed
  for (const offence of layout.offences) {
    const [left, right] = edges(scene, offence)
    context.fillRect(left - 1, AXIS, 1.5, height)
    context.fillRect(right - 0.5, AXIS, 1.5, height)
  }
}

function outline(scene: Scene, place: Place | null, colour: string): void {
  if (place === null) return
  const { context } = scene
  const [left, right] = edges(scene, place.item)
  context.strokeStyle = colour
  context.lineWidth = 2
  context.strokeRect(left - 1, yOf(scene, place.row) + 0.5, right - left + 2, place.row.height - 1)
}

function drawNames(scene: Scene, inSight: readonly Row[]): void {
  const { context, palette, gutter, height } = scene
  context.fillStyle = palette.page
  context.fillRect(0, AXIS, gutter, height)
  context.textAlign = 'right'
  for (const row of inSight) {
    const chosen = scene.selected?.row === row || scene.hovered?.row === row
    context.font = row.height < 14 ? '9px system-ui, sans-serif' : FONT
    context.fillStyle = chosen ? palette.text : row.label === 'failed' ? palette.failed : palette.muted
    context.fillText(shorten(context, row.label, gutter - 10), gutter - 6, yOf(scene, row) + row.height / 2)
  }
  context.font = FONT
  context.textAlign = 'left'
  context.fillStyle = palette.line
  context.fillRect(gutter - 1, 0, 1, height)
}

function drawAxis(scene: Scene): void {
  const { context, palette, width, gutter, range, pointer } = scene
  context.fillStyle = palette.panel
  context.fillRect(0, 0, width, AXIS)
  context.textAlign = 'center'
  context.fillStyle = palette.text
  for (const { time, label } of ticks(range, width - gutter)) {
    const half = context.measureText(label).width / 2
    const x = Math.max(gutter + half + 2, Math.min(xOf(scene, time), width - half - 2))
    context.fillText(label, x, AXIS / 2)
  }
  context.textAlign = 'left'
  context.fillStyle = palette.line
  context.fillRect(0, AXIS - 1, width, 1)
  if (pointer === null) return
  context.fillStyle = palette.text
  context.fillRect(Math.round(xOf(scene, pointer)), AXIS - 6, 1, 6)
}

/** The text, or as much of it as fits, with an ellipsis; empty if next to nothing does. */
export function shorten(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text
  let [fits, tooLong] = [0, text.length]
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1
    if (context.measureText(`${text.slice(0, middle)}…`).width <= width) fits = middle
    else tooLong = middle
  }
  return fits < 2 ? '' : `${text.slice(0, fits)}…`
}
