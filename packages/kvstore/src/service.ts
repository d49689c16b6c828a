/** The store, as a service of Synod. */
import { defineService } from '@synod/paxos'
import { kvOpSchema } from './command.js'
import { KvState } from './state.js'

/** A replicated, linearizable key-value store: give it to `serve` and `connect` of `@synod/paxos`. */
export const kvstore = defineService({ name: 'kvstore', op: kvOpSchema, state: () => new KvState() })
