/** Scenarios in the simulator: all follows from the scenario. */
import type { Scenario, Step } from '@synod/harness/internal/scenario/schema'
import { simulateScenario } from '@synod/harness/internal/sim/simulate-scenario'
import { anySubject } from '@synod/harness/internal/subject/any'
import { kvSubject } from '@synod/harness/internal/subject/kvstore'
import t from 'tap'

const steps: readonly Step[] = [
  { type: 'Start' },
  { type: 'Wait', for: 'leader' },
  { type: 'Drop', rate: 0.1 },
  { type: 'Workload', clients: 3, operations: 40, keys: 2 },
  { type: 'Sleep', ms: 100 },
  { type: 'Crash', id: 'leader', powerLoss: true },
  { type: 'Sleep', ms: 500 },
  { type: 'Start' },
  { type: 'Wait', for: 'workload' },
]
const scenario: Scenario = { name: 'a crash', description: '', servers: 3, seed: 5, steps }

t.test('the same scenario gives the same run, event for event, and the same report', async (t) => {
  const [first, again] = [await simulateScenario(scenario, kvSubject), await simulateScenario(scenario, kvSubject)]
  t.ok(first.report.ok, JSON.stringify(first.report.checks))
  t.equal(first.crashes, 1)
  const { realTime: _, ...report } = first.report
  t.match(again.report, report)
  t.strictSame([again.digest, again.events], [first.digest, first.events])
  const other = await simulateScenario({ ...scenario, seed: 6 }, kvSubject)
  t.not(other.digest, first.digest)
})

t.test('a service that is not known cannot be simulated', async (t) => {
  const unknown = anySubject('unknown', undefined)
  await t.rejects(simulateScenario(scenario, unknown), { message: 'the simulator needs the service of unknown' })
})
