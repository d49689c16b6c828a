/** Faults of the network as steps: what holds, until when, and what the report shows of it. In the simulator. */
import type { Report } from '@synod/harness/internal/report/report'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { parseScenario } from '@synod/harness/internal/scenario/load'
import type { Step } from '@synod/harness/internal/scenario/schema'
import { simulateScenario } from '@synod/harness/internal/sim/simulate-scenario'
import { kvSubject } from '@synod/harness/internal/subject/kvstore'
import { Links } from '@synod/harness/internal/world/links'
import t from 'tap'

/** Steps as a file has them, checked as a file is. */
type Loose = { readonly type: Step['type'] } & Readonly<Record<string, unknown>>

/** Plays the steps with a second between them; a network's faults, with the steps (from 1) after which they began and ended. */
async function bandsOf(steps: readonly Loose[]): Promise<string[]> {
  const paused = steps.flatMap((step): Loose[] => [step, { type: 'Sleep', ms: 1_000 }])
  const all: Loose[] = [{ type: 'Start', count: 3 }, { type: 'Wait', for: 'serving' }, ...paused]
  const scenario = parseScenario(JSON.stringify(all), 'test.json')
  const { report } = await simulateScenario(scenario, kvSubject)
  const first = startOf(report, 3)
  const at = (time: number): number => Math.round((time - first) / 1_000) + 1
  return report.bands
    .filter(({ kind }) => kind === 'network')
    .map(({ label, from, to }) => `${label}: ${at(from)} to ${at(to)}`)
}

function startOf({ steps }: Report, number: number): number {
  return steps.find((step) => step.number === number)?.from ?? 0
}

t.test('a partition takes the place of the one before', async (t) => {
  const links = new Links(3, new Prng(1), () => 0)
  links.set(0, 1, { delay: 5 })
  links.partition([[0], [1, 2]])
  t.ok(links.isCut(0, 1) && links.isCut(2, 0) && !links.isCut(1, 2))
  links.partition([[0, 1], [2]])
  t.ok(!links.isCut(0, 1) && !links.isCut(1, 0) && links.isCut(1, 2) && links.isCut(0, 2))
  t.match(links.of(0, 1), { delay: 5 }, 'what else is wrong with a link stays')
  links.partition([[0, 1, 2]])
  t.notOk([0, 1, 2].some((id) => links.isCut(id, (id + 1) % 3)))
  t.strictSame(
    await bandsOf([
      { type: 'Partition', groups: [[0], [1, 2]] },
      { type: 'Partition', groups: [[0, 1], [2]] },
      { type: 'Heal' },
    ]),
    ['0 | 1 2: 1 to 2', '0 1 | 2: 2 to 3'],
  )
})

t.test('a fault is over when the last link that had it is healed', async (t) => {
  t.strictSame(
    await bandsOf([
      { type: 'Partition', groups: [[0], [1, 2]] },
      { type: 'Heal', from: 0, to: 1 },
      { type: 'Heal', from: 0, to: 2 },
      { type: 'Drop', rate: 0.1 },
      { type: 'Heal', from: 0 },
      { type: 'Heal', from: 1 },
    ]),
    ['0 | 1 2: 1 to 3', '10 % dropped everywhere: 4 to 6'],
  )
})

t.test('from and to may turn out to be one server: then nothing is done', async (t) => {
  const steps: Loose[] = [
    { type: 'Start', count: 1 },
    { type: 'Wait', for: 'serving' },
    { type: 'Cut', from: 'leader', to: 'any' },
  ]
  const { report } = await simulateScenario(parseScenario(JSON.stringify(steps), 'test.json'), kvSubject)
  t.equal(report.steps.at(-1)?.notDone, 'from and to are both server 0 now')
  t.strictSame(report.bands, [])
})
