/** Mouse, fingers and keys, as what a timeline understands. */
import { AXIS } from './draw.js'
import type { Range } from './range.js'
import { panned, zoomed } from './range.js'

/** The timeline, as far as input concerns it. Places are CSS pixels from the canvas' upper left corner. */
export interface Controlled {
  readonly canvas: HTMLCanvasElement
  readonly whole: Range
  range: Range
  timeAt(x: number): number
  /** Shows another part of the run. */
  show(range: Range): void
  /** Shows what is at a place, without choosing it; null: the pointer is elsewhere. */
  point(place: { x: number; y: number } | null): void
  /** Chooses what is at a place; nothing, if there is nothing. */
  choose(x: number, y: number): void
  /** Chooses the item beside, or in the row above or below. */
  step(direction: 'left' | 'right' | 'up' | 'down'): void
  unchoose(): void
  /** Marks what would be shown if the mouse were released now. */
  mark(range: Range | null): void
}

/** A pointer that has moved less than this (pixels) has clicked. */
const CLICK = 4
/** What each key and button does to what is seen. */
const ZOOM = 0.5
const PAN = 0.25

/** With Ctrl, or on the axis, it zooms; with Shift, or sideways, it moves; else it scrolls the page. */
export function listenToWheel(timeline: Controlled): void {
  const turn = (event: WheelEvent): void => {
    const [x, y] = [event.offsetX, event.offsetY]
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)
    if (event.ctrlKey || event.metaKey || (y < AXIS && !sideways)) {
      event.preventDefault()
      const by = Math.max(-50, Math.min(event.deltaY, 50)) / 100
      timeline.show(zoomed(timeline.range, timeline.whole, Math.exp(by), timeline.timeAt(x)))
    } else if (sideways) {
      event.preventDefault()
      const by = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX
      timeline.show(panned(timeline.range, timeline.whole, by / timeline.canvas.clientWidth))
    }
  }
  timeline.canvas.addEventListener('wheel', turn, { passive: false })
}

interface Gesture {
  readonly kind: 'select' | 'pan'
  readonly startX: number
  /** What was shown when it began. */
  readonly range: Range
  moved: boolean
}

/** A mouse selects what to show, and moves it on the axis or with Shift; a finger moves, two fingers zoom. */
export function listenToPointers(timeline: Controlled): void {
  const { canvas } = timeline
  const down = new Map<number, number>()
  let gesture: Gesture | null = null
  const begin = (event: PointerEvent): void => {
    if (event.button !== 0) return
    canvas.setPointerCapture(event.pointerId)
    down.set(event.pointerId, event.offsetX)
    const moves = event.pointerType === 'touch' || event.shiftKey || event.offsetY < AXIS
    gesture = { kind: moves ? 'pan' : 'select', startX: event.offsetX, range: timeline.range, moved: false }
  }
  const move = (event: PointerEvent): void => {
    const before = down.get(event.pointerId)
    if (before === undefined || gesture === null) return timeline.point({ x: event.offsetX, y: event.offsetY })
    const others = [...down].filter(([id]) => id !== event.pointerId)
    down.set(event.pointerId, event.offsetX)
    if (Math.abs(event.offsetX - gesture.startX) > CLICK) gesture.moved = true
    const [other] = others
    if (other !== undefined) {
      const [factor, middle] = pinch(before, event.offsetX, other[1])
      gesture.moved = true
      return timeline.show(zoomed(timeline.range, timeline.whole, factor, timeline.timeAt(middle)))
    }
    if (!gesture.moved) return
    if (gesture.kind === 'select') timeline.mark(between(timeline, gesture.startX, event.offsetX))
    else timeline.show(panned(timeline.range, timeline.whole, (before - event.offsetX) / canvas.clientWidth))
  }
  const end = (event: PointerEvent): void => {
    if (!down.delete(event.pointerId) || gesture === null || down.size > 0) return
    const { kind, startX, moved } = gesture
    gesture = null
    timeline.mark(null)
    if (event.type === 'pointercancel') return
    if (!moved) timeline.choose(event.offsetX, event.offsetY)
    else if (kind === 'select') timeline.show(between(timeline, startX, event.offsetX))
  }
  canvas.addEventListener('pointerdown', begin)
  canvas.addEventListener('pointermove', move)
  canvas.addEventListener('pointerup', end)
  canvas.addEventListener('pointercancel', end)
  canvas.addEventListener('pointerleave', () => timeline.point(null))
}

/** By what factor the fingers zoom, and around which place. */
function pinch(before: number, now: number, other: number): readonly [factor: number, middle: number] {
  const factor = Math.abs(before - other) / Math.max(1, Math.abs(now - other))
  return [Math.max(0.5, Math.min(factor, 2)), (now + other) / 2]
}

function between(timeline: Controlled, a: number, b: number): Range {
  return { from: timeline.timeAt(Math.min(a, b)), to: timeline.timeAt(Math.max(a, b)) }
}

/** Does what a button of the page, or a key, is for; false if there is no such command. */
export function command(timeline: Controlled, name: string): boolean {
  const { range, whole } = timeline
  const middle = (range.from + range.to) / 2
  const shown: Readonly<Record<string, Range>> = {
    'zoom-in': zoomed(range, whole, ZOOM, middle),
    'zoom-out': zoomed(range, whole, 1 / ZOOM, middle),
    earlier: panned(range, whole, -PAN),
    later: panned(range, whole, PAN),
    whole,
  }
  const next = shown[name]
  if (next !== undefined) timeline.show(next)
  return next !== undefined
}

const KEYS: Readonly<Record<string, string>> = {
  '+': 'zoom-in',
  '=': 'zoom-in',
  '-': 'zoom-out',
  '0': 'whole',
  ShiftArrowLeft: 'earlier',
  ShiftArrowRight: 'later',
}
const STEPS = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' } as const

/** Keys work while the element has the focus. */
export function listenToKeys(element: HTMLElement, timeline: Controlled): void {
  element.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const name = KEYS[event.shiftKey && event.key.startsWith('Arrow') ? `Shift${event.key}` : event.key]
    const isArrow = (key: string): key is keyof typeof STEPS => key in STEPS
    if (name !== undefined) command(timeline, name)
    else if (isArrow(event.key)) timeline.step(STEPS[event.key])
    else if (event.key === 'Escape') timeline.unchoose()
    else return
    event.preventDefault()
  })
}
