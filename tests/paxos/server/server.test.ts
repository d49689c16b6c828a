/** Real servers on real sockets and directories; the other end speaks raw frames. */
import { cpSync, rmSync } from 'node:fs'
import { decodePeerFrame } from '@synod/paxos/internal/transport/codec'
import { MAX_FRAME } from '@synod/paxos/internal/transport/transport'
import { WIRE_VERSION } from '@synod/paxos/internal/transport/wire'
import type { PeerHello } from '@synod/paxos/internal/transport/wire'
import { decodeRefusal, decodeValue } from '@synod/paxos/internal/service/service-codec'
import t from 'tap'
import { adding, Cluster, ending, freeAddresses, until } from './support.js'

const NONCE = '0123456789abcdef0123456789abcdef'

function peerHello(changes: Partial<PeerHello>): PeerHello {
  const plain = {
    service: 'counter',
    from: 1,
    to: 0,
    count: 3,
    formation: 'empty',
    repair: false,
    clusterId: null,
    life: 0,
    lifeSeen: 0,
    batchSeen: 0,
  } as const
  return { type: 'peer', version: WIRE_VERSION, ...plain, ...changes }
}

t.test('three servers form a cluster, and each of them executes what clients ask', async (t) => {
  const cluster = await Cluster.of(t, 3)
  const servers = await cluster.startAll()
  const clusterIds = new Set(servers.map((server) => server.status().clusterId))
  t.equal(clusterIds.size, 1)
  t.match([...clusterIds][0], /^[0-9a-f]{32}$/)
  for (let id = 0; id < 3; id++) {
    const client = await cluster.client(id)
    const { leader, ...welcome } = await client.next('welcome')
    t.strictSame(welcome, { type: 'welcome', server: id, servers: cluster.addresses })
    t.ok(leader === null || leader < 3)
    const session = await client.session(NONCE)
    t.equal(decodeValue((await client.submit(session, 1, adding(5))).value), 5 * (id + 1))
    t.equal(
      decodeValue((await client.submit(session, 1, adding(5))).value),
      5 * (id + 1),
      'a retry gets the first result',
    )
    client.send({ type: 'status' })
    t.match((await client.next('status')).status, {
      id,
      service: 'counter',
      clusterId: [...clusterIds][0],
      sessions: id + 1,
    })
  }
  t.strictSame(cluster.warnings, [])
})

t.test('a service’s refusal is a result, and an operation that fails its schema is never proposed', async (t) => {
  const cluster = await Cluster.of(t, 1)
  const [server] = await cluster.startAll()
  const client = await cluster.client(0)
  const session = await client.session(NONCE)
  const { status, value } = await client.submit(session, 1, adding(-1))
  t.equal(status, 'refused')
  t.equal(decodeRefusal(value).code, 'BELOW_ZERO')
  const applied = server?.status().applied
  client.send({
    type: 'submit',
    clientId: session,
    acked: 0,
    commands: [[2, Buffer.from([0x81, 0xa2, 0x62, 0x79, 0xa1, 0x78])]],
  })
  t.match(await client.next('rejected'), { clientId: session, localId: 2, code: 'BAD_OPERATION' })
  t.equal(server?.status().applied, applied)
  t.equal(decodeValue((await client.submit(session, 3, adding(2))).value), 2, 'the session goes on')
  t.match(await client.submit('1.nobody', 1, adding(1)), { status: 'expired' })
})

t.test('a dump is the state at its applied slot', async (t) => {
  const cluster = await Cluster.of(t, 1)
  const [server] = await cluster.startAll()
  const client = await cluster.client(0)
  const session = await client.session(NONCE)
  await client.submit(session, 1, adding(7))
  client.send({ type: 'dump' })
  t.strictSame(await client.next('dump'), { type: 'dump', slot: server?.status().applied, done: true, entries: [7] })
  client.send({ type: 'dumpMore' })
  t.equal(await client.goodbye(), 'NO_DUMP')
})

t.test(
  'a malformed, oversized or foreign frame closes that connection with one line, and the server goes on',
  async (t) => {
    const cluster = await Cluster.of(t, 1)
    await cluster.startAll()
    const client = await cluster.client(0)
    const session = await client.session(NONCE)

    const garbage = (await cluster.stranger(0)).sendBytes(Buffer.from('GET / HTTP/1.1'))
    t.equal(await garbage.goodbye(), 'BAD_FRAME')
    t.equal(cluster.warnings.length, 1)
    t.match(cluster.warnings[0], /^\[0\] closed a connection from 127\.0\.0\.1:\d+: a malformed frame: /)

    const later = (await cluster.client(0)).sendBytes(Buffer.from([0xc1]))
    t.equal(await later.goodbye(), 'BAD_FRAME')
    t.match(cluster.warnings[1], /^\[0\] closed the connection of the client 127\.0\.0\.1:\d+: a malformed frame: /)

    const asPeer = (await cluster.client(0)).send({ type: 'messages', batch: 1, messages: [] })
    t.equal(await asPeer.goodbye(), 'BAD_FRAME', 'a client speaks no peer message')

    const oversized = (await cluster.stranger(0)).sendBytes(new Uint8Array(MAX_FRAME + 1))
    await until('the connection of an oversized frame is closed', () => oversized.closed !== null)

    t.equal(decodeValue((await client.submit(session, 1, adding(3))).value), 3)
    t.equal(cluster.warnings.length, 3)
  },
)

t.test('a client of another service or version is told so', async (t) => {
  const cluster = await Cluster.of(t, 1)
  await cluster.startAll()
  const foreign = (await cluster.stranger(0)).send({ type: 'client', version: WIRE_VERSION, service: 'kvstore' })
  t.equal(await foreign.goodbye(), 'WRONG_SERVICE')
  const newer = (await cluster.stranger(0)).send({ type: 'client', version: WIRE_VERSION + 1, service: 'counter' })
  t.equal(await newer.goodbye(), 'WRONG_VERSION')
})

t.test('a stranger cannot write lines of its own into the log', async (t) => {
  const cluster = await Cluster.of(t, 1)
  await cluster.startAll()
  const service = 'x\n[0] the disk is full\u001b[31m\u009b31m'
  const stranger = (await cluster.stranger(0)).send(peerHello({ service, count: 1 }))
  t.equal(await stranger.goodbye(), 'WRONG_SERVICE')
  t.equal(cluster.warnings.length, 1)
  t.match(cluster.warnings[0], /^\[0\] closed the connection of a server [^\p{Cc}]*$/u)
})

t.test('a stranger who says that it is a server is held to it, and cannot stop one', async (t) => {
  const cluster = await Cluster.of(t, 3)
  const servers = await cluster.startAll()
  const clusterId = servers[0]?.status().clusterId ?? null
  const cases: readonly (readonly [string, Partial<PeerHello>])[] = [
    ['WRONG_COUNT', { count: 5 }],
    ['WRONG_SERVICE', { service: 'kvstore' }],
    ['WRONG_VERSION', { version: WIRE_VERSION + 1 }],
    ['WRONG_ADDRESS', { to: 2 }],
    ['WRONG_ADDRESS', { from: 0 }],
    ['WRONG_CLUSTER', { formation: 'formed', clusterId: 'f'.repeat(32) }],
  ]
  for (const [code, changes] of cases) {
    const stranger = (await cluster.stranger(0)).send(peerHello(changes))
    t.equal(await stranger.goodbye(), code)
    const [answer] = stranger.raw
    t.match(answer && decodePeerFrame(answer), { type: 'peer', from: 0, count: 3, formation: 'formed', clusterId })
  }
  const turncoat = (await cluster.stranger(0)).send(peerHello({ clusterId, formation: 'formed' }))
  await until('its hello is answered', () => turncoat.raw.length === 1)
  turncoat.send(peerHello({ clusterId, formation: 'formed', from: 2 }))
  t.equal(await turncoat.goodbye(), 'BAD_FRAME', 'its id is bound to its connection')

  const boasting = (await cluster.stranger(0)).send(peerHello({ clusterId, formation: 'formed', batchSeen: 1e9 }))
  await until('its hello is answered', () => boasting.raw.length === 1)
  const client = await cluster.client(0)
  const session = await client.session(NONCE)
  t.equal(decodeValue((await client.submit(session, 1, adding(1))).value), 1)
})

t.test(
  'what was acknowledged is there after all servers stopped and started, and a retry gets the first result',
  async (t) => {
    const cluster = await Cluster.of(t, 3)
    await cluster.startAll()
    const before = await cluster.client(0)
    const session = await before.session(NONCE)
    t.equal(decodeValue((await before.submit(session, 1, adding(4))).value), 4)
    await cluster.stop()
    t.equal(await before.goodbye(), 'NOT_SERVING')
    await cluster.startAll()
    const after = await cluster.client(1)
    t.equal(decodeValue((await after.submit(session, 1, adding(4))).value), 4)
    t.equal(decodeValue((await after.submit(session, 2, adding(4))).value), 8)
  },
)

t.test('while not all servers were there, nothing is taken in, and those that are missing are named', async (t) => {
  const cluster = await Cluster.of(t, 3)
  const server = await cluster.start(0)
  t.strictSame(server.missing, [1, 2])
  const client = await cluster.client(0)
  client.send({ type: 'open', nonce: NONCE })
  t.match(await client.next('rejected'), { clientId: NONCE, localId: 0, code: 'NOT_SERVING' })
  client.send({ type: 'status' })
  t.match((await client.next('status')).status, { role: 'forming', clusterId: null, connected: [] })
  await cluster.start(1)
  await until('they have met', () => server.missing.length === 1)
  t.equal(server.status().role, 'forming')
  await cluster.start(2)
  await server.serving
  t.strictSame(server.missing, [])
})

t.test('a second server on the same directory or port is refused', async (t) => {
  const cluster = await Cluster.of(t, 1)
  await cluster.startAll()
  const [free] = await freeAddresses(1)
  await t.rejects(cluster.start(0, { port: Number(free?.split(':')[1]) }), { code: 'LOCKED' })
  await t.rejects(cluster.start(0, { dataDir: cluster.dataDir(1) }), { code: 'ADDRESS_IN_USE' })
  const client = await cluster.client(0)
  t.ok(await client.session(NONCE))
})

t.test('a server that lost its directory does not serve, and the others go on', async (t) => {
  const cluster = await Cluster.of(t, 3)
  const servers = await cluster.startAll()
  await servers[2]?.close()
  rmSync(cluster.dataDir(2), { recursive: true })
  const wiped = await cluster.start(2)
  t.match(await ending(wiped), {
    code: 'WIPED',
    message: /^this directory is empty, but server \d says that cluster [0-9a-f]{32} is formed/,
  })
  const client = await cluster.client(0)
  t.ok(await client.session(NONCE))
})

t.test('a server that comes back with an old copy of its directory stops', async (t) => {
  const cluster = await Cluster.of(t, 3)
  await cluster.startAll()
  await cluster.stop()
  cpSync(cluster.dataDir(2), `${cluster.dataDir(2)}.old`, { recursive: true })
  const servers = await cluster.startAll()
  const client = await cluster.client(0)
  const session = await client.session(NONCE)
  for (let localId = 1; localId <= 5; localId++) await client.submit(session, localId, adding(1))
  await until('server 2 has all of it', () => servers[2]?.status().applied === servers[0]?.status().applied)
  await servers[2]?.close()
  rmSync(cluster.dataDir(2), { recursive: true })
  cpSync(`${cluster.dataDir(2)}.old`, cluster.dataDir(2), { recursive: true })
  const old = await cluster.start(2)
  t.match(await ending(old), {
    code: 'OLD_COPY',
    message: /^this directory ends at batch \d+, but server \d has heard of batch \d+ of server 2/,
  })
})

t.test('what peers heard of a server’s log survives their own restart', async (t) => {
  const cluster = await Cluster.of(t, 3)
  await cluster.startAll()
  await cluster.stop()
  cpSync(cluster.dataDir(2), `${cluster.dataDir(2)}.old`, { recursive: true })
  const servers = await cluster.startAll()
  const client = await cluster.client(0)
  const session = await client.session(NONCE)
  for (let localId = 1; localId <= 5; localId++) await client.submit(session, localId, adding(1))
  await until('server 2 has all of it', () => servers[2]?.status().applied === servers[0]?.status().applied)
  await cluster.stop()
  rmSync(cluster.dataDir(2), { recursive: true })
  cpSync(`${cluster.dataDir(2)}.old`, cluster.dataDir(2), { recursive: true })
  await Promise.all([cluster.start(0), cluster.start(1)])
  const old = await cluster.start(2)
  t.match(await ending(old), { code: 'OLD_COPY' })
})

t.test('another number of servers is refused: by the directory, and by the others', async (t) => {
  const cluster = await Cluster.of(t, 3)
  const servers = await cluster.startAll()
  await servers[2]?.close()
  const four = [...cluster.addresses, '127.0.0.1:1']
  await t.rejects(cluster.start(2, { peers: four }), { code: 'WRONG_OWNER' })
  const wrong = await cluster.start(2, { peers: four, dataDir: cluster.dataDir(9) })
  t.match(await ending(wrong), { code: 'WRONG_COUNT', message: /was started for 4: start all with the same --count/ })
  const client = await cluster.client(0)
  t.ok(await client.session(NONCE), 'the others go on')
})
