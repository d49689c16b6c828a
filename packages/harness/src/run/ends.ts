/** Servers that ended by themselves, and whether they had a reason that the scenario gave them. */
import type { Run } from './run.js'
import { serversOf } from './survey.js'

/** Sentences of a server that met what no fault excuses: a broken invariant, a state that failed, an unexpected error. */
const BUG =
  /please report it|history differs from that of others|the state of service ".*" failed|after an unexpected error|^Node\.js v/m
/** Lines that say nothing by themselves: of a stack trace, and the harness's own. */
const NO_SENTENCE = /^(\s|\}|Node\.js v|\[harness\]|$)/

/** What the server said last, and how it ended. */
export function lastWords(run: Run, id: number): string {
  const lines = lifeOf(run, id).split('\n')
  const said = lines.findLast((line) => !NO_SENTENCE.test(line)) ?? 'it said nothing'
  const [, how] = /\[harness\] server \d+ ended by itself( \(.*\))/.exec(lifeOf(run, id)) ?? []
  return `${said}${how ?? ''}`
}

/** Notes the end of a server that is about to be started again, if it had no reason. */
export function noteEnd(run: Run, id: number): void {
  if (run.world.standing(id) !== 'ended' || run.doomed.has(id)) return
  const isBug = BUG.test(lifeOf(run, id))
  if (run.excused.has(id) && !isBug) return
  run.check('servers', false, `server ${id} ended by itself${isBug ? ', for a bug' : ''}: ${lastWords(run, id)}`)
}

/** The same for all that are not running in the end. */
export function checkEnds(run: Run): void {
  for (const id of serversOf(run.world)) noteEnd(run, id)
  if (run.checks.some(({ name, ok }) => name === 'servers' && ok === false)) return
  run.check('servers', true, 'no server ended by itself without a reason')
}

/** What the server wrote since it was started last. */
function lifeOf({ world }: Run, id: number): string {
  const output = world.output(id)
  return output.slice(Math.max(0, output.lastIndexOf(`[harness] server ${id} starts`)))
}
