import { ClientError, connect } from '@synod/paxos'
import { Inquiry } from '@synod/paxos/internal/client/inquiry'
import { WebSocketTransport } from '@synod/paxos/internal/transport/ws-transport'
import { decodeClientFrame, decodeHello, encodeFrame } from '@synod/paxos/internal/transport/codec'
import t from 'tap'
import { statusOf } from '../../support/status.js'
import { ScriptedCluster, sums } from './scripted-cluster.js'

const status = statusOf({ service: 'sums', role: 'leader', leader: 1, connected: [0, 2] })

t.test('the status of one server, and of all, with those that are out of reach', async (t) => {
  const cluster = new ScriptedCluster()
  await cluster.server('a:1', (_, server, connection) => server.send(connection, { type: 'status', status }))
  await cluster.server('silent:1', () => undefined)
  const client = cluster.client(['a:1', 'silent:1', 'down:1'], 500)
  const one = client.status('a:1')
  const all = client.status()
  await cluster.clock.pass(501)
  t.strictSame(await one, status)
  const answers = await all
  t.strictSame(
    answers.map(({ address, status, error }) => [address, status, error?.code]),
    [
      ['a:1', status, undefined],
      ['silent:1', null, 'TIMEOUT'],
      ['down:1', null, 'UNAVAILABLE'],
    ],
  )
  const down = t.rejects(client.status('down:1'), { name: 'ClientError', code: 'UNAVAILABLE', message: /^down:1: / })
  await cluster.clock.pass(1)
  await down
})

t.test('a dump comes in chunks, each asked for when the one before was read', async (t) => {
  const cluster = new ScriptedCluster()
  const chunks = [['a', 1], [], ['b', { __proto__: null, c: [2] }], ['d']]
  const server = await cluster.server('a:1', (_, self, connection) => {
    const entries = chunks[self.frames.length - 1] ?? []
    self.send(connection, { type: 'dump', slot: 42, entries, done: self.frames.length === chunks.length })
  })
  const dumped = cluster.client(['a:1']).dump('a:1')
  await cluster.clock.pass(1)
  const { slot, entries } = await dumped
  t.equal(slot, 42)
  t.equal(server.frames.length, 1)
  const read: unknown[] = []
  const reading = (async () => {
    for await (const entry of entries) read.push(entry)
  })()
  await cluster.clock.pass(10)
  await reading
  t.strictSame(JSON.stringify(read), JSON.stringify(chunks.flat()))
  t.strictSame(
    server.frames.map(({ type }) => type),
    ['dump', 'dumpMore', 'dumpMore', 'dumpMore'],
  )
})

t.test('a dump that breaks off says so, after what came', async (t) => {
  const cluster = new ScriptedCluster()
  await cluster.server('a:1', (frame, server, connection) => {
    if (frame.type === 'dump') server.send(connection, { type: 'dump', slot: 1, entries: ['a', 'b'], done: false })
    else cluster.network.crash('a:1')
  })
  const dumped = cluster.client(['a:1']).dump('a:1')
  await cluster.clock.pass(1)
  const { entries } = await dumped
  const read: unknown[] = []
  let error: unknown
  const reading = (async () => {
    try {
      for await (const entry of entries) read.push(entry)
    } catch (caught) {
      error = caught
    }
  })()
  await cluster.clock.pass(1)
  await reading
  t.strictSame(read, ['a', 'b'])
  t.ok(error instanceof ClientError && error.code === 'UNAVAILABLE')
})

t.test('a server that gives too many dumps already is BUSY, one of another service INCOMPATIBLE', async (t) => {
  const cluster = new ScriptedCluster()
  const busy = await cluster.server('a:1', (_, server, connection) => {
    server.send(connection, { type: 'goodbye', code: 'BUSY', message: 'try again later' })
    connection.close('BUSY')
  })
  const other = await cluster.server('b:1')
  other.greeting = { type: 'goodbye', code: 'WRONG_SERVICE', message: 'this is a chatroom' }
  const client = cluster.client(['a:1'])
  const rejected = [
    t.rejects(client.dump('a:1'), { code: 'BUSY', message: /try again later/ }),
    t.rejects(client.status('b:1'), { code: 'INCOMPATIBLE', message: /chatroom/ }),
  ]
  await cluster.clock.pass(1)
  await Promise.all(rejected)
  t.equal(busy.frames.length, 1)
})

t.test('a question can be asked without knowing what is served', async (t) => {
  const cluster = new ScriptedCluster()
  const hellos: unknown[] = []
  await cluster.network.transport('a:1').listen((connection) => ({
    opened: () => undefined,
    frame: (bytes) => {
      if (hellos.length > 0) return connection.send(encodeFrame({ type: 'status', status }))
      hellos.push(decodeHello(bytes))
      connection.send(encodeFrame({ type: 'welcome', server: 0, servers: [], leader: null }))
    },
    closed: () => undefined,
  }))
  const inquiry = new Inquiry(null, 'a:1', 1_000, cluster.network.dialer('client'), cluster.clock)
  const asked = inquiry.status()
  await cluster.clock.pass(1)
  t.strictSame(await asked, status)
  t.match(hellos, [{ type: 'client', service: null }])
  await cluster.clock.settling(inquiry.close('answered'))
})

t.test('close ends open questions', async (t) => {
  const cluster = new ScriptedCluster()
  await cluster.server('a:1', () => undefined)
  const client = cluster.client(['a:1'])
  const asked = t.rejects(client.status('a:1'), { code: 'CLOSED' })
  await cluster.clock.settling(client.close())
  await asked
  await t.rejects(client.status('a:1'), { code: 'CLOSED' })
  await t.rejects(client.dump('a:1'), { code: 'CLOSED' })
})

t.test('connect speaks over real sockets, and learns of the other servers', async (t) => {
  const cluster = new ScriptedCluster()
  const transports = [new WebSocketTransport({ port: 0 }), new WebSocketTransport({ port: 0 })]
  const addresses = (): string[] => transports.map(({ port }) => `127.0.0.1:${port}`)
  for (const [id, transport] of transports.entries()) {
    await transport.listen((connection) => {
      let greeted = false
      return {
        opened: () => undefined,
        frame: (bytes) => {
          if (!greeted) {
            decodeHello(bytes)
            greeted = true
            connection.send(encodeFrame({ type: 'welcome', server: id, servers: addresses(), leader: null }))
          } else {
            connection.send(encodeFrame({ type: 'replies', replies: cluster.execute(decodeClientFrame(bytes)) }))
          }
        },
        closed: () => undefined,
      }
    })
  }
  const client = connect(sums, { servers: addresses().slice(0, 1), timeout: 10_000 })
  t.teardown(async () => {
    await client.close()
    await transports[1]?.close()
  })
  t.equal(await client.submit({ add: 3 }), 3)
  const sum = await Promise.all(Array.from({ length: 2_000 }, () => client.submit({ add: 1 })))
  t.equal(sum.at(-1), 2_003)
  await transports[0]?.close()
  t.equal(await client.submit({ add: 1 }), 2_004, 'over the server that nobody named')
  await t.rejects(client.submit({ refuse: 'no' }), { name: 'Refusal', code: 'NO' })
})
