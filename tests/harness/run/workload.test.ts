/** Workloads and nemeses: how fast they are, and that they end. In the simulator. */
import type { HistoryEvent } from '@synod/harness/internal/history/history'
import type { Report } from '@synod/harness/internal/report/report'
import { parseScenario } from '@synod/harness/internal/scenario/load'
import type { Step } from '@synod/harness/internal/scenario/schema'
import { simulateScenario } from '@synod/harness/internal/sim/simulate-scenario'
import { kvSubject } from '@synod/harness/internal/subject/kvstore'
import t from 'tap'

t.setTimeout(120_000)

/** Steps as a file has them, checked as a file is. */
type Loose = { readonly type: Step['type'] } & Readonly<Record<string, unknown>>

async function play(steps: readonly Loose[], more: object = {}): Promise<Report> {
  const all: Loose[] = [{ type: 'Start', count: 3 }, { type: 'Wait', for: 'serving' }, ...steps]
  const scenario = parseScenario(JSON.stringify({ steps: all, ...more }), 'test.json')
  return (await simulateScenario(scenario, kvSubject)).report
}

function failures({ checks }: Report): string[] {
  return checks.flatMap(({ name, ok, detail }) => (ok === false ? [`${name}: ${detail}`] : []))
}

/** Operations that workloads began. */
function begun({ history }: Report): HistoryEvent[] {
  return history.filter(({ process, type }) => type === 'invoke' && String(process).startsWith('w'))
}

for (const [rate, slow] of [
  [40, 0],
  [400, 0],
  [50, 20],
] as const) {
  t.test(`a rate of ${rate} operations a second is kept, with a disk that takes ${slow} ms more`, async (t) => {
    const slowly = [0, 1, 2].map((id): Loose => ({ type: 'SlowDisk', id, ms: slow }))
    const report = await play([...slowly, { type: 'Workload', clients: 20, duration: 5_000, rate }])
    t.strictSame(failures(report), [])
    const { length } = begun(report)
    t.ok(Math.abs(length - rate * 5) < rate * 0.75, `${length} operations in 5 s`)
  })
}

t.test('clients that were held up do not send all at once what they have missed', async (t) => {
  const report = await play([
    { type: 'Workload', clients: 4, duration: 30_000, rate: 40, timeout: 60_000 },
    { type: 'Crash', id: 0 },
    { type: 'Crash', id: 1 },
    { type: 'Sleep', ms: 15_000 },
    { type: 'Start' },
  ])
  t.strictSame(failures(report), [])
  const { length } = begun(report)
  t.ok(length < 15 * 40 + 2 * 40, `${length} operations: those of the other 15 s, and what is missed in one`)
})

t.test('a workload ends with its operations, however many clients share them', async (t) => {
  for (const clients of [1, 7, 50]) {
    const report = await play([{ type: 'Workload', clients, operations: 20 }])
    t.strictSame(failures(report), [])
    t.equal(begun(report).length, 20)
  }
})

t.test('a workload that nothing can come of is not waited for to its end', async (t) => {
  const report = await play([
    { type: 'Workload', clients: 1, operations: 10_000 },
    { type: 'Wait', for: 'acknowledged', count: 5 },
    { type: 'Crash', id: 0 },
    { type: 'Crash', id: 1 },
  ])
  t.ok(report.elapsed < 200_000, `it was over after ${report.elapsed} ms`)
  t.match(
    report.checks.find(({ name }) => name === 'convergence'),
    { ok: null },
  )
})

t.test('one that rests for longer is', async (t) => {
  const report = await play([{ type: 'Workload', clients: 1, operations: 4, rate: 0.01, seed: 4 }])
  t.equal(begun(report).length, 4)
  t.ok(report.elapsed > 150_000, `it took ${report.elapsed} ms`)
})

t.test('when the run is out of time, what goes on in the background is not in the report', async (t) => {
  const report = await play([{ type: 'Workload', duration: 60_000, rate: 100 }], { timeout: 3_000 })
  t.match(failures(report), ['timeout: the run was not over after 3000 ms'])
  const { length } = report.history
  t.ok(length > 200)
  await new Promise((resolve) => setTimeout(resolve, 10))
  t.equal(report.history.length, length)
  t.ok(report.history.every(({ time }) => time <= 3_000))
})

t.test('a nemesis ends with its time, and takes its faults with it', async (t) => {
  const faults = ['Crash', 'Pause', 'Partition', 'SlowDisk', 'ClockJump', 'Drop']
  const report = await play([
    { type: 'Workload', duration: 8_000, rate: 20 },
    { type: 'Nemesis', faults, duration: 5_000, every: 1 },
    { type: 'Wait', for: 'nemesis' },
    { type: 'Start' },
    { type: 'Wait', for: 'convergence' },
  ])
  t.strictSame(failures(report), [])
  const last = report.bands.filter(({ kind }) => kind !== 'server').at(-1)
  t.ok((last?.from ?? Infinity) <= 6_000, `the last fault began at ${last?.from} ms`)
})
