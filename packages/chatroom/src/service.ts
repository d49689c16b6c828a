/** The chatroom, as a service of Synod. */
import { defineService } from '@synod/paxos'
import { chatOpSchema } from './command.js'
import type { ChatEvent, ChatResult } from './command.js'
import { ChatState } from './state.js'

/** Who has lost the connection for this long is not in the rooms any more; ms. */
const SESSION_TTL = 10_000

/** Rooms with messages, and with people in them: give it to `serve` and `connect` of `@synod/paxos`. */
export const chatroom = defineService<typeof chatOpSchema, ChatResult, ChatEvent>({
  name: 'chatroom',
  op: chatOpSchema,
  state: () => new ChatState(),
  sessionTtl: SESSION_TTL,
})
