/**
 * A checker that tries every order: slow, and plainly right. It shares nothing with the one that it is there to judge.
 */
import type { HistoryEvent } from '@synod/harness/internal/history/history'

/** What is in the store: keys and values, or rooms and messages. */
type Store = Map<string, unknown>

/** Changes the store as the operation does; answers with its completion's type and value. */
export type Perform = (store: Store, asked: HistoryEvent) => { readonly type: 'ok' | 'fail'; readonly value?: unknown }

interface Tried {
  readonly asked: HistoryEvent
  readonly begin: number
  end: number
  answer: HistoryEvent | null
}

/** Whether some order of the operations, and of any of those that may have happened, explains all answers. */
export function isLinearizable(events: readonly HistoryEvent[], perform: Perform): boolean {
  return explains(operations(events), new Map(), perform)
}

/** So many events are the smallest prefix that is not linearizable; null if all are. */
export function smallestPrefix(events: readonly HistoryEvent[], perform: Perform): number | null {
  for (let length = 1; length <= events.length; length++)
    if (!isLinearizable(events.slice(0, length), perform)) return length
  return null
}

function operations(events: readonly HistoryEvent[]): Tried[] {
  const all: Tried[] = []
  events.forEach((event, at) => {
    if (event.type === 'invoke') {
      all.push({ asked: event, begin: at, end: Infinity, answer: null })
      return
    }
    const one = all.findLast(({ asked }) => asked.process === event.process)
    if (one === undefined || event.type === 'info') return
    const isWithoutEffect = event.type === 'fail' && (event.f !== 'cas' || event.error !== undefined)
    if (isWithoutEffect && !(['submit', 'edit', 'erase'].includes(event.f) && event.value !== undefined)) {
      all.splice(all.indexOf(one), 1)
      return
    }
    one.answer = event
    one.end = at
  })
  return all
}

function explains(left: readonly Tried[], store: Store, perform: Perform): boolean {
  if (left.every(({ answer }) => answer === null)) return true
  const firstEnd = Math.min(...left.map(({ end }) => end))
  return left.some((one) => {
    if (one.begin > firstEnd) return false
    const after = new Map(store)
    const { type, value } = perform(after, one.asked)
    if (one.answer !== null) {
      if (one.answer.type !== type) return false
      const looks = !['write', 'cas', 'delete'].includes(one.asked.f) && one.answer.value !== undefined
      if (looks && JSON.stringify(one.answer.value) !== JSON.stringify(value)) return false
    }
    return explains(
      left.filter((other) => other !== one),
      after,
      perform,
    )
  })
}

/** A key-value store. */
export const performKv: Perform = (store, { f, key, value }) => {
  const name = String(key)
  const now = store.get(name) ?? null
  const put = (next: unknown): void => void (next === null ? store.delete(name) : store.set(name, next))
  const pairs = [...store].filter(([one]) => one.startsWith(name)).sort(([a], [b]) => (a < b ? -1 : 1))
  switch (f) {
    case 'write':
      put(value)
      return { type: 'ok' }
    case 'delete':
      put(null)
      return { type: 'ok' }
    case 'cas': {
      const [old, made] = value as unknown[]
      if (old !== now) return { type: 'fail' }
      put(made)
      return { type: 'ok' }
    }
    case 'list':
      return { type: 'ok', value: pairs }
    case 'count':
      return { type: 'ok', value: pairs.length }
    default:
      return { type: 'ok', value: now }
  }
}

/** Rooms of messages, which are numbered, edited and erased. Appends of even numbers are not told theirs. */
export const performEdits: Perform = (store, { f, key, value }) => {
  const messages = (store.get(String(key)) ?? []) as unknown[]
  if (f === 'read') return { type: 'ok', value: messages }
  if (f === 'append') {
    store.set(String(key), [...messages, value])
    return { type: 'ok', ...(Number(value) % 2 === 1 && { value: { number: messages.length + 1 } }) }
  }
  const [number, message] = (f === 'edit' ? value : [value, null]) as [number, unknown]
  if (number > messages.length) return { type: 'fail', value: { refused: 'NO_MESSAGE' } }
  if (messages[number - 1] === null) return { type: 'fail', value: { refused: 'DELETED' } }
  store.set(String(key), messages.with(number - 1, message))
  return { type: 'ok' }
}

/** Rooms of messages. */
export const performChat: Perform = (store, { f, key, value }) => {
  const messages = (store.get(String(key)) ?? []) as unknown[]
  if (f === 'read') return { type: 'ok', value: messages }
  store.set(String(key), [...messages, value])
  return { type: 'ok' }
}

/**
 * An account, as a service: `{add}` answers with the balance, and is refused where that would be negative; `{set}`. A read
 * is of all that its snapshot yields.
 */
export const performAccount: Perform = (store, { f, value }) => {
  const balance = (store.get('balance') ?? 0) as number
  if (f === 'read') return { type: 'ok', value: [balance] }
  const op = value as { readonly add?: number; readonly set?: number }
  const next = op.set ?? balance + (op.add ?? 0)
  if (next < 0) return { type: 'fail', value: { refused: 'OVERDRAWN' } }
  store.set('balance', next)
  return { type: 'ok', value: next }
}
