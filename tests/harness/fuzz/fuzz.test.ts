/** What fuzzing does with the outcomes of seeds; they are scripted here. */
import { drawScenario } from '@synod/harness/internal/fuzz/draw'
import type { Found } from '@synod/harness/internal/fuzz/fuzz'
import { fuzz } from '@synod/harness/internal/fuzz/fuzz'
import { Pool } from '@synod/harness/internal/fuzz/pool'
import t from 'tap'

const worker = new URL('./scripted-worker.js', import.meta.url)
const pool = new Pool({ jobs: 2, worker, limit: 20_000 })
t.teardown(() => {
  pool.close()
})

const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, index) => first + index)
/** The script fails these. */
const crashing = (seed: number): boolean => drawScenario(seed).steps.some(({ type }) => type === 'Crash')

t.test('all seeds are run, and what they did is counted', async (t) => {
  const seeds = from(100, 30)
  const { found, ...totals } = await fuzz({ pool, seeds })
  t.strictSame(found, [])
  t.match(totals, { seeds: 30, operations: seeds.reduce((sum, seed) => sum + seed, 0), crashes: 60, simulated: 30_000 })
})

t.test(
  'each seed that fails is found; the first of a kind is shrunk, the others stay as they were drawn',
  async (t) => {
    const seeds = from(1_000, 20)
    const told: Found[] = []
    const { found } = await fuzz(
      { pool, seeds },
      {
        found: async (one) => {
          told.push(one)
        },
      },
    )
    t.strictSame(told, found)
    const numbers = found.map(({ seed }) => seed).sort((a, b) => a - b)
    t.strictSame(numbers, seeds.filter(crashing))
    t.ok(numbers.length > 3)
    const shrunk = found.filter(({ scenario }) => scenario.description.startsWith('shrunk'))
    t.equal(shrunk.length, 1)
    const types = shrunk[0]?.scenario.steps.map(({ type }) => type) ?? []
    const ending = types.indexOf('Heal')
    t.strictSame(types.slice(0, ending), ['Crash'])
    t.ok(
      types
        .slice(ending)
        .every((type) => ['Heal', 'Sleep', 'Start', 'Wipe', 'Resume', 'Workload', 'Wait'].includes(type)),
    )
    const whole = found.find((one) => one !== shrunk[0])
    t.strictSame(whole?.scenario, drawScenario(whole?.seed ?? 0))
  },
)

t.test('no seed is begun when the time is over', async (t) => {
  t.equal((await fuzz({ pool, seeds: from(100, 1_000), ms: -1 })).seeds, 2, 'what was begun is brought to its end')
})

t.test('a process that dies is not shrunk', async (t) => {
  const { found } = await fuzz({ pool, seeds: [1] })
  t.match(found, [{ seed: 1, failure: { check: 'process' }, scenario: drawScenario(1) }])
})
