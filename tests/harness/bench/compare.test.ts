/** Medians of rounds, and ratios. */
import type { Row } from '@synod/harness/internal/bench/run'
import { inRounds, medianRow, ratios } from '@synod/harness/internal/bench/compare'
import t from 'tap'
import { row } from './row.js'

t.test('the median of rounds is taken field by field, and failures are added', (t) => {
  const cost = (cpu: number): Row['costs'] => [{ role: 'generator', cpu, share: 1, memory: 1, written: 1 }]
  const median = medianRow([
    row({ rate: 3, p99: 9, costs: cost(7), failures: { BUSY: 2 }, disk: null, syncs: 0, commandsPerSync: null }),
    row({ rate: 1, p99: 8, costs: cost(9), failures: { BUSY: 1, TIMEOUT: 1 }, disk: 300 }),
    row({ rate: 2, p99: 1, costs: cost(8), disk: 100 }),
  ])
  t.match(median, {
    rate: 2,
    p99: 8,
    costs: [{ role: 'generator', cpu: 8 }],
    failures: { BUSY: 3, TIMEOUT: 1 },
    disk: 200,
    commandsPerSync: 2,
  })
  t.end()
})

t.test('drivers take turns, for each number of clients', async (t) => {
  const order: string[] = []
  const driver = (system: string) => (options: { clients: number }) => {
    order.push(`${system} ${options.clients}`)
    return Promise.resolve(row({ system, clients: options.clients }))
  }
  const options = { clients: 0, connections: 1, seconds: 1, valueSize: 1, keys: 1 }
  const rows = await inRounds([driver('a'), driver('b')], options, { clients: [1, 2], rounds: 2 })
  t.strictSame(order, ['a 1', 'b 1', 'a 1', 'b 1', 'a 2', 'b 2', 'a 2', 'b 2'])
  t.strictSame(
    rows.map(({ system, clients }) => `${system} ${clients}`),
    ['a 1', 'b 1', 'a 2', 'b 2'],
  )
})

t.test('ratios are of the same number of clients', (t) => {
  const rows = [
    row({ clients: 1, rate: 10, p50: 2, p99: 3 }),
    row({ clients: 1, system: 'etcd', generator: 'go', rate: 5, p50: 4, p99: 6 }),
    row({ clients: 64, rate: 90, p50: 1, p99: 1 }),
    row({ clients: 64, system: 'etcd', generator: 'node', rate: 30, p50: 2, p99: 4 }),
  ]
  t.strictSame(ratios(rows), [
    { clients: 1, generator: 'go', rate: 2, p50: 0.5, p99: 0.5 },
    { clients: 64, generator: 'node', rate: 3, p50: 0.5, p99: 0.25 },
  ])
  t.end()
})
