/** Plays a scenario in the simulator. */
import type { Report } from '../report/report.js'
import { play } from '../run/play.js'
import type { Observer } from '../run/run.js'
import type { Scenario, Step } from '../scenario/schema.js'
import type { Subject } from '../subject/subject.js'
import { SimWorld } from './sim-world.js'
import type { SimWorldOptions } from './sim-world.js'

export interface SimulateOptions extends Pick<SimWorldOptions, 'timing' | 'limits' | 'diskDelay' | 'trace'> {
  readonly observer?: Observer
}

export interface Simulated {
  readonly report: Report
  /** SHA-256 of the trace: the same for the same scenario. */
  readonly digest: string
  readonly events: number
  readonly crashes: number
}

/** What a run needs besides its steps, healing above all (ms of virtual time). */
const SPARE = 600_000
/** What a step takes at most that says nothing of it (ms). */
const USUAL = 30_000

/** Everything follows from the scenario, its seed included. Rejects for a bug in the harness, or for a run without an end. */
export async function simulateScenario(
  scenario: Scenario,
  subject: Subject,
  { observer, ...options }: SimulateOptions = {},
): Promise<Simulated> {
  if (subject.service === undefined) throw new TypeError(`the simulator needs the service of ${subject.name}`)
  const { servers, seed, small = false, lease = 0 } = scenario
  const world = new SimWorld({ service: subject.service, servers, seed, small, lease, ...options })
  try {
    const longest = scenario.steps.reduce((sum, step) => sum + longestOf(step), SPARE)
    const report = await world.driveTo(play(scenario, world, subject, observer), longest)
    return { report, digest: world.digest, events: world.events, crashes: world.crashes }
  } finally {
    await world.close()
  }
}

/** How long a step may take at most (ms). */
function longestOf(step: Step): number {
  if (step.type === 'Sleep') return step.ms
  if (step.type === 'Workload') return step.duration ?? (step.operations ?? 1) * (step.timeout ?? USUAL)
  if (step.type === 'Nemesis') return step.duration
  return 'timeout' in step ? (step.timeout ?? USUAL) : USUAL
}
