/** A replicated, linearizable key-value store. */
export { connectKvstore, KvClient } from './client.js'
export type { KvClientOptions, RangeOptions } from './client.js'
export type { KvChange, KvStateWatch, KvWatch } from './watch.js'
export { kvOpSchema, MAX_KEY_BYTES, MAX_PAGE, MAX_VALUE_BYTES } from './command.js'
export type { KvEvent, KvOp, KvOpOf, KvResult, KvResults, Pair } from './command.js'
export { kvstore } from './service.js'
export { KvState } from './state.js'
