/** The connections between servers, over a network in memory: who is let in when, and what counts of what is said. */
import { Greeter } from '@synod/paxos/internal/server/greeter'
import { Log } from '@synod/paxos/internal/server/log'
import { Peers } from '@synod/paxos/internal/server/peers'
import { decodePeerFrame, encodeFrame } from '@synod/paxos/internal/transport/codec'
import { MemoryNetwork } from '@synod/paxos/internal/transport/memory-transport'
import type { PeerHello } from '@synod/paxos/internal/transport/wire'
import t from 'tap'
import { ManualClock } from '../manual-clock.js'
import { A, hello } from './formation-world.js'

const ADDRESSES = ['zero:1', 'one:1']

/** A server's peers, and what the rest of the server would have to say. */
class Station {
  readonly peers: Peers
  readonly warnings: string[] = []
  /** What came, as `sender@batch`. */
  readonly received: string[] = []
  /** The peers whose connections broke. */
  readonly lost: number[] = []
  ready = true
  /** As of its directory. */
  life = 0
  /** The life of the other one, as far as it is known here. */
  known = 0

  constructor(id: number, network: MemoryNetwork, clock: ManualClock) {
    const log = new Log(id, (line) => this.warnings.push(line))
    const transport = network.transport(ADDRESSES[id] ?? '')
    this.peers = new Peers(id, ADDRESSES, transport, clock, log, {
      ready: () => this.ready,
      hello: (to) => hello(id, to, { count: 2, formation: 'formed', clusterId: A, life: this.life }),
      heard: () => ({ type: 'accept' }),
      mismatch: () => null,
      outdated: ({ life }: PeerHello) => life < this.known,
      clusterId: () => A,
      batch: () => 10 + this.life,
      unreachable: (peer) => this.lost.push(peer),
      received: ({ from, life }, frame) => this.received.push(`${from} in life ${life}: batch ${frame.batch}`),
    })
    const greeter = new Greeter(clock, log, {
      arrived: () => undefined,
      peer: (connection, hello) => this.peers.accept(connection, hello),
      client: () => {
        throw new Error('nobody is a client here')
      },
      failed: (error) => t.fail(String(error)),
    })
    void transport.listen((connection) => greeter.accept(connection))
  }

  /** Sends something to the other one. */
  say(to: number): void {
    this.peers.send(to, { type: 'catchUp', from: 1 })
    this.peers.flush()
  }
}

function stations(): { clock: ManualClock; network: MemoryNetwork; zero: Station; one: Station } {
  const clock = new ManualClock()
  const network = new MemoryNetwork(clock)
  return { clock, network, zero: new Station(0, network, clock), one: new Station(1, network, clock) }
}

t.test('a server that still reads its directory lets no peer in, and nobody is alarmed by that', async (t) => {
  const { clock, zero, one } = stations()
  one.ready = false
  zero.peers.start()
  await clock.pass(20_000)
  t.strictSame(zero.peers.connected(), [])
  t.strictSame([...zero.warnings, ...one.warnings], [])

  one.ready = true
  one.peers.start()
  await clock.settle() // no time passes
  t.strictSame(zero.peers.connected(), [1], 'who is dialed by a peer does not wait for its own next try')
  t.strictSame(one.peers.connected(), [0])
  zero.say(1)
  one.say(0)
  await clock.settle()
  t.strictSame(zero.received, ['1 in life 0: batch 10'])
  t.strictSame(one.received, ['0 in life 0: batch 10'])
})

t.test('what it says to a peer is why, and nothing of itself', async (t) => {
  const { clock, network, one } = stations()
  one.ready = false
  const heard: unknown[] = []
  const connection = network.dialer('zero:2').dial('one:1', {
    opened: () => {
      connection.send(encodeFrame(hello(0, 1, { count: 2 })))
    },
    frame: (bytes) => heard.push(decodePeerFrame(bytes)),
    closed: (reason) => heard.push(reason),
  })
  await clock.settle()
  t.strictSame(heard, [
    { type: 'goodbye', code: 'NOT_SERVING', message: 'this server is still starting' },
    'NOT_SERVING',
  ])
})

t.test('messages of a server from before a repair that is known are not taken in', async (t) => {
  const { clock, zero, one } = stations()
  zero.peers.start()
  one.peers.start()
  await clock.settle()
  zero.known = 1
  one.say(0)
  await clock.settle()
  t.strictSame(zero.received, [])
  t.strictSame(one.peers.connected(), [], 'it is hung up on')
  await clock.pass(100)
  t.strictSame(one.peers.connected(), [0], 'and hears at its next hello what is remembered of it')
  one.say(0)
  await clock.settle()
  t.strictSame(zero.received, [])

  one.life = 1
  one.peers.tell()
  await clock.pass(1_000)
  one.say(0)
  await clock.settle()
  t.strictSame(zero.received, ['1 in life 1: batch 11'])
})

t.test('a peer is unreachable when both connections with it broke, and not when one did', async (t) => {
  const { clock, zero, one } = stations()
  zero.peers.start()
  one.peers.start()
  await clock.settle()
  one.peers.close('it ends')
  await clock.settle()
  t.strictSame(zero.lost, [1], 'its own, and the one that it had taken in')
  t.strictSame(one.lost, [], 'who ends says nothing of others')
})

t.test('a connection that a newer one replaced tells nothing when it ends', async (t) => {
  const { clock, network, zero, one } = stations()
  zero.peers.start()
  one.peers.start()
  await clock.settle()
  const second = network.dialer('one:1').dial('zero:1', {
    opened: () => {
      second.send(encodeFrame(hello(1, 0, { count: 2, formation: 'formed', clusterId: A })))
    },
    frame: () => undefined,
    closed: () => undefined,
  })
  await clock.settle()
  t.strictSame(zero.lost, [])
  second.close('it has seen enough')
  await clock.settle()
  t.strictSame(zero.lost, [], 'the way to the peer is there still')
  network.crash('one:1')
  await clock.settle()
  t.strictSame(zero.lost, [1])
})
