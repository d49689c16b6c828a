/** What clients ask without a session, and whatever is served. */
import { SynodError } from '@synod/paxos'
import type { Frame } from '@synod/paxos/internal/transport/codec'
import type { StateDigest } from '@synod/paxos/internal/transport/wire'
import { inPieces } from '@synod/paxos/internal/service/service'
import t from 'tap'
import { clients, STATUS } from './clients-support.js'

/** All that waits for promises has gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('a dump comes in chunks, as its client asks, of the state as it was when it began', (t) => {
  const entries = Array.from({ length: 1000 }, (_, index) => ({ index, text: 'x'.repeat(1000) }))
  const { connect } = clients(entries)
  const wire = connect()
  wire.says({ type: 'dump' })
  for (const entry of entries) entry.text = 'changed'
  for (let more = 0; more < 100; more++) {
    const last = wire.sent.at(-1)
    if (last?.type === 'dump' && last.done) break
    t.equal(wire.sent.length, 2 + more, 'one chunk for each question')
    wire.says({ type: 'dumpMore' })
  }
  const chunks = wire.sent.flatMap((frame) => (frame.type === 'dump' ? [frame] : []))
  t.strictSame(
    chunks.flatMap((chunk) => chunk.entries),
    entries.map(({ index }) => ({ index, text: 'x'.repeat(1000) })),
  )
  t.ok(chunks.length >= 4, 'of about 256 KiB')
  t.ok(chunks.every((chunk) => chunk.slot === 9))
  t.end()
})

t.test('a state that cannot be dumped is the end of that connection, and of nothing else', (t) => {
  const failing = {
    *[Symbol.iterator]() {
      yield 1
      throw new TypeError('a bug in the snapshot')
    },
  }
  const cyclic: unknown[] = []
  cyclic.push(cyclic)
  const states: Iterable<unknown>[] = [['\ud800'], [`\ud800${'x'.repeat(100)}`], [new Map([[1, 2]])], [cyclic], failing]
  for (const entries of states) {
    const { connect, warnings, proposed } = clients(entries)
    const wire = connect()
    wire.says({ type: 'dump' })
    t.match(wire.sent.at(-1), { type: 'goodbye', code: 'DUMP_FAILED', message: /^the state cannot be dumped: / })
    t.equal(wire.closed, 'DUMP_FAILED')
    t.match(warnings, [/^\[0\] the state cannot be dumped: [^\n]+$/])
    connect().says({ type: 'submit', clientId: '1.a', acked: 0, commands: [[1, new Uint8Array(1)]] })
    t.equal(proposed.length, 1, 'others are served')
  }
  t.end()
})

t.test('only so many dumps are given at a time', (t) => {
  const { connect } = clients(['x'.repeat(300_000), 'more'])
  const wires = [connect(), connect(), connect()]
  for (const wire of wires) wire.says({ type: 'dump' })
  t.strictSame(
    wires.map((wire) => wire.closed),
    [null, null, 'BUSY'],
  )
  wires[0]?.says({ type: 'dumpMore' })
  const later = connect()
  later.says({ type: 'dump' })
  t.equal(later.closed, null, 'one had ended')
  t.end()
})

t.test('a state that does not change is read as its client asks; where that fails, the dump ends', (t) => {
  let read = 0
  const failing = {
    *[Symbol.iterator]() {
      for (; read < 20; read++) yield 'x'.repeat(100_000)
      throw new TypeError('a bug in the snapshot')
    },
  }
  const { connect, warnings } = clients(inPieces(failing))
  const wire = connect()
  wire.says({ type: 'dump' })
  t.ok(read < 8, `${read} of 20 entries were read`)
  for (let more = 0; more < 20 && wire.closed === null; more++) wire.says({ type: 'dumpMore' })
  t.equal(wire.closed, 'DUMP_FAILED')
  t.equal(read, 20)
  t.match(warnings, [/a bug in the snapshot/])
  t.end()
})

t.test('while there is no whole state, no dump is begun, and the client may ask another server', (t) => {
  const { connect, warnings } = clients([], {
    snapshot: () => {
      throw new SynodError('NOT_SERVING', 'a snapshot is being installed')
    },
  })
  const wire = connect(null)
  wire.says({ type: 'dump' })
  t.match(wire.sent.at(-1), { type: 'goodbye', code: 'NOT_SERVING', message: 'a snapshot is being installed' })
  t.strictSame(warnings, [])
  t.end()
})

t.test('whoever names no service may ask how the server stands, and for nothing else', async (t) => {
  const digest: StateDigest = { chain: '0'.repeat(16), state: '1'.repeat(16), entries: 1 }
  const marks = [{ slot: 7, hash: '0'.repeat(16) }]
  const { connect, proposed } = clients(['x'], { digest: () => Promise.resolve(digest), chain: () => marks })
  const curious = connect(null)
  curious.says({ type: 'status' })
  curious.says({ type: 'dump' })
  curious.says({ type: 'chain' })
  curious.says({ type: 'digest', slot: 7 })
  await settled()
  curious.says({ type: 'snapshot' })
  await settled()
  t.match(curious.sent, [
    { type: 'welcome', server: 0 },
    { type: 'status', status: STATUS },
    { type: 'dump', slot: 9, entries: ['x'], done: true },
    { type: 'chain', marks },
    { type: 'digest', slot: 7, digest },
    { type: 'snapshot', slot: 9, path: '/data/snapshot-9.paxos', error: null },
  ])
  t.equal(curious.closed, null)
  const asked: Frame[] = [
    { type: 'open', nonce: '0123456789abcdef0123456789abcdef' },
    { type: 'mark', nonce: '0123456789abcdef0123456789abcdef' },
    { type: 'subscribe', feed: 1, from: null },
    { type: 'submit', clientId: '1.a', acked: 0, commands: [[1, new Uint8Array(1)]] },
  ]
  for (const frame of asked) {
    const wire = connect(null)
    wire.says(frame)
    t.match(wire.sent.at(-1), { type: 'goodbye', code: 'NO_SERVICE' }, frame.type)
    t.equal(wire.closed, 'NO_SERVICE')
    wire.says({ type: 'status' })
    t.equal(wire.sent.length, 2, 'nothing more is answered')
  }
  t.strictSame(proposed, [])
  t.match(connect('').sent, [{ type: 'goodbye', code: 'WRONG_SERVICE' }], 'an empty name is another service')
})

t.test('a digest is answered when it is known, and not to whoever has left', async (t) => {
  const known = new Map<number, (digest: StateDigest | null) => void>()
  const { connect } = clients([], { digest: (slot) => new Promise((resolve) => known.set(slot, resolve)) })
  const [one, two] = [connect(), connect()]
  one.says({ type: 'digest', slot: 5 })
  one.says({ type: 'digest', slot: 6 })
  two.says({ type: 'digest', slot: 7 })
  known.get(6)?.(null)
  await settled()
  t.strictSame(one.sent.slice(1), [{ type: 'digest', slot: 6, digest: null }])
  two.speaker.closed('gone')
  const digest = { chain: 'a'.repeat(16), state: 'b'.repeat(16), entries: 3 }
  for (const slot of [5, 7]) known.get(slot)?.(digest)
  await settled()
  t.strictSame(one.sent.slice(2), [{ type: 'digest', slot: 5, digest }])
  t.equal(two.sent.length, 1)
})

t.test('one connection waits for so many answers only', async (t) => {
  let answer: (() => void)[] = []
  const { connect } = clients([], {
    digest: () => new Promise((resolve) => answer.push(() => resolve(null))),
  })
  const wire = connect()
  for (let slot = 1; slot <= 16; slot++) wire.says({ type: 'digest', slot })
  answer.forEach((each) => each())
  answer = []
  await settled()
  for (let slot = 1; slot <= 16; slot++) wire.says({ type: 'digest', slot })
  t.equal(wire.closed, null)
  wire.says({ type: 'snapshot' })
  t.match(wire.sent.at(-1), { type: 'goodbye', code: 'TOO_MANY_QUESTIONS' })
  t.equal(wire.closed, 'TOO_MANY_QUESTIONS')
})

t.test('a snapshot that cannot be written is answered by the reason, over a connection that stays', async (t) => {
  const { connect } = clients([], {
    takeSnapshot: () => Promise.reject(new SynodError('DISK_FULL', 'the disk is full')),
  })
  const wire = connect()
  wire.says({ type: 'snapshot' })
  await settled()
  t.strictSame(wire.sent.at(-1), { type: 'snapshot', slot: 0, path: '', error: 'the disk is full' })
  t.equal(wire.closed, null)
})
