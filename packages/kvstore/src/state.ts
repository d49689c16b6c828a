/** The replicated state: a sorted map. */
import { inPieces } from '@synod/paxos'
import type { Command, State } from '@synod/paxos'
import sortedBTree from 'sorted-btree'
import { bulkLoad } from 'sorted-btree/extended/bulkLoad.js'
import sortedUnion from 'sorted-btree/extended/union.js'
import type { KvEvent, KvOp, KvOpOf, KvResult, KvResults, Pair } from './command.js'

// The package is CommonJS with default exports, which an ES module meets as members.
const BTree = sortedBTree.default
const union = sortedUnion.default
type Tree = InstanceType<typeof BTree<string, string>>

/** Pairs in a leaf of the tree. */
const LEAF = 32

/** A page of `list` or `keys` ends once it has this many bytes of UTF-8: so it has less than 1 MiB + 4 KiB more. */
const PAGE_BYTES = 2 * 1_048_576

/** The order of keys: by UTF-16 code units, as JavaScript compares strings; the same everywhere, whatever the locale. */
const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

type Emit = (event: KvEvent) => void

/**
 * Keys and values in a B+ tree: a page of `list` costs the page, however many keys there are; and a copy of the tree costs
 * nothing, but that each leaf is copied when it is changed for the first time after that.
 */
export class KvState implements State<KvOp, KvResult, KvEvent> {
  #tree = new BTree<string, string>(undefined, byCodeUnits, LEAF)

  execute(_slot: number, { op }: Command<KvOp>, emit: Emit): KvResult {
    switch (op.type) {
      case 'get':
        return { value: this.#tree.get(op.key) ?? null }
      case 'set':
        return { existed: this.#set(op.key, op.value, emit) }
      case 'delete':
        return { existed: this.#delete(op.key, emit) }
      case 'cas':
        return this.#cas(op, emit)
      case 'list': {
        const entries: Pair[] = []
        const next = this.#page(op, (key, value) => {
          entries.push([key, value])
          return Buffer.byteLength(key) + Buffer.byteLength(value)
        })
        return { entries, next }
      }
      case 'keys': {
        const keys: string[] = []
        const next = this.#page(op, (key) => {
          keys.push(key)
          return Buffer.byteLength(key)
        })
        return { keys, next }
      }
      case 'count':
        return { count: this.#count(op.prefix) }
    }
  }

  /** The pairs, in the order of their keys. */
  snapshot(): Iterable<Pair> {
    const tree = this.#tree.clone()
    return inPieces({ [Symbol.iterator]: () => tree.entries() })
  }

  /** Each piece becomes a tree, which is put behind those before: several times as fast as pair by pair. */
  restore(entries: Iterable<unknown>): void {
    const keys: string[] = []
    const values: string[] = []
    for (const entry of entries) {
      if (!isPair(entry)) throw new TypeError('an entry of a snapshot must be a pair of strings')
      keys.push(entry[0])
      values.push(entry[1])
    }
    this.#tree = union<Tree, string, string>(this.#tree, bulkLoad(keys, values, LEAF, byCodeUnits, 1), (key) => {
      throw new TypeError(`a snapshot must have each key once, and this one has ${JSON.stringify(key)} twice`)
    })
  }

  /** Answers whether there was a value before. */
  #set(key: string, value: string, emit: Emit): boolean {
    emit({ type: 'set', key, value })
    // BTree.set answers whether the key is new.
    return !this.#tree.set(key, value)
  }

  /** Answers whether there was such a key. Where there was none, nothing has changed, and nothing is told. */
  #delete(key: string, emit: Emit): boolean {
    const existed = this.#tree.delete(key)
    if (existed) emit({ type: 'delete', key })
    return existed
  }

  #cas({ key, expected, value }: KvOpOf<'cas'>, emit: Emit): KvResults['cas'] {
    const current = this.#tree.get(key) ?? null
    if (current !== expected) return { swapped: false, current }
    if (value === null) this.#delete(key, emit)
    else this.#set(key, value, emit)
    return { swapped: true }
  }

  /** Hands pairs to `take`, which answers their bytes, until the page is full. Returns the cursor behind it. */
  #page(
    { prefix, after, limit }: KvOpOf<'list' | 'keys'>,
    take: (key: string, value: string) => number,
  ): string | null {
    let taken = 0
    let bytes = 0
    let last: string | null = null
    const from = after !== null && after > prefix ? after : prefix
    for (const [key, value] of this.#tree.entries(from)) {
      if (key === after) continue
      if (!key.startsWith(prefix)) break
      if (taken === limit || bytes >= PAGE_BYTES) return last
      bytes += take(key, value)
      taken += 1
      last = key
    }
    return null
  }

  #count(prefix: string): number {
    const end = endOfPrefix(prefix)
    const high = end ?? this.#tree.maxKey()
    if (high === undefined || prefix > high) return 0
    // Without a callback whole nodes are counted at once.
    return this.#tree.forRange(prefix, high, end === null)
  }
}

/** The first string behind all that begin with the prefix; null if none is. */
function endOfPrefix(prefix: string): string | null {
  for (let at = prefix.length - 1; at >= 0; at -= 1) {
    const unit = prefix.charCodeAt(at)
    if (unit < 0xffff) return prefix.slice(0, at) + String.fromCharCode(unit + 1)
  }
  return null
}

function isPair(entry: unknown): entry is Pair {
  return Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'string'
}
