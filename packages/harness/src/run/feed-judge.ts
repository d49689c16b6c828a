/**
 * Judges feeds by one another, and by what clients were told: each subscriber must hear all that was emitted from its first
 * slot on, in the order of the log, once, and the same as all others.
 */
import { isDeepStrictEqual } from 'node:util'
import { FeedError } from '@synod/paxos'
import type { FeedEvent } from '@synod/paxos'
import { show } from '../checker/models/values.js'
import type { Announcement, Complaint } from '../subject/subject.js'
import type { Heard } from './subscribers.js'

type Event = FeedEvent<unknown>

/** The events of all slots that anybody has heard, and who heard the first of each. */
interface Told {
  readonly events: Event[]
  readonly by: string
}

/**
 * What is wrong with the feeds; nothing, if all is well.
 *
 * @param subscribers all that ever were
 * @param judge what is heard by one who begins at the end; null before the end
 * @param announced what acknowledged operations have emitted
 * @param isLive whether a subscriber can still hear something
 */
export function judgeFeeds(
  subscribers: readonly Heard[],
  judge: Heard | null,
  announced: readonly Announcement[],
  isLive: (heard: Heard) => boolean,
): Complaint[] {
  const told = new Map<number, Told>()
  const feeds = judge === null ? subscribers : [...subscribers, judge]
  const problems = feeds.flatMap((heard) => [...inOrder(heard), ...endOf(heard, judge)])
  for (const heard of feeds) problems.push(...compare(told, heard))
  const slots = [...told.keys()].sort((a, b) => a - b)
  for (const heard of feeds) problems.push(...gaps(heard, slots, told, isLive(heard)))
  return [...problems, ...promises(told, feeds, announced)]
}

/** In the order of the log, and each once. */
function inOrder({ name, first, events }: Heard): Complaint[] {
  let before: Event | undefined
  for (const event of events) {
    const { slot, index } = event
    const isFirst = before === undefined || before.slot < slot
    const comes = isFirst ? index === 0 : slot === before?.slot && index === before.index + 1
    if (!comes)
      return [
        broken(`${of(name)} told ${nameOf(event)}${before === undefined ? ' first' : ` after ${nameOf(before)}`}`),
      ]
    if (first !== null && slot < first)
      return [broken(`${of(name)} told ${nameOf(event)}, though it began with slot ${first}`)]
    before = event
  }
  return []
}

/** Who is told that events were dropped must be told so for a reason: one who begins later must not be told of them. */
function endOf({ name, state, first, events }: Heard, judge: Heard | null): Complaint[] {
  if (typeof state === 'string') return []
  if (!(state instanceof FeedError)) return [broken(`${of(name)} ended with ${state.code}: ${state.message}`)]
  const next = (events.at(-1)?.slot ?? (first ?? Infinity) - 1) + 1
  if (judge?.first == null || judge.first > next) return []
  return [broken(`${of(name)} ended with ${state.code}, though the events from slot ${next} on are still there`)]
}

/** The same values for all. */
function compare(told: Map<number, Told>, { name, events }: Heard): Complaint[] {
  for (const event of events) {
    let known = told.get(event.slot)
    if (known === undefined) told.set(event.slot, (known = { events: [], by: name }))
    const same = known.events[event.index]
    if (same === undefined) known.events[event.index] = event
    else if (!isDeepStrictEqual(same.value, event.value))
      return [
        broken(
          `${of(name)} told ${show(event.value)} as ${nameOf(event)}, and ${of(known.by)} told ${show(same.value)}`,
        ),
      ]
  }
  return []
}

/** All that anybody heard, from its first slot on; behind the last that it heard, if it still listens. */
function gaps(heard: Heard, slots: readonly number[], told: ReadonlyMap<number, Told>, isLive: boolean): Complaint[] {
  const { name, first, events } = heard
  if (first === null) return isLive ? [late(`${of(name)} has not begun`)] : []
  const counts = new Map<number, number>()
  for (const { slot } of events) counts.set(slot, (counts.get(slot) ?? 0) + 1)
  const last = events.at(-1)?.slot ?? -1
  for (const slot of slots) {
    const known = told.get(slot)
    if (slot < first || known === undefined || (counts.get(slot) ?? 0) === known.events.length) continue
    const missing = known.events[counts.get(slot) ?? 0]
    const what = `${of(name)} has not told ${missing === undefined ? `slot ${slot}` : nameOf(missing)}, which ${of(known.by)} has`
    if (slot < last) return [broken(`${what}; it has told slot ${last} since`)]
    return isLive ? [late(what)] : []
  }
  return []
}

/** What clients were told that they did is in the feed, in its slot, once; and nothing else is in that slot. */
function promises(
  told: ReadonlyMap<number, Told>,
  feeds: readonly Heard[],
  announced: readonly Announcement[],
): Complaint[] {
  return announced.flatMap(({ slot, what, isEvent }): Complaint[] => {
    const events = told.get(slot)?.events ?? []
    if (isEvent === null)
      return events.length === 0 ? [] : [broken(`slot ${slot} told ${shown(events)}, though ${what} tells nothing`)]
    if (events.length === 1 && isEvent(events[0]?.value)) return []
    if (events.length > 0) return [broken(`slot ${slot} told ${shown(events)}, and not ${what}`)]
    const spanning = feeds.filter(({ first }) => first !== null && first <= slot)
    const missing = `no feed has told ${what}, which was acknowledged in slot ${slot}`
    if (spanning.some((heard) => (heard.events.at(-1)?.slot ?? 0) > slot)) return [broken(missing)]
    return spanning.some(({ state }) => state === 'open') ? [late(missing)] : [] // nobody can hear it any more
  })
}

function of(name: string): string {
  return `feed ${JSON.stringify(name)}`
}

function nameOf({ slot, index }: Event): string {
  return `event ${index} of slot ${slot}`
}

function shown(events: readonly Event[]): string {
  return events.map(({ value }) => show(value)).join(', ')
}

function broken(what: string): Complaint {
  return { what, mayPass: false }
}

function late(what: string): Complaint {
  return { what, mayPass: true }
}
