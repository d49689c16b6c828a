/** Moving and zooming in time, and how times are written. */
import { fitted, framed, panned, showTime, ticks, zoomed, type Range } from '@synod/harness/internal/report/page/range'
import t from 'tap'

const whole = { from: 0, to: 10_000 }
const within = ({ from, to }: Range): boolean => from >= whole.from && to <= whole.to && to > from

t.test('zooming keeps the moment under the pointer where it is', (t) => {
  const range = zoomed({ from: 2_000, to: 6_000 }, whole, 0.5, 3_000)
  t.strictSame(range, { from: 2_500, to: 4_500 })
  t.strictSame(zoomed(range, whole, 2, 3_000), { from: 2_000, to: 6_000 })
  t.end()
})

t.test('no part of a run is shown that is not in it', (t) => {
  t.strictSame(zoomed({ from: 0, to: 8_000 }, whole, 100, 1_000), whole)
  t.strictSame(panned({ from: 8_000, to: 9_000 }, whole, 5), { from: 9_000, to: 10_000 })
  t.strictSame(panned({ from: 500, to: 1_500 }, whole, -5), { from: 0, to: 1_000 })
  t.strictSame(fitted({ from: -50, to: 100 }, whole), { from: 0, to: 150 })
  t.strictSame(framed({ from: 0, to: 10 }, whole), { from: 0, to: 20 })
  t.end()
})

t.test('no part is too short to be seen', (t) => {
  let range: Range = whole
  for (let n = 0; n < 100; n++) range = zoomed(range, whole, 0.5, 9_999)
  t.ok(within(range))
  t.ok(range.to - range.from > 0.04)
  t.ok(within(fitted({ from: 10_000, to: 10_000 }, whole)))
  t.ok(within(framed({ from: 5_000, to: 5_000 }, whole)))
  t.end()
})

t.test('ticks are round, in the range, and have room for their labels, however long or short the range is', (t) => {
  for (let length = 0.05; length < 1e7; length *= 1.7) {
    const range = { from: 12.3, to: 12.3 + length }
    const found = ticks(range, 900)
    t.ok(found.length >= 3 && found.length <= 11, `${found.length} ticks in ${length} ms`)
    t.ok(found.every(({ time }) => time >= range.from && time <= range.to))
    t.equal(new Set(found.map(({ label }) => label)).size, found.length, 'no two have the same label')
  }
  t.end()
})

t.test('ticks are in ms in short runs, in seconds in long ones', (t) => {
  t.strictSame(
    ticks({ from: 0, to: 500 }, 500).map(({ label }) => label),
    ['0 ms', '100 ms', '200 ms', '300 ms', '400 ms', '500 ms'],
  )
  t.strictSame(
    ticks({ from: 60_000, to: 60_500 }, 300).map(({ label }) => label),
    ['60.0 s', '60.2 s', '60.4 s'],
  )
  t.strictSame(
    ticks({ from: 0, to: 1 }, 200).map(({ label }) => label),
    ['0.0 ms', '0.5 ms', '1.0 ms'],
  )
  t.end()
})

t.test('times are written as briefly as they can be', (t) => {
  const written = [0, 0.0004, 0.25, 999.9996, 1_000, 2_500, 61_234.5678].map(showTime)
  t.strictSame(written, ['0 ms', '0 ms', '0.25 ms', '1000 ms', '1 s', '2.5 s', '61.235 s'])
  t.end()
})
