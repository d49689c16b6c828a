/**
 * Who is in a room, judged by the feed, which tells of everybody who comes and goes, in the order of the log. Every look at a
 * room must show what the feed says of that slot; whoever comes must have asked for it; whoever goes must have had a reason;
 * and whoever is gone for good must be gone from the rooms, too.
 */
import { isDeepStrictEqual } from 'node:util'
import { chatroom } from '@synod/chatroom'
import type { ChatEvent, ChatResults, Presence } from '@synod/chatroom'
import { ownersOf, People, wishesOf } from './chat-people.js'
import type { Wish } from './chat-people.js'
import type { Complaint, Evidence, Review } from './subject.js'

export const presence: Review = {
  check: 'presence',
  concerns: (history) => history.some(({ f }) => f === 'join' || f === 'who'),
  complaints: (evidence) => {
    // What was dropped before the feed began may have brought people in.
    if (evidence.from > 1) return []
    const wishes = wishesOf(evidence)
    return [...looks(evidence), ...comings(evidence, wishes), ...stays(evidence, wishes)]
  },
  held: ({ history, feed, from }) => {
    if (from > 1) return `not judged: the servers have dropped the events before slot ${from}`
    const came = feed.filter(({ value }) => (value as ChatEvent).type === 'joined').length
    const seen = history.filter(({ f, type }) => type === 'ok' && f === 'who').length
    return `people came ${came} times, and ${seen} looks at who is there saw what the feed says`
  },
}

/** An answer that tells who is in a room. */
interface Look {
  readonly slot: number
  readonly room: string
  readonly here: readonly Presence[]
  readonly who: string
}

/** Each of them must tell what the feed does. */
function looks(evidence: Evidence): Complaint[] {
  const { feed } = evidence
  const people = new People()
  const last = feed.at(-1)?.slot ?? 0
  const problems: Complaint[] = []
  let at = 0
  for (const { slot, room, here, who } of looksOf(evidence)) {
    for (let next = feed[at]; next !== undefined && next.slot <= slot; next = feed[++at]) people.apply(next)
    const told = people.here(room)
    if (isDeepStrictEqual(told, [...here])) continue
    const where = `in ${JSON.stringify(room)} in slot ${slot}`
    const what = `${who} sees ${names(here)} ${where}, where by the feed there must be ${names(told)}`
    problems.push({ what, mayPass: slot >= last }) // the feed may be behind
  }
  return problems
}

function looksOf({ history, feed, final }: Evidence): Look[] {
  const all = history.flatMap(({ process, f, key, type, value }): Look[] => {
    if (type !== 'ok' || (f !== 'who' && f !== 'join')) return []
    const { slot, here } = value as ChatResults['who']
    return [{ slot, room: key ?? '', here, who: `process ${process}` }]
  })
  if (final !== null) {
    const state = chatroom.state()
    state.restore(final.entries)
    for (const room of new Set(feed.map(({ value }) => (value as ChatEvent).room))) {
      const command = { clientId: '', op: { type: 'who', room } } as const
      const { here } = state.execute(0, command, () => undefined) as ChatResults['who']
      all.push({ slot: final.slot, room, here, who: 'the final state' })
    }
  }
  return all.sort((a, b) => a.slot - b.slot)
}

/** Nobody is brought in, once more than they asked for. */
function comings({ feed }: Evidence, wishes: readonly Wish[]): Complaint[] {
  const left = wishes.filter(({ f }) => f === 'join')
  return feed.flatMap(({ slot, value }): Complaint[] => {
    const event = value as ChatEvent
    if (event.type !== 'joined') return []
    const { room, who } = event
    const isIt = (wish: Wish): boolean => wish.room === room && wish.name === who.name
    const sure = left.findIndex((wish) => wish.slot === slot && isIt(wish))
    const place = sure >= 0 ? sure : left.findIndex((wish) => wish.slot === undefined && isIt(wish))
    if (place < 0)
      return [broken(`${who.name} came into ${JSON.stringify(room)} in slot ${slot}, and nobody had asked for it`)]
    left.splice(place, 1)
    return []
  })
}

/** Stays must not end without a reason; and they must end. */
function stays({ feed, gone, calm }: Evidence, wishes: readonly Wish[]): Complaint[] {
  const people = new People()
  for (const event of feed) people.apply(event)
  return people.stays.flatMap((stay): Complaint[] => {
    const owners = ownersOf(stay, wishes)
    const isGone = (owner: object | null): boolean => owner !== null && gone.has(owner)
    const who = `${stay.names.at(-1)} (since slot ${stay.id})`
    const room = JSON.stringify(stay.room)
    if (stay.left === undefined) {
      if (owners.length === 0 || !owners.every(isGone)) return []
      return [{ what: `${who} is still in ${room}, though that client is gone for good`, mayPass: true }]
    }
    const leaves = wishes.filter((wish) => wish.f === 'leave' && wish.room === stay.room)
    const ofSlot = leaves.find(({ slot }) => slot === stay.left)
    if (ofSlot !== undefined && !owners.includes(ofSlot.owner))
      return [broken(`${who} left ${room} in slot ${stay.left}, where another one had asked to leave`)]
    const mayLeave = owners.some(
      (owner) => isGone(owner) || leaves.some((wish) => wish.owner === owner && wish.slot === undefined),
    )
    if (ofSlot !== undefined || mayLeave || !calm || owners.length === 0) return []
    return [broken(`${who} left ${room} in slot ${stay.left} without a reason: that client was connected all the time`)]
  })
}

function broken(what: string): Complaint {
  return { what, mayPass: false }
}

function names(people: readonly Presence[]): string {
  return people.length === 0 ? 'nobody' : people.map(({ id, name }) => `${name} (since slot ${id})`).join(', ')
}
