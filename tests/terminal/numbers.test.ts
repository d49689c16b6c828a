import { bar, duration, grouped, size } from '@synod/terminal'
import t from 'tap'

t.test('numbers are told as people tell them', (t) => {
  t.strictSame([0, 999, 1_234_567].map(grouped), ['0', '999', '1,234,567'])
  t.strictSame([0, 1_023, 1_024, 5.5 * 2 ** 20, 200 * 2 ** 30].map(size), [
    '0 B',
    '1,023 B',
    '1.0 KiB',
    '5.5 MiB',
    '200 GiB',
  ])
  t.strictSame([0, 59_999, 60_000, 3_725_000, 26 * 3_600_000].map(duration), ['0s', '59s', '1m 0s', '1h 2m', '1d 2h'])
  t.strictSame([0, 0.5, 0.999, 1, 1.1].map(bar), [
    '░░░░░░░░░░░░░░░░░░░░ 0 %',
    '██████████░░░░░░░░░░ 50 %',
    '███████████████████░ 99 %',
    '████████████████████ 100 %',
    '████████████████████ 100 %',
  ])
  t.end()
})
