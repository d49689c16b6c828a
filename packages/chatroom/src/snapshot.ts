/** What a snapshot of the chatroom consists of. */
import { z } from 'zod'
import type { RoomView } from './room-state.js'

const message = z.strictObject({
  number: z.int(),
  author: z.string(),
  text: z.string(),
  at: z.int(),
  edits: z.int(),
  deleted: z.boolean(),
  nonce: z.string().exactOptional(),
})

/**
 * One value of a snapshot. A `room` stands before its messages, which come in their order, and the `stay`s of those who are in
 * it, in the order in which they began. Keys and client ids are here, so a snapshot is not for everybody's eyes.
 */
export const chatEntrySchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('room'), room: z.string() }),
  z.strictObject({ type: z.literal('message'), room: z.string(), key: z.string(), message }),
  z.strictObject({
    type: z.literal('stay'),
    room: z.string(),
    clientId: z.string(),
    id: z.int(),
    name: z.string(),
  }),
])

export type ChatEntry = z.output<typeof chatEntrySchema>

/** The snapshot of these rooms, in their order. */
export function* entriesOf(rooms: readonly RoomView[]): Generator<ChatEntry> {
  for (const { name: room, messages, here } of rooms) {
    yield { type: 'room', room }
    for (const { key, message } of messages.values()) yield { type: 'message', room, key, message }
    for (const [clientId, { id, name }] of here) yield { type: 'stay', room, clientId, id, name }
  }
}
