/** A scenario and its steps as texts, and the command that plays it again. */
import type { Scenario, Step } from '../scenario/schema.js'
import type { Report } from './report.js'

/** JSON, with one step a line. */
export function scenarioText({ steps, ...rest }: Scenario): string {
  const fields = Object.entries(rest).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},`)
  const lines = steps.map((step) => `    ${JSON.stringify(step)}`)
  return ['{', ...fields, '  "steps": [', lines.join(',\n'), '  ]', '}'].join('\n')
}

/** `Set` and `id: 1, key: "k", value: "v"`. */
export function stepText({ type, ...fields }: Step): readonly [type: string, fields: string] {
  const texts = Object.entries(fields).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  return [type, texts.join(', ')]
}

/** What to type into a shell, with the scenario in `scenario.json`. */
export function replayCommand({ server, world, scenario }: Report): string {
  const name = /^[\w./@:+-]+$/.test(server) ? server : `'${server.replaceAll("'", `'\\''`)}'`
  const run = world === 'simulator' ? `npx harness simulate --seed ${scenario.seed}` : 'npx harness'
  return `${run} --server ${name} --file scenario.json`
}
