/** The store, as a service of Synod. */
import { defineService } from '@synod/paxos'
import { kvOpSchema, type KvOp } from './command.js'
import { KvState } from './state.js'

/** Operations that change nothing. */
const READS: ReadonlySet<KvOp['type']> = new Set(['get', 'list', 'keys', 'count'])

/** A replicated, linearizable key-value store: give it to `serve` and `connect` of `@synod/paxos`. */
export const kvstore = defineService({
  name: 'kvstore',
  op: kvOpSchema,
  state: () => new KvState(),
  readOnly: ({ type }) => READS.has(type),
})
