/** The chatroom, as a service of Synod. */
import { defineService } from '@synod/paxos'
import { chatOpSchema } from './command.js'
import type { ChatEvent, ChatOp, ChatResult } from './command.js'
import { ChatState } from './state.js'

/** Who has lost the connection for this long is not in the rooms any more; ms. */
const SESSION_TTL = 10_000

/** Operations that change nothing. */
const READS: ReadonlySet<ChatOp['type']> = new Set(['read', 'rooms', 'who'])

/** Rooms with messages, and with people in them: give it to `serve` and `connect` of `@synod/paxos`. */
export const chatroom = defineService<typeof chatOpSchema, ChatResult, ChatEvent>({
  name: 'chatroom',
  op: chatOpSchema,
  state: () => new ChatState(),
  readOnly: ({ type }) => READS.has(type),
  sessionTtl: SESSION_TTL,
})
