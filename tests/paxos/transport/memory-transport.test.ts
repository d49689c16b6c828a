import { MemoryNetwork } from '@synod/paxos/internal/transport/memory-transport'
import type { NetworkPolicy } from '@synod/paxos/internal/transport/memory-transport'
import t from 'tap'
import { ManualClock } from '../manual-clock.js'
import { contract, End } from './contract.js'

t.test('the contract', (t) => {
  const clock = new ManualClock()
  const network = new MemoryNetwork(clock)
  let addresses = 0
  contract(t, {
    create: (address = `endpoint:${addresses++}`) => ({
      transport: network.transport(address),
      address: () => address,
    }),
    nowhere: 'nowhere:0',
    settling: (promise) => clock.settling(promise),
    until: async (what, condition) => {
      await clock.pass(1)
      if (!condition()) throw new Error(`not so: ${what}`)
    },
    rest: () => clock.pass(1000),
  })
  t.end()
})

t.test('the contract, over a network that takes its time', (t) => {
  const clock = new ManualClock()
  const network = new MemoryNetwork(clock, { connect: () => 3, deliver: () => [2] })
  let addresses = 0
  contract(t, {
    create: (address = `endpoint:${addresses++}`) => ({
      transport: network.transport(address),
      address: () => address,
    }),
    nowhere: 'nowhere:0',
    settling: (promise) => clock.settling(promise),
    until: async (what, condition) => {
      await clock.pass(20)
      if (!condition()) throw new Error(`not so: ${what}`)
    },
    rest: () => clock.pass(1000),
  })
  t.end()
})

async function pair(
  policy: Partial<NetworkPolicy>,
): Promise<{ clock: ManualClock; network: MemoryNetwork; server: End; client: End }> {
  const clock = new ManualClock()
  const network = new MemoryNetwork(clock, policy)
  const server = new End()
  await network.transport('server:1').listen((connection) => {
    server.connection = connection
    return server
  })
  const client = new End()
  client.connection = network.dialer('client').dial('server:1', client)
  await clock.pass(100)
  return { clock, network, server, client }
}

t.test('a policy delays, loses, doubles and reorders frames', async (t) => {
  const delays = [[5], [], [1, 7], [3]]
  const asked: string[] = []
  const { clock, server, client } = await pair({
    deliver: (from, to, frame) => {
      asked.push(`${from} ${to} ${frame[0]}`)
      return delays[frame[0] ?? 0] ?? [0]
    },
  })
  for (let i = 0; i < 4; i++) client.call((connection) => connection.send(Uint8Array.of(i)))
  await clock.pass(100)
  t.strictSame(asked, ['client server:1 0', 'client server:1 1', 'client server:1 2', 'client server:1 3'])
  t.strictSame(
    server.frames.map((frame) => frame[0]),
    [2, 3, 0, 2],
  )
})

t.test('a policy that connects nobody lets dials fail', async (t) => {
  const { server, client } = await pair({ connect: () => null })
  t.strictSame(client.heard, ['closed: nobody listens on server:1'])
  t.strictSame(server.heard, [])
})

t.test('of a crashed endpoint nothing is called again, and the other end hears of it later', async (t) => {
  const { clock, network, server, client } = await pair({})
  client.call((connection) => connection.send(Uint8Array.of(1)))
  network.crash('server:1', 10)
  await clock.pass(9)
  t.strictSame(client.heard, ['opened'])
  await clock.pass(2)
  t.strictSame(client.heard, ['opened', 'closed: server:1 is gone'])
  t.strictSame(server.heard, ['opened'])
})

t.test('a crashed endpoint can do nothing, a new one of its address can', async (t) => {
  const clock = new ManualClock()
  const network = new MemoryNetwork(clock)
  const old = network.transport('server:1')
  network.crash('server:1')
  const accepted: string[] = []
  const accept = (name: string) => () => {
    accepted.push(name)
    return new End()
  }
  await old.listen(accept('old'))
  const renewed = network.transport('server:1')
  await renewed.listen(accept('new'))
  const [fromOld, fromClient] = [new End(), new End()]
  old.dial('server:1', fromOld)
  network.dialer('client').dial('server:1', fromClient)
  await clock.pass(1)
  t.strictSame(accepted, ['new'])
  t.strictSame(fromOld.heard, [])
  t.strictSame(fromClient.heard, ['opened'])
})

t.test('a severed connection is closed at both ends', async (t) => {
  const { clock, network, server, client } = await pair({})
  network.sever('server:1', 'client')
  await clock.pass(0)
  t.strictSame(server.heard, ['opened', 'closed: the connection broke'])
  t.strictSame(client.heard, ['opened', 'closed: the connection broke'])
})
