import type { AuditMark } from '@synod/paxos/internal/protocol/audit'
import type { Connection } from '@synod/paxos/internal/transport/transport'
import type { ClientFrame, StateDigest } from '@synod/paxos/internal/transport/wire'
import t from 'tap'
import { statusOf } from '../../support/status.js'
import { ScriptedCluster } from './scripted-cluster.js'
import type { ScriptedServer } from './scripted-cluster.js'

const ADDRESSES = ['a:1', 'b:1', 'c:1']
const hash = (letter: string): string => letter.repeat(16)
const digestOf = (chain: string, state = chain): StateDigest => ({ chain: hash(chain), state: hash(state), entries: 3 })

/** What one server of a cluster answers. */
interface Answers {
  /** What becomes of a mark. Default: it is decided in slot 300. */
  mark?: 'busy' | 'rejected' | 'nothing'
  applied?: number | (() => number)
  digest?: StateDigest | null
  chain?: AuditMark[]
}

async function clusterOf(...all: readonly (Answers | null)[]) {
  const cluster = new ScriptedCluster()
  const servers: ScriptedServer[] = []
  for (const [id, answers] of all.entries()) {
    const address = ADDRESSES[id] ?? ''
    if (answers === null) continue
    const server = await cluster.server(address, (frame, self, connection) => answer(answers, frame, self, connection))
    server.greeting = { type: 'welcome', server: id, servers: ADDRESSES.slice(0, all.length), leader: null }
    servers.push(server)
  }
  return { cluster, servers }
}

function answer(answers: Answers, frame: ClientFrame, server: ScriptedServer, connection: Connection): void {
  const { mark, applied = 300, digest = digestOf('a'), chain = [] } = answers
  if (frame.type === 'mark') {
    const { nonce } = frame
    const rejection = {
      type: 'rejected',
      clientId: nonce,
      localId: 0,
      code: 'NOT_SERVING',
      message: 'starting',
    } as const
    if (mark === 'rejected') return server.send(connection, rejection)
    const result = {
      status: mark === 'busy' ? 'busy' : 'ok',
      value: Buffer.from(mark === 'busy' ? '' : '300'),
    } as const
    if (mark === 'nothing') return
    server.send(connection, { type: 'replies', replies: [{ clientId: nonce, localId: 0, result }] })
  } else if (frame.type === 'status') {
    const status = statusOf({ applied: typeof applied === 'number' ? applied : applied() })
    server.send(connection, { type: 'status', status })
  } else if (frame.type === 'digest') server.send(connection, { type: 'digest', slot: frame.slot, digest })
  else if (frame.type === 'chain') server.send(connection, { type: 'chain', marks: chain })
}

/** What comes of it within so many ms. */
async function within<T>(cluster: ScriptedCluster, ms: number, work: Promise<T>): Promise<T> {
  work.catch(() => undefined)
  await cluster.clock.pass(ms)
  return work
}

t.test('all servers are asked for what they came to at a mark, also those that nobody named', async (t) => {
  const { cluster } = await clusterOf({}, {}, {})
  const found = await within(cluster, 100, cluster.client(['b:1']).verify())
  t.match(found, { slot: 300, agree: true, difference: null, parted: null })
  t.strictSame(
    found.servers.map(({ server, address, verdict, digest, error }) => [server, address, verdict, digest, error]),
    ADDRESSES.map((address, server) => [server, address, 'same', digestOf('a'), null]),
  )
})

t.test('a client that keeps to its servers asks only those', async (t) => {
  const { cluster, servers } = await clusterOf({}, {}, {})
  const found = await within(cluster, 100, cluster.client(['b:1'], 10_000, false).verify())
  t.match(found, { agree: true, servers: [{ server: 1, address: 'b:1' }] })
  t.equal(servers[0]?.frames.length, 0)
})

t.test('where histories differ the chains tell between which slots they part', async (t) => {
  const chain = (letter: string): AuditMark[] => [
    { slot: 128, hash: hash('0') },
    { slot: 256, hash: hash(letter) },
  ]
  const { cluster } = await clusterOf(
    { chain: chain('a') },
    { digest: digestOf('b'), chain: chain('b') },
    { chain: chain('a') },
  )
  const found = await within(cluster, 100, cluster.client(ADDRESSES).verify())
  t.match(found, { agree: false, difference: 'history', parted: { from: 128, to: 256 } })
  t.match(found.servers, [
    { verdict: 'same', parted: null },
    { verdict: 'otherHistory', parted: { from: 128, to: 256 } },
    { verdict: 'same', parted: null },
  ])
})

t.test('where only states differ no chain is asked for', async (t) => {
  const { cluster, servers } = await clusterOf({}, {}, { digest: digestOf('a', 'b') })
  const found = await within(cluster, 100, cluster.client(ADDRESSES).verify())
  t.match(found, { agree: false, difference: 'state', parted: null })
  t.equal(found.servers[2]?.verdict, 'otherState')
  t.notOk(servers.some(({ frames }) => frames.some(({ type }) => type === 'chain')))
})

t.test('a server that lags is waited for', async (t) => {
  let applied = 10
  const { cluster, servers } = await clusterOf({}, { applied: () => applied }, {})
  const verified = cluster.client(ADDRESSES).verify()
  await cluster.clock.pass(5_000)
  t.notOk(
    servers[1]?.frames.some(({ type }) => type === 'digest'),
    'not there yet',
  )
  applied = 301
  t.ok((await within(cluster, 200, verified)).agree)
})

t.test('one that does not come to the mark in time, does not know, or is gone, is told as such', async (t) => {
  const { cluster } = await clusterOf({ applied: 10 }, { digest: null }, null)
  const found = await within(cluster, 3_100, cluster.client(ADDRESSES).verify({ timeout: 3_000 }))
  t.match(found, { agree: false, difference: null })
  t.match(found.servers, [
    { server: 0, verdict: 'unknown', error: { code: 'TIMEOUT', message: 'a:1: it has come to slot 10 only, in time' } },
    {
      server: 1,
      verdict: 'unknown',
      error: { code: 'UNAVAILABLE', message: /^b:1: it does not know its state at slot 300/ },
    },
    { server: null, address: 'c:1', verdict: 'unknown', error: { code: 'UNAVAILABLE', message: /^c:1: / } },
  ])
})

t.test('a mark goes to one server after the other, by the same nonce, until one has it decided', async (t) => {
  const { cluster, servers } = await clusterOf({ mark: 'nothing' }, { mark: 'busy' }, { mark: 'rejected' })
  const verified = cluster.client(ADDRESSES).verify()
  await cluster.clock.pass(2_400)
  const marks = (): string[] =>
    servers.flatMap(({ frames }) => frames.flatMap((frame) => (frame.type === 'mark' ? [frame.nonce] : [])))
  t.ok(marks().length >= 3)
  t.equal(new Set(marks()).size, 1)
  const [first] = servers
  if (first !== undefined) first.script = (frame, server, connection) => answer({}, frame, server, connection)
  t.ok((await within(cluster, 4_500, verified)).agree)
})

t.test('without a server that has a mark decided, the last reason is told', async (t) => {
  const { cluster } = await clusterOf({ mark: 'rejected' }, null, null)
  const verified = cluster.client(['a:1', 'b:1']).verify({ timeout: 1_000 })
  const failed = t.rejects(verified, {
    code: 'UNAVAILABLE',
    message: /^no server could have a mark decided in time \(the last try: /,
  })
  await cluster.clock.pass(1_100)
  await failed
})

t.test('servers of another service are told of at once', async (t) => {
  const { cluster, servers } = await clusterOf({}, {})
  for (const server of servers)
    server.greeting = { type: 'goodbye', code: 'WRONG_SERVICE', message: 'this is a chatroom' }
  const failed = t.rejects(cluster.client(ADDRESSES.slice(0, 2)).verify(), {
    code: 'INCOMPATIBLE',
    message: /chatroom/,
  })
  await cluster.clock.pass(500)
  await failed
})

t.test('an address at which another server answers counts for none', async (t) => {
  const { cluster, servers } = await clusterOf({}, {}, {})
  const [, second] = servers
  if (second !== undefined) second.greeting = { type: 'welcome', server: 0, servers: ADDRESSES, leader: null }
  const found = await within(cluster, 100, cluster.client(['a:1']).verify())
  t.match(found.servers, [
    { server: 0, verdict: 'same' },
    { server: null, address: 'b:1', error: { message: 'b:1: another server answers there' } },
    { server: 2, verdict: 'same' },
  ])
  t.equal(found.agree, false)
})

t.test('close ends a comparison', async (t) => {
  const { cluster } = await clusterOf({ applied: 1 }, {}, {})
  const client = cluster.client(ADDRESSES)
  const failed = t.rejects(client.verify(), { code: 'CLOSED' })
  await cluster.clock.pass(150)
  await cluster.clock.settling(client.close())
  await cluster.clock.pass(100)
  await failed
})

t.test('a snapshot is written by the first server that answers, and only by that', async (t) => {
  const cluster = new ScriptedCluster()
  const written = { type: 'snapshot', slot: 42, path: '/data/snapshot-42.paxos', error: null } as const
  const server = await cluster.server('b:1', (frame, self, connection) => {
    if (frame.type === 'status') self.send(connection, { type: 'status', status: statusOf() })
    else void cluster.clock.after(20_000, () => self.send(connection, written))
  })
  const client = cluster.client(['a:1', 'b:1'])
  t.strictSame(await within(cluster, 21_000, client.snapshot()), { address: 'b:1', slot: 42, path: written.path })
  const late = t.rejects(client.snapshot('b:1', { timeout: 5_000 }), { code: 'TIMEOUT' })
  await cluster.clock.pass(6_000)
  await late
  server.script = (frame, self, connection) =>
    self.send(
      connection,
      frame.type === 'status'
        ? { type: 'status', status: statusOf() }
        : { type: 'snapshot', slot: 0, path: '', error: 'the disk is full' },
    )
  const failed = t.rejects(client.snapshot(), { code: 'SNAPSHOT_FAILED', message: 'b:1: the disk is full' })
  await cluster.clock.pass(100)
  await failed
})
