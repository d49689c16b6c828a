/** Clients' connections, one by one: bounds that a real client would take long to reach. */
import { Clients } from '@synod/paxos/internal/server/clients'
import { realClock } from '@synod/paxos/internal/clock'
import type { Speaker } from '@synod/paxos/internal/server/greeter'
import { Log } from '@synod/paxos/internal/server/log'
import type { Command } from '@synod/paxos/internal/protocol/command'
import { EventRing } from '@synod/paxos/internal/protocol/event-ring'
import { SynodError } from '@synod/paxos'
import { decodeServerFrame, encodeFrame } from '@synod/paxos/internal/transport/codec'
import type { Frame } from '@synod/paxos/internal/transport/codec'
import type { Connection } from '@synod/paxos/internal/transport/transport'
import { WIRE_VERSION } from '@synod/paxos/internal/transport/wire'
import t from 'tap'
import { statusOf } from '../../support/status.js'

/** The server's end of a connection, whose other end reads when the test says so. */
class Wire implements Connection {
  readonly remote = 'a client'
  buffered = 0
  reads = true
  readonly sent: ReturnType<typeof decodeServerFrame>[] = []
  closed: string | null = null
  speaker: Speaker = { frame: () => undefined, closed: () => undefined }

  send(frame: Uint8Array): void {
    this.sent.push(decodeServerFrame(frame))
    if (!this.reads) this.buffered += frame.length
  }

  close(reason: string): void {
    this.closed = reason
  }

  says(frame: Frame): void {
    this.speaker.frame(encodeFrame(frame))
  }
}

const STATUS = statusOf({ service: 'counter', applied: 9 })

/** Clients of a server whose state has these entries, and what was proposed. */
function clients(entries: Iterable<unknown> = []) {
  const proposed: Command[] = []
  const alive: string[] = []
  const warnings: string[] = []
  const tested = new Clients(
    {
      service: 'counter',
      id: 0,
      addresses: ['127.0.0.1:7000'],
      takes: () => 'yes',
      admit: (op) => {
        const text = Buffer.from(op).toString()
        if (text === 'bad') throw new SynodError('BAD_OPERATION', 'not an operation')
        return Buffer.from(text.toUpperCase())
      },
      submit: (commands) => proposed.push(...commands),
      alive: (clientId) => alive.push(clientId),
      status: () => STATUS,
      feedSource: { events: new EventRing(), next: () => 10 },
      snapshot: () => ({ slot: 9, entries }),
    },
    realClock,
    new Log(0, (line) => warnings.push(line)),
  )
  const connect = (service: string | null = 'counter'): Wire => {
    const wire = new Wire()
    wire.speaker = tested.accept(wire, { type: 'client', version: WIRE_VERSION, service })
    return wire
  }
  return { tested, proposed, alive, warnings, connect }
}

const result = (bytes: number) => ({ status: 'ok', value: new Uint8Array(bytes) }) as const

t.test('all replies of a turn to one client leave in one frame, and to nobody else', (t) => {
  const { tested, connect } = clients()
  const [one, two] = [connect(), connect()]
  one.says({ type: 'submit', clientId: '1.a', acked: 0, commands: [[1, new Uint8Array(1)], [2, new Uint8Array(1)]] }) // prettier-ignore
  two.says({ type: 'submit', clientId: '2.b', acked: 0, commands: [[1, new Uint8Array(1)]] })
  tested.deliver([{ clientId: '1.a', localId: 1, result: result(1) }])
  tested.deliver([{ clientId: '1.a', localId: 2, result: result(1) }, { clientId: '3.c', localId: 1, result: result(1) }]) // prettier-ignore
  t.equal(one.sent.length, 1, 'nothing but the welcome yet')
  tested.flush()
  t.match(one.sent.slice(1), [{ type: 'replies', replies: [{ localId: 1 }, { localId: 2 }] }])
  t.equal(one.sent.length, 2)
  t.equal(two.sent.length, 1)
  t.end()
})

t.test('much is sent in several frames', (t) => {
  const { tested, connect } = clients()
  const wire = connect()
  for (let localId = 1; localId <= 6; localId++) {
    wire.says({ type: 'submit', clientId: '1.a', acked: 0, commands: [[localId, new Uint8Array(1)]] })
    tested.deliver([{ clientId: '1.a', localId, result: result(3 << 20) }])
  }
  tested.flush()
  t.equal(wire.sent.length, 1 + 6)
  t.end()
})

t.test('outcomes go to the connection that asked last', (t) => {
  const { tested, connect } = clients()
  const [before, after] = [connect(), connect()]
  for (const wire of [before, after])
    wire.says({ type: 'submit', clientId: '1.a', acked: 0, commands: [[1, new Uint8Array(1)]] })
  before.speaker.closed('gone')
  tested.deliver([{ clientId: '1.a', localId: 1, result: result(1) }])
  tested.flush()
  t.equal(before.sent.length, 1)
  t.equal(after.sent.length, 2)
  t.end()
})

t.test('a client that asked for much at once gets all of it', (t) => {
  const { tested, connect } = clients()
  const wire = connect()
  wire.reads = false // nothing leaves within a turn
  const ids = Array.from({ length: 40 }, (_, index) => index + 1)
  wire.says({ type: 'submit', clientId: '1.a', acked: 0, commands: ids.map((id) => [id, new Uint8Array(1)]) })
  tested.deliver(ids.map((localId) => ({ clientId: '1.a', localId, result: result(1 << 20) })))
  tested.flush()
  t.ok(wire.buffered > 40 << 20)
  t.equal(wire.closed, null)
  const replies = wire.sent.flatMap((frame) => (frame.type === 'replies' ? frame.replies : []))
  t.strictSame(
    replies.map(({ localId }) => localId),
    ids,
  )
  t.end()
})

t.test('a client that is behind is told to wait, and is served again when it has read', (t) => {
  const { tested, connect, proposed } = clients()
  const [wire, other] = [connect(), connect()]
  const asks = (client: Wire, clientId: string, localId: number): void =>
    client.says({ type: 'submit', clientId, acked: 0, commands: [[localId, new Uint8Array(1)]] })
  wire.reads = false
  asks(wire, '1.a', 1)
  for (let copy = 0; copy < 9; copy++) tested.deliver([{ clientId: '1.a', localId: 1, result: result(4 << 20) }])
  tested.flush()
  asks(wire, '1.a', 2)
  asks(other, '2.b', 1)
  tested.flush()
  t.match(wire.sent.at(-1), { type: 'replies', replies: [{ localId: 2, result: { status: 'busy' } }] })
  t.match(proposed, [{ clientId: '1.a', localId: 1 }, { clientId: '2.b', localId: 1 }]) // prettier-ignore
  t.equal(proposed.length, 2)

  wire.buffered = 0
  asks(wire, '1.a', 2)
  t.match(proposed[2], { clientId: '1.a', localId: 2 })
  t.equal(wire.closed, null)
  t.end()
})

t.test('a client that never reads is closed, and only so much waits for it', (t) => {
  const { tested, connect, warnings } = clients()
  const wire = connect()
  wire.reads = false
  wire.says({ type: 'submit', clientId: '1.a', acked: 0, commands: [[1, new Uint8Array(1)]] })
  // All in one turn: it is not the turn's end that counts.
  for (let round = 0; round < 100; round++) tested.deliver([{ clientId: '1.a', localId: 1, result: result(4 << 20) }])
  tested.flush()
  t.equal(wire.closed, 'SLOW_CLIENT')
  t.ok(wire.buffered < 136 << 20, `${wire.buffered >> 20} MiB`)
  t.strictSame(warnings, ['[0] closed the connection of the client a client: it does not read its replies'])
  t.end()
})

t.test('an operation that is not admitted is rejected, and the others of its frame are proposed as admitted', (t) => {
  const { connect, proposed } = clients()
  const wire = connect()
  const commands = [[1, Buffer.from('bad')], [2, Buffer.from('good')]] as const // prettier-ignore
  wire.says({ type: 'submit', clientId: '1.a', acked: 0, commands })
  t.match(wire.sent[1], { type: 'rejected', localId: 1, code: 'BAD_OPERATION' })
  t.match(proposed, [{ kind: 'op', localId: 2, op: Buffer.from('GOOD') }])
  t.equal(proposed.length, 1)
  t.end()
})

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

t.test('whoever names no service may ask for the status and the state, and for nothing else', (t) => {
  const { connect, proposed } = clients(['x'])
  const curious = connect(null)
  curious.says({ type: 'status' })
  curious.says({ type: 'dump' })
  t.match(curious.sent, [
    { type: 'welcome', server: 0 },
    { type: 'status', status: STATUS },
    { type: 'dump', slot: 9, entries: ['x'], done: true },
  ])
  t.equal(curious.closed, null)
  const asked: Frame[] = [
    { type: 'open', nonce: '0123456789abcdef0123456789abcdef' },
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
  t.end()
})

t.test('the leader is told at once of a session whose client comes back, before its time is over', (t) => {
  const { connect, alive, proposed } = clients()
  const wire = connect()
  wire.says({ type: 'submit', clientId: '1.a', acked: 3, commands: [] })
  t.strictSame(alive, ['1.a'])
  wire.says({ type: 'submit', clientId: '1.a', acked: 3, commands: [[4, new Uint8Array(1)]] })
  t.strictSame(alive, ['1.a'], 'servers tell of it now and then')
  const other = connect()
  other.says({ type: 'submit', clientId: '1.a', acked: 3, commands: [[4, new Uint8Array(1)]] })
  t.strictSame(alive, ['1.a', '1.a'])
  t.equal(proposed.length, 2)
  t.end()
})

t.test('a session is held by the connection that spoke for it last, with commands or without, until it ends', (t) => {
  const { tested, proposed, connect } = clients()
  const [one, two] = [connect(), connect()]
  const claim = { type: 'submit', clientId: '1.a', acked: 0, commands: [] } as const
  one.says(claim)
  two.says({ ...claim, clientId: '2.b' })
  two.says({ type: 'open', nonce: '0'.repeat(32) })
  t.strictSame(tested.sessions(), ['1.a', '2.b'], 'one that is not open yet is none')
  two.says(claim)
  one.speaker.closed('gone')
  t.strictSame(tested.sessions().sort(), ['1.a', '2.b'])
  two.says({ type: 'end', clientId: '1.a' })
  t.strictSame(proposed.at(-1), { kind: 'end', clientId: '1.a' })
  tested.deliver([{ clientId: '1.a', localId: 0, result: result(0) }])
  t.strictSame(tested.sessions(), ['2.b'])
  two.speaker.closed('gone')
  t.strictSame(tested.sessions(), [])
  t.end()
})
