/** Histories as files: JSON Lines, an event each. */
import { z } from 'zod'
import type { HistoryEvent, Kind } from './history.js'
import { MalformedHistory } from './malformed.js'

const KINDS = [
  ...(['read', 'write', 'cas', 'delete', 'list', 'count', 'submit'] as const),
  ...(['append', 'edit', 'erase', 'join', 'leave', 'who', 'stale'] as const),
] satisfies readonly Kind[]

/** One line. What else it says is passed over. */
const lineSchema = z.object({
  process: z.union([z.string(), z.number()], { error: 'must be a text or a number' }),
  type: z.enum(['invoke', 'ok', 'fail', 'info']),
  f: z.enum(KINDS).optional(),
  // Many tools number their keys.
  key: z.union([z.string(), z.number().transform(String)], { error: 'must be a text or null' }).nullish(),
  value: z.unknown().optional(),
  time: z.number(),
  error: z.string().optional(),
})

type Line = z.output<typeof lineSchema>

/** A history that was read from a file. */
export interface HistoryFile {
  /** In the order of their times; those of the same time in the order of their lines. */
  readonly events: readonly HistoryEvent[]
  /** Where each of the events stands: the number of its line, from 1. */
  readonly lines: readonly number[]
}

/**
 * Reads a history. Blank lines are passed over; a completion may leave out what its invocation says.
 * Throws {@link MalformedHistory}.
 */
export function parseHistory(text: string): HistoryFile {
  const read: { readonly line: Line; readonly number: number }[] = []
  let number = 0
  for (let from = 0; from < text.length;) {
    const newline = text.indexOf('\n', from)
    const to = newline < 0 ? text.length : newline
    const one = text.slice(from, to)
    number++
    if (one.trim() !== '') read.push({ line: parseLine(one, number), number })
    from = to + 1
  }
  if (!read.every(({ line }, at) => at === 0 || line.time >= (read[at - 1]?.line.time ?? 0)))
    read.sort((a, b) => a.line.time - b.line.time)
  return { events: complete(read), lines: read.map((one) => one.number) }
}

/** The history as a file: what {@link parseHistory} reads. */
export function writeHistory(events: readonly HistoryEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('')
}

function parseLine(text: string, number: number): Line {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new MalformedHistory(number, `not JSON (${error instanceof Error ? error.message : String(error)})`)
  }
  const parsed = lineSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new MalformedHistory(number, issue?.message ?? 'not an event', issue?.path.map(String).join('.'))
}

/** Gives completions what only their invocations say. */
function complete(read: readonly { readonly line: Line; readonly number: number }[]): HistoryEvent[] {
  const open = new Map<string | number, HistoryEvent>()
  return read.map(({ line, number }) => {
    const { process, type, time } = line
    const begun = type === 'invoke' ? undefined : open.get(process)
    const f = line.f ?? begun?.f
    if (f === undefined) {
      throw type === 'invoke'
        ? new MalformedHistory(number, `must be one of ${KINDS.join(', ')}`, 'f')
        : new MalformedHistory(number, `process ${process} has no operation that could have ended`)
    }
    const key = line.key === undefined ? begun?.key : line.key
    const event: HistoryEvent = {
      process,
      type,
      f,
      ...(key !== undefined && { key }),
      ...(line.value !== undefined && { value: line.value }),
      time,
      ...(line.error !== undefined && { error: line.error }),
    }
    if (type === 'invoke') open.set(process, event)
    else open.delete(process)
    return event
  })
}
