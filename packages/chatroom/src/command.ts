/** The chatroom's operations, and what each answers. */
import { z } from 'zod'

/** Characters (UTF-16 code units) that an author's name may have; at least 1. */
export const MAX_AUTHOR = 64
/** Characters (UTF-16 code units) that a message may have; at least 1. */
export const MAX_TEXT = 4096
/** Messages that one `read` answers at most. */
export const MAX_PAGE = 100

const text = (what: string, max: number) =>
  z
    .string({ error: `${what} must be a string` })
    .min(1, `${what} must not be empty`)
    .max(max, `${what} must have at most ${max} characters`)
    .refine((value) => value.isWellFormed(), `${what} must be well-formed Unicode, without lone surrogates`)

/**
 * One operation on the room.
 * - `post`: adds a message behind all others.
 * - `read`: up to {@link MAX_PAGE} messages in order, from number `from` on.
 */
export const chatOpSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('post'),
    author: text('an author', MAX_AUTHOR),
    text: text('a message', MAX_TEXT),
  }),
  z.strictObject({ type: z.literal('read'), from: z.int().min(1, 'messages are numbered from 1') }),
])

export type ChatOp = z.output<typeof chatOpSchema>

/** A message of the room. */
export interface ChatMessage {
  /** Its place in the room, from 1, without gaps. */
  readonly number: number
  readonly author: string
  readonly text: string
}

/** `post` answers the new message's number, `read` the messages, and how many there are in all. */
export type ChatResult =
  { readonly number: number } | { readonly messages: readonly ChatMessage[]; readonly total: number }
