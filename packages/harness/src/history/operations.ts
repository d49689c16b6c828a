/** The operations of a history: each invocation with what came of it. */
import type { Operation } from '../checker/model.js'
import type { HistoryEvent } from './history.js'
import { MalformedHistory } from './malformed.js'

/** These change nothing: without an answer they say nothing. */
export const READS: ReadonlySet<HistoryEvent['f']> = new Set(['read', 'list', 'count', 'who', 'stale'])

export interface Operations {
  /** Those that can tell something, in the order of their begins. */
  readonly operations: readonly Operation[]
  /** How many were invoked. */
  readonly invoked: number
}

/** The events in the order of their times; those of the same time as they are. */
export function inOrder(events: readonly HistoryEvent[]): readonly HistoryEvent[] {
  const ordered = events.every((event, at) => at === 0 || event.time >= (events[at - 1]?.time ?? 0))
  return ordered ? events : [...events].sort((a, b) => a.time - b.time)
}

/**
 * Pairs invocations and completions. Left out is what says nothing of the state: reads that nobody answered, and what
 * surely had no effect. But a `cas` that failed without an `error` says that another value was there, and a `submit`
 * that failed with a value was refused by the state: both are kept, as `fail`; so is a change of a message that was refused
 * because there is none, or because it was deleted.
 *
 * @param events in the order of their times
 * @param lines where each of them stands, for what is thrown
 * @throws {@link MalformedHistory}
 */
export function operationsOf(events: readonly HistoryEvent[], lines?: readonly number[]): Operations {
  const line = (at: number): number => lines?.[at] ?? at + 1
  const open = new Map<HistoryEvent['process'], number>()
  const ends: (number | undefined)[] = []
  const begins: number[] = []
  events.forEach((event, at) => {
    const { process, type } = event
    const begun = open.get(process)
    if (type === 'invoke') {
      if (begun !== undefined) {
        const since = `has not ended the ${nameOf(events, begins[begun])} of line ${line(begins[begun] ?? 0)}`
        throw new MalformedHistory(line(at), `process ${process} begins a ${event.f}, and ${since}`)
      }
      checkInvocation(event, line(at))
      open.set(process, begins.length)
      begins.push(at)
      return
    }
    const place = begun === undefined ? undefined : begins[begun]
    const invoked = place === undefined ? undefined : events[place]
    if (begun === undefined || invoked === undefined)
      throw new MalformedHistory(line(at), `process ${process} has no operation that could have ended`)
    checkCompletion(invoked, event, line(at))
    open.delete(process)
    ends[begun] = at
  })
  const operations: Operation[] = []
  begins.forEach((begin, at) => {
    const operation = operationOf(events, begin, ends[at])
    if (operation !== null) operations.push(operation)
  })
  return { operations, invoked: begins.length }
}

function operationOf(events: readonly HistoryEvent[], begin: number, end: number | undefined): Operation | null {
  const invoked = events[begin]
  if (invoked === undefined) return null
  const completed = end === undefined ? null : (events[end] ?? null)
  const { f, process } = invoked
  const type = completed?.type ?? 'info'
  if (type !== 'ok' && READS.has(f)) return null
  if (type === 'fail' && !isConstraint(completed)) return null
  const known = type === 'ok' || type === 'fail'
  return {
    process,
    f,
    key: invoked.key ?? null,
    argument: invoked.value,
    outcome: known ? type : 'info',
    result: known ? completed?.value : undefined,
    begin,
    end: known && end !== undefined ? end : Infinity,
    invoked,
    completed,
  }
}

/** Whether a failure says something of the state. */
function isConstraint(completed: HistoryEvent | null): boolean {
  if (completed?.f === 'cas') return completed.error === undefined
  if (completed?.f === 'submit') return completed.value !== undefined
  return refusalOf(completed) !== null
}

/** Why a change of a message was refused, where that says something of the message; else null. */
export function refusalOf(completed: HistoryEvent | null): 'NO_MESSAGE' | 'DELETED' | null {
  if (completed?.type !== 'fail' || (completed.f !== 'edit' && completed.f !== 'erase')) return null
  const { refused } = (completed.value ?? {}) as { readonly refused?: unknown }
  return refused === 'NO_MESSAGE' || refused === 'DELETED' ? refused : null
}

function checkInvocation({ f, value }: HistoryEvent, line: number): void {
  if ((f === 'write' || f === 'append' || f === 'submit') && value === undefined)
    throw new MalformedHistory(line, `what does the ${f} say?`, 'value')
  if (f === 'edit' && !(Array.isArray(value) && value.length === 2 && isNumber(value[0])))
    throw new MalformedHistory(line, 'of an edit must be [number,message]', 'value')
  if (f === 'erase' && !isNumber(value))
    throw new MalformedHistory(line, 'of an erase must be the number of a message', 'value')
  if (f === 'cas' && !(Array.isArray(value) && value.length === 2))
    throw new MalformedHistory(line, 'of a cas must be [old,new]', 'value')
}

function checkCompletion(invoked: HistoryEvent, completed: HistoryEvent, line: number): void {
  const { process, f, type } = completed
  if (f !== invoked.f) throw new MalformedHistory(line, `process ${process} began a ${invoked.f}, not a ${f}`, 'f')
  if (completed.key !== undefined && (completed.key ?? null) !== (invoked.key ?? null)) {
    const keys = `${JSON.stringify(invoked.key ?? null)}, not with ${JSON.stringify(completed.key)}`
    throw new MalformedHistory(line, `process ${process} began the ${f} with ${keys}`, 'key')
  }
  if (type === 'ok' && READS.has(f) && completed.value === undefined)
    throw new MalformedHistory(line, `what did the ${f} find? (null: nothing)`, 'value')
}

/** Messages are numbered from 1. */
function isNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 1
}

function nameOf(events: readonly HistoryEvent[], at: number | undefined): string {
  return (at === undefined ? undefined : events[at])?.f ?? 'operation'
}
