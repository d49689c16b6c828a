/** Scenarios at random: the same for the same seed, always such as can be played, and of many kinds. */
import { isDeepStrictEqual } from 'node:util'
import { drawScenario } from '@synod/harness/internal/fuzz/draw'
import { parseScenario } from '@synod/harness/internal/scenario/load'
import type { Fault, Scenario } from '@synod/harness/internal/scenario/schema'
import { FAULTS } from '@synod/harness/internal/scenario/schema'
import t from 'tap'

const SEEDS = 1_000
const DAMAGE: readonly string[] = ['Corrupt', 'Truncate', 'Misdirect', 'Wipe']
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
    // A one-way partition is made of cuts; who is to lead next is out of reach, or dies of it; a server must be down to lose its memory, or to lag.
    const parts = [
      ...(kinds.includes('Partition') ? ['Cut'] : []),
      ...(kinds.includes('Transfer') ? ['Crash', 'Pause', 'Cut'] : []),
      ...(kinds.includes('Repair') || kinds.includes('Snapshot') ? ['Crash'] : []),
    ]
    const stray = scenario.steps.find(({ type }) => off.includes(type) && !parts.includes(type))
    if (stray !== undefined) t.fail(`${scenario.name} has a ${stray.type}`)
  }
  t.pass('none was found')
})

t.test('servers are damaged only after the cluster is formed, and brought back in the end', async (t) => {
  let damaging = 0
  let rolling = 0
  for (const { name, servers, steps } of scenarios) {
    const heal = steps.findLastIndex(({ type }) => type === 'Heal')
    const damage = steps.slice(0, heal).filter(({ type }) => DAMAGE.includes(type))
    if (damage.length === 0) continue
    damaging++
    const victims = new Set(damage.map((step) => ('id' in step ? step.id : undefined)))
    // One after the other: the simulator spares those that would be too many at a time.
    if (victims.size * 2 > servers) rolling++
    const formed = steps.findIndex(({ type }) => type === 'Wait')
    if (damage.some((step) => steps.indexOf(step) < formed) || formed > 1) t.fail(`${name} damages too early`)
    const back = steps.slice(heal).flatMap((step) => (step.type === 'Start' && step.repair === true ? [step.id] : []))
    if (![...victims].every((id) => back.includes(Number(id))))
      t.fail(`${name} does not bring back all that it damages`)
  }
  t.ok(damaging > SEEDS / 2, `${damaging} of ${SEEDS} seeds damage servers`)
  t.ok(rolling > SEEDS / 10, `${rolling} of them more than half, one after the other`)
})

t.test('in the end everything heals, everybody is started, and the clients are waited for', async (t) => {
  for (const { name, steps } of scenarios) {
    const ending = steps.slice(steps.findLastIndex(({ type }) => type === 'Heal'))
    const types = ending.map(({ type }) => type).filter((type) => type !== 'Resume')
    const whole = /^Heal Sleep Start (Sleep (Start )+Sleep (Wipe Start )+)?Workload (Wait Sleep Start )?(Wait )+Wait$/
    if (!whole.test(types.join(' '))) t.fail(`${name} ends with ${types.join(' ')}`)
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
