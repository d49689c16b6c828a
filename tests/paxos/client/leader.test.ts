/** A client goes to the leader's server, and leaves one that says nothing; no call is lost on the way, nor executed twice. */
import t from 'tap'
import { executed, ScriptedCluster } from './scripted-cluster.js'
import type { Script, ScriptedServer } from './scripted-cluster.js'
import { watch } from './watch.js'

const ADDRESSES = ['a:1', 'b:1', 'c:1']
/** Takes commands in, and never answers. */
const MUTE: Script = () => undefined

/** Three servers that know each other, and who leads; null: nobody. */
async function three(cluster: ScriptedCluster, leader: number | null, told = ADDRESSES): Promise<ScriptedServer[]> {
  const servers: ScriptedServer[] = []
  for (const [id, address] of ADDRESSES.entries()) {
    const server = await cluster.server(address)
    server.greeting = { type: 'welcome', server: id, servers: told, leader }
    servers.push(server)
  }
  return servers
}

/** From now on this one leads; those that are connected are told. */
function elect(servers: readonly ScriptedServer[], leader: number): void {
  for (const server of servers) {
    if (server.greeting.type === 'welcome') server.greeting = { ...server.greeting, leader }
    server.tellAll({ type: 'leader', leader })
  }
}

/** To which servers commands came, and how many. */
function commands(servers: readonly ScriptedServer[]): number[] {
  return servers.map(({ submitted }) => submitted.flat().length)
}

t.test('it goes to the server that leads, and stays there', async (t) => {
  const cluster = new ScriptedCluster()
  const servers = await three(cluster, 1)
  const client = cluster.client(['a:1'])
  const first = watch(client.submit({ add: 1 }))
  await cluster.clock.pass(10)
  t.equal(first.outcome, 'value 1')
  for (let i = 0; i < 5; i++) {
    void client.submit({ add: 1 })
    await cluster.clock.pass(10)
  }
  t.ok((servers[1]?.submitted.length ?? 0) >= 5, commands(servers).join())
  t.strictSame(servers[2]?.frames, [])
})

t.test('while calls are under way it moves to the next leader, and each of them is executed once', async (t) => {
  const cluster = new ScriptedCluster()
  const servers = await three(cluster, 0)
  const client = cluster.client(ADDRESSES)
  const warm = watch(client.submit({ add: 1 }))
  await cluster.clock.pass(2_000)
  t.equal(warm.outcome, 'value 1')
  const [a] = servers
  // It takes them in, and has them executed, but the answers come too late.
  if (a !== undefined) a.script = (frame, server) => void server.execute(frame)
  const calls = Array.from({ length: 10 }, () => watch(client.submit({ add: 1 })))
  await cluster.clock.pass(1)
  elect(servers, 2)
  await cluster.clock.pass(10)
  t.strictSame(
    calls.map(({ outcome }) => outcome),
    Array.from({ length: 10 }, (_, index) => `value ${index + 2}`),
  )
  t.equal(executed.length, 11)
})

t.test('a client without calls stays where it is', async (t) => {
  const cluster = new ScriptedCluster()
  const servers = await three(cluster, 0)
  const client = cluster.client(ADDRESSES)
  await cluster.clock.settling(client.submit({ add: 1 }))
  await cluster.clock.pass(2_000)
  const before = servers.map(({ greeted }) => greeted)
  elect(servers, 2)
  await cluster.clock.pass(10_000)
  t.strictSame(
    servers.map(({ greeted }) => greeted),
    before,
  )
})

t.test('a leader that cannot be reached is tried less and less often, and calls go on meanwhile', async (t) => {
  const cluster = new ScriptedCluster()
  await three(cluster, 1, ['a:1', 'nowhere:1', 'c:1'])
  let tried = 0
  cluster.network.policy.connect = (_, to) => {
    if (to === 'nowhere:1') tried++
    return to === 'nowhere:1' ? null : 0
  }
  const client = cluster.client(['a:1'])
  for (let i = 1; i <= 600; i++) {
    const call = watch(client.submit({ add: 1 }))
    await cluster.clock.pass(1_000)
    t.equal(call.outcome, `value ${i}`)
  }
  t.ok(tried > 0 && tried <= 12, `tried ${tried} times in 10 minutes`)
})

for (const isBack of [false, true]) {
  const name = isBack ? 'dies, and comes back without leading' : 'dies'
  t.test(
    `when the leader ${name}, calls go to another server at once, though that one still takes it for the leader`,
    async (t) => {
      const cluster = new ScriptedCluster()
      const [a] = await three(cluster, 0)
      const client = cluster.client(ADDRESSES)
      const warm = watch(client.submit({ add: 1 }))
      await cluster.clock.pass(2_000)
      t.equal(warm.outcome, 'value 1')
      if (a !== undefined) a.script = MUTE
      const calls = Array.from({ length: 10 }, () => watch(client.submit({ add: 1 })))
      await cluster.clock.pass(1)
      cluster.network.crash('a:1')
      if (isBack) {
        const again = await cluster.server('a:1', MUTE)
        again.greeting = { type: 'welcome', server: 0, servers: ADDRESSES, leader: null }
      }
      await cluster.clock.pass(10)
      t.strictSame(
        calls.map(({ outcome }) => outcome),
        Array.from({ length: 10 }, (_, index) => `value ${index + 2}`),
      )
    },
  )
}

t.test('one that does not discover finds out which of its addresses is the leader’s, and tries no other', async (t) => {
  const cluster = new ScriptedCluster()
  const servers = await three(cluster, 2, ['x:1', 'y:1', 'z:1'])
  const client = cluster.client(ADDRESSES, 10_000, false)
  for (let i = 0; i < 10; i++) {
    void client.submit({ add: 1 })
    await cluster.clock.pass(1_000)
  }
  const before = commands(servers)[2] ?? 0
  await cluster.clock.settling(client.submit({ add: 1 }))
  t.equal(commands(servers)[2], before + 1)
})

t.test('a server that is silent is left as soon as another one knows a leader, and not before', async (t) => {
  const cluster = new ScriptedCluster()
  const servers = await three(cluster, 0)
  const client = cluster.client(ADDRESSES)
  await cluster.clock.settling(client.submit({ add: 1 }))
  await cluster.clock.pass(2_000)
  const [a, b, c] = servers
  const before = commands(servers).slice(1)
  for (const server of servers) server.script = MUTE
  if (a !== undefined) a.isThere = false
  const call = watch(client.submit({ add: 1 }))
  await cluster.clock.pass(600)
  t.equal(call.outcome, 'pending')
  t.strictSame(commands(servers).slice(1), before, 'those know no better leader')
  for (const server of [b, c])
    if (server !== undefined) server.script = (frame, at, connection) => at.answer(frame, connection)
  elect(servers.slice(1), 1)
  await cluster.clock.pass(10)
  t.equal(call.outcome, 'value 2')
})

t.test('a server that is there, and knows as much as the others, is not left because commands take long', async (t) => {
  const cluster = new ScriptedCluster()
  const servers = await three(cluster, 0)
  const client = cluster.client(ADDRESSES)
  await cluster.clock.settling(client.submit({ add: 1 }))
  await cluster.clock.pass(2_000)
  for (const server of servers) server.script = MUTE
  const sent = commands(servers)
  void client.submit({ add: 1 }).catch(() => undefined)
  await cluster.clock.pass(1_500)
  t.strictSame(
    commands(servers),
    sent.map((count, id) => count + (id === 0 ? 1 : 0)),
  )
})

t.test('a leader that is there is waited for, however long outcomes take, and nobody else is troubled', async (t) => {
  const cluster = new ScriptedCluster()
  const servers = await three(cluster, 0)
  const client = cluster.client(ADDRESSES, 20_000)
  await cluster.clock.settling(client.submit({ add: 1 }))
  const greeted = servers.map((server) => server.greeted)
  const SLOW = 1_800
  for (const server of servers) {
    server.script = (frame, at, connection) => {
      if (frame.type === 'submit') cluster.clock.after(SLOW, () => at.answer(frame, connection))
      else at.answer(frame, connection)
    }
  }
  for (let i = 0; i < 5; i++) {
    const call = watch(client.submit({ add: 0 }))
    await cluster.clock.pass(SLOW + 10)
    t.match(call.outcome, /^value/)
  }
  t.strictSame(
    servers.map((server) => server.greeted),
    greeted,
    'no connection more',
  )
})

t.test('a server that takes a connection in and does not welcome it costs no more than a moment', async (t) => {
  const cluster = new ScriptedCluster()
  const servers = await three(cluster, null)
  for (let i = 0; i < 6; i++) {
    const dumb = i % 3
    for (const [id, server] of servers.entries()) server.isDumb = id === dumb
    const client = cluster.client(ADDRESSES)
    const call = watch(client.submit({ add: 1 }))
    await cluster.clock.pass(500)
    t.equal(call.outcome, `value ${i + 1}`)
    await Promise.race([client.close(), cluster.clock.pass(5_000)])
  }
})
