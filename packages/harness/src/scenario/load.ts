/** Reads scenario files. Whatever is wrong with one is told in sentences that name the file, the step and the field. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { MAX_SERVERS } from '@synod/paxos/internal/transport/wire'
import { scenarioSchema, STANDS } from './schema.js'
import type { Expectation, Scenario, Step, StepOf } from './schema.js'
import { sentence, words } from './sentence.js'

/** A scenario that cannot be played; the message has a line for each thing that is wrong. */
export class ScenarioError extends Error {
  constructor(file: string, problems: readonly string[]) {
    super(problems.map((problem) => `${file}: ${problem}`).join('\n'))
    this.name = 'ScenarioError'
  }
}

/** Reads a file. Throws {@link ScenarioError}, also when it cannot be read. */
export async function loadScenario(file: string): Promise<Scenario> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new ScenarioError(file, [`the file cannot be read: ${messageOf(error)}`])
  }
  return parseScenario(text, file)
}

/** Checks the text of a file. Throws {@link ScenarioError}. */
export function parseScenario(text: string, file: string): Scenario {
  let json: unknown
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new ScenarioError(file, [`this is not JSON: ${messageOf(error)}`])
  }
  if (typeof json !== 'object' || json === null)
    throw new ScenarioError(file, ['a scenario is an array of steps, or an object that has "steps"'])
  const whole = Array.isArray(json) ? { steps: json } : json
  const parsed = scenarioSchema.safeParse(whole, { error: words })
  if (!parsed.success)
    throw new ScenarioError(
      file,
      parsed.error.issues.map((issue) => sentence(issue, whole)),
    )
  const { steps, expect, small, lease, timeout } = parsed.data
  const scenario: Scenario = {
    name: parsed.data.name ?? basename(file).replace(/\.json$/, ''),
    description: parsed.data.description ?? '',
    servers: parsed.data.servers ?? serversOf(steps),
    seed: parsed.data.seed ?? 1,
    ...(small !== undefined && { small }),
    ...(lease !== undefined && { lease }),
    ...(timeout !== undefined && { timeout }),
    steps,
    ...(expect !== undefined && { expect }),
  }
  const problems = inconsistencies(scenario)
  if (problems.length > 0) throw new ScenarioError(file, problems)
  return scenario
}

/** How problems name a step: `step 3 (Sleep)`. Steps count from 1. */
export function nameStep(index: number, step: Step): string {
  return `step ${index + 1} (${step.type})`
}

/** Of a cluster of which nothing else is said. */
const USUAL_SERVERS = 3

/** By the first Start step that says it, or else as many as they start. */
function serversOf(steps: readonly Step[]): number {
  const starts = steps.filter((step) => step.type === 'Start')
  for (const { count } of starts) if (count !== undefined) return count
  const ids = starts.flatMap(({ id }) => (id === undefined ? [] : [id]))
  const all = starts.length > ids.length
  return Math.max(all ? USUAL_SERVERS : 1, ...ids.map((id) => id + 1))
}

/** The numbers of servers that a step names. */
function idsOf(step: Step | Expectation): number[] {
  const named: unknown[] = []
  if ('servers' in step && step.servers !== undefined) named.push(...step.servers)
  // A feed's id is its own, and it begins with a slot.
  if ('type' in step && (step.type === 'Subscribe' || step.type === 'Unsubscribe'))
    return named.filter((id) => typeof id === 'number')
  if ('id' in step) named.push(step.id)
  if ('from' in step) named.push(step.from)
  if ('to' in step) named.push(step.to)
  if ('groups' in step) named.push(...step.groups.flat())
  if ('equal' in step && Array.isArray(step.equal)) named.push(...step.equal)
  for (const field of ['ended', ...STANDS] as const) {
    const servers = (step as Expectation)[field]
    if (servers !== undefined) named.push(...servers)
  }
  return named.filter((id) => typeof id === 'number')
}

/** What each field allows, and all of them together do not. */
function inconsistencies({ servers, steps, expect }: Scenario): string[] {
  const problems: string[] = []
  if (servers > MAX_SERVERS) problems.push(`servers: a cluster has at most ${MAX_SERVERS}, not ${servers}`)
  steps.forEach((step, index) => {
    const found = [...strangers(servers, step), ...problemsOf(servers, step)]
    problems.push(...found.map((problem) => `${nameStep(index, step)}: ${problem}`))
  })
  if (!steps.some(({ type }) => type === 'Start')) problems.push('no step starts a server: begin with Start')
  if (expect !== undefined) {
    const found = [...strangers(servers, expect), ...expectationProblems(expect)]
    problems.push(...found.map((problem) => `expect: ${problem}`))
  }
  return problems
}

function strangers(servers: number, step: Step | Expectation): string[] {
  const unknown = [...new Set(idsOf(step))].filter((id) => id >= servers)
  return unknown.map(
    (id) => `there is no server ${id}: ${servers === 1 ? 'there is only server 0' : `they are 0 to ${servers - 1}`}`,
  )
}

function problemsOf(servers: number, step: Step): string[] {
  switch (step.type) {
    case 'Start':
      return startProblems(servers, step)
    case 'Cut':
    case 'Delay':
    case 'Drop':
    case 'Duplicate':
    case 'Reorder':
    case 'Throttle':
    case 'Clog':
    case 'Heal':
      return linkProblems(step)
    case 'Workload':
      return step.operations === undefined && step.duration === undefined
        ? ['it would never end: say how many operations, or the duration in ms']
        : []
    case 'Wait':
      return waitProblems(step)
    case 'Corrupt':
      return step.offset !== undefined && step.tail !== undefined ? ['offset and tail are two places: give one'] : []
    case 'Expect':
      return expectationProblems(step)
    default:
      return []
  }
}

function startProblems(servers: number, { id, count, repair }: StepOf<'Start'>): string[] {
  const problems: string[] = []
  if (count !== undefined && count !== servers)
    problems.push(`count: it is ${count} here, and the cluster has ${servers} servers`)
  if (repair === true && id === undefined) problems.push('repair: which server? give its id: the others must be whole')
  return problems
}

type LinkStep = StepOf<'Cut' | 'Delay' | 'Drop' | 'Duplicate' | 'Reorder' | 'Throttle' | 'Clog' | 'Heal'>

function linkProblems(step: LinkStep): string[] {
  const problems: string[] = []
  const isLink = step.from !== undefined || step.to !== undefined
  if (typeof step.from === 'number' && step.from === step.to)
    problems.push(`from and to are both server ${step.from}: a link has two ends`)
  if ('oneWay' in step && !isLink) problems.push('oneWay: of which link? give from, to, or both')
  if ('id' in step && isLink)
    problems.push('id means the disk and the clock of a server, from and to mean a link: make it two steps')
  return problems
}

function waitProblems(step: StepOf<'Wait'>): string[] {
  if (step.for === 'acknowledged' && step.count === undefined) return ['count: how many operations to wait for?']
  if (step.for === 'ended' && step.id === undefined) return ['id: which server is to end?']
  if (step.for === 'here' && step.here === undefined) return ['here: who is to be there? give a list of names']
  const problems: string[] = []
  if (step.for !== 'here' && (step.here ?? step.room) !== undefined)
    problems.push(`${step.here === undefined ? 'room' : 'here'}: it goes with "for": "here"`)
  if (step.for !== 'acknowledged' && step.count !== undefined) problems.push(`count: there is none of ${step.for}`)
  if (step.slot !== undefined && step.for !== 'snapshot' && step.for !== 'collected')
    problems.push('slot: it goes with "for": "snapshot" or "collected"')
  if (step.id !== undefined && !['leader', 'serving', 'ended', 'here', ...STANDS].includes(step.for))
    problems.push(`id: ${step.for} is not about one server`)
  return problems
}

const CLIENT_CONDITIONS = ['key', 'outcome', 'error', 'result', 'log', 'contains'] as const

function expectationProblems(expectation: Expectation): string[] {
  const given = Object.keys(expectation).filter((field) => !['type', 'id', 'room', 'slot'].includes(field))
  if (given.length === 0) return ['nothing is expected: give a condition, such as "value", "log" or "equal"']
  const problems: string[] = []
  const ofClient = CLIENT_CONDITIONS.find((field) => field in expectation)
  if ('key' in expectation !== 'value' in expectation) problems.push('key and value go together')
  else if (ofClient !== undefined && expectation.id === undefined) problems.push(`id: ${ofClient} by which client?`)
  else if (ofClient === undefined && expectation.here === undefined && expectation.id !== undefined)
    problems.push(`id: it is for what a client sees: ${CLIENT_CONDITIONS.join(', ')}, here`)
  if (expectation.room !== undefined && !['log', 'contains', 'here'].some((field) => field in expectation))
    problems.push('room: it goes with log, contains or here')
  if (expectation.slot !== undefined && (expectation.snapshot ?? expectation.collected) === undefined)
    problems.push('slot: it goes with snapshot or collected')
  return problems
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
