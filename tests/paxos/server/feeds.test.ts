import { EventRing } from '@synod/paxos/internal/protocol/event-ring'
import type { SlotEvents } from '@synod/paxos/internal/protocol/event-ring'
import { Feeds } from '@synod/paxos/internal/server/feeds'
import { decodeServerFrame } from '@synod/paxos/internal/transport/codec'
import type { Connection } from '@synod/paxos/internal/transport/transport'
import t from 'tap'
import { text } from '../../support/transcript.js'

const MIB = 1 << 20

/** Feeds over a ring, and connections that remember what they were sent: `subscribed 1 from 4`, `1: 4 a b, 7 c`. */
function feeds(ring = new EventRing()) {
  let next = 1
  const tested = new Feeds({ events: ring, next: () => next })
  const connect = () => {
    const sent: Uint8Array[] = []
    const connection: Connection & { buffered: number } = {
      remote: 'somewhere',
      buffered: 0,
      send: (frame) => sent.push(frame),
      close: () => undefined,
    }
    const frames = (): SlotEvents[] =>
      sent.splice(0).flatMap((bytes) => {
        const frame = decodeServerFrame(bytes)
        return frame.type === 'events' ? frame.slots : []
      })
    const lines = (): string[] =>
      sent.splice(0).map((bytes) => {
        const frame = decodeServerFrame(bytes)
        if (frame.type === 'subscribed') return `subscribed ${frame.feed} from ${frame.from}`
        if (frame.type === 'compacted') return `compacted ${frame.feed} oldest ${frame.oldest}`
        if (frame.type !== 'events') return frame.type
        const slots = frame.slots.map(({ slot, events }) =>
          [slot, ...events.map((event) => (event.length < 20 ? text(event) : `${event.length} bytes`))].join(' '),
        )
        return `${frame.feed}: ${slots.join(', ')}`
      })
    return { connection, frames, lines }
  }
  const emit = (slot: number, ...events: (string | number)[]): void => {
    for (const event of events) ring.add(slot, typeof event === 'string' ? Buffer.from(event) : Buffer.alloc(event))
    next = slot + 1
  }
  return { tested, emit, connect }
}

t.test('a feed gets what there is from its slot on, and what comes', (t) => {
  const { tested, emit, connect } = feeds()
  const { connection, lines } = connect()
  emit(3, 'a')
  emit(5, 'b', 'c')
  emit(6, 'd')
  t.ok(tested.open(connection, 1, 4))
  t.strictSame(lines(), ['subscribed 1 from 4', '1: 5 b c, 6 d'])
  t.ok(tested.open(connection, 2, null))
  t.strictSame(lines(), ['subscribed 2 from 7'], 'from now on')
  tested.serve()
  t.strictSame(lines(), [])
  emit(8, 'e')
  tested.serve()
  t.strictSame(lines(), ['1: 8 e', '2: 8 e'])
  tested.close(connection, 1)
  emit(9, 'f')
  tested.serve()
  t.strictSame(lines(), ['2: 9 f'])
  tested.forget(connection)
  t.equal(tested.size, 0)
  t.end()
})

t.test('a slot that is still to come is waited for', (t) => {
  const { tested, emit, connect } = feeds()
  const { connection, lines } = connect()
  emit(1, 'a')
  tested.open(connection, 1, 3)
  emit(2, 'b')
  tested.serve()
  t.strictSame(lines(), ['subscribed 1 from 3'])
  emit(3, 'c')
  tested.serve()
  t.strictSame(lines(), ['1: 3 c'])
  t.end()
})

t.test('no more is sent ahead than a window; what was taken makes room', (t) => {
  const { tested, emit, connect } = feeds()
  const { connection, lines } = connect()
  for (let slot = 1; slot <= 16; slot++) emit(slot, 200 << 10)
  tested.open(connection, 1, 1)
  const first = lines().length - 1
  t.ok(first >= 5 && first < 8, `${first} frames of 200 KiB`)
  tested.serve()
  tested.taken(connection, 1, 0)
  t.strictSame(lines(), [], 'nothing was taken')
  tested.taken(connection, 1, 2)
  t.equal(lines().length, 2)
  tested.taken(connection, 1, 16)
  tested.taken(connection, 1, 16)
  tested.taken(connection, 1, 16)
  t.strictSame(lines().at(-1), '1: 16 204800 bytes')
  t.end()
})

t.test('a feed that the ring has passed is told so, whether it was slow or began too early', (t) => {
  const { tested, emit, connect } = feeds(new EventRing({ events: 3, bytes: 64 * MIB }))
  const [slow, early] = [connect(), connect()]
  tested.open(slow.connection, 1, 1)
  for (let slot = 1; slot <= 3; slot++) emit(slot, MIB)
  tested.serve()
  t.strictSame(slow.lines(), ['subscribed 1 from 1', `1: 1 ${MIB} bytes`])
  for (let slot = 4; slot <= 6; slot++) emit(slot, 'x')
  tested.serve()
  t.strictSame(slow.lines(), ['compacted 1 oldest 4'])
  tested.open(early.connection, 1, 2)
  t.strictSame(early.lines(), ['compacted 1 oldest 4'])
  t.equal(tested.size, 0)
  t.ok(tested.open(early.connection, 1, 4), 'the number is free again')
  t.strictSame(early.lines(), ['subscribed 1 from 4', '1: 4 x, 5 x, 6 x'])
  t.end()
})

t.test(
  'where a snapshot was installed, feeds go on without a gap as far as its events reach back; others are told',
  (t) => {
    const limits = { events: 4, bytes: 64 * MIB }
    const [ring, ahead] = [new EventRing(limits), new EventRing(limits)]
    const { tested, emit, connect } = feeds(ring)
    const [near, far, idle] = [connect(), connect(), connect()]
    for (const [slot, event] of ['a', 'b', 'c'].entries())
      for (const each of [ring, ahead]) each.add(slot + 1, Buffer.from(event))
    tested.open(far.connection, 1, 3)
    tested.open(near.connection, 1, 6)
    tested.open(idle.connection, 1, 9)
    t.strictSame(far.lines(), ['subscribed 1 from 3', '1: 3 c'])
    for (const slot of [5, 6, 7, 8]) ahead.add(slot, Buffer.from(String(slot)))
    ring.restore(ahead.snapshot())
    tested.serve()
    t.equal(ring.oldest, 4)
    t.strictSame(far.lines(), ['1: 5 5, 6 6, 7 7, 8 8'], 'slot 4 had no events')
    t.strictSame(near.lines(), ['subscribed 1 from 6', '1: 6 6, 7 7, 8 8'])
    t.strictSame(idle.lines(), ['subscribed 1 from 9'])

    for (const slot of [20, 21, 22, 23]) ahead.add(slot, Buffer.from('later'))
    ring.restore(ahead.snapshot())
    tested.serve()
    t.strictSame(far.lines(), ['1: 20 later, 21 later, 22 later, 23 later'], 'slots 9 to 19 had none')
    for (const slot of [30, 31, 32, 33, 34]) ahead.add(slot, Buffer.from('more'))
    ring.restore(ahead.snapshot())
    tested.serve()
    for (const { lines } of [far, near, idle]) t.strictSame(lines().slice(-1), ['compacted 1 oldest 31'])
    emit(35, 'x')
    tested.serve()
    t.equal(tested.size, 0)
    t.end()
  },
)

t.test('a slot with more events than a frame may hold ends the feed', (t) => {
  const { tested, emit, connect } = feeds()
  const { connection, lines } = connect()
  emit(1, 'a')
  emit(2, 4 * MIB, 4 * MIB, 4 * MIB, 1)
  emit(3, 'b')
  tested.open(connection, 1, 2)
  t.strictSame(lines(), ['subscribed 1 from 2', 'compacted 1 oldest 3'])
  t.end()
})

t.test('what comes before such a slot is sent, though', (t) => {
  const { tested, emit, connect } = feeds()
  const { connection, lines } = connect()
  emit(1, 'a')
  emit(2, 'b')
  emit(3, 'c', 4 * MIB, 4 * MIB, 4 * MIB)
  tested.open(connection, 1, 1)
  t.strictSame(lines(), ['subscribed 1 from 1', '1: 1 a, 2 b', 'compacted 1 oldest 4'])
  t.end()
})

t.test('nothing is sent to a connection as long as much waits there to leave; then all goes on by itself', (t) => {
  const { tested, emit, connect } = feeds()
  const [clogged, other] = [connect(), connect()]
  for (let slot = 1; slot <= 4; slot++) emit(slot, 100 << 10)
  clogged.connection.buffered = 17 * MIB
  for (let number = 1; number <= 3; number++) tested.open(clogged.connection, number, 1)
  tested.open(other.connection, 1, 4)
  t.strictSame(clogged.lines(), ['subscribed 1 from 1', 'subscribed 2 from 1', 'subscribed 3 from 1'])
  emit(5, 'x')
  tested.serve()
  tested.taken(clogged.connection, 2, 1)
  tested.serve()
  t.strictSame(clogged.lines(), [])
  t.equal(other.lines().at(-1), '1: 5 x')
  clogged.connection.buffered = 0
  tested.serve()
  const lines = clogged.lines()
  for (let number = 1; number <= 3; number++)
    t.equal(
      lines
        .filter((line) => line.startsWith(`${number}: `))
        .join(', ')
        .match(/\d bytes|x$/g)?.length,
      5,
    )
  tested.serve()
  t.strictSame(clogged.lines(), [], 'once')
  t.strictSame(other.lines(), [])
  t.end()
})

t.test('a reader that says only now and then what it took never waits for more', (t) => {
  for (const sizes of [
    [1],
    [1, 90_000],
    [30, 30, 127_000],
    [200_000, 1],
    [3, 600_000],
    [120_000],
    [1, 1, 1, 400_000],
  ]) {
    const ring = new EventRing({ events: 1_000_000, bytes: 64 * MIB })
    const { tested, connect } = feeds(ring)
    const { connection, frames } = connect()
    const last = 40_000
    for (let slot = 1, bytes = 0; slot <= last && bytes < 8 * MIB; slot++) {
      const size = sizes[slot % sizes.length] ?? 0
      ring.add(slot, new Uint8Array(size))
      bytes += size + 32
    }
    tested.open(connection, 1, 1)
    // As the client does it: so many bytes are taken before it says so.
    let [taken, next] = [0, 1]
    for (let came = frames(); came.length > 0; came = frames()) {
      for (const { slot, events } of came) {
        if (slot !== next++) t.fail(`slot ${slot} comes after slot ${next - 2}`)
        taken += events.reduce((bytes, event) => bytes + event.length + 32, 0)
        if (taken < 128 << 10) continue
        taken = 0
        tested.taken(connection, 1, slot)
      }
    }
    t.equal(
      next,
      (ring.read(1, Infinity).at(-1)?.slot ?? 0) + 1,
      `all came, with events of ${sizes.join(' and ')} bytes`,
    )
  }
  t.end()
})

t.test('one connection has only so many feeds, each with a number of its own', (t) => {
  const { tested, connect } = feeds()
  const { connection } = connect()
  t.ok(tested.open(connection, 7, 1))
  t.notOk(tested.open(connection, 7, 1))
  for (let number = 100; number < 163; number++) t.ok(tested.open(connection, number, 1))
  t.notOk(tested.open(connection, 8, 1))
  t.end()
})

t.test('slot 0 stands for the beginning: nothing is in it', (t) => {
  const { tested, emit, connect } = feeds()
  const { connection, lines } = connect()
  emit(1, 'a')
  tested.open(connection, 1, 0)
  t.strictSame(lines(), ['subscribed 1 from 1', '1: 1 a'])
  t.end()
})
