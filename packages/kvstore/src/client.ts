/** The store as an object with typed methods. */
import {
  ClientError,
  connect,
  FeedError,
  type Client,
  type Connectivity,
  type StaleRead,
  type SubscribeOptions,
} from '@synod/paxos'
import { MAX_PAGE, type KvEvent, type KvOp, type KvResult, type KvResults, type Pair } from './command.js'
import { kvstore } from './service.js'
import { KvWatch, pairsOf, type KvStateWatch } from './watch.js'

/** A server that does not say for this long how it stands is not asked for its state; ms. */
const STATUS_PATIENCE = 2_000
/** So often a state is asked for whose slot the feeds have passed already, before that is told. */
const DUMP_TRIES = 3

/** What {@link connectKvstore} needs. */
export interface KvClientOptions {
  /** Addresses as `host:port`, any of the cluster's servers. */
  readonly servers: readonly string[]
  /** How long a call may take before it fails with `TIMEOUT`, in ms. */
  readonly timeout?: number
  /** Hears when a server has been reached, and when it is out of reach again; nothing need be done. */
  readonly onConnection?: (connectivity: Connectivity) => void
}

/** A cut of the cluster's keys, in order. */
export interface RangeOptions {
  /** At most this many in all; by default there is no limit. */
  readonly limit?: number
  /** Starts behind this key. */
  readonly after?: string
}

/**
 * The store's operations. All are linearizable (but for {@link getStale}), and happen exactly once however often they had to
 * be sent. Those that only read (`get`, `list`, `keys`, `count`) are in no order with the others that are under way: await
 * the `set` before the `get` that is to see it. They fail with a `ClientError`: `BAD_OPERATION` for a key or value outside the limits, `TIMEOUT`, `UNAVAILABLE` and the like for a
 * cluster that does not answer; its `mayHaveHappened` tells whether the operation may take effect nevertheless.
 */
export class KvClient {
  constructor(readonly connection: Client<KvOp, KvResult, KvEvent>) {}

  /** The key's value; null if there is no such key. */
  async get(key: string): Promise<string | null> {
    return (await this.#submit({ type: 'get', key })).value
  }

  /**
   * The key's value as the server has it that this client is connected to, and the last slot that is in it: perhaps old, and
   * answered without a majority, too. Other operations that only read: `connection.readStale`.
   */
  async getStale(key: string): Promise<StaleRead<string | null>> {
    const { slot, value } = await this.connection.readStale({ type: 'get', key })
    return { slot, value: (value as KvResults['get']).value }
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

  /**
   * Every change of a key that begins with the prefix: from a slot on, or from now on. To go on behind a change that was
   * taken, begin with the slot after its own: a slot makes one change at most.
   */
  watch(prefix = '', options: SubscribeOptions = {}): KvWatch {
    return new KvWatch(this.connection.subscribe(options), prefix)
  }

  /**
   * The pairs whose keys begin with the prefix, as the foremost server has them, and every change since. Rejects with a
   * `ClientError` if no server answers, and with a `FeedError` if changes are dropped faster than a state can be asked for.
   */
  async watchState(prefix = ''): Promise<KvStateWatch> {
    for (let tries = 1; ; tries++) {
      const { slot, entries } = await this.connection.dump(await this.#foremost())
      const changes = this.watch(prefix, { from: slot + 1 })
      try {
        await changes.started
        return { slot, pairs: pairsOf(entries, prefix), changes }
      } catch (error) {
        if (!(error instanceof FeedError) || tries === DUMP_TRIES) throw error
      }
    }
  }

  async close(): Promise<void> {
    await this.connection.close()
  }

  /** The address of the server that has executed the most. */
  async #foremost(): Promise<string> {
    const answers = await this.connection.status(undefined, { timeout: STATUS_PATIENCE })
    const [first] = answers.toSorted((a, b) => (b.status?.applied ?? -1) - (a.status?.applied ?? -1))
    if (first?.status == null) throw first?.error ?? new ClientError('UNAVAILABLE', 'no server was reached')
    return first.address
  }

  #submit<Op extends KvOp>(op: Op): Promise<KvResults[Op['type']]> {
    // KvState answers each type of operation by its own type of result.
    return this.connection.submit(op) as Promise<KvResults[Op['type']]>
  }
}

/** Connects to a cluster of kvstore servers; it need not be up yet. */
export function connectKvstore(options: KvClientOptions): KvClient {
  return new KvClient(connect(kvstore, options))
}
