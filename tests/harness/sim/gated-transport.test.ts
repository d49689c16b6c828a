/** A transport whose owner can be paused. */
import { MemoryNetwork } from '@synod/paxos/internal/transport/memory-transport'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { GatedTransport } from '@synod/harness/internal/sim/gated-transport'
import { ProcessLife } from '@synod/harness/internal/sim/life'
import { VirtualTime } from '@synod/harness/internal/sim/time'
import t from 'tap'
import { contract, End } from '../../paxos/transport/contract.js'

function network(): { time: VirtualTime; network: MemoryNetwork; life: () => ProcessLife } {
  const time = new VirtualTime(new Prng(1))
  const prng = new Prng(2)
  const network = new MemoryNetwork(time.life().clock, { connect: () => 1, deliver: () => [1] })
  return { time, network, life: () => new ProcessLife(time, prng) }
}

t.test('the contract, while nobody is paused', (t) => {
  const { time, network: inner, life } = network()
  let addresses = 0
  contract(t, {
    create: (address = `endpoint:${addresses++}`) => ({
      transport: new GatedTransport(inner.transport(address), life()),
      address: () => address,
    }),
    nowhere: 'nowhere:0',
    settling: async (promise) => {
      let settled = false
      const settle = (): void => {
        settled = true
      }
      promise.then(settle, settle)
      await time.runUntil(() => settled, time.now + 1000)
      return promise
    },
    until: async (what, condition) => {
      if (!(await time.runUntil(condition, time.now + 1000))) throw new Error(`not so: ${what}`)
    },
    rest: async () => {
      await time.runUntil(() => false, time.now + 1000)
    },
  })
  t.end()
})

t.test('a paused server hears of a connection, of its frames and of its end when it goes on', async (t) => {
  const { time, network: inner, life } = network()
  const own = life()
  const accepted = new End()
  await new GatedTransport(inner.transport('server:1'), own).listen((connection) => {
    accepted.connection = connection
    return accepted
  })
  own.pause()
  const dialed = new End()
  dialed.connection = inner.dialer('client').dial('server:1', dialed)
  await time.runUntil(() => dialed.isOpen, 10)
  t.ok(dialed.isOpen, 'the system took the connection in')
  dialed.call((connection) => {
    connection.send(Uint8Array.of(1))
    connection.send(Uint8Array.of(2))
    connection.close('enough')
  })
  await time.runUntil(() => false, 100)
  t.strictSame(accepted.heard, [])
  own.resume()
  await time.runUntil(() => false, 200)
  t.strictSame(
    accepted.frames.map((frame) => frame[0]),
    [1, 2],
  )
  t.strictSame([accepted.heard.at(0), accepted.heard.at(-1)], ['opened', 'closed: enough'])
})

t.test('a paused process learns that its transport has closed when it goes on', async (t) => {
  const { time, network: inner, life } = network()
  const own = life()
  const transport = new GatedTransport(inner.transport('server:1'), own)
  await transport.listen(() => new End())
  own.pause()
  let closed = false
  void transport.close().then(() => (closed = true))
  await time.runUntil(() => false, 100)
  t.notOk(closed)
  own.resume()
  await time.runUntil(() => false, 200)
  t.ok(closed)
})
