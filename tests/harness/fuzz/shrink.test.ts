/** The shrinker, against failures that are known. */
import { shrink } from '@synod/harness/internal/fuzz/shrink'
import { drawScenario } from '@synod/harness/internal/fuzz/draw'
import type { Scenario, Step, StepOf } from '@synod/harness/internal/scenario/schema'
import { FAULTS, scenarioSchema } from '@synod/harness/internal/scenario/schema'
import t from 'tap'

function scenarioOf(steps: readonly Step[], servers = 5): Scenario {
  return { name: 'test', description: 'as drawn', servers, seed: 7, steps }
}

const has = (scenario: Scenario, type: Step['type']): boolean => scenario.steps.some((step) => step.type === type)
const only = <Type extends Step['type']>(scenario: Scenario, type: Type): StepOf<Type>[] =>
  scenario.steps.filter((step): step is StepOf<Type> => step.type === type)

/** Counts the runs. */
function counted(fails: (scenario: Scenario) => boolean) {
  const counter = {
    runs: 0,
    fails: async (scenario: Scenario): Promise<boolean> => {
      counter.runs++
      return fails(scenario)
    },
  }
  return counter
}

t.test('a failure that needs one step of many is shrunk to that, in a cluster as small as it can be', async (t) => {
  const scenario = drawScenario(3, { servers: [5], faults: FAULTS })
  const needle: Step = { type: 'Corrupt', id: 3 }
  const { steps } = scenario
  const hay = { ...scenario, steps: [...steps.slice(0, 10), needle, ...steps.slice(10)] }
  const { fails } = counted((candidate) => has(candidate, 'Corrupt') && candidate.servers >= 2)
  const small = await shrink(hay, fails, { runs: 1_000 })
  t.equal(small.servers, 2)
  const ending = small.steps.findIndex(({ type }) => type === 'Heal')
  t.strictSame(
    small.steps
      .slice(0, ending)
      .map(({ type }) => type)
      .sort(),
    ['Corrupt'],
  )
  t.equal(only(small, 'Workload').length, 1, 'the one after healing stays')
  t.match(small.description, /^shrunk from: 5 servers/)
})

t.test('what heals and waits in the end stays, for it is what liveness means', async (t) => {
  const ending: Step[] = [
    { type: 'Heal' },
    { type: 'Resume', id: 1 },
    { type: 'Start' },
    { type: 'Wait', for: 'workload' },
  ]
  const scenario = scenarioOf([{ type: 'Start' }, { type: 'Heal', from: 0 }, { type: 'Pause', id: 1 }, ...ending], 2)
  const small = await shrink(scenario, async (candidate) => candidate.servers === 2)
  t.strictSame(small.steps, ending)
})

t.test('two steps that are needed together are both kept, in their order', async (t) => {
  const noise = (ms: number): Step => ({ type: 'Sleep', ms })
  const scenario = scenarioOf([
    noise(1),
    noise(2),
    { type: 'Crash', id: 0 },
    ...Array.from({ length: 20 }, (_, index) => noise(3 + index)),
    { type: 'Crash', id: 1, powerLoss: true },
    noise(50),
  ])
  const { fails } = counted((candidate) => {
    const crashes = only(candidate, 'Crash')
    return crashes.length >= 2 && crashes[0]?.powerLoss !== true && crashes[1]?.powerLoss === true
  })
  const small = await shrink(scenario, fails)
  t.strictSame(small.steps, [
    { type: 'Crash', id: 0 },
    { type: 'Crash', id: 1, powerLoss: true },
  ])
  t.equal(small.servers, 2)
})

t.test('numbers become as low as the failure lets them', async (t) => {
  const scenario = scenarioOf(
    [
      { type: 'Workload', clients: 8, operations: 200, keys: 5 },
      { type: 'Drop', rate: 0.2 },
      { type: 'Sleep', ms: 4_000 },
      { type: 'Delay', ms: 20, jitter: 10 },
    ],
    1,
  )
  const small = await shrink(scenario, async (candidate) => {
    const [load] = only(candidate, 'Workload')
    const [drop] = only(candidate, 'Drop')
    const [sleep] = only(candidate, 'Sleep')
    return (
      load?.operations !== undefined &&
      load.operations > 17 &&
      (drop?.rate ?? 0) > 0.03 &&
      sleep !== undefined &&
      has(candidate, 'Delay')
    )
  })
  const [load, drop, ...rest] = small.steps as [StepOf<'Workload'>, StepOf<'Drop'>, ...Step[]]
  t.strictSame({ ...load, operations: 0 }, { type: 'Workload', clients: 1, operations: 0, keys: 1 })
  t.ok((load.operations ?? 0) > 17 && (load.operations ?? 0) < 40, `${load.operations} operations`)
  t.ok(drop.rate > 0.03 && drop.rate < 0.08, `a rate of ${drop.rate}`)
  t.strictSame(rest, [
    { type: 'Sleep', ms: 0 },
    { type: 'Delay', ms: 0, jitter: 0 },
  ])
})

t.test('without a server, the others move down, and what was about it is left out', async (t) => {
  const scenario: Scenario = {
    ...scenarioOf(
      [
        { type: 'Start', id: 0, count: 3 },
        { type: 'Start', id: 2, count: 3 },
        { type: 'Cut', from: 1, to: 2 },
        { type: 'Cut', from: 2 },
        { type: 'Partition', groups: [[1], [0, 2]] },
        { type: 'Partition', groups: [[1]] },
        { type: 'Crash', id: 'leader' },
        { type: 'Expect', equal: [0, 1, 2] },
      ],
      3,
    ),
    expect: { ended: [2] },
  }
  const small = await shrink(scenario, async (candidate) => candidate.servers === 2 && candidate.steps.length === 6, {
    seeds: 1,
  })
  // Server 2 is the first that can be missed; but then 6 steps are not left, so it is server 1.
  t.equal(small.servers, 2)
  t.strictSame(small.steps, [
    { type: 'Start', id: 0, count: 2 },
    { type: 'Start', id: 1, count: 2 },
    { type: 'Cut', from: 1 },
    { type: 'Partition', groups: [[0, 1]] },
    { type: 'Crash', id: 'leader' },
    { type: 'Expect', equal: [0, 1] },
  ])
  t.strictSame(small.expect, { ended: [1] })
})

t.test('other seeds are tried for what is smaller, since its chance is another', async (t) => {
  const scenario = scenarioOf(
    [
      { type: 'Sleep', ms: 1 },
      { type: 'Crash', id: 0 },
    ],
    1,
  )
  const fails = async (candidate: Scenario): Promise<boolean> =>
    has(candidate, 'Crash') && (candidate.steps.length === 2 || candidate.seed === 9)
  t.strictSame(await shrink(scenario, fails, { seeds: 3 }), {
    ...scenario,
    description: 'shrunk from: as drawn',
    seed: 9,
    steps: [{ type: 'Crash', id: 0 }],
  })
  t.equal((await shrink(scenario, fails, { seeds: 2 })).steps.length, 2)
})

t.test('no more runs are made than are allowed, and what cannot be shrunk stays as it is', async (t) => {
  const scenario = drawScenario(1)
  const never = counted(() => false)
  t.equal(await shrink(scenario, never.fails, { runs: 10 }), scenario)
  t.equal(never.runs, 10)
  const late = counted(() => true)
  t.equal(await shrink(scenario, late.fails, { ms: -1 }), scenario)
  t.equal(late.runs, 0)
})

t.test('whatever is tried is a scenario that can be played, and nothing is tried twice', async (t) => {
  const scenario = drawScenario(5, { servers: [5], faults: FAULTS })
  const tried = new Set<string>()
  let kept = 0
  await shrink(
    scenario,
    async (candidate) => {
      const key = JSON.stringify(candidate)
      if (!scenarioSchema.safeParse(candidate).success) t.fail(`${key} is no scenario`)
      if (tried.has(key)) t.fail(`${key} was tried before`)
      tried.add(key)
      return ++kept % 11 === 0
    },
    { runs: 500 },
  )
  t.ok(tried.size > 50)
})
