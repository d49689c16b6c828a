/** A strip that shows the whole run, and which part of it the timeline shows. */
import type { Palette } from './palette.js'
import type { Range } from './range.js'
import type { Layout } from './rows.js'

/** Operations begun in each of so many equal parts of the run. */
export interface Density {
  readonly all: readonly number[]
  /** Of these, those that failed or are unknown. */
  readonly troubled: readonly number[]
  readonly highest: number
}

/** Counts the operations in `parts` parts of the whole run. */
export function densityOf({ rows }: Layout, whole: Range, parts: number): Density {
  const all = new Array<number>(parts).fill(0)
  const troubled = new Array<number>(parts).fill(0)
  for (const item of rows.flatMap(({ items }) => items)) {
    if (item.kind !== 'operation') continue
    const part = Math.min(parts - 1, Math.floor(((item.from - whole.from) / (whole.to - whole.from)) * parts))
    all[part] = (all[part] ?? 0) + 1
    if (item.outcome !== 'ok') troubled[part] = (troubled[part] ?? 0) + 1
  }
  return { all, troubled, highest: Math.max(1, ...all) }
}

/** What is drawn, and onto what. Sizes are CSS pixels; the strip begins where the timeline's names of rows end. */
export interface OverviewScene {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  readonly whole: Range
  readonly range: Range
  readonly layout: Layout
  readonly density: Density
  readonly palette: Palette
}

/** Draws all of it anew. */
export function drawOverview(scene: OverviewScene): void {
  const { context, width, height, whole, range, layout, density, palette } = scene
  const x = (time: number): number => ((time - whole.from) / (whole.to - whole.from)) * width
  const mark = ({ from, to }: Range, colour: string): void => {
    context.fillStyle = colour
    context.fillRect(x(from), 0, Math.max(2, x(to) - x(from)), height)
  }
  context.fillStyle = palette.panel
  context.fillRect(0, 0, width, height)
  for (const range of layout.troubled) mark(range, `${palette.network}24`)
  for (const { fault } of layout.shades) mark(fault, `${palette[fault.cause]}20`)
  const part = width / density.all.length
  const columns = (counts: readonly number[], colour: string): void => {
    context.fillStyle = colour
    counts.forEach((count, index) => {
      const tall = count === 0 ? 0 : Math.max(1, (count / density.highest) * (height - 6))
      context.fillRect(index * part, height - tall, part + 0.3, tall)
    })
  }
  columns(density.all, palette.ok)
  columns(density.troubled, palette.fail)
  for (const offence of layout.offences) mark(offence, palette.failed)
  context.fillStyle = `${palette.page}b0`
  context.fillRect(0, 0, x(range.from), height)
  context.fillRect(x(range.to), 0, width, height)
  context.strokeStyle = palette.text
  context.lineWidth = 1
  context.strokeRect(x(range.from) + 0.5, 0.5, Math.max(3, x(range.to) - x(range.from) - 1), height - 1)
}
