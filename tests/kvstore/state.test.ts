import t from 'tap'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { isInPieces } from '@synod/paxos/internal/service/service'
import type { KvEvent, KvOp, KvOpOf, KvResults, Pair } from '@synod/kvstore/internal/command'
import { KvState } from '@synod/kvstore/internal/state'

function execute<Op extends KvOp>(state: KvState, op: Op, events: KvEvent[] = []): KvResults[Op['type']] {
  return state.execute(1, { clientId: 'someone', op }, (event) => events.push(event)) as KvResults[Op['type']]
}

/** The same operations over a plain Map: slow, and plainly right. */
class Model {
  readonly map = new Map<string, string>()

  execute(op: KvOp): KvResults[KvOp['type']] {
    const { map } = this
    switch (op.type) {
      case 'get':
        return { value: map.get(op.key) ?? null }
      case 'set': {
        const existed = map.has(op.key)
        map.set(op.key, op.value)
        return { existed }
      }
      case 'delete':
        return { existed: map.delete(op.key) }
      case 'cas': {
        const current = map.get(op.key) ?? null
        if (current !== op.expected) return { swapped: false, current }
        if (op.value === null) map.delete(op.key)
        else map.set(op.key, op.value)
        return { swapped: true }
      }
      case 'list':
      case 'keys': {
        const all = this.sorted().filter(([key]) => key.startsWith(op.prefix) && (op.after === null || key > op.after))
        const entries = all.slice(0, op.limit)
        const next = entries.length < all.length ? (entries.at(-1)?.[0] ?? null) : null
        return op.type === 'list' ? { entries, next } : { keys: entries.map(([key]) => key), next }
      }
      case 'count':
        return { count: this.sorted().filter(([key]) => key.startsWith(op.prefix)).length }
    }
  }

  sorted(): Pair[] {
    // The default order of sort() is that of UTF-16 code units.
    return [...this.map.keys()].sort().map((key) => [key, this.map.get(key) ?? ''])
  }
}

const ALPHABET = ['a', 'b', 'ab', 'é', '😀', '\uffff', '\ue000', '__proto__', 'constructor', '\u0000', '/']

function randomKey(prng: Prng): string {
  return Array.from({ length: 1 + prng.below(3) }, () => prng.pick(ALPHABET)).join('')
}

function randomOp(prng: Prng): KvOp {
  const key = randomKey(prng)
  const value = prng.pick(['', 'x', 'y', 'toString'])
  const prefix = prng.chance(0.3) ? '' : prng.pick([key, key.slice(0, 1), '\uffff', '\uffff\uffff'])
  switch (prng.below(8)) {
    case 0:
      return { type: 'get', key }
    case 1:
      return { type: 'delete', key }
    case 2:
      return { type: 'cas', key, expected: prng.pick([null, value, 'x']), value: prng.pick([null, value]) }
    case 3:
      return { type: 'list', prefix, after: prng.chance(0.5) ? randomKey(prng) : null, limit: 1 + prng.below(9) }
    case 4:
      return { type: 'keys', prefix, after: prng.chance(0.5) ? randomKey(prng) : null, limit: 1 + prng.below(9) }
    case 5:
      return { type: 'count', prefix }
    default:
      return { type: 'set', key, value }
  }
}

/** Cut at random places, some pieces empty. */
function* piecesOf(prng: Prng, pairs: readonly Pair[]): Generator<readonly Pair[]> {
  for (let at = 0; at < pairs.length;) {
    const to = at + prng.below(2 + prng.below(pairs.length))
    yield pairs.slice(at, to)
    at = to
  }
}

t.test('random operations answer as a plain Map would, and snapshots carry the state over', (t) => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const prng = new Prng(seed)
    const model = new Model()
    let state = new KvState()
    for (let step = 0; step < 1000; step += 1) {
      const op = randomOp(prng)
      const [found, wanted] = [execute(state, op), model.execute(op)]
      if (JSON.stringify(found) !== JSON.stringify(wanted)) {
        t.strictSame(found, wanted, `seed ${seed}, step ${step}: ${JSON.stringify(op)}`)
        t.end()
        return
      }
      if (step % 250 === 249) {
        const restored = new KvState()
        for (const piece of piecesOf(prng, structuredClone([...state.snapshot()]))) restored.restore(piece)
        state = restored
      }
    }
    t.strictSame([...state.snapshot()], model.sorted(), `seed ${seed}: the same pairs, in order`)
  }
  t.end()
})

t.test('the events of random operations are all that is needed to follow the state', (t) => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const prng = new Prng(seed)
    const state = new KvState()
    const follower = new Map<string, string>()
    for (let step = 0; step < 300; step += 1) {
      const before = [...state.snapshot()]
      const op = randomOp(prng)
      const events: KvEvent[] = []
      execute(state, op, events)
      for (const event of events) {
        if (event.type === 'set') follower.set(event.key, event.value)
        else t.ok(follower.delete(event.key), 'only what is there is deleted')
      }
      const after = [...state.snapshot()]
      const isChanged = JSON.stringify(before) !== JSON.stringify(after)
      if (isChanged && events.length !== 1) t.fail(`seed ${seed}, step ${step}: ${events.length} events of one change`)
    }
    t.strictSame(new Map(state.snapshot()), follower, `seed ${seed}: the same pairs`)
  }
  t.end()
})

t.test('every change has its event, and what changes nothing has none', (t) => {
  const state = new KvState()
  const events = (op: KvOp): KvEvent[] => {
    const found: KvEvent[] = []
    execute(state, op, found)
    return found
  }
  const set = (value: string): KvEvent => ({ type: 'set', key: 'k', value })
  const gone: KvEvent = { type: 'delete', key: 'k' }
  const cas = (expected: string | null, value: string | null): KvEvent[] =>
    events({ type: 'cas', key: 'k', expected, value })
  t.strictSame(events({ type: 'delete', key: 'k' }), [], 'there is no such key')
  t.strictSame(cas(null, null), [], 'absent before and after')
  t.strictSame(cas('a', 'b'), [], 'not swapped')
  t.strictSame(cas(null, 'a'), [set('a')])
  t.strictSame(cas('a', 'b'), [set('b')])
  t.strictSame(events({ type: 'set', key: 'k', value: 'b' }), [set('b')], 'the same value, set again')
  t.strictSame(cas('x', null), [], 'not swapped')
  for (const type of ['list', 'keys'] as const)
    t.strictSame(events({ type, prefix: '', after: null, limit: 10 }), [], type)
  t.strictSame(events({ type: 'get', key: 'k' }), [])
  t.strictSame(events({ type: 'count', prefix: '' }), [])
  t.strictSame(cas('b', null), [gone])
  t.strictSame(events({ type: 'set', key: 'k', value: '' }), [set('')])
  t.strictSame(events({ type: 'delete', key: 'k' }), [gone])
  t.end()
})

t.test('names of the language are keys like any other', (t) => {
  const state = new KvState()
  const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf']
  for (const key of names) {
    t.strictSame(execute(state, { type: 'get', key }), { value: null }, `${key} is absent at first`)
    t.strictSame(execute(state, { type: 'set', key, value: key }), { existed: false })
    t.strictSame(execute(state, { type: 'set', key, value: key }), { existed: true })
  }
  t.strictSame(execute(state, { type: 'count', prefix: '' }), { count: names.length })
  t.equal(({} as { constructor: unknown }).constructor, Object, 'nothing leaked')
  t.end()
})

t.test('compare-and-swap tells what is there instead', (t) => {
  const state = new KvState()
  const cas = (expected: string | null, value: string | null): KvResults['cas'] =>
    execute(state, { type: 'cas', key: 'k', expected, value })
  t.strictSame(cas('a', 'b'), { swapped: false, current: null })
  t.strictSame(cas(null, ''), { swapped: true })
  t.strictSame(cas(null, 'b'), { swapped: false, current: '' }, 'an empty value is not absence')
  t.strictSame(cas('', null), { swapped: true })
  t.strictSame(execute(state, { type: 'get', key: 'k' }), { value: null })
  t.end()
})

t.test('a page of large values ends below 4 MiB, and the pages together have every pair once', (t) => {
  const state = new KvState()
  const sizes = new Map<string, number>()
  for (let n = 0; n < 12; n += 1) {
    const key = `k${n}`.padEnd(4096, '.')
    const value = 'é'.repeat(n % 3 === 0 ? 1000 : 524_288)
    sizes.set(key, Buffer.byteLength(value))
    execute(state, { type: 'set', key, value })
  }
  let after: string | null = null
  const seen: string[] = []
  do {
    const page: KvResults['list'] = execute<KvOpOf<'list'>>(state, { type: 'list', prefix: 'k', after, limit: 1000 })
    const bytes = page.entries.reduce((sum, [key]) => sum + Buffer.byteLength(key) + (sizes.get(key) ?? 0), 0)
    t.ok(bytes < 4 * 1_048_576, `${bytes} bytes`)
    seen.push(...page.entries.map(([key]) => key))
    after = page.next
  } while (after !== null)
  t.strictSame(seen, [...sizes.keys()].sort())
  t.end()
})

t.test('a snapshot that is not one is refused', (t) => {
  t.throws(() => {
    new KvState().restore([['k', 7]])
  }, /pair of strings/)
  const state = new KvState()
  state.restore([
    ['a', ''],
    ['b', ''],
  ])
  t.throws(() => {
    state.restore([
      ['b', ''],
      ['c', ''],
    ])
  }, /each key once.*"b"/)
  t.throws(() => {
    state.restore([
      ['z', ''],
      ['y', ''],
    ])
  }, /sorted/)
  t.end()
})

t.test('a snapshot is drained in pieces, and stays what it was, however the state goes on to change', (t) => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const prng = new Prng(seed)
    const state = new KvState()
    const model = new Map<string, string>()
    /** Keys that are near each other are changed together, so that whole leaves go and come. */
    const change = (): void => {
      const [from, count, isDelete] = [prng.below(4_000), 1 + prng.below(150), prng.chance(0.45)]
      for (let n = from; n < from + count; n += 1) {
        const key = `k${String(n).padStart(5, '0')}`
        if (isDelete) {
          model.delete(key)
          execute(state, { type: 'delete', key })
        } else {
          const value = String(prng.below(1_000))
          model.set(key, value)
          execute(state, { type: 'set', key, value })
        }
      }
    }
    const views: { left: Iterator<unknown>; seen: unknown[]; wanted: Pair[] }[] = []
    for (let step = 0; step < 400; step += 1) {
      change()
      if (step % 40 === 30) {
        const snapshot = state.snapshot()
        if (!isInPieces(snapshot)) t.fail('it must be said that it does not change')
        const wanted = [...model].sort(([a], [b]) => (a < b ? -1 : 1))
        views.push({ left: snapshot[Symbol.iterator](), seen: [], wanted })
      }
      for (const view of views) {
        for (let more = prng.below(60); more > 0; more -= 1) {
          const next = view.left.next()
          if (next.done !== true) view.seen.push(next.value)
        }
      }
    }
    for (const { left, seen, wanted } of views) {
      for (let next = left.next(); next.done !== true; next = left.next()) seen.push(next.value)
      t.strictSame(seen, wanted, `seed ${seed}: ${wanted.length} pairs`)
    }
    t.strictSame(
      [...state.snapshot()],
      [...model].sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  }
  t.end()
})
