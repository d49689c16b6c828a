/** What is drawn, seen by a canvas that only takes notes. */
import { AXIS, draw } from '@synod/harness/internal/report/page/draw'
import { describe } from '@synod/harness/internal/report/page/describe'
import { densityOf } from '@synod/harness/internal/report/page/overview'
import { LIGHT } from '@synod/harness/internal/report/page/palette'
import type { Range } from '@synod/harness/internal/report/page/range'
import { layOut } from '@synod/harness/internal/report/page/rows'
import { pageData } from '@synod/harness/internal/report/page-data'
import type { Report } from '@synod/harness/internal/report/report'
import t from 'tap'
import { sampleReport } from '../sample.js'

interface Mark {
  readonly colour: string
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

const [WIDTH, GUTTER] = [1_000, 100]
/** The pixels of a letter. */
const LETTER = 6

/** Draws a report's timeline; what was filled, and written. */
function drawn(report: Report, range?: Range): { marks: Mark[]; texts: string[]; fades: { stops: string[] }[] } {
  const marks: Mark[] = []
  const texts: string[] = []
  const fades: { stops: string[] }[] = []
  const nothing = (): void => undefined
  // The browser's types are not known here.
  const context = {
    fillStyle: '',
    fillRect(left: number, top: number, width: number, height: number) {
      marks.push({ colour: this.fillStyle, left, top, width, height })
    },
    fillText: (text: string) => texts.push(text),
    measureText: (text: string) => ({ width: text.length * LETTER }),
    createLinearGradient: () => {
      const stops: string[] = []
      fades.push({ stops })
      return { addColorStop: (_: number, colour: string) => stops.push(colour) }
    },
    ...{ save: nothing, restore: nothing, beginPath: nothing, rect: nothing, clip: nothing, strokeRect: nothing },
  }
  const data = pageData(report)
  const layout = layOut(data)
  const scene = { width: WIDTH, height: AXIS + layout.height, gutter: GUTTER, scroll: 0, layout, palette: LIGHT }
  const pointed = { selected: null, hovered: null, pointer: null, drag: null, isDim: () => false }
  const whole = { from: 0, to: data.end }
  draw({ ...scene, ...pointed, range: range ?? whole, end: data.end, context: context as never })
  return { marks, texts, fades }
}

t.test('every operation is seen, in the colour of its outcome', (t) => {
  const report = sampleReport()
  const { marks } = drawn(report)
  const count = (colour: string): number => marks.filter((mark) => mark.colour === colour).length
  const { ok, fail, info } = report.operations
  t.equal(count(LIGHT.ok), ok)
  t.equal(count(LIGHT.fail), fail)
  t.equal(count(LIGHT.info), info)
  t.ok(fail > 0 && info > 0)
  t.end()
})

t.test('an operation stands from its begin to its outcome', (t) => {
  const report = sampleReport()
  const history = [
    { process: 0, type: 'invoke', f: 'read', time: 3_000 },
    { process: 0, type: 'ok', f: 'read', time: 6_000 },
  ] as const
  const [mark, ...others] = drawn({ ...report, history }).marks.filter(({ colour }) => colour === LIGHT.ok)
  t.strictSame(others, [])
  t.equal(mark?.left, GUTTER + ((WIDTH - GUTTER) * 3) / 12)
  t.ok(Math.abs((mark?.width ?? 0) - ((WIDTH - GUTTER) * 3) / 12) <= 1)
  t.end()
})

t.test('what is unknown fades from its end to the end of the run, whatever part of it is seen', (t) => {
  const report = sampleReport()
  const history = [
    { process: 0, type: 'invoke', f: 'write', value: 'x', time: 3_000 },
    { process: 0, type: 'info', f: 'write', error: 'TIMEOUT', time: 6_000 },
    { process: 1, type: 'invoke', f: 'write', value: 'y', time: 9_000 },
  ] as const
  const tails = (range?: Range): string[][] => drawn({ ...report, history }, range).fades.map(({ stops }) => stops)
  const [strong, half, gone] = [180, 90, 0].map((opacity) => LIGHT.info + opacity.toString(16).padStart(2, '0'))
  t.strictSame(tails(), [
    [strong, gone],
    [strong, gone],
  ])
  t.strictSame(tails({ from: 9_000, to: 10_500 })[0]?.[0], half)
  t.strictSame(tails({ from: 0, to: 5_000 }), [], 'before, there is none')
  t.end()
})

t.test('where a check failed is marked over all rows, however short it was', (t) => {
  const report = sampleReport({ failed: true })
  const checks = report.checks.map((check) => ({
    ...check,
    ...(check.window && { window: { from: 6_000, to: 6_000.01 } }),
  }))
  const { marks, texts } = drawn({ ...report, checks })
  const edges = marks.filter(({ colour, width }) => colour === LIGHT.failed && width < 2)
  t.equal(edges.length, 2)
  const [left, right] = edges
  const middle = GUTTER + (WIDTH - GUTTER) / 2
  t.ok(left && right && left.left < middle && right.left > middle && right.left - left.left >= 3)
  const bottom = Math.max(...marks.filter(({ colour }) => colour === LIGHT.ok).map(({ top, height }) => top + height))
  t.ok(left && left.top <= AXIS && left.top + left.height >= bottom)
  t.ok(texts.includes('linearizable'))
  t.end()
})

t.test('who led at which ballot is written, and faults are named', (t) => {
  const { texts } = drawn(sampleReport())
  for (const text of ['1.0 leads', '1.0 follows 0', 'is down', '10 % dropped everywhere'])
    t.ok(texts.includes(text), text)
  t.end()
})

t.test('50,000 events are drawn with a bounded number of bars', (t) => {
  const report = sampleReport({ servers: 5, clients: 30, events: 50_000, elapsed: 60_000, failed: true })
  const { marks } = drawn(report)
  const bars = marks.filter(({ colour }) => colour === LIGHT.ok)
  t.ok(bars.length > 30)
  t.ok(bars.length < report.operations.ok / 2, `${bars.length} bars for ${report.operations.ok} operations`)
  const near = drawn(report, { from: 30_000, to: 30_100 }).marks
  t.ok(near.length < 1_000, 'and what is not in sight is not drawn')
  t.ok(near.some(({ colour }) => colour === LIGHT.ok))
  t.end()
})

t.test('the overview counts every operation, and which of them had trouble', (t) => {
  const report = sampleReport({ events: 1_000 })
  const data = pageData(report)
  const { all, troubled, highest } = densityOf(layOut(data), { from: 0, to: data.end }, 50)
  const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0)
  t.equal(sum(all), report.operations.attempted)
  t.equal(sum(troubled), report.operations.fail + report.operations.info)
  t.equal(highest, Math.max(...all))
  t.end()
})

t.test('everything that can be pointed at is told in words', (t) => {
  const { rows } = layOut(pageData(sampleReport({ failed: true })))
  const told = rows.flatMap(({ items }) => items.map((item) => describe(item).join('\n')))
  for (const line of [
    /^linearizable failed\nkey .* \(120 ms\)$/s,
    /^2 \| 0 1\na fault of the network\n4.8 s to 6.3 s \(1.5 s\)$/,
    /^leads at 1.0\nserver 0, 100 slots applied\n300 ms to /,
    /^follows 0 at 1.0\nserver 1, /,
    /^write key-\d+ = "c\d-\d+"\nok\nclient \d, /,
    /^cas key-\d+ = .*\nfailed, without effect\nclient \d, /,
    /^write key-\d+ = .*\nunknown: it may have happened: TIMEOUT\n/,
  ]) {
    t.ok(
      told.some((text) => line.test(text)),
      String(line),
    )
  }
  t.end()
})
