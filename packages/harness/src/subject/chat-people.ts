/** Who came into rooms and went, by two accounts: what clients asked for, and what the feed tells. */
import type { ChatEvent, Presence } from '@synod/chatroom'
import type { FeedEvent } from '@synod/paxos'
import type { HistoryEvent } from '../history/history.js'
import type { Evidence } from './subject.js'

/** Somebody asked to be in a room, or not to be any more; and it was not refused. */
export interface Wish {
  readonly f: 'join' | 'leave'
  readonly room: string
  /** Of a join. */
  readonly name: unknown
  readonly owner: object | null
  /** undefined: nobody knows whether it came about. */
  readonly slot: number | undefined
  /** Of a join that came about: the stay. */
  readonly id: number | undefined
}

export function wishesOf({ history, owners }: Pick<Evidence, 'history' | 'owners'>): Wish[] {
  const open = new Map<HistoryEvent['process'], number>()
  const wishes: Wish[] = []
  const add = (at: number, answer: HistoryEvent | null): void => {
    const invoked = history[at]
    if (invoked === undefined || (invoked.f !== 'join' && invoked.f !== 'leave') || answer?.type === 'fail') return
    const { slot, id } = (answer?.type === 'ok' ? answer.value : {}) as { readonly slot?: number; readonly id?: number }
    wishes.push({ f: invoked.f, room: invoked.key ?? '', name: invoked.value, owner: owners[at] ?? null, slot, id })
  }
  history.forEach((event, at) => {
    if (event.type === 'invoke') {
      open.set(event.process, at)
      return
    }
    const begun = open.get(event.process)
    open.delete(event.process)
    if (begun !== undefined) add(begun, event)
  })
  for (const at of open.values()) add(at, null)
  return wishes
}

/** One person's time in one room, as the feed tells it. */
export interface Stay {
  readonly id: number
  readonly room: string
  /** The last one is the present one. */
  readonly names: string[]
  /** The slot in which it ended; undefined if it goes on. */
  left: number | undefined
}

/** The rooms' people by the feed, up to some slot. */
export class People {
  /** All stays that ever were, by room and id. */
  readonly #stays = new Map<string, Map<number, Stay>>()

  apply({ slot, value }: FeedEvent<unknown>): void {
    const event = value as ChatEvent
    if (event.type !== 'joined' && event.type !== 'left') return
    const { room, who } = event
    let stays = this.#stays.get(room)
    if (stays === undefined) this.#stays.set(room, (stays = new Map<number, Stay>()))
    const stay = stays.get(who.id)
    if (event.type === 'left') {
      if (stay !== undefined) stay.left ??= slot
    } else if (stay === undefined) stays.set(who.id, { id: who.id, room, names: [who.name], left: undefined })
    else stay.names.push(who.name)
  }

  /** Who is in a room now, in the order of their coming. */
  here(room: string): Presence[] {
    const stays = [...(this.#stays.get(room)?.values() ?? [])]
    return stays
      .filter(({ left }) => left === undefined)
      .map(({ id, names }) => ({ id, name: names.at(-1) ?? '' }))
      .sort((a, b) => a.id - b.id)
  }

  get stays(): Stay[] {
    return [...this.#stays.values()].flatMap((stays) => [...stays.values()])
  }
}

/** Those whose stay it is, or may be: the clients that joined that room and were told this id, or were told nothing. */
export function ownersOf({ id, room, names }: Stay, wishes: readonly Wish[]): (object | null)[] {
  const joins = wishes.filter((wish) => wish.f === 'join' && wish.room === room)
  const sure = joins.filter((wish) => wish.id === id)
  const found =
    sure.length > 0 ? sure : joins.filter((wish) => wish.id === undefined && names.includes(String(wish.name)))
  return found.map(({ owner }) => owner)
}
