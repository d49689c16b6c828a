/** Numbers for people, and the lines that they draw. */
import {
  showBytes,
  showCount,
  showDuration,
  showLatency,
  showList,
  showRate,
  showSome,
} from '@synod/paxos/internal/status-page/format'
import { History, SPAN } from '@synod/paxos/internal/status-page/history'
import { linePath } from '@synod/paxos/internal/status-page/sparkline'
import { progressOf } from '@synod/paxos/internal/status-page/view'
import t from 'tap'
import { clusterOf, working } from './views.js'

t.test('numbers are told as people tell them', (t) => {
  t.strictSame([0, 999, 1_000, 1_234_567].map(showCount), ['0', '999', '1,000', '1,234,567'])
  t.strictSame([0, 0.04, 0.34, 9.94, 9.96, 1_234.5].map(showRate), ['0', '0.0', '0.3', '9.9', '10', '1,235'])
  t.strictSame([0.0423, 1.236, 13.71, 123.4, 2_134].map(showLatency), [
    '0.04 ms',
    '1.24 ms',
    '13.7 ms',
    '123 ms',
    '2.1 s',
  ])
  t.strictSame([0, 1_023, 1_024, 5.5 * 2 ** 20, 200 * 2 ** 30, 2 ** 60].map(showBytes), [
    '0 B',
    '1,023 B',
    '1.0 KiB',
    '5.5 MiB',
    '200 GiB',
    '1,048,576 TiB',
  ])
  t.strictSame([0, 59_999, 60_000, 3_599_000, 12_000_000, 26 * 3_600_000].map(showDuration), [
    '0 s',
    '59 s',
    '1 min 0 s',
    '59 min 59 s',
    '3 h 20 min',
    '1 d 2 h',
  ])
  t.strictSame([[], [1], [1, 2], [1, 2, 3]].map(showList), ['', '1', '1 and 2', '1, 2 and 3'])
  t.strictSame([showSome(1, 'sync'), showSome(2_000, 'sync')], ['1 sync', '2,000 syncs'])
  t.end()
})

t.test('the rate is taken between two answers, and not across a restart or a silence', (t) => {
  const history = new History()
  const answers = [
    working(0, { uptimeMs: 1_000, executed: 0 }),
    working(0, { uptimeMs: 2_000, executed: 500 }),
    working(0, { uptimeMs: 2_000, executed: 500 }),
    working(0, { uptimeMs: 4_000, executed: 700 }),
    working(0, { uptimeMs: 100, executed: 10 }),
  ]
  for (const [index, answer] of answers.entries()) history.add(clusterOf(answer, working(1)), index * 1_000)
  history.add(clusterOf(new Error('gone'), working(1)), 5_000)
  history.add(clusterOf(working(0, { uptimeMs: 5_000, executed: 99 }), working(1)), 6_000)
  t.strictSame(
    history.of(0).rate.map(({ value }) => value),
    [null, 500, null, 100, null, null, null],
  )
  t.equal(history.highest('rate'), 500)
  t.equal(history.highest('rate', 1), 0)
  t.end()
})

t.test('what is older than two minutes is forgotten', (t) => {
  const history = new History()
  const latency = { p50Ms: 1, p99Ms: 9, count: 5 }
  history.add(clusterOf(working(0, { latency })), 0)
  history.add(clusterOf(working(0)), SPAN)
  t.equal(history.highest('p99'), 9)
  history.add(clusterOf(working(0)), SPAN + 1)
  t.equal(history.highest('p99'), 0)
  t.equal(history.of(0).p50.length, 2)
  t.end()
})

t.test('a line goes from left to right, and has gaps where nothing is known', (t) => {
  const now = SPAN
  const at = (seconds: number, value: number | null) => ({ at: seconds * 1_000, value })
  t.equal(linePath([], now, 0), '')
  t.equal(linePath([at(0, 0), at(1, 5), at(2, 10)], now, 10), 'M0.0 23.0L1.0 12.0L2.0 1.0')
  t.equal(linePath([at(100, 1), at(101, null), at(102, 1)], now, 1), 'M100.0 1.0M102.0 1.0')
  t.equal(linePath([at(100, 1), at(119, 1)], now, 1), 'M100.0 1.0M119.0 1.0', 'nobody looked meanwhile')
  t.equal(linePath([at(120, 0)], now, 0), 'M120.0 23.0', 'nothing ever happened')
  t.end()
})

t.test('a server that starts, or fetches a snapshot, has come so far', (t) => {
  t.equal(progressOf(working(0)), null)
  t.equal(progressOf(working(0, { progress: 0.42 })), 0.42)
  t.equal(progressOf(working(0, { fetching: { from: 1, received: 3, bytes: 12 } })), 0.25)
  t.equal(progressOf(working(0, { fetching: { from: 1, received: 0, bytes: 0 } })), 0, 'nothing is known yet')
  t.end()
})
