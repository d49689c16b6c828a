/** What zod finds wrong with a scenario, in words for people: where it is, what it should be, what it is. */
import type { z } from 'zod'
import { scenarioSchema, stepSchema } from './schema.js'
import type { Step } from './schema.js'

/** Says what is wrong with a value, where the schema has no words of its own. */
export function words(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined && issue.code !== 'unrecognized_keys') return 'is missing'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${nameOf(issue.expected)}, not ${kindOf(issue.input)}`
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`
    case 'too_small':
      if (issue.origin === 'array' || issue.origin === 'string')
        return Number(issue.minimum) > 1 ? `must have at least ${issue.minimum}` : 'must not be empty'
      return `must be ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    default:
      return undefined
  }
}

/** One problem, with its place: `step 3 (Put): message: is missing`. */
export function sentence(issue: z.core.$ZodIssue, json: unknown): string {
  const path = [...issue.path]
  let place = ''
  let fields = Object.keys(scenarioSchema.shape)
  if (path[0] === 'steps' && typeof path[1] === 'number') {
    const type = typeAt(json, path[1])
    const option = stepSchema.options.find(({ shape }) => shape.type.value === type)
    if (path[2] === 'type' && option === undefined) {
      const name = type === undefined ? 'the type is missing' : `there is no step "${type}"`
      return `step ${path[1] + 1}: type: ${name}; steps are ${STEP_TYPES.join(', ')}`
    }
    place = `step ${path[1] + 1}${type === undefined ? '' : ` (${type})`}: `
    fields = Object.keys(option?.shape ?? {}).filter((field) => field !== 'type')
    path.splice(0, 2)
  }
  const field = path.length === 0 ? '' : `${path.map(String).join('.')}: `
  const unknown = issue.code === 'unrecognized_keys' && issue.keys.map((key) => `"${key}"`).join(', ')
  if (unknown === false) return `${place}${field}${issue.message}`
  return `${place}${field}there is no ${unknown}${path.length === 0 ? `; fields are ${fields.join(', ')}` : ''}`
}

const STEP_TYPES: readonly Step['type'][] = stepSchema.options.map(({ shape }) => shape.type.value)

function typeAt(json: unknown, index: number): string | undefined {
  const steps = (json as { readonly steps?: unknown } | null)?.steps
  const step: unknown = Array.isArray(steps) ? steps[index] : undefined
  const type = typeof step === 'object' && step !== null && 'type' in step ? step.type : undefined
  return typeof type === 'string' ? type : undefined
}

/** As JSON calls it. */
function nameOf(expected: string): string {
  if (expected === 'int') return 'a whole number'
  return expected === 'object' || expected === 'array' ? `an ${expected}` : `a ${expected}`
}

function kindOf(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  return nameOf(Array.isArray(value) ? 'array' : typeof value)
}
