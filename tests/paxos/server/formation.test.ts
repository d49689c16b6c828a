/** Formation as transcripts: who hears whom, what that leads to, and what is written. */
import { FormationMachine } from '@synod/paxos/internal/server/formation'
import type { PeerHello } from '@synod/paxos/internal/transport/wire'
import { WIRE_VERSION } from '@synod/paxos/internal/transport/wire'
import t from 'tap'
import { A, B, hello, World } from './formation-world.js'

t.test('three empty directories become one cluster, whose id the lowest server mints', (t) => {
  const world = new World().start(0).start(1).start(2)
  world
    .hears(1, 0)
    .hears(0, 1)
    .hears(1, 2)
    .hears(2, 1)
    .hears(0, 2)
    .hears(2, 0)
    .hears(1, 0)
    .hears(0, 1)
    .hears(0, 2)
    .hears(1, 0)
  t.strictSame(world.lines, [
    '0 starts empty',
    '1 starts empty',
    '2 starts empty',
    '1 hears 0: accept',
    '0 hears 1: accept',
    '1 hears 2: accept', // all answered, but the id is not its to mint
    '2 hears 1: accept',
    '0 hears 2: accept, joins a',
    '2 hears 0: accept, joins a',
    '1 hears 0: accept, joins a',
    '0 hears 1: accept',
    '0 hears 2: accept, formed', // it saw all of them forming
    '1 hears 0: accept, formed', // it saw one that is formed
  ])
  t.end()
})

t.test('a cluster of one is formed at once', (t) => {
  t.strictSame(new World().start(0, { count: 1 }).lines, ['0 starts empty, joins a, formed'])
  t.end()
})

t.test('nothing is formed while a server was not heard in this start, and it is named as missing', (t) => {
  const world = new World().start(0).start(1).start(2)
  t.strictSame(world.machine(0).missing(), [1, 2])
  world.hears(0, 1).hears(0, 1)
  t.equal(world.machine(0).formation, 'empty')
  t.strictSame(world.machine(0).missing(), [2])
  t.end()
})

t.test('while a write is under way nothing else is asked for, and hellos tell only what is durable', (t) => {
  const empty = { formation: 'empty', clusterId: null, batch: 0, repair: false } as const
  const machine = new FormationMachine({ id: 0, count: 1, service: 'counter', mint: A, ...empty }, () => 0)
  t.strictSame(machine.next(), { type: 'form', clusterId: A })
  t.equal(machine.next(), null)
  t.equal(machine.formation, 'empty')
  t.equal(machine.clusterId, null)
  machine.written()
  t.equal(machine.formation, 'forming')
  t.equal(machine.clusterId, A)
  t.strictSame(machine.next(), { type: 'formed' })
  t.equal(machine.formation, 'forming')
  t.end()
})

t.test('a formation that was interrupted goes on with the id that was minted', (t) => {
  const world = new World().start(0).start(1, { formation: 'forming', clusterId: B, batch: 1 }).start(2)
  world.hears(0, 1).hears(0, 2).hears(2, 0).hears(2, 1).hears(1, 0).hears(1, 2)
  t.strictSame(world.lines.slice(3), [
    '0 hears 1: accept',
    '0 hears 2: accept, joins b',
    '2 hears 0: accept',
    '2 hears 1: accept, joins b, formed', // both others had joined
    '1 hears 0: accept',
    '1 hears 2: accept, formed',
  ])
  t.end()
})

t.test('an empty directory that meets a formed server has lost its votes, and stops', (t) => {
  const formed = { formation: 'formed', clusterId: A, batch: 9 } as const
  const world = new World()
    .start(0)
    .start(1, formed)
    .start(2, { ...formed, formation: 'forming' })
  world.hears(0, 2).hears(1, 0).hears(0, 1)
  t.strictSame(world.lines.slice(3), ['0 hears 2: accept', '1 hears 0: refuse WIPED', '0 hears 1: stop WIPED'])
  const { error } = world.machine(0).hear(1, hello(1, 0, { formation: 'formed', clusterId: A })) as { error: Error }
  t.match(error.message, /this directory is empty, but server 1 says that cluster a+ is formed, with server 0 in it/)
  t.end()
})

t.test('an empty directory stops when a peer remembers votes of it, formed or not', (t) => {
  const world = new World().start(0).start(1).remember(1, 0, 4).hears(0, 1)
  t.equal(world.lines.at(-1), '0 hears 1: stop WIPED')
  t.end()
})

t.test('a directory that ends before what a peer remembers of it is an old copy, and the server stops', (t) => {
  const formed = { formation: 'formed', clusterId: A } as const
  const world = new World()
    .start(0, { ...formed, batch: 7 })
    .start(1, formed)
    .start(2, formed)
  world.remember(1, 0, 7).hears(0, 1).remember(2, 0, 8).hears(0, 2)
  t.strictSame(world.lines.slice(3), ['0 hears 1: accept', '0 hears 2: stop OLD_COPY'])
  t.end()
})

t.test('a peer that has heard of new batches since its first hello is no sign of an old copy', (t) => {
  const formed = { formation: 'formed', clusterId: A } as const
  const world = new World().start(0, { ...formed, batch: 7 }).start(1, formed)
  world.remember(1, 0, 7).hears(0, 1).remember(1, 0, 12).hears(0, 1)
  t.strictSame(world.lines.slice(2), ['0 hears 1: accept', '0 hears 1: accept'])
  t.end()
})

t.test('while it is not formed, a server stops at a peer that does not fit', (t) => {
  const cases: readonly (readonly [string, Partial<PeerHello>])[] = [
    ['WRONG_COUNT', { count: 5 }],
    ['WRONG_SERVICE', { service: 'kvstore' }],
    ['WRONG_VERSION', { version: WIRE_VERSION + 1 }],
    ['WRONG_ADDRESS', { from: 2 }],
    ['WRONG_ADDRESS', { to: 2 }],
    ['WRONG_CLUSTER', { formation: 'forming', clusterId: B }],
  ]
  for (const [code, changes] of cases) {
    const world = new World().start(0, { formation: 'forming', clusterId: A, batch: 1 }).start(1).hears(0, 1, changes)
    t.equal(world.lines.at(-1), `0 hears 1: stop ${code}`)
  }
  t.end()
})

t.test('peers of two clusters cannot be joined to one', (t) => {
  const world = new World().start(0)
  world.start(1, { formation: 'forming', clusterId: A }).start(2, { formation: 'forming', clusterId: B })
  world.hears(0, 1).hears(0, 2)
  t.strictSame(world.lines.slice(3), ['0 hears 1: accept', '0 hears 2: stop WRONG_CLUSTER'])
  t.end()
})

t.test('a formed server goes on without a peer that does not fit, while a majority may still fit', (t) => {
  const formed = { formation: 'formed', clusterId: A } as const
  const world = new World()
    .start(0, formed)
    .start(1, { ...formed, clusterId: B })
    .start(2, { ...formed, clusterId: B })
  world.hears(0, 1)
  t.strictSame(world.machine(0).missing(), [1, 2])
  world.hears(0, 2)
  t.strictSame(world.lines.slice(3), ['0 hears 1: refuse WRONG_CLUSTER', '0 hears 2: stop WRONG_CLUSTER'])
  t.end()
})

t.test('a formed server that a peer has agreed with never stops for others that do not fit', (t) => {
  const formed = { formation: 'formed', clusterId: A, count: 2 } as const
  const world = new World().start(0, formed).start(1, formed).hears(0, 1)
  world.start(1, { ...formed, clusterId: B }).hears(0, 1)
  t.equal(world.lines.at(-1), '0 hears 1: refuse WRONG_CLUSTER')
  t.end()
})
