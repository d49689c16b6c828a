/** The picture of a sweep, and the table of a series. */
import { chart } from '@synod/harness/internal/bench/chart'
import { markdownHead, markdownLine } from '@synod/harness/internal/bench/series'
import t from 'tap'
import { row } from './row.js'

const rows = [
  row({ clients: 1, rate: 1000, p50: 0.7, p99: 1.5 }),
  row({ clients: 1, system: 'etcd', generator: 'go', rate: 500, p50: 1, p99: 3 }),
  row({ clients: 64, rate: 5800, p50: 8, p99: 40 }),
  row({ clients: 64, system: 'etcd', generator: 'go', rate: 4000, p50: 16, p99: 80 }),
]

/** What matches the group, over the whole text. */
function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '')
}

t.test('a picture has a curve for p50 and p99 of each system, and says what it shows', (t) => {
  const svg = chart(rows, '3 servers, keys < 10 & more')
  const words = all(svg, /<text[^>]*>([^<]*)</g)
  for (const word of ['Latency by throughput', 'operations a second', 'latency, ms', 'p50', '0', '6,000', '0.1', '100'])
    t.ok(words.includes(word), `it says ${word}`)
  t.ok(
    words.some((word) => word.includes('keys &lt; 10 &amp; more')),
    'what would be markup is not',
  )
  t.match(words.join('\n'), /p99 {3}Synod\n/)
  t.match(words.join('\n'), /p99 {3}etcd, by its own client in Go/)
  const curves = all(svg, /<polyline points="([^"]*)"/g).map((points) =>
    points.split(' ').map((point) => point.split(',').map(Number) as [number, number]),
  )
  t.equal(curves.length, 4)
  for (const points of curves) {
    t.equal(points.length, 2)
    const [[x1, y1], [x2, y2]] = points as [[number, number], [number, number]]
    t.ok(x1 < x2 && y1 > y2, 'more throughput is to the right, more latency above')
    for (const [x, y] of points) t.ok(x >= 80 && x <= 920 && y >= 140 && y <= 530, `${x}, ${y} is in the plot`)
  }
  const titles = all(svg, /<title>([^<]*)</g)
  t.equal(titles.length, 8)
  t.ok(titles.includes('Synod, 64 clients: 5800/s, p99 40.00 ms'))
  t.equal(all(svg, /(stroke-dasharray)/g).length, 4, 'two curves and two lines of the legend are dashed')
  t.end()
})

t.test('a picture of one point is no division by zero', (t) => {
  t.notMatch(chart([row({ rate: 100, p50: 1, p99: 1 })], ''), /NaN|Infinity/)
  t.end()
})

t.test('a table of a series has a line for each point and system', (t) => {
  const costs = (['leader', 'follower', 'follower', 'generator'] as const).map((role, index) => ({
    role,
    cpu: 10 + index,
    share: 0.25,
    memory: (100 + index) << 20,
    written: 1,
  }))
  const lines = [
    { point: 1000, row: row({ costs }) },
    { point: 10_000, row: row({ system: 'etcd', generator: 'go', costs }) },
  ].map((each) => markdownLine(each).trim())
  const [head = '', rule = ''] = markdownHead('keys').split('\n')
  t.match(head, /^\| keys \| system \| clients \| ops\/s \| p50 ms \| p99 ms \|/)
  t.match(rule, /^(\| ---: )+\|$/)
  t.equal(rule.split('|').length, head.split('|').length)
  t.match(lines[0], /^\| 1,000 \| synod \| 1 \| 5 \| 1\.00 \| 3\.00 \| 10 \| 12 \| 13 \| 25 % \|.*\| 100 \| 102 \|$/)
  t.match(lines[1], /^\| 10,000 \| etcd \(go\) \|/)
  t.end()
})
