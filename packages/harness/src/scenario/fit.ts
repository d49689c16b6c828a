/** Whether a world and a service can do what a scenario asks for: told when the file is read, not in the middle of a run. */
import type { Subject } from '../subject/subject.js'
import type { World } from '../world/world.js'
import { nameStep } from './load.js'
import type { Expectation, Scenario, Step } from './schema.js'

const SIMULATOR_ONLY = 'only the simulator can do this (harness simulate --file)'
/** Between so many servers there are 240 proxies. */
const MOST_PROCESSES = 16

/** One sentence for each step that cannot be played there. */
export function misfits(scenario: Scenario, world: World['name'], subject: Subject): string[] {
  const { servers, steps, expect } = scenario
  const problems = steps.flatMap((step, index) => {
    const problem = (world === 'processes' ? notOnProcesses(step) : null) ?? foreign(step, subject)
    return problem === null ? [] : [`${nameStep(index, step)}: ${problem}`]
  })
  const unseen = expect === undefined ? null : invisible(expect, subject)
  if (unseen !== null) problems.push(`expect: ${unseen}`)
  if (world === 'processes' && servers > MOST_PROCESSES)
    problems.push(`servers: ${MOST_PROCESSES} real ones at most, not ${servers}; the simulator takes more`)
  return problems
}

function notOnProcesses(step: Step): string | null {
  switch (step.type) {
    case 'Crash':
      if (step.powerLoss === true)
        return `powerLoss: ${SIMULATOR_ONLY}; a killed process leaves the page cache as it is`
      return step.on === undefined ? null : `on: ${SIMULATOR_ONLY}`
    case 'Misdirect':
    case 'ClockRate':
      return SIMULATOR_ONLY
    case 'Nemesis': {
      const fault = step.faults.find((kind) => kind === 'Misdirect' || kind === 'ClockRate')
      return fault === undefined ? null : `faults: ${fault}: ${SIMULATOR_ONLY}`
    }
    default:
      return null
  }
}

function foreign(step: Step, subject: Subject): string | null {
  switch (step.type) {
    case 'Put':
    case 'Get':
    case 'Edit':
    case 'Erase':
    case 'Join':
    case 'Leave':
    case 'Who':
    case 'Set':
    case 'Delete':
    case 'Cas':
    case 'List':
    case 'Submit': {
      const task = subject.task(step)
      return typeof task === 'string' ? task : null
    }
    case 'Workload': {
      const draw = subject.workload(step)
      return typeof draw === 'string' ? draw : null
    }
    case 'Expect':
    case 'Wait':
      return invisible(step, subject)
    default:
      return null
  }
}

/** What no client of this service can see. */
function invisible(
  { key, log, contains, here }: Pick<Expectation, 'key' | 'log' | 'contains' | 'here'>,
  subject: Subject,
): string | null {
  if (here !== undefined && subject.here({ here: [] }) === null) return `here: ${subject.name} has no rooms`
  if ((log ?? contains) !== undefined && subject.log([]) === null)
    return `${log === undefined ? 'contains' : 'log'}: ${subject.name} has no log`
  const read = key === undefined ? null : subject.task({ type: 'Get', id: 0, key })
  return typeof read === 'string' ? read : null
}
