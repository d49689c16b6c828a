/** A report in a few lines, for the end of a run on a terminal. */
import { showTime } from './page/range.js'
import type { Check, Report } from './report.js'
import { stepText } from './scenario-text.js'
import { counted, short, thousands } from './text.js'

/** Characters of what a check found, and of any other text. */
const MOST_OF_A_DETAIL = 600
const MOST_OF_A_TEXT = 100
/** Steps that were not done: more than this are counted only. */
const MOST_STEPS = 5

const COLOURS = { red: 31, green: 32, yellow: 33 } as const
type Paint = (text: string, colour: keyof typeof COLOURS) => string

/**
 * The last line is `passed`, `failed: N checks`, or why it did not pass though no check failed. Ends with a line break.
 *
 * @param coloured with the escape sequences that terminals know
 */
export function summary(report: Report, coloured = false): string {
  const paint: Paint = (text, colour) => (coloured ? `\u001b[${COLOURS[colour]}m${text}\u001b[39m` : text)
  return [...about(report), ...checkLines(report.checks, paint), ...undone(report), verdict(report, paint), ''].join(
    '\n',
  )
}

function about({ scenario, server, world, elapsed, realTime, operations }: Report): string[] {
  const { attempted, ok, fail, info } = operations
  const where = `${short(server, MOST_OF_A_TEXT)}, ${counted(scenario.servers, 'server')}, seed ${scenario.seed}`
  const took = world === 'simulator' ? `${showTime(elapsed)} simulated in ${showTime(realTime)}` : showTime(elapsed)
  const outcomes = `${thousands(ok)} ok, ${thousands(fail)} failed, ${thousands(info)} unknown`
  return [
    `${short(scenario.name, MOST_OF_A_TEXT)}: ${where}, ${took}`,
    `${counted(attempted, 'operation')}: ${outcomes}`,
  ]
}

function checkLines(checks: readonly Check[], paint: Paint): string[] {
  const width = Math.max(0, ...checks.map(({ name }) => short(name, MOST_OF_A_TEXT).length))
  return checks.flatMap(({ name, ok, detail, window }) => {
    const mark = ok === null ? paint('?     ', 'yellow') : ok ? paint('ok    ', 'green') : paint('FAILED', 'red')
    const text = short(detail, MOST_OF_A_DETAIL)
    const line = `${mark}  ${short(name, MOST_OF_A_TEXT).padEnd(width)}  ${ok === null ? `could not be made: ${text}` : text}`
    if (ok !== false || window === undefined) return [line]
    return [line, `${' '.repeat(width + 10)}from ${showTime(window.from)} to ${showTime(window.to)}`]
  })
}

function undone({ steps }: Report): string[] {
  const all = steps.filter(({ notDone }) => notDone !== null)
  if (all.length === 0) return []
  const lines = all.slice(0, MOST_STEPS).map(({ number, step, notDone }) => {
    const text = short(stepText(step).join(' '), MOST_OF_A_TEXT)
    return `  ${number} ${text}: ${short(notDone ?? '', MOST_OF_A_TEXT)}`
  })
  if (all.length > MOST_STEPS) lines.push(`  … and ${thousands(all.length - MOST_STEPS)} more`)
  return [`${counted(all.length, 'step')} not done:`, ...lines]
}

function verdict({ ok, checks }: Report, paint: Paint): string {
  if (ok) return paint('passed', 'green')
  const failed = checks.filter((check) => check.ok === false).length
  if (failed > 0) return paint(`failed: ${counted(failed, 'check')}`, 'red')
  const unmade = checks.filter((check) => check.ok === null).length
  return paint(`failed: ${counted(unmade, 'check')} could not be made`, 'red')
}
