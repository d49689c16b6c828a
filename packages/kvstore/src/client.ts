/** The store as an object with typed methods. */
import { connect, type Client } from '@synod/paxos'
import { MAX_PAGE, type KvOp, type KvResult, type KvResults, type Pair } from './command.js'
import { kvstore } from './service.js'

/** What {@link connectKvstore} needs. */
export interface KvClientOptions {
  /** Addresses as `host:port`, any of the cluster's servers. */
  readonly servers: readonly string[]
  /** How long a call may take before it fails with `TIMEOUT`, in ms. */
  readonly timeout?: number
}

/** A cut of the cluster's keys, in order. */
export interface RangeOptions {
  /** At most this many in all; by default there is no limit. */
  readonly limit?: number
  /** Starts behind this key. */
  readonly after?: string
}

/**
 * The store's operations. All are linearizable, and happen exactly once however often they had to be sent. They fail with
 * a `ClientError`: `BAD_OPERATION` for a key or value outside the limits, `TIMEOUT`, `UNAVAILABLE` and the like for a
 * cluster that does not answer; its `mayHaveHappened` tells whether the operation may take effect nevertheless.
 */
export class KvClient {
  constructor(readonly connection: Client<KvOp, KvResult>) {}

  /** The key's value; null if there is no such key. */
  async get(key: string): Promise<string | null> {
    return (await this.#submit({ type: 'get', key })).value
  }

  set(key: string, value: string): Promise<KvResults['set']> {
    return this.#submit({ type: 'set', key, value })
  }

  delete(key: string): Promise<KvResults['delete']> {
    return this.#submit({ type: 'delete', key })
  }

  /** Makes the value `value` (null: deletes the key) if it is `expected` (null: the key is absent). */
  cas(key: string, expected: string | null, value: string | null): Promise<KvResults['cas']> {
    return this.#submit({ type: 'cas', key, expected, value })
  }

  /** How many keys begin with the prefix. */
  async count(prefix = ''): Promise<number> {
    return (await this.#submit({ type: 'count', prefix })).count
  }

  /** The pairs whose keys begin with the prefix. Each page is one linearizable read; the whole is not. */
  async *list(prefix = '', { limit = Infinity, after }: RangeOptions = {}): AsyncGenerator<Pair> {
    let cursor = after ?? null
    let left = limit
    while (left > 0) {
      const page = await this.#submit({ type: 'list', prefix, after: cursor, limit: Math.min(left, MAX_PAGE) })
      yield* page.entries
      if (page.next === null) return
      left -= page.entries.length
      cursor = page.next
    }
  }

  /** As {@link list}, but only the keys. */
  async *keys(prefix = '', { limit = Infinity, after }: RangeOptions = {}): AsyncGenerator<string> {
    let cursor = after ?? null
    let left = limit
    while (left > 0) {
      const page = await this.#submit({ type: 'keys', prefix, after: cursor, limit: Math.min(left, MAX_PAGE) })
      yield* page.keys
      if (page.next === null) return
      left -= page.keys.length
      cursor = page.next
    }
  }

  async close(): Promise<void> {
    await this.connection.close()
  }

  async #submit<Op extends KvOp>(op: Op): Promise<KvResults[Op['type']]> {
    const result: KvResult = await this.connection.submit(op)
    // KvState answers each type of operation by its own type of result.
    return result as KvResults[Op['type']]
  }
}

/** Connects to a cluster of kvstore servers; it need not be up yet. */
export function connectKvstore(options: KvClientOptions): KvClient {
  return new KvClient(connect(kvstore, options))
}
