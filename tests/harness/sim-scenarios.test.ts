/** Every scenario of this repository in the simulator. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadScenario } from '@synod/harness/internal/scenario/load'
import { simulateScenario } from '@synod/harness/internal/sim/simulate-scenario'
import { chatSubject } from '@synod/harness/internal/subject/chatroom'
import { kvSubject } from '@synod/harness/internal/subject/kvstore'
import t from 'tap'

t.setTimeout(400_000)

/** What they show depends on who is asked, and when: more seeds for these. */
const MANY = ['edits-under-partition.json', 'presence.json', 'feeds-across-fail-over.json', 'chat-nemesis.json']

const scenarios = fileURLToPath(new URL('../../scenarios/', import.meta.url))

for (const subject of [chatSubject, kvSubject]) {
  const files = readdirSync(join(scenarios, subject.name))
  for (const file of files) {
    t.test(`the scenario ${subject.name}/${file} holds in the simulator, by several seeds`, async (t) => {
      const scenario = await loadScenario(join(scenarios, subject.name, file))
      const digests = new Set<string>()
      const seeds = MANY.includes(file) ? [1, 2, 3, 4, 5] : [1, 2]
      for (const seed of seeds) {
        const { report, digest } = await simulateScenario({ ...scenario, seed }, subject)
        const failed = report.checks.filter(({ ok }) => ok === false)
        t.strictSame(failed, [], `seed ${seed}`)
        t.ok(report.operations.ok > 0)
        digests.add(digest)
      }
      t.equal(digests.size, seeds.length, 'another seed is another run')
    })
  }
}

t.test('the same scenario and seed give the same run, event for event', async (t) => {
  const scenario = await loadScenario(join(scenarios, 'kvstore', 'nemesis.json'))
  const traces = []
  for (let run = 0; run < 2; run++) {
    const lines: string[] = []
    const { digest, report } = await simulateScenario(scenario, kvSubject, { trace: (line) => lines.push(line) })
    traces.push({ digest, lines: lines.join('\n'), history: JSON.stringify(report.history) })
  }
  t.ok((traces[0]?.lines.length ?? 0) > 10_000)
  t.strictSame(traces[0], traces[1])
})
