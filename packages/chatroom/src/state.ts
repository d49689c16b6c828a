/** The replicated state: rooms with their messages, and who is in which of them. */
import { inPieces, Refusal } from '@synod/paxos'
import type { Command, State } from '@synod/paxos'
import { MAX_HERE, MAX_JOINED, MAX_ROOMS } from './command.js'
import type { ChatEvent, ChatMessage, ChatOp, ChatOpOf, ChatResult, ChatResults, Presence } from './command.js'
import { RoomState, type Kept } from './room-state.js'
import { chatEntrySchema, entriesOf, type ChatEntry } from './snapshot.js'

type Emit = (event: ChatEvent) => void

/** The order of names: by UTF-16 code units, the same everywhere. */
const byName = (a: RoomState, b: RoomState): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)

export class ChatState implements State<ChatOp, ChatResult, ChatEvent> {
  /** In the order in which they came. */
  readonly #rooms = new Map<string, RoomState>()
  /** The rooms that each session is in. */
  readonly #joined = new Map<string, Set<RoomState>>()

  execute(slot: number, { clientId, op }: Command<ChatOp>, emit: Emit): ChatResult {
    switch (op.type) {
      case 'post':
        return this.#post(slot, op, emit)
      case 'read': {
        const room = this.#rooms.get(op.room)
        return { slot, messages: room?.page(op) ?? [], first: room?.first ?? 1, last: room?.last ?? 0 }
      }
      case 'rooms': {
        const rooms = [...this.#rooms.values()].sort(byName)
        return { slot, rooms: rooms.map(({ name, last, here }) => ({ room: name, last, here: here.size })) }
      }
      case 'edit': {
        const { message, key } = this.#own(op)
        return this.#change(
          slot,
          op.room,
          { key, message: { ...message, text: op.text, edits: message.edits + 1 } },
          emit,
        )
      }
      case 'delete': {
        const { message, key } = this.#own(op)
        return this.#change(slot, op.room, { key, message: { ...message, text: '', deleted: true } }, emit)
      }
      case 'join':
        return this.#join(slot, clientId, op, emit)
      case 'leave': {
        const room = this.#rooms.get(op.room)
        return { slot, left: room !== undefined && this.#leave(clientId, room, emit) }
      }
      case 'who':
        return { slot, here: hereIn(this.#rooms.get(op.room)) }
    }
  }

  /** A session that ends is in no room any more. */
  ended(_slot: number, clientId: string, emit: Emit): void {
    const stay = (room: RoomState): number => room.here.get(clientId)?.id ?? 0
    const rooms = [...(this.#joined.get(clientId) ?? [])].sort((a, b) => stay(a) - stay(b))
    for (const room of rooms) this.#leave(clientId, room, emit)
  }

  snapshot(): Iterable<ChatEntry> {
    const rooms = [...this.#rooms.values()].map((room) => room.view())
    return inPieces({ [Symbol.iterator]: () => entriesOf(rooms) })
  }

  restore(entries: Iterable<unknown>): void {
    for (const value of entries) {
      const entry = chatEntrySchema.parse(value)
      const room = this.#rooms.get(entry.room) ?? this.#add(entry.room)
      if (entry.type === 'message') room.put(entry)
      else if (entry.type === 'stay') this.#enter(room, entry.clientId, { id: entry.id, name: entry.name })
    }
  }

  #post(slot: number, op: ChatOpOf<'post'>, emit: Emit): ChatResults['post'] {
    const { room: name, author, key, text, at, nonce, follows } = op
    const known = nonce === undefined ? undefined : this.#rooms.get(name)?.known(key, nonce)
    if (known !== undefined) return { slot, number: known }
    if (follows !== undefined && this.#rooms.get(name)?.known(key, follows) === undefined)
      throw new Refusal('OUT_OF_ORDER', 'the message that this one follows is not in the room')
    const room = this.#roomFor(name)
    const number = room.last + 1
    const message = { number, author, text, at, edits: 0, deleted: false, ...(nonce !== undefined && { nonce }) }
    room.put({ key, message })
    emit({ type: 'posted', room: name, message })
    return { slot, number }
  }

  /** The message, if it is one that may be changed with this key. */
  #own({ room, number, key }: ChatOpOf<'edit' | 'delete'>): Kept {
    const kept = this.#rooms.get(room)?.message(number)
    if (kept === undefined)
      throw new Refusal('NO_MESSAGE', `there is no message ${number} in this room, or not any more`)
    if (kept.key !== key) throw new Refusal('NOT_YOURS', `message ${number} is somebody else's`)
    if (kept.message.deleted) throw new Refusal('DELETED', `message ${number} was deleted`)
    return kept
  }

  #change(slot: number, room: string, kept: Kept, emit: Emit): { slot: number; message: ChatMessage } {
    this.#rooms.get(room)?.put(kept)
    emit({ type: 'changed', room, message: kept.message })
    return { slot, message: kept.message }
  }

  #join(slot: number, clientId: string, { room: name, name: as }: ChatOpOf<'join'>, emit: Emit): ChatResults['join'] {
    const before = this.#rooms.get(name)?.here.get(clientId)
    if (before === undefined && (this.#joined.get(clientId)?.size ?? 0) >= MAX_JOINED)
      throw new Refusal('TOO_MANY_JOINED', `one may be in ${MAX_JOINED} rooms at a time: leave another one first`)
    if (before === undefined && (this.#rooms.get(name)?.here.size ?? 0) >= MAX_HERE)
      throw new Refusal('ROOM_FULL', `there are ${MAX_HERE} in this room already, and no more may join`)
    const room = this.#roomFor(name)
    const who = { id: before?.id ?? slot, name: as }
    this.#enter(room, clientId, who)
    if (before?.name !== as) emit({ type: 'joined', room: name, who })
    return { slot, id: who.id, here: hereIn(room) }
  }

  #enter(room: RoomState, clientId: string, who: Presence): void {
    room.enter(clientId, who)
    const rooms = this.#joined.get(clientId)
    if (rooms === undefined) this.#joined.set(clientId, new Set([room]))
    else rooms.add(room)
  }

  #leave(clientId: string, room: RoomState, emit: Emit): boolean {
    const who = room.here.get(clientId)
    if (who === undefined) return false
    room.leave(clientId)
    const rooms = this.#joined.get(clientId)
    rooms?.delete(room)
    if (rooms?.size === 0) this.#joined.delete(clientId)
    if (room.last === 0 && room.here.size === 0) this.#rooms.delete(room.name)
    emit({ type: 'left', room: room.name, who })
    return true
  }

  /** The room, which comes into being if need be. */
  #roomFor(name: string): RoomState {
    const room = this.#rooms.get(name)
    if (room !== undefined) return room
    if (this.#rooms.size >= MAX_ROOMS)
      throw new Refusal('TOO_MANY_ROOMS', `there are ${MAX_ROOMS} rooms already: use one of them`)
    return this.#add(name)
  }

  #add(name: string): RoomState {
    const room = new RoomState(name)
    this.#rooms.set(name, room)
    return room
  }
}

function hereIn(room: RoomState | undefined): readonly Presence[] {
  return room === undefined ? [] : [...room.here.values()]
}
