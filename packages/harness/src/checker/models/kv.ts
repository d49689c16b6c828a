/** A map: keys that have a value or none. */
import type { Model, Operation } from '../model.js'
import { MapMachine } from './map-machine.js'
import { mapParts } from './map-parts.js'
import { isSame, show, textOf } from './values.js'

type Key = string | null

/** Only the keys that have a value. */
type Pairs = ReadonlyMap<Key, unknown>

/**
 * A key-value store: `read`, `write`, `cas` and `delete` of a key (null: the only one, without a name); `list` and
 * `count` of all keys that begin with `key`.
 */
export const kvModel: Model<Pairs> = {
  name: 'kv',
  initial: new Map(),
  step,
  id: (pairs) =>
    textOf([...pairs].map(([key, value]) => [key ?? 0, value]).sort(([a], [b]) => (textOf(a) < textOf(b) ? -1 : 1))),
  partition: (operations) => mapParts(operations.filter(({ f }) => f !== 'stale')),
  show: (pairs, { f, key }) => {
    if (f === 'list') return show(listed(pairs, key ?? ''))
    return f === 'count' ? String(listed(pairs, key ?? '').length) : show(pairs.get(key) ?? null)
  },
  misfit,
  machine: (operations, exact) => new MapMachine(operations, exact),
}

/** `stale` reads say nothing of now: they are judged by the slot that they name. */
const KINDS: ReadonlySet<string> = new Set(['read', 'write', 'cas', 'delete', 'list', 'count', 'stale'])

function step(pairs: Pairs, { f, key, argument, outcome, result }: Operation): Pairs | null {
  const isKnown = outcome !== 'info'
  switch (f) {
    case 'write':
      return having(pairs, key, argument)
    case 'delete':
      return having(pairs, key, null)
    case 'cas': {
      const [old, made] = argument as readonly [unknown, unknown]
      const swaps = isSame(pairs.get(key) ?? null, old)
      if (isKnown && swaps !== (outcome === 'ok')) return null
      return swaps ? having(pairs, key, made) : pairs
    }
    case 'read':
      return isKnown && !isSame(pairs.get(key) ?? null, result) ? null : pairs
    case 'list':
      return isKnown && !isSame(listed(pairs, key ?? ''), result) ? null : pairs
    case 'count':
      return isKnown && listed(pairs, key ?? '').length !== result ? null : pairs
    default:
      return null
  }
}

function having(pairs: Pairs, key: Key, value: unknown): Pairs {
  const next = new Map(pairs)
  if (value === null) next.delete(key)
  else next.set(key, value)
  return next
}

/** The pairs whose keys begin with the prefix, in the order of their UTF-16 code units. */
function listed(pairs: Pairs, prefix: string): (readonly [string, unknown])[] {
  const found = [...pairs].flatMap(([key, value]) => (key?.startsWith(prefix) ? [[key, value] as const] : []))
  return found.sort(([a], [b]) => (a < b ? -1 : 1))
}

function misfit({ f, result }: Operation): string | null {
  if (!KINDS.has(f)) return `a key-value store has no ${f}`
  if (f === 'count' && !Number.isSafeInteger(result)) return 'value: of a count must be how many keys there are'
  if (f === 'list' && !isPairs(result)) return 'value: of a list must be pairs of a key and a value'
  return null
}

function isPairs(value: unknown): boolean {
  if (!Array.isArray(value)) return false
  return value.every(
    (pair: unknown) => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string' && pair[1] != null,
  )
}
