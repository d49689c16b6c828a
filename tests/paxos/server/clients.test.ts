/** Clients' connections, one by one: bounds that a real client would take long to reach. */
import t from 'tap'
import { clients, type Wire } from './clients-support.js'

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

t.test('a mark is proposed and answered by its nonce, as an opening is', (t) => {
  const { tested, proposed, connect } = clients()
  const [one, two] = [connect(), connect()]
  const nonce = '0123456789abcdef0123456789abcdef'
  one.says({ type: 'mark', nonce })
  two.says({ type: 'mark', nonce })
  t.strictSame(proposed, [
    { kind: 'mark', nonce },
    { kind: 'mark', nonce },
  ])
  const outcome = { clientId: nonce, localId: 0, result: { status: 'ok', value: Buffer.from('17') } } as const
  tested.deliver([outcome])
  tested.deliver([outcome]) // the other copy's: nobody waits for it
  tested.flush()
  t.equal(one.sent.length, 1)
  t.match(two.sent.slice(1), [{ type: 'replies', replies: [{ clientId: nonce, result: { status: 'ok' } }] }])
  t.equal(two.sent.length, 2)
  t.end()
})

t.test('a server that is too busy, or takes nothing in, says so to who wants a mark', (t) => {
  const mark = { type: 'mark', nonce: '0'.repeat(32) } as const
  const busy = clients([], { takes: () => 'busy' })
  const wire = busy.connect()
  wire.says(mark)
  busy.tested.flush()
  t.match(wire.sent[1], { type: 'replies', replies: [{ clientId: mark.nonce, result: { status: 'busy' } }] })
  const stopping = clients([], { takes: () => 'no' }).connect()
  stopping.says(mark)
  t.match(stopping.sent[1], { type: 'rejected', clientId: mark.nonce, localId: 0, code: 'NOT_SERVING' })
  t.strictSame(busy.proposed, [])
  t.end()
})

t.test('what there is no room for is refused before it is looked at, and what was there first is taken', (t) => {
  const looked: string[] = []
  const admit = (op: Uint8Array): Uint8Array => {
    looked.push(Buffer.from(op).toString())
    return op
  }
  const { tested, connect, proposed } = clients([], { room: () => 2, admit })
  const wire = connect()
  wire.says({ type: 'submit', clientId: '1.a', acked: 0, commands: ['one', 'two', 'three'].map((op, at) => [at + 1, Buffer.from(op)]) }) // prettier-ignore
  tested.flush()
  t.strictSame(looked, ['one', 'two'])
  t.match(proposed, [{ localId: 1 }, { localId: 2 }])
  t.match(wire.sent[1], { type: 'replies', replies: [{ clientId: '1.a', localId: 3, result: { status: 'busy' } }] })
  t.end()
})

t.test('a server that takes nothing in begins no feeds', (t) => {
  const { connect } = clients([], { takes: () => 'no' })
  const wire = connect()
  wire.says({ type: 'subscribe', feed: 1, from: null })
  t.match(wire.sent.at(-1), { type: 'goodbye', code: 'NOT_SERVING' })
  t.equal(wire.closed, 'NOT_SERVING')
  t.end()
})

t.test('who has a feed is told why it is to go on elsewhere; others are left alone', (t) => {
  const { tested, connect } = clients()
  const [reader, other] = [connect(), connect()]
  reader.says({ type: 'subscribe', feed: 1, from: null })
  tested.dropSubscribers('this server is brought up by a snapshot')
  const message = 'this server is brought up by a snapshot: try another server'
  t.match(reader.sent.at(-1), { type: 'goodbye', code: 'NOT_SERVING', message })
  t.equal(other.closed, null)
  t.equal(tested.feeds, 0)
  t.end()
})
