/** Histories of a store that is right: every operation takes effect at one moment between its begin and its end. */
import type { HistoryEvent, Kind } from '@synod/harness/internal/history/history'
import { Prng } from '@synod/paxos/internal/protocol/prng'

export interface Shape {
  readonly seed: number
  readonly operations: number
  readonly keys: number
  readonly processes: number
  /** Which kinds, each as often as it is there. */
  readonly kinds: readonly Kind[]
  /** Part of the operations that get no answer; half of them take effect, at any time after. */
  readonly unanswered?: number
  /** Of a process between two operations (ms), at most; an operation takes up to 10 ms. */
  readonly pause?: number
}

interface Planned {
  readonly process: number
  readonly f: Kind
  readonly key: string
  readonly begin: number
  /** When it takes effect; null: never. */
  readonly point: number | null
  readonly end: number
  readonly isAnswered: boolean
}

/** A linearizable history of the models kv (values are numbers) or chat (where all is `append` and `read`). */
export function simulatedHistory(shape: Shape): HistoryEvent[] {
  const prng = new Prng(shape.seed)
  const planned = plan(shape, prng)
  const store = new Store(prng, shape.kinds.includes('append'))
  const events: (HistoryEvent & { readonly order: number })[] = []
  const acts: { readonly time: number; readonly act: () => void }[] = []
  for (const one of planned) {
    const { process, f, key } = one
    let asked: unknown
    let answer: Pick<HistoryEvent, 'type' | 'value'> | null = null
    const note = (event: Omit<HistoryEvent, 'process' | 'f' | 'key'>): void => {
      events.push({ process, f, key, ...event, order: events.length })
    }
    acts.push({
      time: one.begin,
      act: () => {
        asked = store.ask(f, key)
        note({ type: 'invoke', ...(asked !== undefined && { value: asked }), time: one.begin })
      },
    })
    if (one.point !== null) acts.push({ time: one.point, act: () => (answer = store.perform(f, key, asked)) })
    acts.push({
      time: one.end,
      act: () => note({ type: 'info', ...(one.isAnswered && answer), time: one.end }),
    })
  }
  for (const { act } of acts.sort((a, b) => a.time - b.time)) act()
  return events.map(({ order, ...event }) => event)
}

function plan({ operations, keys, processes, kinds, unanswered = 0, pause = 10 }: Shape, prng: Prng): Planned[] {
  const free = Array.from({ length: processes }, () => prng.float() * 10)
  return Array.from({ length: operations }, () => {
    const process = free.indexOf(Math.min(...free))
    const begin = free[process] ?? 0
    const end = begin + 0.1 + prng.float() * 10
    const isAnswered = !prng.chance(unanswered)
    const late = end + prng.float() ** 4 * operations
    const point = isAnswered ? begin + prng.float() * (end - begin) : prng.chance(0.5) ? late : null
    free[process] = end + 0.01 + prng.float() * pause
    const f = prng.pick(kinds)
    const key = f === 'list' || f === 'count' ? 'k' : `k${prng.below(keys)}`
    return { process, f, key, begin, point, end, isAnswered }
  })
}

class Store {
  readonly #values = new Map<string, number | null>()
  readonly #rooms = new Map<string, number[]>()
  readonly #prng: Prng
  readonly #isChat: boolean
  #next = 0

  constructor(prng: Prng, isChat: boolean) {
    this.#prng = prng
    this.#isChat = isChat
  }

  /** What a client asks for: each value is written once. */
  ask(f: Kind, key: string): unknown {
    if (f === 'write' || f === 'append') return this.#next++
    // Mostly what is there; it may have changed when the operation takes effect.
    if (f === 'cas') return [this.#prng.chance(0.8) ? (this.#values.get(key) ?? null) : -1, this.#next++]
    return undefined
  }

  perform(f: Kind, key: string, asked: unknown): Pick<HistoryEvent, 'type' | 'value'> {
    const value = this.#values.get(key) ?? null
    switch (f) {
      case 'write':
        this.#values.set(key, asked as number)
        return { type: 'ok', value: asked }
      case 'delete':
        this.#values.delete(key)
        return { type: 'ok' }
      case 'cas': {
        const [old, made] = asked as [number | null, number]
        if (old !== value) return { type: 'fail' }
        this.#values.set(key, made)
        return { type: 'ok', value: asked }
      }
      case 'append':
        this.#room(key).push(asked as number)
        return { type: 'ok' }
      case 'list':
        return { type: 'ok', value: this.#listed(key) }
      case 'count':
        return { type: 'ok', value: this.#listed(key).length }
      default:
        return { type: 'ok', value: this.#isChat ? [...this.#room(key)] : value }
    }
  }

  #room(key: string): number[] {
    const room = this.#rooms.get(key) ?? []
    this.#rooms.set(key, room)
    return room
  }

  #listed(prefix: string): [string, number][] {
    const pairs = [...this.#values].flatMap(([key, value]): [string, number][] =>
      value !== null && key.startsWith(prefix) ? [[key, value]] : [],
    )
    return pairs.sort(([a], [b]) => (a < b ? -1 : 1))
  }
}
