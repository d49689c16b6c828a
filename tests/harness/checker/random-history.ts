/** Small histories at random: of a store that is right, but that some of the answers are wrong. */
import type { HistoryEvent, Kind } from '@synod/harness/internal/history/history'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Perform } from './brute-force.js'

export interface Draw {
  readonly kinds: readonly Kind[]
  readonly keys: readonly string[]
  /** What an operation of this kind says. */
  readonly ask: (f: Kind, prng: Prng) => unknown
  readonly perform: Perform
  readonly operations: number
  /** Part of the operations that nobody answers. */
  readonly unanswered: number
}

interface Lane {
  readonly process: number
  asked: HistoryEvent | null
  answer: ReturnType<Perform> | null
}

/** Every event has its own time, in whole ms. */
export function randomHistory(prng: Prng, draw: Draw): HistoryEvent[] {
  const { kinds, keys, ask, unanswered } = draw
  const events: HistoryEvent[] = []
  const store = new Map<string, unknown>()
  const note = (event: Omit<HistoryEvent, 'time'>): HistoryEvent => {
    const noted = { ...event, time: events.length }
    events.push(noted)
    return noted
  }
  let processes = 0
  const lanes = Array.from({ length: 2 + prng.below(3) }, (): Lane => ({
    process: processes++,
    asked: null,
    answer: null,
  }))
  /** Nobody waits for these any more; they may take effect nevertheless. */
  const late: HistoryEvent[] = []
  for (let left = draw.operations; left > 0 || lanes.some(({ asked }) => asked !== null);) {
    const lane = prng.pick(lanes)
    const { process, asked } = lane
    if (prng.chance(0.1)) for (const one of late.splice(prng.below(late.length + 1), 1)) draw.perform(store, one)
    if (asked === null) {
      if (left === 0) continue
      left--
      const f = prng.pick(kinds)
      const value = ask(f, prng)
      lane.asked = note({ process, type: 'invoke', f, key: prng.pick(keys), ...(value !== undefined && { value }) })
      lane.answer = null
    } else if (prng.chance(0.5)) lane.answer ??= draw.perform(store, asked)
    else if (prng.chance(unanswered)) {
      if (lane.answer === null) late.push(asked)
      lane.asked = null
      // It says that it does not know, or is never heard of again.
      if (prng.chance(0.5)) note({ process, type: 'info', f: asked.f })
      else lanes.splice(lanes.indexOf(lane), 1, { process: processes++, asked: null, answer: null })
    } else {
      note({ process, f: asked.f, ...(lane.answer ?? draw.perform(store, asked)) })
      lane.asked = null
    }
  }
  return events
}

/** The same history, but that one operation has another's answer (or, of what may be refused, the opposite of its own). */
export function spoilt(prng: Prng, events: readonly HistoryEvent[]): HistoryEvent[] {
  const looks = ({ f, type, value }: HistoryEvent): boolean =>
    type === 'ok' && (['read', 'list', 'count', 'submit'].includes(f) || (f === 'append' && value !== undefined))
  const mayFail = ({ f, type }: HistoryEvent): boolean => ['cas', 'edit', 'erase'].includes(f) && type !== 'invoke'
  const victims = events.filter((event) => looks(event) || mayFail(event))
  if (victims.length === 0) return [...events]
  const victim = prng.pick(victims)
  const { value } = prng.pick(events.filter((event) => event === victim || (looks(event) && event.f === victim.f)))
  return events.map((event): HistoryEvent => {
    if (event !== victim || event.type === 'info') return event
    if (event.f === 'edit' || event.f === 'erase') return refusedOrNot(prng, event)
    return event.f === 'cas' ? { ...event, type: event.type === 'ok' ? 'fail' : 'ok' } : { ...event, value }
  })
}

function refusedOrNot(prng: Prng, event: HistoryEvent): HistoryEvent {
  const { value: _, ...rest } = event
  if (event.type === 'fail' && prng.chance(0.5)) return { ...rest, type: 'ok' }
  return { ...rest, type: 'fail', value: { refused: prng.pick(['NO_MESSAGE', 'DELETED']) } }
}
