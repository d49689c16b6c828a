import type { Reply } from '@synod/paxos/internal/protocol/command'
import type { Connection } from '@synod/paxos/internal/transport/transport'
import { connect } from '@synod/paxos'
import t from 'tap'
import { z } from 'zod'
import { executed, ScriptedCluster, type Script, type ScriptedServer } from './scripted-cluster.js'
import { onlyOpens, watch } from './watch.js'

t.test('a busy server is asked again later, more and more patiently', async (t) => {
  const cluster = new ScriptedCluster()
  let refusals = 6
  const server = await cluster.server('a:1', (frame, self, connection) => {
    if (refusals-- > 0) self.busy(frame, connection)
    else self.answer(frame, connection)
  })
  const call = watch(cluster.client(['a:1']).submit({ add: 4 }))
  await cluster.clock.pass(50)
  t.equal(call.outcome, 'pending')
  await cluster.clock.pass(5_000)
  t.equal(call.outcome, 'value 4')
  t.equal(server.frames.length, 8, 'six refusals, the opening, the command')
})

t.test('a server that stays too busy is left for another one, with what was sent to it before it was', async (t) => {
  const cluster = new ScriptedCluster()
  await cluster.server('a:1')
  const full: ScriptedServer[] = []
  for (const address of ['c:1', 'd:1']) {
    full.push(await cluster.server(address, (frame, self, connection) => self.busy(frame, connection)))
  }
  for (const servers of [
    ['a:1', 'c:1'],
    ['a:1', 'c:1', 'd:1'],
  ]) {
    // Which one a client begins with is drawn.
    const clients = Array.from({ length: 8 }, () => cluster.client(servers))
    const calls = clients.map((client) => watch(client.submit({ add: 0 })))
    await cluster.clock.pass(9_000)
    t.strictSame([...new Set(calls.map(({ outcome }) => outcome))], ['value 0'], servers.join())
  }
  t.ok(full.every(({ frames }) => frames.length > 0))

  executed.length = 0
  let filling: ScriptedServer | undefined
  let taken = false
  const script: Script = (frame, self, connection) => {
    if (frame.type === 'open' || (filling ??= self) !== self) return self.answer(frame, connection)
    if (taken) return self.busy(frame, connection)
    taken = true
    self.execute(frame) // its outcome is known to the others, and not to this one
  }
  for (const address of ['e:1', 'f:1']) await cluster.server(address, script)
  const client = cluster.client(['e:1', 'f:1'])
  const calls = [watch(client.submit({ add: 1 }))]
  await cluster.clock.pass(1)
  for (let at = 0; at < 8; at++) {
    calls.push(watch(client.submit({ add: 1 })))
    await cluster.clock.pass(500)
  }
  t.ok(
    calls.every(({ outcome }) => outcome.startsWith('value')),
    calls.map(({ outcome }) => outcome).join(),
  )
  t.strictSame(executed, Array(9).fill(1), 'each once')
})

t.test('a command that every server was too busy to take in surely did not happen', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1', (frame, self, connection) => {
    if (frame.type === 'open') self.answer(frame, connection)
    else self.busy(frame, connection)
  })
  const client = cluster.client(['a:1'], 3_000)
  const call = watch(client.submit({ add: 4 }))
  await cluster.clock.pass(3_001)
  t.equal(call.outcome, 'BUSY no')
  t.ok(server.submitted.length < 12, `it was sent ${server.submitted.length} times`)

  // But if one copy had no answer, it may have.
  let first = true
  server.script = (frame, self, connection) => {
    if (first) {
      first = false
      self.execute(frame)
      cluster.network.sever('a:1', 'client')
    } else self.busy(frame, connection)
  }
  const other = watch(client.submit({ add: 5 }))
  await cluster.clock.pass(3_001)
  t.equal(other.outcome, 'TIMEOUT maybe')
  t.strictSame(executed, [5])
})

t.test('a command of an expired session is executed in a new one, if it surely was not in the old one', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1')
  const client = cluster.client(['a:1'])
  const before = watch(client.submit({ add: 1 }))
  await cluster.clock.pass(1)
  cluster.expireSessions()
  const after = [watch(client.submit({ add: 10 })), watch(client.submit({ add: 100 }))]
  await cluster.clock.pass(100)
  t.equal(before.outcome, 'value 1')
  t.strictSame(
    after.map(({ outcome }) => outcome),
    ['value 11', 'value 111'],
  )
  t.strictSame(server.submitted, [[1], [2, 3], [1, 2]])
  t.strictSame(executed, [1, 10, 100])
})

t.test('a command that may have been executed before its session expired fails with SESSION_EXPIRED', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1')
  const client = cluster.client(['a:1'])
  watch(client.submit({ add: 1 }))
  await cluster.clock.pass(1)
  let first = true
  server.script = (frame, self, connection) => {
    if (!first) return self.answer(frame, connection)
    first = false
    self.execute(frame)
    cluster.expireSessions()
    cluster.network.sever('a:1', 'client')
  }
  const lost = watch(client.submit({ add: 2 }))
  await cluster.clock.pass(1_000)
  t.equal(lost.outcome, 'SESSION_EXPIRED maybe')
  const next = watch(client.submit({ add: 3 }))
  await cluster.clock.pass(100)
  t.equal(next.outcome, 'value 6')
  t.strictSame(executed, [1, 2, 3])
})

t.test('an operation that does not fit the schema is never sent', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1')
  const client = cluster.client(['a:1'])
  await t.rejects(client.submit({ add: 1.5 }), {
    name: 'ClientError',
    code: 'BAD_OPERATION',
    message: /add/,
    mayHaveHappened: false,
  })
  await cluster.clock.pass(1)
  t.strictSame(server.frames, [])
})

t.test('an operation that the servers do not take for one fails at once', async (t) => {
  const cluster = new ScriptedCluster()
  await cluster.server('a:1', (frame, server, connection) => {
    if (frame.type !== 'submit') return server.answer(frame, connection)
    server.send(connection, {
      type: 'rejected',
      clientId: frame.clientId,
      localId: 1,
      code: 'BAD_OPERATION',
      message: 'no',
    })
  })
  const call = watch(cluster.client(['a:1']).submit({ add: 1 }))
  await cluster.clock.pass(1)
  t.equal(call.outcome, 'BAD_OPERATION no')
})

t.test('servers of another service or version are told apart from those that are down', async (t) => {
  const cluster = new ScriptedCluster()
  const servers = [await cluster.server('a:1'), await cluster.server('b:1')]
  for (const server of servers)
    server.greeting = { type: 'goodbye', code: 'WRONG_SERVICE', message: 'this is a chatroom' }
  const client = cluster.client(['a:1', 'b:1'])
  const refused = [watch(client.submit({ add: 1 })), watch(client.submit({ add: 1 }))]
  await cluster.clock.pass(500)
  t.strictSame(
    refused.map(({ outcome }) => outcome),
    ['INCOMPATIBLE no', 'INCOMPATIBLE no'],
  )
  for (const server of servers.slice(1)) server.greeting = { type: 'welcome', server: 1, servers: [], leader: null }
  const call = watch(client.submit({ add: 2 }))
  await cluster.clock.pass(5_000)
  t.equal(call.outcome, 'value 2', 'one good server is enough')
})

t.test('close fails what has no outcome, and says whether it was sent', async (t) => {
  const cluster = new ScriptedCluster()
  await cluster.server('a:1', onlyOpens)
  const client = cluster.client(['a:1'])
  const sent = watch(client.submit({ add: 1 }))
  await cluster.clock.pass(1)
  const unsent = watch(client.submit({ add: 1 }))
  await cluster.clock.settling(client.close())
  t.equal(sent.outcome, 'CLOSED maybe')
  t.equal(unsent.outcome, 'CLOSED no')
  const late = watch(client.submit({ add: 1 }))
  await cluster.clock.pass(60_000)
  t.equal(late.outcome, 'CLOSED no')
})

t.test('so many commands are under way as the session table takes in, and the others wait their turn', async (t) => {
  const cluster = new ScriptedCluster()
  const held: Reply[] = []
  let connected: Connection | undefined
  const server = await cluster.server('a:1', (frame, self, connection) => {
    connected = connection
    const replies = self.execute(frame)
    if (frame.type === 'open') self.send(connection, { type: 'replies', replies })
    else held.push(...replies)
  })
  const client = cluster.client(['a:1'])
  const calls = Array.from({ length: 5_000 }, () => watch(client.submit({ add: 1 })))
  await cluster.clock.pass(1)
  const highest = (): number => Math.max(...server.submitted.flat())
  t.equal(highest(), 4095)
  const [first, second, ...rest] = held.splice(0)
  if (first === undefined || second === undefined || connected === undefined) throw new Error('nothing was held')
  server.send(connected, { type: 'replies', replies: [second] })
  await cluster.clock.pass(1)
  t.equal(highest(), 4095, 'the second outcome does not move the watermark')
  server.send(connected, { type: 'replies', replies: [first] })
  await cluster.clock.pass(1)
  t.equal(highest(), 4097)
  server.script = (frame, self, connection) => self.answer(frame, connection)
  server.send(connected, { type: 'replies', replies: [...rest, ...held] })
  await cluster.clock.pass(1)
  t.ok(calls.every(({ outcome }) => outcome.startsWith('value')))
  t.equal(executed.length, 5_000)
})

t.test('what waits is bounded, and more is BUSY', async (t) => {
  const cluster = new ScriptedCluster()
  const client = cluster.client(['a:1'])
  const calls = Array.from({ length: 17_000 }, () => watch(client.submit({ add: 1 })))
  await cluster.clock.pass(10)
  t.equal(calls.filter(({ outcome }) => outcome === 'pending').length, 16_384)
  t.equal(calls.filter(({ outcome }) => outcome === 'BUSY no').length, 17_000 - 16_384)
})

t.test('options that make no sense are refused', async (t) => {
  const cluster = new ScriptedCluster()
  t.throws(() => cluster.client([]), { code: 'BAD_OPTION', message: /at least one server/ })
  t.throws(() => cluster.client(['a:1'], NaN), { code: 'BAD_OPTION' })
  await t.rejects(cluster.client(['a:1']).submit({ add: 1 }, { timeout: 0 }), {
    code: 'BAD_OPTION',
    message: /timeout/,
  })
})

t.test('connect refuses addresses that are none, in one sentence', (t) => {
  const counter = { name: 'counter', op: z.object({}), state: () => ({ execute: () => 0 }) }
  for (const options of [
    {},
    { servers: [] },
    { servers: ['x'] },
    { servers: 'a:1' },
    { servers: ['a:1'], timeout: 0 },
  ]) {
    t.throws(() => connect(counter, options as { servers: string[] }), {
      code: 'BAD_OPTION',
      message: /^the options of connect: /,
    })
  }
  t.end()
})
