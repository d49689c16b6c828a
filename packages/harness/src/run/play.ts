/** Plays a scenario in a world, against a service, and judges how it went. */
import type { Report } from '../report/report.js'
import type { Scenario } from '../scenario/schema.js'
import type { Subject } from '../subject/subject.js'
import type { World } from '../world/world.js'
import { finish } from './finish.js'
import { judge } from './judge.js'
import { Run } from './run.js'
import type { Observer } from './run.js'
import { Steps } from './steps.js'

/** The run took longer than the scenario allows. */
class Overdue extends Error {}

/** Ends with a report, whatever the servers do. Rejects only for a bug in the harness. The caller closes the world. */
export async function play(
  scenario: Scenario,
  world: World,
  subject: Subject,
  observer: Observer = {},
): Promise<Report> {
  const began = performance.now()
  const run = new Run(scenario, world, subject, observer)
  const steps = new Steps(run)
  const whole = async (): Promise<void> => {
    await steps.play()
    if (!run.stopped) await finish(run)
  }
  const sampling = run.sampler.run()
  sampling.catch(run.failed)
  const broken = world.broken.catch((error: unknown) => {
    const now = world.now()
    // Of real processes it is what the harness puts between them, such as a proxy.
    const name = world.name === 'simulator' ? 'invariants' : 'world'
    run.check(name, false, error instanceof Error ? error.message : String(error), { from: now, to: now })
  })
  const ending = [whole(), run.bug, broken, ...overdue(run)]
  try {
    await Promise.race(ending)
  } catch (error) {
    if (!(error instanceof Overdue)) throw error
    run.check('timeout', false, error.message)
  } finally {
    run.stopped = true
    run.sampler.end()
    run.recorder.end()
    for (const outcome of ending) outcome.catch(() => undefined) // what ends later is of no interest
  }
  judge(run)
  return {
    scenario,
    server: subject.name,
    world: world.name,
    ok: run.checks.every(({ ok }) => ok !== false),
    elapsed: world.now(),
    realTime: performance.now() - began,
    operations: { ...run.recorder.counts },
    checks: [...run.checks],
    steps: [...steps.records],
    bands: run.bands.list(),
    samples: [...run.sampler.samples],
    feeds: run.subscribers.records(),
    history: run.recorder.events,
  }
}

function overdue({ scenario: { timeout }, world }: Run): Promise<never>[] {
  if (timeout === undefined) return []
  const late = async (): Promise<never> => {
    await world.sleep(timeout)
    throw new Overdue(`the run was not over after ${timeout} ms`)
  }
  return [late()]
}
