/** What the history says, when a run is over. */
import { check } from '../checker/check.js'
import type { Run } from './run.js'

/** How long the linearizability of a history may take to be decided (ms of real time). */
const PATIENCE = 60_000
/** Such a part of the operations must have succeeded for a run to mean something, unless the scenario says how many. */
const MEANINGFUL = 0.1

export function judge(run: Run): void {
  linearizable(run)
  meaningful(run)
}

function linearizable(run: Run): void {
  const { model, name } = run.subject
  if (model === undefined)
    return run.check('linearizable', null, `what ${name} should answer is not known: give its service with --service`)
  const verdict = check(run.recorder.events, model, { timeout: PATIENCE })
  if (verdict.result === 'linearizable') {
    const detail = `${verdict.operations} operations, in an order that real time and the service allow: none lost, none applied twice`
    run.check('linearizable', true, detail)
    return
  }
  if (verdict.result === 'unknown') {
    const keys = verdict.undecided.map((key) => key ?? 'all keys').join(', ')
    return run.check('linearizable', false, `not decided within ${PATIENCE} ms: ${keys}`)
  }
  const { why, from, to } = verdict.offence
  run.check('linearizable', false, why, { from, to })
}

function meaningful(run: Run): void {
  const { attempted, ok } = run.recorder.counts
  const wanted = run.scenario.expect?.acknowledged ?? Math.max(1, Math.ceil(attempted * MEANINGFUL))
  const detail = `${ok} of ${attempted} operations succeeded`
  run.check(
    'meaningful',
    ok >= wanted,
    ok >= wanted ? detail : `${detail}: ${wanted} are needed for this run to mean something`,
  )
}
