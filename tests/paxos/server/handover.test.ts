/** Leadership is handed over because somebody asks for it. */
import type { ServerStatus } from '@synod/paxos'
import { handOver } from '@synod/paxos/internal/server/handover'
import type { Input, PaxosStatus } from '@synod/paxos/internal/protocol/ready'
import { connect } from '@synod/paxos'
import t from 'tap'
import { ManualClock } from '../manual-clock.js'
import { Cluster, counter } from './support.js'

type Status = Pick<PaxosStatus, 'role' | 'leader' | 'applied' | 'reached' | 'handingOverTo'>
const LEADS: Status = { role: 'leader', leader: 0, applied: 50_000, reached: [50_000, 49_990, 7], handingOverTo: null }
const PATIENCE = 500

/** Server 0 of three, whose core takes on the next of these with each thing that it is told, and then every 100 ms. */
function server(first: Partial<Status>, ...then: readonly Partial<Status>[]) {
  const clock = new ManualClock()
  const steps: Input[] = []
  let status: Status = { ...LEADS, ...first }
  const later = [...then]
  const next = (): void => {
    status = { ...status, ...later.shift() }
    clock.after(100, next)
  }
  const step = (input: Input): void => {
    steps.push(input)
    if (steps.length === 1) next()
  }
  const host = { id: 0, servers: 3, core: { status: () => status }, loop: { step }, clock }
  return {
    steps,
    asks: async (to: number): Promise<string | null> => {
      const answer = handOver(host, PATIENCE, to)
      await clock.pass(3 * PATIENCE)
      return answer
    },
  }
}

t.test('what cannot be is refused in a sentence, and nothing is begun', async (t) => {
  for (const [now, to, why] of [
    [{}, 3, 'there is no server 3: the last one is 2'],
    [{ role: 'follower', leader: 2 }, 1, 'server 0 does not lead, but server 2 does'],
    [{ role: 'candidate', leader: null }, 1, 'no leader is known'],
    [{ handingOverTo: 2 }, 1, 'leadership is being handed over to server 2 already'],
    [{}, 2, 'server 2 is 49993 slots behind: it has to catch up first'],
  ] as const) {
    const { asks, steps } = server(now)
    t.equal(await asks(to), why)
    t.strictSame(steps, [])
  }
})

t.test('the leader need not hand over to itself', async (t) => {
  const { asks, steps } = server({})
  t.equal(await asks(0), null)
  t.strictSame(steps, [])
})

t.test('it is done when that server leads; else it is told what came instead', async (t) => {
  const begun = { handingOverTo: 1 } as const
  const steppedDown = { handingOverTo: null, role: 'follower', leader: null } as const
  const { asks, steps } = server({}, begun, steppedDown, { leader: 1 })
  t.equal(await asks(1), null)
  t.match(steps, [{ type: 'handOver', to: 1 }])
  t.equal(await server({}, begun, steppedDown, { leader: 2 }).asks(1), 'server 2 came to lead instead')
  t.equal(await server({}, begun, steppedDown).asks(1), 'server 1 has not come to lead yet')
  t.equal(await server({}, {}).asks(1), 'server 1 has not answered the leader lately')
  t.equal(
    await server({}, begun, { handingOverTo: null }).asks(1),
    'server 1 was not ready in time, and server 0 leads on',
  )
})

t.test('a client has the leader of real servers changed, whichever of them it knows', async (t) => {
  const cluster = await Cluster.of(t, 3)
  const servers = await cluster.startAll()
  const first = servers.find((server) => server.status().role === 'leader')?.id ?? -1
  const [next = -1, last = -1] = [0, 1, 2].filter((id) => id !== first)
  const client = connect(counter, { servers: [cluster.addresses[last] ?? ''] })
  t.teardown(() => client.close())
  const busy = new AbortController()
  const sums: number[] = []
  const working = (async () => {
    while (!busy.signal.aborted) sums.push(await client.submit({ by: 1 }))
  })()
  for (const to of [next, last, last]) {
    await client.transfer(to)
    const statuses = (await client.status()).flatMap(({ status }): ServerStatus[] => (status === null ? [] : [status]))
    t.equal(servers[to]?.status().role, 'leader')
    t.equal(statuses[0]?.leader, to)
  }
  busy.abort()
  await working
  t.strictSame(
    sums,
    sums.map((_, at) => at + 1),
    'nothing was lost, or done twice',
  )
  await t.rejects(client.transfer(3), { code: 'TRANSFER_FAILED', message: /there is no server 3: the last one is 2$/ })
  await t.rejects(client.transfer(-1), { code: 'BAD_OPTION' })
  const pinned = connect(counter, { servers: [cluster.addresses[first] ?? ''], discover: false })
  t.teardown(() => pinned.close())
  await t.rejects(pinned.transfer(first), { code: 'TRANSFER_FAILED', message: /which this client is not to reach/ })
})

t.test('servers that do not know a leader yet are asked again, within the time of the call', async (t) => {
  const cluster = await Cluster.of(t, 3)
  const client = connect(counter, { servers: cluster.addresses })
  t.teardown(() => client.close())
  await t.rejects(client.transfer(1, { timeout: 300 }), {
    code: 'UNAVAILABLE',
    message: /^no server could be reached in time that knows a leader \(the last try: .+\)$/,
  })
  const moved = client.transfer(1)
  const servers = await cluster.startAll()
  await moved
  t.equal(servers[1]?.status().role, 'leader')
})

t.test('servers of another service are not asked twice', async (t) => {
  const cluster = await Cluster.of(t, 1)
  await cluster.startAll()
  const client = connect({ ...counter, name: 'another' }, { servers: cluster.addresses })
  t.teardown(() => client.close())
  await t.rejects(client.transfer(0), { code: 'INCOMPATIBLE', message: /serves "counter", not "another"/ })
})

t.test('a client that is closed meanwhile asks no more', async (t) => {
  const cluster = await Cluster.of(t, 3)
  const client = connect(counter, { servers: cluster.addresses })
  const moved = client.transfer(1)
  await Promise.all([t.rejects(moved, { code: 'CLOSED' }), client.close()])
})
