import { Refusal } from '@synod/paxos'
import type { Reply } from '@synod/paxos/internal/protocol/command'
import t from 'tap'
import { executed, ScriptedCluster } from './scripted-cluster.js'
import type { Script } from './scripted-cluster.js'
import { deaf, onlyOpens, watch } from './watch.js'

t.test('commands that are submitted in one turn leave in one frame, and get their own results', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1')
  const client = cluster.client(['a:1'])
  const calls = [1, 10, 100].map((add) => watch(client.submit({ add })))
  await cluster.clock.pass(1)
  t.strictSame(
    calls.map(({ outcome }) => outcome),
    ['value 1', 'value 11', 'value 111'],
  )
  t.strictSame(
    server.frames.map(({ type }) => type),
    ['open', 'submit'],
  )
  t.strictSame(server.submitted, [[1, 2, 3]])
  t.strictSame(server.acked, [0])
})

t.test('a refusal is thrown as one, with its code, sentence and data', async (t) => {
  const cluster = new ScriptedCluster()
  await cluster.server('a:1')
  const refused = cluster.client(['a:1']).submit({ refuse: 'not today' })
  const check = t.rejects(refused, { name: 'Refusal', code: 'NO', message: 'not today', data: { sum: 0 } })
  await cluster.clock.pass(1)
  await check
  t.ok((await refused.catch((error: unknown) => error)) instanceof Refusal)
})

t.test(
  'a command whose reply was lost with its server is sent to another one under its number, and executed once',
  async (t) => {
    const cluster = new ScriptedCluster()
    const executeAndDie: Script = (frame, server) => {
      server.execute(frame)
      if (frame.type === 'submit') cluster.network.crash('a:1')
      else cluster.network.sever('a:1', 'client') // the opening is lost once, too
    }
    const [a, b] = [await cluster.server('a:1', executeAndDie), await cluster.server('b:1', executeAndDie)]
    b.script = (frame, server, connection) => {
      if (frame.type === 'open' || a.submitted.length > 0) return server.answer(frame, connection)
      a.script = executeAndDie
      cluster.network.sever('b:1', 'client')
    }
    const client = cluster.client(['a:1', 'b:1'])
    const calls = [watch(client.submit({ add: 5 })), watch(client.submit({ add: 6 }))]
    await cluster.clock.pass(5_000)
    t.strictSame(
      calls.map(({ outcome }) => outcome),
      ['value 5', 'value 11'],
    )
    t.strictSame(executed, [5, 6])
    t.strictSame(a.submitted, [[1, 2]])
    t.strictSame(b.submitted.at(-1), [1, 2])
    t.equal(
      new Set([...a.frames, ...b.frames].flatMap((frame) => (frame.type === 'open' ? [frame.nonce] : []))).size,
      1,
    )
  },
)

t.test('the watermark is the highest command below which all outcomes are known or given up', async (t) => {
  const cluster = new ScriptedCluster()
  const held: (() => void)[] = []
  const server = await cluster.server('a:1', (frame, server, connection) => {
    const replies = server.execute(frame)
    if (frame.type !== 'submit') return server.send(connection, { type: 'replies', replies })
    for (const reply of replies)
      held[reply.localId] = () => server.send(connection, { type: 'replies', replies: [reply] })
  })
  const client = cluster.client(['a:1'])
  const calls: { outcome: string }[] = []
  const submit = async (timeout = 60_000): Promise<void> => {
    calls.push(watch(client.submit({ add: 1 }, { timeout })))
    await cluster.clock.pass(1)
  }
  for (let i = 0; i < 3; i++) await submit()
  held[1]?.()
  held[3]?.()
  held[3]?.() // a second copy of a reply does nothing
  await cluster.clock.pass(1)
  await submit(500)
  held[2]?.()
  await cluster.clock.pass(1)
  await submit()
  await cluster.clock.pass(500)
  await submit()
  t.strictSame(
    calls.map(({ outcome }) => outcome),
    ['value 1', 'value 2', 'value 3', 'TIMEOUT maybe', 'pending', 'pending'],
  )
  t.strictSame(server.submitted, [[1], [2], [3], [4], [5], [6]])
  t.strictSame(server.acked, [0, 0, 0, 1, 3, 4])
})

t.test('a deadline says what is known: sent, not sent, or nobody there', async (t) => {
  const cluster = new ScriptedCluster()
  const client = cluster.client(['a:1'], 700)
  const nobody = watch(client.submit({ add: 1 }))
  await cluster.clock.pass(699)
  t.equal(nobody.outcome, 'pending')
  await cluster.clock.pass(2)
  t.equal(nobody.outcome, 'UNAVAILABLE no')

  const server = await cluster.server('a:1', deaf)
  const unopened = watch(client.submit({ add: 2 }))
  await cluster.clock.pass(701)
  t.equal(unopened.outcome, 'TIMEOUT no')

  server.script = onlyOpens
  const unanswered = watch(client.submit({ add: 3 }, { timeout: 5_000 }))
  await cluster.clock.pass(4_999)
  t.equal(unanswered.outcome, 'pending')
  await cluster.clock.pass(2)
  t.equal(unanswered.outcome, 'TIMEOUT maybe')
  t.strictSame(executed, [])
})

t.test('a cluster that is down at first is waited for', async (t) => {
  const cluster = new ScriptedCluster()
  const call = watch(cluster.client(['a:1', 'b:1', 'c:1']).submit({ add: 4 }))
  await cluster.clock.pass(7_000)
  await cluster.server('b:1')
  await cluster.clock.pass(2_500)
  t.equal(call.outcome, 'value 4')
})

t.test('dials to a cluster that is down become rarer', async (t) => {
  const cluster = new ScriptedCluster()
  const dials: number[] = []
  cluster.network.policy.connect = () => {
    dials.push(cluster.clock.now())
    return null
  }
  watch(cluster.client(['a:1', 'b:1', 'c:1'], 60_000).submit({ add: 4 }))
  await cluster.clock.pass(60_000)
  const count = (from: number, to: number): number => dials.filter((at) => at >= 1000 + from && at < 1000 + to).length
  t.ok(count(0, 1_000) >= 9, `${count(0, 1_000)} in the first second`)
  t.ok(count(50_000, 60_000) <= 63, `${count(50_000, 60_000)} in the last ten seconds`)
  t.ok(count(50_000, 60_000) >= 18)
  const after = dials.length
  await cluster.clock.pass(60_000)
  t.ok(dials.length <= after + 1, 'nobody is dialed when nothing waits')
})

t.test('a server that is silent is left for another one', async (t) => {
  const cluster = new ScriptedCluster()
  const servers = [await cluster.server('a:1', onlyOpens), await cluster.server('b:1', onlyOpens)]
  const call = watch(cluster.client(['a:1', 'b:1']).submit({ add: 4 }))
  await cluster.clock.pass(1_900)
  t.equal(servers.flatMap(({ submitted }) => submitted).length, 1)
  for (const server of servers) server.script = (frame, self, connection) => self.answer(frame, connection)
  await cluster.clock.pass(300)
  t.equal(call.outcome, 'value 4')
  t.strictSame(
    servers.map(({ submitted }) => submitted),
    [[[1]], [[1]]],
  )
})

t.test('a server that is not serving, or sends garbage, is left for another one', async (t) => {
  for (const fault of ['rejected', 'goodbye', 'garbage', 'unasked'] as const) {
    const cluster = new ScriptedCluster()
    let faulty = true
    const script: Script = (frame, server, connection) => {
      if (frame.type !== 'submit' || !faulty) return server.answer(frame, connection)
      faulty = false
      if (fault === 'garbage') return connection.send(Buffer.from('garbage'))
      if (fault === 'unasked') return server.send(connection, { type: 'dump', slot: 1, entries: [], done: true })
      const [code, message] = ['NOT_SERVING', 'stopping']
      if (fault === 'goodbye') return server.send(connection, { type: 'goodbye', code, message })
      server.send(connection, { type: 'rejected', clientId: frame.clientId, localId: 1, code, message })
    }
    const servers = [await cluster.server('a:1', script), await cluster.server('b:1', script)]
    const call = watch(cluster.client(['a:1', 'b:1']).submit({ add: 4 }))
    await cluster.clock.pass(1_000)
    t.equal(call.outcome, 'value 4', fault)
    t.ok(
      servers.every((server) => server.submitted.length === 1),
      fault,
    )
  }
})

t.test('a long queue that moves is not taken for a silent server', async (t) => {
  const cluster = new ScriptedCluster()
  const queue: Reply[] = []
  const server = await cluster.server('a:1', (frame, self, connection) => {
    const replies = self.execute(frame)
    if (frame.type === 'open') return self.send(connection, { type: 'replies', replies })
    queue.push(...replies)
    const next = (): void => {
      self.send(connection, { type: 'replies', replies: queue.splice(0, 1) })
      if (queue.length > 0) cluster.clock.after(100, next)
    }
    cluster.clock.after(100, next)
  })
  const client = cluster.client(['a:1', 'nobody:1'], 60_000)
  const calls = Array.from({ length: 100 }, (_, i) => watch(client.submit({ add: i })))
  await cluster.clock.pass(30_000)
  t.ok(calls.every(({ outcome }) => outcome.startsWith('value')))
  t.equal(server.submitted.length, 1, 'nothing was sent twice')
})

t.test('a command that was lost on its way is sent again over the same connection', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1', (frame, self, connection) => {
    const isLost = frame.type === 'submit' && self.submitted.length === 1
    if (!isLost) self.answer(frame, connection)
  })
  const client = cluster.client(['a:1', 'nobody:1'])
  const lost = watch(client.submit({ add: 1 }))
  for (let i = 0; i < 25; i++) {
    await cluster.clock.pass(100)
    watch(client.submit({ add: 0 }))
  }
  await cluster.clock.pass(1)
  t.equal(lost.outcome, 'value 1')
  t.equal(server.frames.filter(({ type }) => type === 'open').length, 1)
  t.strictSame(
    server.submitted.filter(([localId]) => localId === 1),
    [[1], [1]],
  )
})
