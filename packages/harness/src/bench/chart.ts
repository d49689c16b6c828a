/** Throughput against latency, as an SVG picture: a curve for p50 and one for p99 of each system. */
import type { Row } from './run.js'

const WIDTH = 960
const HEIGHT = 600
/** The plot is inside of these. */
const LEFT = 80
const RIGHT = 40
const TOP = 140
const BOTTOM = 70
const COLOURS = ['#1457a8', '#c2410c', '#6b7280']
/** Lines of the grid along the throughput. */
const STEPS = 6

interface Curve {
  readonly name: string
  readonly colour: string
  readonly rows: readonly Row[]
}

interface Scales {
  readonly x: (rate: number) => number
  readonly y: (ms: number) => number
}

/** @param subtitle what the load was */
export function chart(rows: readonly Row[], subtitle: string): string {
  const curves = curvesOf(rows)
  const most = niceAbove(Math.max(...rows.map(({ rate }) => rate)) / STEPS) * STEPS
  const [lowest, highest] = decades(rows)
  const scales: Scales = {
    x: (rate) => LEFT + (rate / most) * (WIDTH - LEFT - RIGHT),
    y: (ms) => HEIGHT - BOTTOM - ((Math.log10(ms) - lowest) / (highest - lowest)) * (HEIGHT - TOP - BOTTOM),
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="14">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 28, 'Latency by throughput', 'font-size="19" font-weight="bold"'),
    text(LEFT, 50, `${subtitle}; points: numbers of clients`, 'fill="#444"'),
    ...grid(scales, most, [lowest, highest]),
    ...curves.flatMap((curve) => drawn(curve, scales)),
    ...curves.flatMap(legend),
    '</svg>',
    '',
  ].join('\n')
}

function curvesOf(rows: readonly Row[]): Curve[] {
  const names = [...new Set(rows.map(nameOf))]
  return names.map((name, index) => ({
    name,
    colour: COLOURS[index] ?? '#000',
    rows: rows.filter((row) => nameOf(row) === name),
  }))
}

function nameOf({ system, generator }: Row): string {
  return system === 'synod'
    ? 'Synod'
    : `${system}, by ${generator === 'go' ? 'its own client in Go' : 'a client in Node'}`
}

function grid({ x, y }: Scales, most: number, [lowest, highest]: [number, number]): string[] {
  const lines: string[] = []
  for (let step = 0; step <= STEPS; step++) {
    const rate = (most / STEPS) * step
    lines.push(line(x(rate), TOP, x(rate), HEIGHT - BOTTOM))
    lines.push(text(x(rate), HEIGHT - BOTTOM + 22, rate.toLocaleString('en-US'), 'text-anchor="middle"'))
  }
  for (let decade = lowest; decade <= highest; decade++)
    for (const part of [1, 2, 5]) {
      const ms = part * 10 ** decade
      if (decade === highest && part > 1) continue
      lines.push(line(LEFT, y(ms), WIDTH - RIGHT, y(ms)))
      lines.push(text(LEFT - 8, y(ms) + 5, String(Number(ms.toPrecision(1))), 'text-anchor="end"'))
    }
  const middle = (TOP + HEIGHT - BOTTOM) / 2
  lines.push(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 18, 'operations a second', 'text-anchor="middle"'))
  lines.push(text(24, middle, 'latency, ms', `text-anchor="middle" transform="rotate(-90 24 ${middle})"`))
  return lines
}

/** p50 drawn through, with the numbers of clients, and p99 dashed. */
function drawn({ name, colour, rows }: Curve, { x, y }: Scales): string[] {
  return (['p50', 'p99'] as const).flatMap((field) => {
    const points = rows.map((row) => `${x(row.rate).toFixed(1)},${y(row[field]).toFixed(1)}`).join(' ')
    const dash = field === 'p99' ? ' stroke-dasharray="7 5"' : ''
    const curve = `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`
    const dots = rows.map((row) => {
      const title = `${name}, ${row.clients} clients: ${row.rate.toFixed(0)}/s, ${field} ${row[field].toFixed(2)} ms`
      return `<circle cx="${x(row.rate).toFixed(1)}" cy="${y(row[field]).toFixed(1)}" r="3.5" fill="${colour}"><title>${title}</title></circle>`
    })
    const numbers = rows.map((row) =>
      text(x(row.rate) + 6, y(row[field]) + 15, String(row.clients), `font-size="11" fill="${colour}"`),
    )
    return field === 'p50' ? [curve, ...dots, ...numbers] : [curve, ...dots]
  })
}

function legend({ name, colour }: Curve, index: number): string[] {
  const [left, top] = [LEFT, 74 + index * 20]
  const stroke = `stroke="${colour}" stroke-width="2"`
  return [
    `<line x1="${left}" y1="${top}" x2="${left + 40}" y2="${top}" ${stroke}/>`,
    text(left + 46, top + 5, 'p50'),
    `<line x1="${left + 80}" y1="${top}" x2="${left + 120}" y2="${top}" ${stroke} stroke-dasharray="7 5"/>`,
    text(left + 126, top + 5, `p99   ${name}`),
  ]
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((place) => place.toFixed(1))
  return `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="#e2e2e2"/>`
}

function text(x: number, y: number, words: string, more = ''): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" xml:space="preserve" ${more}>${safe}</text>`
}

/** The powers of ten around all latencies. */
function decades(rows: readonly Row[]): [number, number] {
  const lowest = Math.floor(Math.log10(Math.min(...rows.map(({ p50 }) => p50))))
  const highest = Math.ceil(Math.log10(Math.max(...rows.map(({ p99 }) => p99))))
  return [lowest, Math.max(highest, lowest + 1)]
}

/** The next of 1, 2, 2.5, 5, 10, 20, … */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return power * ([1, 2, 2.5, 5].find((part) => part * power >= value) ?? 10)
}
