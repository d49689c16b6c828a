/** What the client makes of operations that only read. */
import { Refusal, SynodError } from '@synod/paxos'
import { rejectionOf } from '@synod/paxos/internal/transport/read-frames'
import t from 'tap'
import { executed, ScriptedCluster } from './scripted-cluster.js'
import type { Op, Script } from './scripted-cluster.js'
import { deaf, watch } from './watch.js'

const SUM: Op = { get: 'sum' }

/** Answers what is sent but for reads. */
const noReads: Script = (frame, server, connection) => {
  if (frame.type !== 'read') server.answer(frame, connection)
}

/** Answers reads by telling why there is no answer to them. */
function rejecting(code: string, message = 'for a reason'): Script {
  return (frame, server, connection) => {
    if (frame.type === 'read')
      server.turnDown(frame, connection, 'rejected', rejectionOf(new SynodError(code, message)))
  }
}

function outcomes(calls: readonly { outcome: string }[]): string[] {
  return calls.map(({ outcome }) => outcome)
}

t.test('reads of one turn leave in one frame, need no session, and get their own answers', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1')
  const client = cluster.client(['a:1'])
  const calls = [watch(client.submit(SUM)), watch(client.submit({ get: 'no' })), watch(client.submit(SUM))]
  await cluster.clock.pass(1)
  t.strictSame(outcomes(calls), ['value 0', 'refusal NO', 'value 0'])
  t.strictSame(
    server.frames.map(({ type }) => type),
    ['read'],
  )
  t.strictSame(server.reads, [[1, 2, 3]])
  const refusal: unknown = await cluster.clock.settling(client.submit({ get: 'no' })).catch((error: unknown) => error)
  t.ok(refusal instanceof Refusal)
  t.match(refusal, { code: 'NO', message: 'nothing to tell', data: { sum: 0 } })
})

t.test('a read sees what was acknowledged before it, and is not in the order of what was not', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1', (frame, server, connection) => {
    if (frame.type !== 'submit') server.answer(frame, connection)
  })
  const client = cluster.client(['a:1'])
  const [add, read] = [watch(client.submit({ add: 5 })), watch(client.submit(SUM))]
  await cluster.clock.pass(1)
  t.strictSame(outcomes([add, read]), ['pending', 'value 0'])
  server.script = (frame, server, connection) => server.answer(frame, connection)
  await cluster.clock.pass(5_000)
  t.equal(add.outcome, 'value 5')
  const after = watch(client.submit(SUM))
  await cluster.clock.pass(1)
  t.equal(after.outcome, 'value 5')
})

t.test('answers in another order, twice, or to nobody do no harm', async (t) => {
  const cluster = new ScriptedCluster()
  await cluster.server('a:1', (frame, server, connection) => {
    if (frame.type !== 'read') return server.answer(frame, connection)
    const { slot, answers } = cluster.read(frame)
    const more = [...answers, ...answers, { number: 99, status: 'busy' as const, value: new Uint8Array(0) }]
    server.send(connection, { type: 'answers', slot, answers: more.reverse() })
  })
  const client = cluster.client(['a:1'])
  const calls = [watch(client.submit({ get: 'no' })), watch(client.submit(SUM))]
  await cluster.clock.pass(1)
  t.strictSame(outcomes(calls), ['refusal NO', 'value 0'])
})

t.test('reads whose connection is lost are sent to the next server, with those that came meanwhile', async (t) => {
  const cluster = new ScriptedCluster()
  const calls: { outcome: string }[] = []
  const ask = (): void => void calls.push(watch(client.submit(SUM)))
  const dies: Script = (frame, server, connection) => {
    if (frame.type !== 'read' || calls.length > 2) return server.answer(frame, connection)
    ask()
    cluster.network.crash(server === a ? 'a:1' : 'b:1')
  }
  const [a, b] = [await cluster.server('a:1', dies), await cluster.server('b:1', dies)]
  const client = cluster.client(['a:1', 'b:1'])
  ask()
  ask()
  await cluster.clock.pass(500)
  t.strictSame(outcomes(calls), ['value 0', 'value 0', 'value 0'])
  t.strictSame(
    [...a.reads, ...b.reads].sort((one, other) => one.length - other.length),
    [
      [1, 2],
      [1, 2, 3],
    ],
  )
})

t.test(
  'a server that gives no answer to a read in time is left for another one, though it says other things',
  async (t) => {
    const cluster = new ScriptedCluster()
    const [a, b] = [await cluster.server('a:1', noReads), await cluster.server('b:1', noReads)]
    const client = cluster.client(['a:1', 'b:1'])
    const read = watch(client.submit(SUM))
    await cluster.clock.pass(1)
    const [mute, other] = a.reads.length > 0 ? [a, b] : [b, a]
    other.script = (frame, server, connection) => server.answer(frame, connection)
    for (let passed = 1; passed < 1_900; passed += 100) {
      const add = watch(client.submit({ add: 0 }))
      await cluster.clock.pass(100)
      t.equal(add.outcome, 'value 0')
    }
    t.equal(read.outcome, 'pending')
    t.strictSame(mute.reads, [[1]], 'it is not sent twice over one connection')
    await cluster.clock.pass(500)
    t.equal(read.outcome, 'value 0')
    t.strictSame(other.reads, [[1]], 'numbered anew')
  },
)

t.test('a server that answers reads one after the other is not left, however many there are', async (t) => {
  const cluster = new ScriptedCluster()
  const held: (() => void)[] = []
  const server = await cluster.server('a:1', (frame, server, connection) => {
    if (frame.type !== 'read') return
    const { slot, answers } = cluster.read(frame)
    for (const answer of answers) held.push(() => server.send(connection, { type: 'answers', slot, answers: [answer] }))
  })
  const client = cluster.client(['a:1'], 60_000)
  const calls = Array.from({ length: 5 }, () => watch(client.submit(SUM)))
  for (let turn = 0; turn < 5; turn++) {
    await cluster.clock.pass(1_500)
    held.shift()?.()
  }
  await cluster.clock.pass(1)
  t.strictSame(outcomes(calls), Array<string>(5).fill('value 0'))
  t.strictSame(server.reads, [[1, 2, 3, 4, 5]])
})

t.test('stale answers do not hide that a server answers nothing else', async (t) => {
  const cluster = new ScriptedCluster()
  const onlyStale: Script = (frame, server, connection) => {
    if (frame.type === 'read' && frame.stale) server.answer(frame, connection)
  }
  const [a, b] = [await cluster.server('a:1', onlyStale), await cluster.server('b:1', onlyStale)]
  const client = cluster.client(['a:1', 'b:1'], 30_000)
  const read = watch(client.submit(SUM))
  for (let turn = 0; turn < 25; turn++) {
    const stale = watch(client.readStale(SUM).then(({ value }) => value))
    await cluster.clock.pass(100)
    t.equal(stale.outcome, 'value 0')
  }
  t.equal(read.outcome, 'pending')
  t.ok(a.reads.length > 0 && b.reads.length > 0, 'the other one was asked, too')
})

t.test('a stale read tells the slot', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1')
  const client = cluster.client(['a:1'])
  t.equal(await cluster.clock.settling(client.submit({ add: 7 })), 7)
  t.strictSame(await cluster.clock.settling(client.readStale(SUM)), { slot: 2, value: 7 })
  const refused = await cluster.clock.settling(client.readStale({ get: 'no' }).catch((error: unknown) => error))
  t.match(refused, { name: 'Refusal', code: 'NO' })
  t.match(server.frames.at(-1), { type: 'read', stale: true })
})

t.test('stale reads and others of one turn leave in their own frames', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1')
  const client = cluster.client(['a:1'])
  const stale = (): Promise<number> => client.readStale(SUM).then(({ value }) => value)
  const calls = [client.submit(SUM), stale(), stale(), client.submit(SUM)].map((call) => watch(call))
  await cluster.clock.pass(1)
  t.strictSame(outcomes(calls), Array<string>(4).fill('value 0'))
  t.strictSame(
    server.frames.map((frame) => frame.type === 'read' && frame.stale),
    [false, true, false],
  )
  t.strictSame(server.reads, [[1], [2, 3], [4]])
})

t.test('an operation that may change the state cannot be read stale', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1')
  const client = cluster.client(['a:1'])
  await t.rejects(client.readStale({ add: 1 }), {
    code: 'BAD_OPERATION',
    mayHaveHappened: false,
    message: /only reads/,
  })
  await cluster.clock.pass(1)
  t.strictSame([server.frames, executed], [[], []])
})

t.test('a server that serves no reads now is left for the next one', async (t) => {
  const cluster = new ScriptedCluster()
  const servers = [await cluster.server('a:1', rejecting('NOT_SERVING')), await cluster.server('b:1', rejecting('NOT_SERVING'))] // prettier-ignore
  const client = cluster.client(['a:1', 'b:1'])
  const calls = [watch(client.submit(SUM)), watch(client.readStale(SUM).then(({ value }) => value))]
  await cluster.clock.pass(1_000)
  t.strictSame(outcomes(calls), ['pending', 'pending'])
  for (const server of servers) t.ok(server.reads.length > 1, 'both are asked, again and again')
  for (const server of servers) server.script = (frame, server, connection) => server.answer(frame, connection)
  await cluster.clock.pass(2_000)
  t.strictSame(outcomes(calls), ['value 0', 'value 0'])
})

t.test('what a server rejects for good is told, and the others of its frame are answered', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1')
  const client = cluster.client(['a:1'])
  const failing = client.submit({ get: 'fail' }).catch((error: unknown) => error)
  const calls = [watch(client.submit({ get: 'fail' })), watch(client.submit(SUM))]
  t.match(await cluster.clock.settling(failing), { code: 'READ_FAILED', message: /"sums".*a bug/ })
  t.strictSame(outcomes(calls), ['READ_FAILED no', 'value 0'])
  for (const [code, told] of [
    ['BAD_OPERATION', 'BAD_OPERATION no'],
    ['OTHER', 'INCOMPATIBLE no'],
  ] as const) {
    // prettier-ignore
    server.script = rejecting(code)
    const call = watch(client.submit(SUM))
    await cluster.clock.pass(1)
    t.equal(call.outcome, told)
  }
  t.equal(server.frames.length, 3, 'over one connection')
})

t.test('an answer that cannot be read is told, and the connection goes on', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1')
  const client = cluster.client(['a:1'])
  for (const status of ['ok', 'refused', 'rejected'] as const) {
    server.script = (frame, server, connection) => {
      if (frame.type === 'read') server.turnDown(frame, connection, status, Buffer.from([0xc1]))
    }
    const call = watch(client.submit(SUM))
    await cluster.clock.pass(1)
    t.equal(call.outcome, 'INCOMPATIBLE no', status)
  }
})

t.test('a busy server is asked again after a while, and left when it has been busy for long', async (t) => {
  const cluster = new ScriptedCluster()
  let times = 0
  const server = await cluster.server('a:1', (frame, server, connection) => {
    if (++times <= 2) server.busy(frame, connection)
    else server.answer(frame, connection)
  })
  const call = watch(cluster.client(['a:1']).submit(SUM))
  await cluster.clock.pass(1)
  t.equal(call.outcome, 'pending')
  await cluster.clock.pass(200)
  t.equal(call.outcome, 'value 0')
  t.strictSame(server.reads, [[1], [2], [3]])

  const other = new ScriptedCluster()
  const busy: Script = (frame, server, connection) => server.busy(frame, connection)
  const [a, b] = [await other.server('a:1', busy), await other.server('b:1', busy)]
  const left = watch(other.client(['a:1', 'b:1'], 5_000).submit(SUM))
  await other.clock.pass(4_900)
  t.ok(a.reads.length > 0 && b.reads.length > 0, 'both were asked')
  await other.clock.pass(200)
  t.equal(left.outcome, 'BUSY no')
})

t.test('a deadline tells whether a server was there; nothing can have happened', async (t) => {
  const cluster = new ScriptedCluster()
  const client = cluster.client(['a:1'], 700)
  const nobody = watch(client.submit(SUM))
  await cluster.clock.pass(701)
  t.equal(nobody.outcome, 'UNAVAILABLE no')
  const server = await cluster.server('a:1', deaf)
  const calls = [watch(client.submit(SUM, { timeout: 3_000 })), watch(client.submit(SUM, { timeout: 4_500 }))]
  await cluster.clock.pass(3_001)
  t.strictSame(outcomes(calls), ['TIMEOUT no', 'pending'])
  server.script = (frame, server, connection) => server.answer(frame, connection)
  await cluster.clock.pass(1_400)
  t.strictSame(outcomes(calls), ['TIMEOUT no', 'value 0'], 'what was given up is in nobody’s way')
})

t.test('only so many reads are sent before there are answers, and only so many wait', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1', deaf)
  const client = cluster.client(['a:1'], 1_000)
  const calls = Array.from({ length: 16_385 }, () => watch(client.submit(SUM)))
  await cluster.clock.pass(1)
  t.equal(calls.at(-1)?.outcome, 'BUSY no')
  t.equal(calls.at(-2)?.outcome, 'pending')
  t.strictSame(
    server.reads.map(({ length }) => length),
    [4_096],
  )
  await cluster.clock.pass(1_000)
  t.equal(calls.at(-2)?.outcome, 'TIMEOUT no')
  server.script = (frame, server, connection) => server.answer(frame, connection)
  const again = Array.from({ length: 5_000 }, () => watch(client.submit(SUM, { timeout: 5_000 })))
  await cluster.clock.pass(1)
  t.strictSame(
    server.reads.map(({ length }) => length),
    [4_096, 4_096, 904],
  )
  t.strictSame(new Set(outcomes(again)), new Set(['value 0']))
})

t.test('much is sent in several frames', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1')
  const client = cluster.client(['a:1'])
  const calls = Array.from({ length: 3 }, () => watch(client.submit({ get: 'x'.repeat(400_000) })))
  await cluster.clock.pass(1)
  t.strictSame(outcomes(calls), Array<string>(3).fill('value 0'))
  t.strictSame(server.reads, [[1, 2], [3]])
})

t.test('a client that is closed fails its reads, and takes no more', async (t) => {
  const cluster = new ScriptedCluster()
  await cluster.server('a:1', deaf)
  const client = cluster.client(['a:1'])
  const under = watch(client.submit(SUM))
  await cluster.clock.pass(1)
  const closed = client.close()
  const late = watch(client.submit(SUM))
  await cluster.clock.pass(1)
  await closed
  t.strictSame(outcomes([under, late]), ['CLOSED no', 'CLOSED no'])
})

t.test('servers of another service are told to reads, too', async (t) => {
  const cluster = new ScriptedCluster()
  const server = await cluster.server('a:1')
  server.greeting = { type: 'goodbye', code: 'WRONG_SERVICE', message: 'this server serves another one' }
  const call = watch(cluster.client(['a:1']).submit(SUM))
  await cluster.clock.pass(1)
  t.equal(call.outcome, 'INCOMPATIBLE no')
})
