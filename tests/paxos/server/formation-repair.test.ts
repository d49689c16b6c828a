/** Servers whose votes were lost, as transcripts: wiped, old copies, and those that come back by a repair. */
import { FormationMachine } from '@synod/paxos/internal/server/formation'
import type { Verdict } from '@synod/paxos/internal/server/formation'
import t from 'tap'
import { A, B, hello, World } from './formation-world.js'

const formed = { formation: 'formed', clusterId: A, batch: 9 } as const
const empty = { formation: 'empty', clusterId: null, batch: 0, repair: true } as const

function messageOf(verdict: Verdict): string {
  return verdict.type === 'accept' ? '' : verdict.error.message
}

t.test('an empty server that is to be repaired joins the cluster that a peer tells of, without its votes', (t) => {
  const world = new World().start(0, { repair: true }).start(1, formed).start(2, formed)
  world.hears(1, 0).hears(0, 1).hears(0, 2).hears(2, 0)
  t.strictSame(world.lines.slice(3), [
    '1 hears 0: accept',
    '0 hears 1: accept, joins a, repairing',
    '0 hears 2: accept',
    '2 hears 0: accept',
  ])
  t.ok(world.machine(0).takesPart)
  world.repaired(0, 1).hears(1, 0)
  t.strictSame(world.lines.slice(7), ['0 is repaired, formed', '1 hears 0: accept'])
  t.end()
})

t.test('while it joins, its hellos say that it is empty', (t) => {
  const machine = new FormationMachine({ id: 0, count: 3, service: 'counter', mint: A, ...empty }, () => 0)
  machine.hear(1, hello(1, 0, { formation: 'formed', clusterId: B }))
  t.strictSame(machine.next(), { type: 'form', clusterId: B })
  t.equal(machine.formation, 'empty')
  t.equal(machine.clusterId, null)
  t.notOk(machine.takesPart)
  machine.written()
  t.equal(machine.formation, 'repairing')
  t.equal(machine.clusterId, B)
  t.equal(machine.next(), null)
  t.end()
})

t.test(
  'a repair that was cut off goes on, with or without being asked to, and nobody minds what is remembered',
  (t) => {
    for (const repair of [false, true]) {
      const world = new World()
        .start(0, { formation: 'repairing', clusterId: A, batch: 2, repair })
        .start(1, formed)
        .start(2, formed)
      world.remember(1, 0, 300).knows(2, 0, 4).hears(0, 1).hears(0, 2).hears(1, 0).hears(2, 0)
      t.strictSame(
        world.lines.slice(3),
        ['0 hears 1: accept', '0 hears 2: accept', '1 hears 0: accept', '2 hears 0: accept'],
        `repair: ${repair}`,
      )
    }
    t.end()
  },
)

t.test('two servers are repaired at once, and the third tells both of them of the cluster', (t) => {
  const world = new World().start(0, { repair: true }).start(1, { repair: true }).start(2, formed)
  world.hears(0, 1).hears(1, 0).hears(0, 2).hears(1, 0).hears(1, 2)
  t.strictSame(world.lines.slice(3), [
    '0 hears 1: accept',
    '1 hears 0: accept',
    '0 hears 2: accept, joins a, repairing',
    '1 hears 0: accept, joins a, repairing', // 0 is of a formed cluster, though it has no votes
    '1 hears 2: accept',
  ])
  t.end()
})

t.test('where no server is formed there is nothing to be repaired from', (t) => {
  const world = new World()
    .start(0, { repair: true })
    .start(1)
    .start(2, { formation: 'forming', clusterId: A, batch: 1 })
  world.hears(0, 1)
  t.equal(world.lines.at(-1), '0 hears 1: accept', 'the other one may be formed')
  world.hears(0, 2)
  t.equal(world.lines.at(-1), '0 hears 2: stop NOTHING_TO_REPAIR')

  const machine = new FormationMachine({ id: 0, count: 3, service: 'counter', mint: A, ...empty }, () => 0)
  machine.hear(2, hello(2, 0, {}))
  t.match(messageOf(machine.hear(1, hello(1, 0, {}))), /^no server of this cluster is formed: start without --repair$/)
  t.end()
})

t.test('a peer that was as new, and is formed by now, is taken at its last word', (t) => {
  const world = new World().start(0, { repair: true }).start(1, { formation: 'forming', clusterId: A, batch: 1 })
  world.start(2, formed).hears(0, 1).hears(1, 2).hears(0, 1)
  t.strictSame(world.lines.slice(3), [
    '0 hears 1: accept',
    '1 hears 2: accept, formed',
    '0 hears 1: accept, joins a, repairing',
  ])
  t.end()
})

t.test('in a cluster of one or two no server can be repaired, and none is told to try', (t) => {
  const sentences = [
    [1, 'a cluster of one server has nobody to be repaired from'],
    [2, 'in a cluster of two servers none can be repaired: that takes a majority of all servers, besides the one'],
  ] as const
  const directories = [empty, { ...formed, formation: 'repairing', repair: true }] as const
  for (const [count, message] of sentences) {
    for (const directory of directories) {
      t.throws(() => new FormationMachine({ id: 0, count, service: 'counter', mint: A, ...directory }, () => 0), {
        code: 'NOTHING_TO_REPAIR',
        message,
      })
    }
  }
  const two = { id: 0, count: 2, service: 'counter', mint: A } as const
  const peer = hello(1, 0, { count: 2, formation: 'formed', clusterId: A, batchSeen: 10 })
  const wiped = new FormationMachine({ ...two, ...empty, repair: false }, () => 0)
  t.match(messageOf(wiped.hear(1, peer)), /must not serve; put its directory back$/)
  const old = new FormationMachine({ ...two, ...formed, repair: false }, () => 0)
  t.match(messageOf(old.hear(1, peer)), /must not serve; put the newest one back$/)
  t.end()
})

t.test('empty servers do not form a cluster with one that is to be repaired: it was in one', (t) => {
  const world = new World().start(0).start(1).start(2, { repair: true })
  world.hears(0, 1).hears(0, 2).hears(1, 0).hears(1, 2)
  t.strictSame(world.lines.slice(3), [
    '0 hears 1: accept',
    '0 hears 2: accept',
    '1 hears 0: accept',
    '1 hears 2: accept',
  ])
  t.equal(world.machine(0).formation, 'empty')
  world.start(2).hears(0, 2)
  t.equal(world.lines.at(-1), '0 hears 2: accept, joins a', 'it was started anew, as a new one')
  t.end()
})

t.test('one that was forming when its cluster was formed goes on when it meets a server that is repaired', (t) => {
  const world = new World().start(0, { formation: 'forming', clusterId: A, batch: 1 })
  world.start(1, { formation: 'repairing', clusterId: A, batch: 1 }).hears(0, 1)
  t.equal(world.lines.at(-1), '0 hears 1: accept, formed')
  t.end()
})

t.test('a wiped server is told what it can do, by formed peers and by those under repair', (t) => {
  for (const formation of ['formed', 'repairing'] as const) {
    const world = new World()
      .start(0)
      .start(1, { ...formed, formation })
      .hears(1, 0)
      .hears(0, 1)
    t.strictSame(world.lines.slice(2), ['1 hears 0: refuse WIPED', '0 hears 1: stop WIPED'])
    const told = messageOf(world.machine(0).hear(1, hello(1, 0, { formation, clusterId: A })))
    t.match(told, /put its directory back, or have it rebuilt from the other servers with --repair$/)
  }
  t.end()
})

t.test('an empty server stops when a peer knows of a repair of it', (t) => {
  const world = new World().start(0).start(1).knows(1, 0, 1).hears(0, 1)
  t.equal(world.lines.at(-1), '0 hears 1: stop WIPED')
  t.end()
})

t.test('a directory from before a repair of its server is an old copy, however far it goes', (t) => {
  const world = new World()
    .start(0, { ...formed, batch: 1_000 })
    .start(1, formed)
    .start(2, formed)
  world.hears(0, 1).knows(1, 0, 1).hears(0, 2).hears(0, 1)
  t.strictSame(world.lines.slice(3), [
    '0 hears 1: accept',
    '0 hears 2: accept',
    '0 hears 1: stop OLD_COPY', // also when it was met before: another one was repaired in its name
  ])
  const told = messageOf(world.machine(0).hear(1, hello(1, 0, { formation: 'formed', clusterId: A, lifeSeen: 1 })))
  t.match(told, /from before a repair of server 0 \(life 0\), but server 1 knows of that repair \(life 1\)/)
  t.match(
    told,
    /put the newest one back, or empty the directory and have it rebuilt from the other servers with --repair$/,
  )
  t.end()
})

t.test('so is one that was still forming then', (t) => {
  const world = new World().start(0, { formation: 'forming', clusterId: A, batch: 1 }).start(1, formed).knows(1, 0, 1)
  world.hears(0, 1).hears(1, 0)
  t.strictSame(world.lines.slice(2), ['0 hears 1: stop OLD_COPY', '1 hears 0: refuse OLD_COPY'])
  t.end()
})

t.test('batches are compared within one life only', (t) => {
  const world = new World()
    .start(0, { ...formed, batch: 7 })
    .start(1, formed)
    .start(2, formed)
  world.knows(0, 0, 2).knows(1, 0, 1).remember(1, 0, 500).hears(0, 1) // 1 was away while 0 was repaired
  world.knows(2, 0, 2).remember(2, 0, 8).hears(0, 2)
  t.strictSame(world.lines.slice(3), ['0 hears 1: accept', '0 hears 2: stop OLD_COPY'])
  t.end()
})

t.test('a server does not talk to one from before a repair that it knows of', (t) => {
  const world = new World().start(0, formed).start(1, formed).knows(0, 1, 2)
  world.hears(0, 1).knows(1, 1, 1).hears(0, 1).knows(1, 1, 2).hears(0, 1)
  t.strictSame(world.lines.slice(2), ['0 hears 1: refuse OLD_COPY', '0 hears 1: refuse OLD_COPY', '0 hears 1: accept'])
  const outdated = (life: number, formation: 'empty' | 'forming' | 'repairing' | 'formed'): boolean =>
    world.machine(0).outdated(hello(1, 0, { formation, life }))
  t.strictSame(
    (['empty', 'forming', 'repairing', 'formed'] as const).map((formation) => outdated(1, formation)),
    [false, true, false, true],
    'who has no votes yet is not judged by its life',
  )
  t.notOk(outdated(2, 'formed'))
  t.notOk(outdated(3, 'formed'), 'it may have been repaired without this one')
  t.end()
})

t.test('one that is repaired is not stopped by a single peer that does not fit', (t) => {
  const world = new World().start(0, { formation: 'repairing', clusterId: A, batch: 3 })
  world
    .start(1, { ...formed, clusterId: B })
    .start(2, formed)
    .hears(0, 1)
    .hears(0, 2)
  t.strictSame(world.lines.slice(3), ['0 hears 1: refuse WRONG_CLUSTER', '0 hears 2: accept'])
  t.end()
})
