/** Scenarios at random: the same for the same seed, always such as can be played, and of many kinds. */
import { isDeepStrictEqual } from 'node:util'
import { drawScenario } from '@synod/harness/internal/fuzz/draw'
import { parseScenario } from '@synod/harness/internal/scenario/load'
import type { Fault, Scenario } from '@synod/harness/internal/scenario/schema'
import { FAULTS } from '@synod/harness/internal/scenario/schema'
import t from 'tap'

const SEEDS = 1_000
const scenarios = Array.from({ length: SEEDS }, (_, seed) => drawScenario(seed))

/** Whether it is the same after it was written to a file and read again. */
function survives(scenario: Scenario): boolean {
  return isDeepStrictEqual(parseScenario(JSON.stringify(scenario), 'drawn.json'), scenario)
}

/** The kinds of fault that a scenario says it has. */
function kindsOf({ description }: Scenario): Fault[] {
  const words = description.split(', ').slice(2)
  return FAULTS.filter((kind) => words.includes(kind))
}

t.test('the same seed draws the same scenario, and another seed another one', async (t) => {
  for (const seed of [0, 1, 17, 2 ** 40]) t.strictSame(drawScenario(seed), drawScenario(seed))
  t.equal(new Set(scenarios.map((scenario) => JSON.stringify(scenario.steps))).size, SEEDS)
})

t.test('every scenario can be written to a file, and read again as it was', async (t) => {
  for (const service of ['kvstore', 'chatroom'] as const) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const scenario = drawScenario(seed, { service })
      if (!survives(scenario)) t.fail(`${service}, seed ${seed}`)
    }
    t.pass(service)
  }
})

t.test('each kind of fault is off in a fifth of the seeds, and on in a tenth, at least', async (t) => {
  for (const kind of FAULTS) {
    const on = scenarios.filter((scenario) => kindsOf(scenario).includes(kind)).length
    t.ok(on >= 0.1 * SEEDS && on <= 0.8 * SEEDS, `${kind} is on in ${on} of ${SEEDS} seeds`)
  }
})

t.test('a kind of fault that is off has no steps', async (t) => {
  const types: readonly (readonly [Fault, string])[] = FAULTS.map((kind) => [kind, kind])
  for (const scenario of scenarios) {
    const kinds = kindsOf(scenario)
    const off = types.filter(([kind]) => !kinds.includes(kind)).map(([, type]) => type)
    // A one-way partition is made of cuts.
    const stray = scenario.steps.find(
      ({ type }) => off.includes(type) && !(type === 'Cut' && kinds.includes('Partition')),
    )
    if (stray !== undefined) t.fail(`${scenario.name} has a ${stray.type}`)
  }
  t.pass('none was found')
})

t.test('fewer than a majority of the servers are damaged, and only after the cluster is formed', async (t) => {
  let damaging = 0
  for (const { name, servers, steps } of scenarios) {
    const damage = steps.filter(({ type }) => ['Corrupt', 'Truncate', 'Misdirect', 'Wipe'].includes(type))
    const victims = new Set(damage.map((step) => ('id' in step ? step.id : undefined)))
    if (victims.size * 2 >= servers) t.fail(`${name} damages ${victims.size} of ${servers} servers`)
    if (victims.size === 0) continue
    damaging++
    const formed = steps.findIndex(({ type }) => type === 'Wait')
    if (damage.some((step) => steps.indexOf(step) < formed) || formed > 1) t.fail(`${name} damages too early`)
    const pinned = steps.find((step) => step.type === 'Workload' && step.id !== undefined && victims.has(step.id))
    if (pinned !== undefined) t.fail(`${name} has clients that know only a damaged server`)
  }
  t.ok(damaging > SEEDS / 20)
})

t.test('in the end everything heals, everybody is started, and the clients are waited for', async (t) => {
  for (const { name, steps } of scenarios) {
    const ending = steps.slice(steps.findLastIndex(({ type }) => type === 'Heal'))
    const types = ending.map(({ type }) => type).filter((type) => type !== 'Resume')
    if (types.join(' ') !== 'Heal Sleep Start Workload Wait Wait') t.fail(`${name} ends with ${types.join(' ')}`)
    const paused = steps.flatMap((step) => (step.type === 'Pause' ? [step.id] : []))
    const resumed = ending.flatMap((step) => (step.type === 'Resume' ? [step.id] : []))
    if (!isDeepStrictEqual(new Set(resumed), new Set(paused))) t.fail(`${name} resumes ${resumed.join(' ')}`)
  }
  t.pass('all do')
})

t.test('what is asked for is drawn: servers, faults, operations, the service', async (t) => {
  for (let seed = 0; seed < 100; seed++) {
    const scenario = drawScenario(seed, {
      servers: [7],
      faults: ['Crash', 'Clog'],
      operations: 50,
      service: 'chatroom',
    })
    const loads = scenario.steps.flatMap((step) => (step.type === 'Workload' ? [step] : []))
    const drawn = {
      servers: scenario.servers,
      kinds: kindsOf(scenario),
      operations: loads.reduce((sum, { operations = 0 }) => sum + operations, 0),
      chats: loads.every(({ mix, keys }) => mix?.append !== undefined && keys === undefined),
    }
    const asked = { servers: 7, kinds: ['Crash', 'Clog'], operations: 50, chats: true }
    if (!isDeepStrictEqual(drawn, asked)) t.fail(`seed ${seed} draws ${JSON.stringify(drawn)}`)
  }
  t.pass('everywhere')
})

t.test('a cluster of any size can be drawn, with every fault', async (t) => {
  for (const servers of [1, 2, 10]) {
    for (let seed = 0; seed < 50; seed++) {
      const scenario = drawScenario(seed, { servers: [servers], faults: FAULTS })
      if (!survives(scenario)) t.fail(`${servers} servers, seed ${seed}`)
    }
    t.pass(`${servers} servers`)
  }
})
