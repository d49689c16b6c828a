/** What stands in which row of the timeline, and how it is found there. */
import { across, inRange, itemAt, neighbour, rowAt } from '@synod/harness/internal/report/page/find'
import type { FaultItem, Item, Row } from '@synod/harness/internal/report/page/rows'
import { layOut, tracks, union } from '@synod/harness/internal/report/page/rows'
import { pageData } from '@synod/harness/internal/report/page-data'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import t from 'tap'
import { sampleReport } from '../sample.js'

const fault = (from: number, to: number): FaultItem => {
  return { kind: 'fault', cause: 'network', label: `${from} to ${to}`, server: null, from, to }
}
const failed = sampleReport({ failed: true })

t.test('from the top: failed checks, common faults, each server with its own faults, each client', (t) => {
  const { rows } = layOut(pageData(failed))
  t.strictSame(
    rows.map(({ label, items }) => [label, items[0]?.kind]),
    [
      ['failed', 'offence'],
      ['faults', 'fault'],
      ['', 'fault'],
      ['server 0', 'span'],
      ['', 'fault'],
      ['', 'fault'],
      ['server 1', 'span'],
      ['', 'fault'],
      ['server 2', 'span'],
      ...[0, 1, 2, 3].map((client) => [`client ${client}`, 'operation']),
    ],
  )
  t.end()
})

t.test('rows do not overlap, and each is found where it is', (t) => {
  const layout = layOut(pageData(sampleReport({ servers: 10, clients: 100, events: 2_000 })))
  let bottom = 0
  for (const row of layout.rows) {
    t.ok(row.top >= bottom)
    bottom = row.top + row.height
    t.equal(rowAt(layout, row.top), row)
    t.equal(rowAt(layout, bottom - 0.5), row)
  }
  t.ok(bottom <= layout.height)
  t.equal(rowAt(layout, layout.height + 1), undefined)
  t.end()
})

t.test('a fault of the network, or of nobody, shades all rows; another those of its server alone', (t) => {
  const bands = [
    { label: 'a', kind: 'network', server: 1, from: 5, to: 9 },
    { label: 'b', kind: 'clock', server: null, from: 8, to: 12 },
    { label: 'c', kind: 'disk', server: 2, from: 0, to: 3 },
    { label: 'd', kind: 'server', server: 2, from: 2, to: 4 },
  ] as const
  const { troubled, shades, rows } = layOut(pageData({ ...failed, bands }))
  t.strictSame(troubled, [{ from: 5, to: 12 }])
  const place = rows.findIndex(({ label }) => label === 'server 2')
  const [own, ...tracks] = rows.slice(place, place + 3)
  const height = (own?.height ?? 0) + tracks.reduce((sum, row) => sum + row.height, 0)
  t.strictSame(
    shades.map(({ fault, ...shade }) => [fault.label, shade]),
    ['c', 'd'].map((label) => [label, { top: own?.top, height }]),
  )
  t.end()
})

t.test('faults share a row if they do not hold at the same time', (t) => {
  const [a, b, c, d] = [fault(0, 10), fault(5, 8), fault(8, 20), fault(10, 12)]
  t.strictSame(tracks([a, b, c, d]), [
    [a, d],
    [b, c],
  ])
  const many = Array.from({ length: 50 }, (_, n) => fault(n, 100))
  t.equal(tracks(many).length, 8, 'but there are not more rows than one can look at')
  t.equal(tracks(many).flat().length, 50, 'and none is left out')
  t.end()
})

t.test('the union of ranges is what any of them covers', (t) => {
  t.strictSame(union([fault(0, 5), fault(2, 3), fault(5, 6), fault(8, 9)]), [
    { from: 0, to: 6 },
    { from: 8, to: 9 },
  ])
  t.end()
})

t.test('what is nearest to a moment is found, as if all were looked at', (t) => {
  const prng = new Prng(7)
  for (let round = 0; round < 200; round++) {
    const items: Item[] = []
    for (let time = 0; items.length < 20;) {
      const from = time + prng.below(10)
      time = from + prng.below(5)
      items.push(fault(from, time))
    }
    const row: Row = { label: '', top: 0, height: 10, items }
    const [moment, reach] = [prng.below(180) - 10, prng.below(6)]
    const away = ({ from, to }: Item): number => Math.max(from - moment, moment - to, 0)
    const nearest = Math.min(...items.map(away))
    const found = itemAt(row, moment, reach)
    t.equal(found === undefined ? undefined : away(found), nearest <= reach ? nearest : undefined)
  }
  t.end()
})

t.test('the keys lead from item to item, and from row to row', (t) => {
  const layout = layOut(pageData(failed))
  const row = layout.rows.find(({ label }) => label === 'client 1')
  const [first, second] = row?.items ?? []
  if (row === undefined || first === undefined || second === undefined) throw new Error('the sample has no client 1')
  t.strictSame(neighbour({ row, item: first }, 1), { row, item: second })
  t.strictSame(neighbour({ row, item: second }, -1), { row, item: first })
  t.equal(neighbour({ row, item: first }, -1), undefined)
  const below = across(layout, { row, item: second }, 1)
  t.equal(below?.row.label, 'client 2')
  const away = ({ from, to }: Item): number => Math.max(from - second.from, second.from - to, 0)
  t.equal(below && away(below.item), Math.min(...(below?.row.items.map(away) ?? [])), 'nothing there is nearer')
  const top = layout.rows[0]
  t.equal(top?.items[0] && across(layout, { row: top, item: top.items[0] }, -1), undefined)
  t.end()
})

t.test('the operations of a part of the run are those that were under way in it, and hold the word', (t) => {
  const layout = layOut(pageData(failed))
  const all = layout.rows.flatMap(({ items }) => items.filter((item) => item.kind === 'operation'))
  const range = { from: 5_000, to: 6_000 }
  const expected = all.filter(({ from, to }) => from <= range.to && to >= range.from)
  const { count, operations } = inRange(layout, range, '', 10)
  t.equal(count, expected.length)
  t.equal(operations.length, 10)
  t.strictSame(
    operations.map(({ from }) => from),
    expected
      .map(({ from }) => from)
      .sort((a, b) => a - b)
      .slice(0, 10),
  )
  const found = inRange(layout, { from: 0, to: 12_000 }, 'key-3', 1_000)
  t.ok(found.count > 0 && found.count < all.length)
  t.ok(found.operations.every(({ key }) => key === 'key-3'))
  t.end()
})
