/** docs/HARNESS.md is true: its example is a scenario, its histories are histories, and it leaves no step out. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { check } from '@synod/harness/internal/checker/check'
import { kvModel } from '@synod/harness/internal/checker/models/kv'
import { parseHistory } from '@synod/harness/internal/history/jsonl'
import { parseScenario } from '@synod/harness/internal/scenario/load'
import { stepSchema } from '@synod/harness/internal/scenario/schema'
import { simulateScenario } from '@synod/harness/internal/sim/simulate-scenario'
import { kvSubject } from '@synod/harness/internal/subject/kvstore'
import t from 'tap'
import { run } from './support/command.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = readFileSync(`${root}docs/HARNESS.md`, 'utf8')
const harness = `${root}packages/harness/bin/harness.js`

function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => text ?? '')
}

for (const [name, example = ''] of [
  ['first', blocks('json')[0]],
  ['second', blocks('json')[1]],
] as const) {
  t.test(`the ${name} example of a scenario holds`, async (t) => {
    const { report } = await simulateScenario(parseScenario(example, 'HARNESS.md'), kvSubject)
    t.strictSame(
      report.checks.filter(({ ok }) => ok !== true),
      [],
    )
    t.strictSame(
      report.steps.filter(({ notDone }) => notDone !== null),
      [],
    )
  })
}

t.test('the example of a history is one, and linearizable', (t) => {
  const history = blocks('json')[2] ?? ''
  t.equal(check(parseHistory(history).events, kvModel).result, 'linearizable')
  t.end()
})

t.test('every step, and every field of it, is told', (t) => {
  for (const { shape } of stepSchema.options) {
    const [type] = shape.type.values
    t.ok(page.includes(`\`${type}\``), `${type} is told`)
    const fields = Object.keys(shape).filter((field) => field !== 'type')
    t.strictSame(
      fields.filter((field) => !page.includes(`\`${field}\``) && !page.includes(`"${field}"`)),
      [],
      `the fields of ${type} are told`,
    )
  }
  t.end()
})

t.test('the commands at the top run as they stand', async (t) => {
  const commands = (blocks('sh')[0] ?? '').split('\n').filter((line) => line.includes(' simulate '))
  t.ok(commands.length > 0)
  for (const command of commands) {
    const words = command.replace(/ +#.*/, '').split(' ').slice(2)
    const { code, stdout, stderr } = await run(
      harness,
      words.map((word) => word.replace(/^tests\//, `${root}tests/`)),
    )
    t.equal(code, 0, `${command}\n${stdout}${stderr}`)
  }
})
