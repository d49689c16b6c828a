import { isDeepStrictEqual } from 'node:util'
import { packValue } from '@synod/paxos/internal/codec/values'
import type { CoreSnapshot, SessionEntry } from '@synod/paxos/internal/protocol/snapshot'
import { coreChunks, encodeHead, SnapshotReader, stateChunks } from '@synod/paxos/internal/server/snapshot-codec'
import type { Section, SnapshotChunk } from '@synod/paxos/internal/storage/snapshots'
import t from 'tap'
import { coreAt } from './snapshots-support.js'

/** Everything, written and read back. */
function throughChunks(core: CoreSnapshot, entries: Iterable<unknown>, pieces = false) {
  const chunks = [...coreChunks(core, pieces), ...stateChunks(entries)]
  const reader = new SnapshotReader()
  const state = chunks.flatMap((chunk) => reader.take(chunk) ?? [])
  const { head, sessions, events } = reader.finish()
  return { chunks, pieces: reader.pieces, head, sessions: [...sessions], events: [...events], state }
}

/** Bytes of one kind, to be compared. */
function plain({ clientId, acked, results }: SessionEntry): unknown {
  return [
    clientId,
    acked,
    results.map(([localId, status, value]) => [localId, status, Buffer.from(value).toString('hex')]),
  ]
}

t.test('what is written is what is read', (t) => {
  const core = coreAt(70)
  const entries = ['a', { b: [1, null, Uint8Array.of(7)] }, 2n ** 60n]
  const read = throughChunks(core, entries, true)
  t.strictSame(read.head, core.head)
  t.same(read.sessions, core.sessions)
  t.same(read.events, core.events)
  t.same(read.state, entries)
  t.equal(read.pieces, true)
  t.equal(throughChunks(core, []).pieces, false)
  t.end()
})

t.test('chunks are about 128 KiB, whatever they hold', (t) => {
  const value = new Uint8Array(1_000)
  const results = Array.from({ length: 1_000 }, (_, at) => [at + 1, 'ok', value] as const)
  const sessions = [
    { clientId: 'much', acked: 0, results },
    { clientId: 'nothing', acked: 3, results: [] },
    { clientId: 'little', acked: 0, results: results.slice(0, 2) },
    // As many as fill a part to its end.
    { clientId: 'even', acked: 0, results: results.slice(0, 132) },
  ]
  const events = [1, { slot: 5, events: Array.from({ length: 500 }, () => value) }, { slot: 6, events: [value] }]
  const entries = Array.from({ length: 2_000 }, (_, at) => [`key ${at}`, 'x'.repeat(100)])
  const read = throughChunks({ ...coreAt(70), sessions, events }, entries)
  // (tap compares bytes one by one, and slowly.)
  t.ok(isDeepStrictEqual(read.sessions.map(plain), sessions.map(plain)), 'a session in parts is one session again')
  t.strictSame(
    read.events.map((item) => (typeof item === 'number' ? item : [item.slot, item.events.length])),
    [1, [5, 132], [5, 132], [5, 132], [5, 104], [6, 1]],
    'the events of a slot come in parts, in their order',
  )
  t.ok(isDeepStrictEqual(read.state, entries))
  t.ok(read.chunks.every(({ payload }) => payload.length < 270_000))
  t.ok(read.chunks.length < 25)
  t.end()
})

t.test('chunks are made when they are asked for', (t) => {
  let yielded = 0
  const chunks = stateChunks(
    (function* () {
      for (;;) {
        yielded++
        yield 'x'.repeat(1_000)
      }
    })(),
  )
  chunks.next()
  t.ok(yielded < 140, `${yielded} entries`)
  t.end()
})

t.test('a state that cannot be saved is an error of its own', (t) => {
  const unsavable = { code: 'STATE_UNSAVABLE' }
  t.throws(() => [...stateChunks([Symbol('no')])], unsavable)
  t.throws(() => [...stateChunks([1, '😀'.slice(0, 1)])], unsavable)
  t.throws(() => [...stateChunks([new Uint8Array((64 << 20) + 1)])], { ...unsavable, message: /several/ })
  const broken = (function* () {
    yield 1
    throw new Error('a bug')
  })()
  t.throws(() => [...stateChunks(broken)], { ...unsavable, message: 'the state cannot be saved: a bug' })
  t.end()
})

t.test('what another version wrote is a bad snapshot, not a crash', (t) => {
  const head = encodeHead(coreAt(70).head, false)
  const chunk = (section: Section, value: unknown): SnapshotChunk => ({ section, payload: packValue(value) })
  const good = [head, chunk('sessions', []), chunk('events', [1])]
  const cases: Record<string, readonly SnapshotChunk[]> = {
    'no head': [chunk('state', [])],
    'two heads': [head, head],
    'a head of another shape': [chunk('head', [{ ...coreAt(70).head, more: 1 }, { pieces: true }])],
    'a head without a field': [chunk('head', [coreAt(70).head, {}])],
    'sections in another order': [...good, chunk('sessions', [])],
    'a state that is no list': [...good, chunk('state', 'entries')],
    'bytes that are no value': [...good, { section: 'state', payload: Uint8Array.of(0xc1) }],
    'a session that is no list': [head, chunk('sessions', ['a'])],
    'a session with a field more': [head, chunk('sessions', [['a', 1, [], 1]])],
    'a session with a negative number': [head, chunk('sessions', [['a', -1, []]])],
    'a session without a name': [head, chunk('sessions', [[1, 1, []]])],
    'a result that is no bytes': [head, chunk('sessions', [['a', 1, [[2, 'ok', 'text']]]])],
    'a result of another status': [head, chunk('sessions', [['a', 1, [[2, 'busy', Uint8Array.of(1)]]]])],
    'events without the oldest slot': [head, chunk('events', [[2, [Uint8Array.of(1)]]])],
    'an event that is no bytes': [head, chunk('events', [1, [2, ['text']]])],
    'events with a field more': [head, chunk('events', [1, [2, [], 3]])],
    'no events at all': [head, chunk('state', [])],
  }
  for (const [name, chunks] of Object.entries(cases)) {
    const reader = new SnapshotReader()
    t.throws(
      () => {
        for (const one of chunks) reader.take(one)
        reader.finish()
      },
      { code: 'BAD_SNAPSHOT' },
      name,
    )
  }
  t.end()
})
