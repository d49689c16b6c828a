/** A row of figures, for tests of what is made of them. */
import type { Row } from '@synod/harness/internal/bench/run'

export function row(over: Partial<Row> = {}): Row {
  const figures = { operations: 10, rate: 5, seconds: 2, mean: 1, p50: 1, p90: 2, p99: 3, p999: 4, max: 5, late: 0 }
  const counts = { syncs: 5, commandsPerSync: 2, loopback: 100, disk: 200 }
  const cost = { role: 'generator', cpu: 10, share: 0.5, memory: 1000, written: 50 } as const
  return {
    system: 'synod',
    generator: 'node',
    clients: 1,
    connections: 8,
    failures: {},
    costs: [cost],
    ...figures,
    ...counts,
    ...over,
  }
}
