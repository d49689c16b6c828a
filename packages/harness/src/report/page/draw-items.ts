/** Draws single items, and all operations of a row at once: there may be tens of thousands of these. */
import { label, title } from './describe.js'
import type { Outcome } from './data.js'
import type { Scene } from './draw.js'
import { shorten, xOf } from './draw.js'
import { firstAfter } from './find.js'
import type { FaultItem, OffenceItem, OperationItem, SpanItem } from './rows.js'

type Edges = readonly [left: number, right: number]

/** Bars closer together than this (pixels) are drawn as one: at most a bar for each pixel of a row, however many there are. */
const JOINED = 0.7
/** A bar of this height (pixels) has room for a text. */
const LEGIBLE = 10
/** The text of a flag is not wider than this (pixels). */
const FLAG = 200
/** A bar must be so wide (pixels) as well. */
const ROOM = 44

/** How a server stood: who leads is filled darkly, who follows lightly. */
export function drawSpan(scene: Scene, item: SpanItem, y: number, height: number): void {
  const { context, palette } = scene
  const [left, right] = [xOf(scene, item.from), xOf(scene, item.to)]
  const [top, tall] = [y + 3, height - 5]
  const gone = `${palette.server}38`
  const { leader, follower, candidate } = palette
  const fill = { leader, follower, candidate, down: gone, paused: gone, ended: gone }[item.role]
  context.fillStyle = item.role === 'follower' && item.leader === null ? palette.line : (fill ?? palette.line)
  context.fillRect(left, top, Math.max(1, right - left - 1), tall)
  context.fillStyle = item.role === 'leader' ? palette.onDark : palette.text
  write(scene, label(item), left, right, top + tall / 2)
}

/** A fault, with its name. */
export function drawFault(scene: Scene, item: FaultItem, y: number, height: number, edges: Edges): void {
  const { context, palette } = scene
  const [left, right] = edges
  context.fillStyle = `${palette[item.cause]}48`
  context.fillRect(left, y + 1, right - left, height - 2)
  context.fillStyle = palette[item.cause]
  context.fillRect(left, y + 1, 2, height - 2)
  context.fillStyle = palette.text
  // In its own server's rows a fault need not name the server again.
  const own = `server ${item.server} `
  const text = item.label.startsWith(own) ? item.label.slice(own.length) : item.label
  write(scene, text, left + 1, right, y + height / 2)
}

/** A flag, whose text may reach beyond it: what it marks is short as a rule. */
export function drawOffence(scene: Scene, item: OffenceItem, y: number, height: number, edges: Edges): void {
  const { context, palette, width, gutter } = scene
  const [left, right] = edges
  const text = shorten(context, item.check, FLAG)
  const wide = context.measureText(text).width + 10
  const begin = Math.max(gutter, Math.min(Math.max(left, gutter), width - wide))
  if (right < gutter || left > width) return
  context.fillStyle = palette.failed
  context.fillRect(begin, y + 1, Math.max(wide, Math.min(right, width) - begin), height - 2)
  context.fillStyle = palette.page
  context.fillText(text, begin + 5, y + height / 2)
}

/** Writes into a bar, or rather into what of it is in sight. */
function write({ context, gutter, width }: Scene, text: string, left: number, right: number, middle: number): void {
  const from = Math.max(left, gutter)
  const room = Math.min(right, width) - from - 8
  if (room > 14) context.fillText(shorten(context, text, room), from + 4, middle)
}

/** One bar: for an operation, or without a text for several. */
interface Bar {
  left: number
  right: number
  text: string
}

/**
 * Tells outcomes apart by shape, too: what failed hangs low, and what is unknown fades out towards the end of the run.
 * The rarer come last, so that they are not hidden.
 */
export function drawOperations(scene: Scene, all: readonly OperationItem[], y: number, height: number): void {
  const { context, palette } = scene
  drawTails(scene, all, y, height)
  const operations = all.slice(Math.max(0, firstAfter(all, scene.range.from) - 1))
  const margin = height > 14 ? 3 : 1
  const drawOutcome = (outcome: Outcome, bars: readonly Bar[]): void => {
    const low = outcome === 'fail' ? Math.floor(height / 4) : 0
    const [top, tall] = [y + margin + low, height - 2 * margin - low]
    context.fillStyle = palette[outcome]
    for (const { left, right } of bars) context.fillRect(left, top, right - left, tall)
    context.fillStyle = outcome === 'fail' ? palette.onFail : palette.onDark
    for (const { left, right, text } of bars) {
      if (tall >= LEGIBLE && text !== '') write(scene, text, left, right, top + tall / 2)
    }
  }
  for (const isDim of [true, false]) {
    const shown = operations.filter((item) => scene.isDim(item) === isDim)
    context.globalAlpha = isDim ? 0.15 : 1
    for (const outcome of ['ok', 'info', 'fail'] as const) {
      const bars = barsOf(
        scene,
        shown.filter((item) => item.outcome === outcome),
      )
      drawOutcome(outcome, bars)
    }
  }
}

function barsOf(scene: Scene, operations: readonly OperationItem[]): Bar[] {
  const bars: Bar[] = []
  for (const item of operations) {
    const left = xOf(scene, item.from)
    const end = item.open ? left + 6 : xOf(scene, item.to)
    const right = Math.max(left + (item.outcome === 'ok' ? 1 : 2), end - (end - left > 3 ? 1 : 0))
    const last = bars.at(-1)
    if (last === undefined || right - left >= 3 || left - last.right >= JOINED) {
      bars.push({ left, right, text: right - left > ROOM ? title(item) : '' })
    } else {
      last.right = Math.max(last.right, right)
      last.text = ''
    }
  }
  return bars
}

/** What is unknown may still happen: its tail fades from where hope was lost until the run's end, or until the next such begins. */
function drawTails(scene: Scene, all: readonly OperationItem[], y: number, height: number): void {
  const { context, palette, range, end } = scene
  const unknown = all.filter(({ outcome }) => outcome === 'info')
  unknown.forEach((item, index) => {
    const begin = item.open ? item.from : item.to
    const [from, to] = [Math.max(begin, range.from), Math.min(unknown[index + 1]?.from ?? end, range.to)]
    if (to <= from) return
    const opacity = (time: number): string =>
      Math.round(180 * (1 - (time - begin) / (end - begin)))
        .toString(16)
        .padStart(2, '0')
    const [left, right] = [xOf(scene, from), xOf(scene, to)]
    const fade = context.createLinearGradient(left, 0, right, 0)
    fade.addColorStop(0, palette.info + opacity(from))
    fade.addColorStop(1, palette.info + opacity(to))
    context.fillStyle = fade
    context.fillRect(left, y + height / 2 - 1.5, right - left, 3)
  })
}
