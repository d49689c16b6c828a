/**
 * The chatroom as somebody sees it who is in some of its rooms: kept up to date by one feed, whatever becomes of the
 * servers. Runs in browsers, too: it imports nothing of Node's.
 */
import type { ChatClient } from '../client.js'
import type { ChatEvent, RoomSummary } from '../command.js'
import { isSettled, type Draft, type Me, type Unsent } from './outbox.js'
import { codeOf, mayPass, Patience } from './patience.js'
import { Room, type RoomChange } from './room.js'

/** What became different. */
export type ChatChange =
  | RoomChange
  /** The list of rooms, or what it says of one, by this event; null: it was read. */
  | { readonly type: 'rooms'; readonly event: ChatEvent | null }
  /** The cluster gave no answer; it is asked again. */
  | { readonly type: 'trouble'; readonly room: null; readonly error: Error }

export class Chat {
  readonly #client: ChatClient
  readonly #me: { name: string; readonly key: string }
  readonly #tell: (change: ChatChange) => void
  readonly #patience = new Patience()
  /** Those that one is in, and those into which something is on its way. */
  readonly #held = new Map<string, Room>()
  #rooms = new Map<string, RoomSummary>()
  #feed: { close(): void } | null = null
  #isClosed = false

  /** @param tell hears of every change, when it has been made; it must not throw */
  constructor(client: ChatClient, me: Me, tell: (change: ChatChange) => void) {
    this.#client = client
    this.#me = { ...me }
    this.#tell = tell
    void this.#run()
  }

  /** All rooms, in the order of their names. */
  get rooms(): readonly RoomSummary[] {
    return [...this.#rooms.values()].sort((a, b) => (a.room < b.room ? -1 : 1))
  }

  /** The rooms that one is in, or on the way into. */
  get entered(): readonly Room[] {
    return [...this.#held.values()].filter((room) => !room.isLeft)
  }

  /** One's own messages that have no outcome yet, in all rooms, those that one has left included. */
  get unsent(): readonly (readonly [room: string, unsent: Unsent])[] {
    return [...this.#held.values()].flatMap(({ name, unsent }) => {
      return unsent.flatMap((each) => (isSettled(each) ? [] : [[name, each] as const]))
    })
  }

  /** How many they are. */
  get pending(): number {
    return [...this.#held.values()].reduce((pending, room) => pending + room.pending, 0)
  }

  /** Joins a room, which comes into being if need be; `opened` tells when it was read. */
  enter(name: string): Room {
    const room = this.#room(name)
    if (!room.isLeft) return room
    room.enter()
    // Not before the feed has begun: nothing must happen between what is read and what it tells.
    if (this.#feed !== null) void room.load()
    return room
  }

  /** Writes a message into a room that one need not be in. See {@link Room.post}. */
  post(name: string, text: string, draft?: Draft): Unsent {
    return this.#room(name).post(text, draft)
  }

  /** Leaves a room. What was written in it goes its way. Rejects as `ChatClient.leave` does; one is out of it anyhow. */
  async leave(room: Room): Promise<void> {
    room.leave()
    if (room.pending === 0) this.#held.delete(room.name)
    await this.#client.leave(room.name)
  }

  /** From now on one has this name, in all rooms. */
  rename(name: string): void {
    this.#me.name = name
    for (const room of this.#held.values()) void room.rejoin()
  }

  /** There is a connection again: what waits for another try is tried now. */
  hurry(): void {
    this.#patience.hurry()
    for (const room of this.#held.values()) room.hurry()
  }

  /** Ends the view: nothing is sent or told any more. The client stays open. */
  close(): void {
    this.#isClosed = true
    this.#patience.hurry()
    this.#feed?.close()
    for (const room of this.#held.values()) room.close()
  }

  #room(name: string): Room {
    const room = this.#held.get(name) ?? new Room(this.#client, name, this.#me, this.#tell)
    this.#held.set(name, room)
    return room
  }

  async #run(): Promise<void> {
    const isOver = (): boolean => this.#isClosed
    while (!isOver()) {
      try {
        await this.#follow()
      } catch (error) {
        if (isOver() || codeOf(error) === 'CLOSED') return
        if (!(error instanceof Error) || codeOf(error) === '') throw error
        // Else the feed has lost events: it begins anew.
        if (mayPass(error)) this.#tell({ type: 'trouble', room: null, error })
        await this.#patience.wait()
      }
    }
  }

  /** Reads what is there, and follows the feed from there on, until it ends. */
  async #follow(): Promise<void> {
    this.#feed = null
    const { slot, rooms } = await this.#client.rooms()
    if (this.#isClosed) return
    this.#rooms = new Map(rooms.map((each) => [each.room, each]))
    this.#tell({ type: 'rooms', event: null })
    const feed = this.#client.connection.subscribe({ from: slot + 1 })
    this.#feed = feed
    for (const room of this.#held.values()) if (!room.isLeft) void room.load()
    for await (const { slot, value } of feed) {
      this.#patience.worked()
      this.#count(slot, value)
      this.#apply(slot, value)
    }
  }

  /** What the event means for the list of rooms. */
  #count(slot: number, event: ChatEvent): void {
    const { room, last, here } = this.#rooms.get(event.room) ?? { room: event.room, last: 0, here: 0 }
    if (event.type === 'posted') this.#rooms.set(room, { room, last: event.message.number, here })
    else if (event.type === 'left' && last === 0 && here <= 1) this.#rooms.delete(room)
    else if (event.type === 'left') this.#rooms.set(room, { room, last, here: here - 1 })
    // A stay has the number of the slot in which it began; else it is another name for one.
    else if (event.type === 'joined' && event.who.id === slot) this.#rooms.set(room, { room, last, here: here + 1 })
    else return
    this.#tell({ type: 'rooms', event })
  }

  #apply(slot: number, event: ChatEvent): void {
    const room = this.#held.get(event.room)
    room?.apply(slot, event)
    if (room?.isLeft === true && room.pending === 0) this.#held.delete(room.name)
  }
}
