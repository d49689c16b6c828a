/** The changes of the store, as its clients hear of them. */
import type { Feed } from '@synod/paxos'
import type { KvEvent, Pair } from './command.js'

/** A change: what it was, and the slot that made it. ⟨slot, index⟩ is the same on all servers. */
export type KvChange = KvEvent & { readonly slot: number; readonly index: number }

/**
 * The changes of keys that begin with a prefix, as they are decided, each once, across the failures of servers. Can be read
 * once, by one reader. A slow reader is waited for as long as the servers keep what it has not taken; then it ends with a
 * `FeedError`: `LAGGED`, or `COMPACTED` if it never began. Its `slot` is the first one that can still be had.
 */
export class KvWatch implements AsyncIterable<KvChange> {
  readonly #feed: Feed<KvEvent>
  readonly #prefix: string

  /** @internal Use {@link KvClient.watch}. */
  constructor(feed: Feed<KvEvent>, prefix: string) {
    this.#feed = feed
    this.#prefix = prefix
  }

  /** The first slot whose changes come. Resolves when a server has begun to send them; rejects if it never will. */
  get started(): Promise<number> {
    return this.#feed.started
  }

  /** Ends it; a reader that waits gets no more changes. */
  close(): void {
    this.#feed.close()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<KvChange> {
    for await (const { slot, index, value } of this.#feed) {
      if (value.key.startsWith(this.#prefix)) yield { slot, index, ...value }
    }
  }
}

/** The store at one slot, and what changes from there on: without a gap, and without a repeat. */
export interface KvStateWatch {
  /** The last slot that is in the pairs. */
  readonly slot: number
  /** The pairs at that slot, in the order of their keys. Can be read once; before the changes, which wait meanwhile. */
  readonly pairs: AsyncIterable<Pair>
  /** Every change behind that slot. */
  readonly changes: KvWatch
}

/** Of a dump, the pairs whose keys begin with the prefix. They come in the order of their keys. */
export async function* pairsOf(dump: AsyncIterable<unknown>, prefix: string): AsyncGenerator<Pair> {
  for await (const entry of dump) {
    // A dump is what KvState.snapshot yields.
    const pair = entry as Pair
    if (pair[0].startsWith(prefix)) yield pair
    else if (pair[0] > prefix) return
  }
}
