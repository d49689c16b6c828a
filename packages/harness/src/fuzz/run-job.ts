/** Simulates one scenario, and keeps of its report what the fuzzer needs. */
import type { Check, Report } from '../report/report.js'
import { simulateScenario } from '../sim/simulate-scenario.js'
import { chatSubject } from '../subject/chatroom.js'
import { kvSubject } from '../subject/kvstore.js'
import type { Failure, Outcome } from './outcome.js'
import type { Job } from './pool.js'

/** Rejects only for a bug in the harness. */
export async function runJob({ scenario, server }: Job): Promise<Outcome> {
  const subject = server === chatSubject.name ? chatSubject : kvSubject
  const { report, events, crashes } = await simulateScenario(scenario, subject)
  const { elapsed, operations } = report
  return { failure: failureOf(report), elapsed, operations: operations.ok, crashes, events }
}

/** The check that failed; a broken invariant, which explains the others, before all others. */
function failureOf({ checks }: Report): Failure | null {
  const failed = checks.filter(({ ok }) => ok === false)
  const first = failed.find(({ name }) => name === 'invariants') ?? failed[0]
  if (first === undefined) return null
  return { check: causeOf(first), detail: first.detail }
}

/** Which invariant was broken, or what did not come about: not at which step, for that changes while it is shrunk. */
function causeOf({ name, detail }: Check): string {
  if (name === 'invariants') return /^(?:invariant )?([^: ]+)/.exec(detail)?.[1] ?? name
  return name === 'wait' ? detail.replace(/^step \d+ /, '') : name
}
