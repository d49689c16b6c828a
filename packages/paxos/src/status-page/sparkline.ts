/** Little lines that show how a number went. The number itself stands beside them, so they tell readers of screens nothing. */
import { SPAN } from './history.js'
import type { Point } from './history.js'

/** In the drawing's own units. */
const WIDTH = 120
const HEIGHT = 24
/** Points that are further apart (ms) are not joined: nobody looked meanwhile. */
const GAP = 5_000

/** The line through the points, as an SVG path; points older than {@link SPAN} are outside. `highest` is at the top. */
export function linePath(points: readonly Point[], now: number, highest: number): string {
  let path = ''
  let last: Point | null = null
  for (const point of points) {
    if (point.value !== null) {
      const isJoined = last !== null && last.value !== null && point.at - last.at <= GAP
      path += `${isJoined ? 'L' : 'M'}${coordinates(point.at, point.value, now, highest)}`
    }
    last = point
  }
  return path
}

function coordinates(at: number, value: number, now: number, highest: number): string {
  const x = WIDTH * (1 - (now - at) / SPAN)
  const y = HEIGHT - 1 - (highest === 0 ? 0 : (HEIGHT - 2) * (value / highest))
  return `${x.toFixed(1)} ${y.toFixed(1)}`
}

/** A drawing with lines of these classes. */
export class Sparkline {
  readonly element = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  readonly #paths: readonly SVGPathElement[]

  constructor(classes: readonly string[]) {
    this.element.setAttribute('class', 'spark')
    this.element.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`)
    this.element.setAttribute('preserveAspectRatio', 'none')
    this.element.setAttribute('aria-hidden', 'true')
    this.#paths = classes.map((name) => {
      const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
      path.setAttribute('class', name)
      this.element.append(path)
      return path
    })
  }

  draw(lines: readonly (readonly Point[])[], now: number, highest: number): void {
    for (const [index, path] of this.#paths.entries())
      path.setAttribute('d', linePath(lines[index] ?? [], now, highest))
  }
}
