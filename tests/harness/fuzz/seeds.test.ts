/** Hundreds of seeds through the simulator. A failure names its seed: `npx harness simulate --seed N --trace` replays it. */
import { drawScenario } from '@synod/harness/internal/fuzz/draw'
import { fuzz } from '@synod/harness/internal/fuzz/fuzz'
import { Pool } from '@synod/harness/internal/fuzz/pool'
import { simulateScenario } from '@synod/harness/internal/sim/simulate-scenario'
import { chatSubject } from '@synod/harness/internal/subject/chatroom'
import { kvSubject } from '@synod/harness/internal/subject/kvstore'
import t from 'tap'

t.setTimeout(480_000)

const pool = new Pool({ jobs: 2 })
t.teardown(() => {
  pool.close()
})

for (const { service, count } of [
  { service: 'kvstore', count: 300 },
  { service: 'chatroom', count: 100 },
] as const) {
  t.test(`${count} seeds of the ${service}: every check holds, whatever happens to the servers`, async (t) => {
    const seeds = Array.from({ length: count }, (_, index) => index + 1)
    const totals = await fuzz({ pool, seeds, service, shrinking: 0 })
    for (const { seed, failure } of totals.found) t.fail(`seed ${seed}: ${failure.detail}`)
    t.equal(totals.seeds, count)
    t.ok(totals.operations > 20 * count, `${totals.operations} operations succeeded`)
    t.ok(totals.crashes > count / 2, `${totals.crashes} crashes`)
    t.ok(totals.simulated > 8_000 * count, `${totals.simulated} ms of virtual time`)
  })
}

t.test('the same seed gives the same trace, event for event, and another seed another one', async (t) => {
  const digests = new Set<string>()
  for (const subject of [kvSubject, chatSubject]) {
    for (const seed of [11, 12, 13]) {
      const scenario = drawScenario(seed, { service: subject === kvSubject ? 'kvstore' : 'chatroom' })
      const traces: string[][] = [[], []]
      const runs = []
      for (const trace of traces)
        runs.push(await simulateScenario(scenario, subject, { trace: (line) => trace.push(line) }))
      const [first, second] = runs
      t.equal(first?.digest, second?.digest)
      t.ok((traces[0]?.length ?? 0) > 100)
      t.strictSame(traces[0], traces[1], { diagnostic: false })
      t.equal(first?.events, second?.events)
      digests.add(first?.digest ?? '')
    }
  }
  t.equal(digests.size, 6)
})
