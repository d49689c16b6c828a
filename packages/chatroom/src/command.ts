/** The chatroom's operations, what each answers, and the events by which clients hear of them. */
import { z } from 'zod'

/** The room of whoever names none. */
export const LOBBY = 'lobby'
/** Characters (UTF-16 code units) that the name of a person or a room may have; at least 1. */
export const MAX_NAME = 64
/** Characters (UTF-16 code units) that a message may have; at least 1. */
export const MAX_TEXT = 16_384
/** Messages that one `read` answers at most. A page also ends once its texts have {@link PAGE_TEXT} characters. */
export const MAX_PAGE = 100
/** See {@link MAX_PAGE}: characters (UTF-16 code units). One message at least is answered. */
export const PAGE_TEXT = 262_144
/** Rooms that there may be. A room comes with its first message, or with the first who joins; without a message it goes with the last. */
export const MAX_ROOMS = 1_000
/** Messages that a room keeps: past that the oldest are forgotten. */
export const MAX_MESSAGES = 100_000
/** Rooms that one session may be in at a time. */
export const MAX_JOINED = 20
/** Sessions that one room may hold at a time. */
export const MAX_HERE = 5_000

const text = (what: string, max: number) =>
  z
    .string({ error: `${what} must be a string` })
    .min(1, `${what} must not be empty`)
    .max(max, `${what} must have at most ${max} characters`)
    .refine((value) => value.isWellFormed(), `${what} must be well-formed Unicode, without lone surrogates`)

const name = (what: string) =>
  text(what, MAX_NAME)
    .refine((value) => !/\p{Cc}/u.test(value), `${what} must have no control characters`)
    .refine((value) => value.trim() === value, `${what} must not begin or end with a space`)

const room = name('the name of a room')
const number = z.int('a message is named by its number').min(1, 'messages are numbered from 1')
const hex = (what: string) => z.string().regex(/^[0-9a-f]{32}$/, `${what} is 32 hexadecimal digits`)
/** What the author keeps for himself, and shows to edit or delete. */
const key = hex('a key')
/** Drawn anew for each message by its author, who knows it again by that. */
const nonce = hex('a nonce')

/**
 * One operation.
 * - `post`: adds a message behind all others of the room. `at`: when, by the author's clock (ms since the epoch), for people.
 *   `nonce`: if the room has a message of this key and nonce already, that is the message, and no other is added: so a post
 *   whose outcome is unknown can be sent again, in any session. `follows`: the nonce of a message with the same key; it is
 *   refused with `OUT_OF_ORDER` unless the room has that: so many may be under way and come in the order of their author.
 * - `read`: messages of a room in order: the latest; or the latest before number `before`; or the first after number `after`.
 * - `rooms`: all rooms, in the order of their names.
 * - `edit`, `delete`: of one's own message, as the key shows. A deleted message keeps its number.
 * - `join`, `leave`: this session is in the room, under a name; until it leaves or ends. Joining again changes the name.
 * - `who`: who is in a room.
 */
export const chatOpSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('post'),
    room,
    author: name('an author'),
    key,
    text: text('a message', MAX_TEXT),
    at: z.int().min(0),
    nonce: nonce.optional(),
    follows: nonce.optional(),
  }),
  z
    .strictObject({
      type: z.literal('read'),
      room,
      limit: z.int().min(1).max(MAX_PAGE),
      before: number.optional(),
      after: z.int().min(0).optional(),
    })
    .refine(({ before, after }) => before === undefined || after === undefined, 'give "before" or "after", not both'),
  z.strictObject({ type: z.literal('rooms') }),
  z.strictObject({ type: z.literal('edit'), room, number, key, text: text('a message', MAX_TEXT) }),
  z.strictObject({ type: z.literal('delete'), room, number, key }),
  z.strictObject({ type: z.literal('join'), room, name: name('your name') }),
  z.strictObject({ type: z.literal('leave'), room }),
  z.strictObject({ type: z.literal('who'), room }),
])

export type ChatOp = z.output<typeof chatOpSchema>
export type ChatOpOf<Type extends ChatOp['type']> = Extract<ChatOp, { type: Type }>

/** A message of a room. */
export interface ChatMessage {
  /** Its place in the room, from 1, without gaps. */
  readonly number: number
  readonly author: string
  /** Empty if it was deleted. */
  readonly text: string
  /** When it was posted, by its author's clock: ms since the epoch. */
  readonly at: number
  /** How often it was edited. */
  readonly edits: number
  readonly deleted: boolean
  /** What its author gave it. */
  readonly nonce?: string
}

/** Somebody who is in a room. */
export interface Presence {
  /** Names this stay, and no other: the slot in which it began. */
  readonly id: number
  readonly name: string
}

/** A room, as `rooms` tells of it. */
export interface RoomSummary {
  readonly room: string
  /** The last message's number; 0 if there is none. */
  readonly last: number
  /** How many sessions are in it. */
  readonly here: number
}

/**
 * What each operation answers. `slot` is the one in which it was executed; of `read`, `rooms` and `who` the last that had been:
 * a feed from the slot after tells what happened since. `edit`, `delete` are refused with `NO_MESSAGE`, `NOT_YOURS` or `DELETED`; `post` and `join` with `TOO_MANY_ROOMS`,
 * `post` with `OUT_OF_ORDER`, `join` with `TOO_MANY_JOINED` or `ROOM_FULL`.
 */
export interface ChatResults {
  readonly post: { readonly slot: number; readonly number: number }
  /** `first`: the oldest message that the room keeps; `last`: its latest. Without any they are 1 and 0. */
  readonly read: {
    readonly slot: number
    readonly messages: readonly ChatMessage[]
    readonly first: number
    readonly last: number
  }
  readonly rooms: { readonly slot: number; readonly rooms: readonly RoomSummary[] }
  readonly edit: { readonly slot: number; readonly message: ChatMessage }
  readonly delete: { readonly slot: number; readonly message: ChatMessage }
  readonly join: { readonly slot: number; readonly id: number; readonly here: readonly Presence[] }
  readonly leave: { readonly slot: number; readonly left: boolean }
  readonly who: { readonly slot: number; readonly here: readonly Presence[] }
}

export type ChatResult = ChatResults[ChatOp['type']]

/**
 * What is told to all who subscribe. `changed`: a message was edited or deleted. `joined` with the id of one who is in the
 * room already: they have another name now.
 */
export type ChatEvent =
  | { readonly type: 'posted'; readonly room: string; readonly message: ChatMessage }
  | { readonly type: 'changed'; readonly room: string; readonly message: ChatMessage }
  | { readonly type: 'joined'; readonly room: string; readonly who: Presence }
  | { readonly type: 'left'; readonly room: string; readonly who: Presence }
