/** The key-value store as the harness sees it. */
import { kvstore, MAX_PAGE } from '@synod/kvstore'
import type { KvOp, KvOpOf, KvResults } from '@synod/kvstore'
import { kvModel } from '../checker/models/kv.js'
import type { HistoryEvent } from '../history/history.js'
import { staleReads } from './kv-stale.js'
import { padded, shortened } from './padding.js'
import type { Answer, DataStep, Draw, Subject, Task, WorkloadShape } from './subject.js'

/** How often each kind of operation is drawn where a workload does not say it. */
const KINDS: readonly string[] = ['read', 'write', 'delete', 'cas', 'list', 'stale']
const MIX = { read: 4, write: 3, cas: 2, delete: 1 }
/** Over how many keys. */
const KEYS = 5

export const kvSubject: Subject = {
  name: 'kvstore',
  service: kvstore,
  model: kvModel,
  task: taskOf,
  probe: task({ type: 'get', key: 'key-0' }),
  workload,
  finalReads,
  log: () => null,
  here: () => null,
  announced: () => null,
  review: staleReads,
}

function taskOf(step: DataStep): Task | string {
  switch (step.type) {
    case 'Get':
      if (step.room !== undefined) return 'room: the key-value store has no rooms'
      return step.key === undefined ? 'key: which key of the key-value store?' : valid({ type: 'get', key: step.key })
    case 'Set':
      return valid({ type: 'set', key: step.key, value: step.value })
    case 'Delete':
      return valid({ type: 'delete', key: step.key })
    case 'Cas':
      return valid({ type: 'cas', key: step.key, expected: step.expected, value: step.value })
    case 'List':
      return valid({ type: 'list', prefix: step.prefix ?? '', after: null, limit: MAX_PAGE })
    case 'Put':
    case 'Edit':
    case 'Erase':
      return 'the key-value store has no messages: use Set, or --server chatroom'
    case 'Join':
    case 'Leave':
    case 'Who':
      return 'the key-value store has no rooms: use --server chatroom'
    case 'Submit':
      return 'the key-value store has steps of its own: Set, Get, Delete, Cas, List'
  }
}

/** The operation as a task, or what is wrong with it. */
function valid(op: Parameters<typeof task>[0]): Task | string {
  const checked = kvstore.op.safeParse(op)
  if (checked.success) return task(op)
  const [issue] = checked.error.issues
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not an operation of the key-value store'}`
}

function task(op: KvOpOf<'get' | 'set' | 'delete' | 'cas' | 'list'>): Task {
  switch (op.type) {
    case 'get':
      return of('read', op, { key: op.key, reads: true }, (result: KvResults['get']) => ok(shortened(result.value)))
    case 'set':
      return of('write', op, { key: op.key, value: shortened(op.value) }, () => ok(shortened(op.value)))
    case 'delete':
      return of('delete', op, { key: op.key }, () => ({ type: 'ok' }))
    case 'cas': {
      const value = [shortened(op.expected), shortened(op.value)]
      return of('cas', op, { key: op.key, value }, (result: KvResults['cas']) =>
        result.swapped ? ok(value) : { type: 'fail' },
      )
    }
    case 'list':
      return of('list', op, { key: op.prefix, reads: true }, (result: KvResults['list']) =>
        // Pages are read one after the other, at several moments: together they are not one read.
        result.next === null
          ? ok(result.entries.map(([key, value]) => [key, shortened(value)]))
          : { type: 'fail', error: 'IN_PAGES' },
      )
  }
}

function of<Result>(
  f: Task['f'],
  op: KvOp,
  said: { readonly key: string; readonly value?: unknown; readonly reads?: true },
  answer: (result: Result) => Answer,
): Task {
  return { reads: false, ...said, f, run: async (submit) => answer((await submit(op)) as Result) }
}

/** As the server has it that is asked. */
function stale(key: string): Task {
  const run: Task['run'] = async (_submit, readStale) => {
    const { slot, value } = await readStale({ type: 'get', key })
    return ok({ slot, value: shortened((value as KvResults['get']).value) })
  }
  return { f: 'stale', key, reads: true, run }
}

function ok(value: unknown): Answer {
  return { type: 'ok', value }
}

function workload({ keys = KEYS, bytes = 0, mix = MIX, ops }: WorkloadShape): Draw | string {
  if (ops !== undefined) return 'ops: the key-value store has operations of its own: weigh them by mix'
  const unknown = Object.keys(mix).find((kind) => !KINDS.includes(kind))
  if (unknown !== undefined)
    return `mix: the key-value store has no ${unknown}, only read, write, delete, cas, list and stale`
  const kinds = Object.entries(mix).flatMap(([kind, weight]) => (weight > 0 ? [{ kind, weight }] : []))
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0)
  /** What was last written to each key: what a cas may find there. */
  const written = new Map<string, string>()
  return (prng, number) => {
    let at = prng.float() * total
    const kind = kinds.find(({ weight }) => (at -= weight) < 0)?.kind ?? 'read'
    const key = `key-${prng.below(keys)}`
    const value = padded(`v${number}`, bytes)
    const before = written.get(key) ?? null
    if (kind === 'write' || kind === 'cas') written.set(key, value)
    switch (kind) {
      case 'write':
        return task({ type: 'set', key, value })
      case 'delete':
        return task({ type: 'delete', key })
      case 'cas':
        return task({
          type: 'cas',
          key,
          expected: prng.chance(0.2) ? null : before,
          value: prng.chance(0.1) ? null : value,
        })
      case 'list':
        return task({ type: 'list', prefix: '', after: null, limit: MAX_PAGE })
      case 'stale':
        return stale(key)
      default:
        return task({ type: 'get', key })
    }
  }
}

/** Each key that the history or the state knows, as it is in the end. */
function finalReads(
  entries: readonly unknown[],
  history: readonly HistoryEvent[],
): Pick<HistoryEvent, 'f' | 'key' | 'value'>[] {
  const pairs = new Map(entries as readonly (readonly [string, string])[])
  const keys = new Set(pairs.keys())
  for (const { f, key } of history) if (f !== 'list' && typeof key === 'string') keys.add(key)
  return [...keys].map((key) => ({ f: 'read', key, value: shortened(pairs.get(key) ?? null) }))
}
