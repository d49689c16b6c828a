/** The chatroom, as a service of Synod. */
import { defineService } from '@synod/paxos'
import { chatOpSchema } from './command.js'
import { ChatState } from './state.js'

/** One room that everyone writes to: give it to `serve` and `connect` of `@synod/paxos`. */
export const chatroom = defineService({ name: 'chatroom', op: chatOpSchema, state: () => new ChatState() })
