/** Reads scenario files. Whatever is wrong with one is told in sentences that name the file, the step and the field. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { MAX_SERVERS } from '@synod/paxos/internal/transport/message-codec'
import type { z } from 'zod'
import { scenarioSchema, stepSchema } from './schema.js'
import type { Expectation, Scenario, Step } from './schema.js'

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
  const whole = Array.isArray(json) ? { steps: json } : json
  const parsed = scenarioSchema.safeParse(whole)
  if (!parsed.success)
    throw new ScenarioError(
      file,
      parsed.error.issues.map((issue) => sentence(issue, whole)),
    )
  const { steps, expect, timeout } = parsed.data
  const scenario: Scenario = {
    name: parsed.data.name ?? basename(file).replace(/\.json$/, ''),
    description: parsed.data.description ?? '',
    servers: parsed.data.servers ?? serversOf(steps),
    seed: parsed.data.seed ?? 1,
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

/** By the first Start step that says it, or else as many as the steps name. */
function serversOf(steps: readonly Step[]): number {
  for (const step of steps) if (step.type === 'Start' && step.count !== undefined) return step.count
  return 1 + Math.max(0, ...steps.flatMap(idsOf))
}

/** The numbers of servers that a step names. */
function idsOf(step: Step | Expectation): number[] {
  const named: unknown[] = []
  if ('id' in step) named.push(step.id)
  if ('from' in step) named.push(step.from)
  if ('to' in step) named.push(step.to)
  if ('groups' in step) named.push(...step.groups.flat())
  if ('equal' in step && Array.isArray(step.equal)) named.push(...step.equal)
  if ('ended' in step && step.ended !== undefined) named.push(...step.ended)
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
      return step.count !== undefined && step.count !== servers
        ? [`count: it is ${step.count} here, and the cluster has ${servers} servers`]
        : []
    case 'Workload':
      return step.operations === undefined && step.duration === undefined
        ? ['it would never end: say how many operations, or the duration in ms']
        : []
    case 'Wait':
      if (step.for === 'acknowledged' && step.count === undefined) return ['count: how many operations to wait for?']
      return step.for === 'ended' && step.id === undefined ? ['id: which server is to end?'] : []
    case 'Corrupt':
      return step.offset !== undefined && step.tail !== undefined ? ['offset and tail are two places: give one'] : []
    case 'Expect':
      return expectationProblems(step)
    default:
      return []
  }
}

const CLIENT_CONDITIONS = ['key', 'outcome', 'error', 'log', 'contains'] as const

function expectationProblems(expectation: Expectation): string[] {
  const given = Object.keys(expectation).filter((field) => field !== 'type' && field !== 'id')
  if (given.length === 0) return ['nothing is expected: give a condition, such as "value", "log" or "equal"']
  const problems: string[] = []
  const needsClient = CLIENT_CONDITIONS.find((field) => field in expectation)
  if (needsClient !== undefined && expectation.id === undefined) problems.push(`id: ${needsClient} by which client?`)
  if ('key' in expectation !== 'value' in expectation) problems.push('key and value go together')
  return problems
}

/** One problem that zod found, for people. */
function sentence(issue: z.core.$ZodIssue, json: unknown): string {
  const path = [...issue.path]
  let place = ''
  if (path[0] === 'steps' && typeof path[1] === 'number') {
    const type = typeAt(json, path[1])
    place = `step ${path[1] + 1}${type === undefined ? '' : ` (${type})`}: `
    if (isUnknownStep(issue, path, type)) {
      const name = type === undefined ? 'the type is missing' : `there is no step "${type}"`
      return `step ${path[1] + 1}: type: ${name}; steps are ${STEP_TYPES.join(', ')}`
    }
    path.splice(0, 2)
  }
  const field = path.length === 0 ? '' : `${path.map(String).join('.')}: `
  return `${place}${field}${lowerFirst(issue.message)}`
}

const STEP_TYPES = stepSchema.options.map(({ shape }) => shape.type.value)

function isUnknownStep(issue: z.core.$ZodIssue, path: readonly PropertyKey[], type: string | undefined): boolean {
  if (issue.code !== 'invalid_union') return false
  return path.length === 3 && path[2] === 'type' && (type === undefined || !STEP_TYPES.includes(type as Step['type']))
}

function typeAt(json: unknown, index: number): string | undefined {
  const steps = (json as { readonly steps?: unknown } | null)?.steps
  const step: unknown = Array.isArray(steps) ? steps[index] : undefined
  const type = typeof step === 'object' && step !== null && 'type' in step ? step.type : undefined
  return typeof type === 'string' ? type : undefined
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
