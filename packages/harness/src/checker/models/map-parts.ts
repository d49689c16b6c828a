/** Which operations on a map can be judged without the others. */
import type { Operation, Part } from '../model.js'

type Key = string | null

/** Reads that lists are taken apart into, at most: an aid, as what the lists say together is judged in any case. */
const MAX_READS = 1_000_000

/**
 * Each key by itself; and together those that a list or a count sees together. As a list reads each of its keys, it is
 * among a key's operations too, as a read.
 */
export function mapParts(operations: readonly Operation[]): readonly Part[] {
  const ranges = operations.filter(isRange)
  const groups = new Groups(ranges.map(({ key }) => key ?? ''))
  const keys = ranges.length === 0 ? [] : [...keysOf(operations)]
  const isFew = ranges.length * keys.length <= MAX_READS
  const byKey = new Map<Key, Operation[]>()
  const byGroup = new Map<string, Operation[]>()
  for (const operation of operations) {
    const group = operation.key === null && !isRange(operation) ? null : groups.of(operation.key ?? '')
    if (group !== null) push(byGroup, group, operation)
    if (!isRange(operation)) push(byKey, operation.key, operation)
    else if (operation.f === 'list' && isFew) {
      for (const read of readsOf(operation, keys)) push(byKey, read.key, read)
    }
  }
  const parts = [...byKey].map(([key, its]): Part => ({ key, operations: its }))
  return [...parts, ...[...byGroup.values()].map((its): Part => ({ key: null, operations: its }))]
}

function isRange({ f }: Operation): boolean {
  return f === 'list' || f === 'count'
}

/** Prefixes of which none begins with another: what begins with one is a group. */
class Groups {
  readonly #prefixes: string[] = []

  constructor(prefixes: readonly string[]) {
    for (const prefix of [...new Set(prefixes)].sort()) {
      const last = this.#prefixes.at(-1)
      if (last === undefined || !prefix.startsWith(last)) this.#prefixes.push(prefix)
    }
  }

  /** The prefix of the key's group; null if it is in none. */
  of(key: string): string | null {
    let low = 0
    let high = this.#prefixes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#prefixes[middle] ?? '') <= key) low = middle + 1
      else high = middle
    }
    const prefix = this.#prefixes[low - 1]
    return prefix !== undefined && key.startsWith(prefix) ? prefix : null
  }
}

/** All keys that an operation names or found, except the one without a name. */
function keysOf(operations: readonly Operation[]): Set<string> {
  const keys = new Set<string>()
  for (const operation of operations) {
    if (operation.f === 'list') for (const [key] of pairsOf(operation)) keys.add(key)
    else if (operation.f !== 'count' && operation.key !== null) keys.add(operation.key)
  }
  return keys
}

function readsOf(list: Operation, keys: readonly string[]): Operation[] {
  const found = new Map(pairsOf(list))
  return keys
    .filter((key) => key.startsWith(list.key ?? ''))
    .map((key) => ({ ...list, f: 'read', key, argument: null, result: found.get(key) ?? null }))
}

function pairsOf({ result }: Operation): readonly (readonly [string, unknown])[] {
  return result as readonly (readonly [string, unknown])[]
}

function push<K>(map: Map<K, Operation[]>, key: K, operation: Operation): void {
  const operations = map.get(key)
  if (operations === undefined) map.set(key, [operation])
  else operations.push(operation)
}
