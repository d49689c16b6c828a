/** Whole servers that lost their votes, and get them back: docs/PROTOCOL.md, "Repair". */
import t from 'tap'
import { LONGEST_LEASE } from '@synod/paxos/internal/protocol/leader-lease'
import { ballot, lines, only, run } from '../../support/transcript.js'
import { Network } from '../../support/network.js'

/** Three servers, 0 leads, slots 1 to 3 are decided, and slot 4 is accepted by servers 1 and 2 only. Then 2 is wiped. */
function wiped(): Network {
  const network = new Network(3, { limits: { tailCommands: 8 } })
  network.elect(0)
  network.submit(0, 'open n, 1.n/1 a, 1.n/2 b')
  network.settle()
  network.run(1500)
  network.submit(0, '1.n/3 c')
  network.deliver()
  network.sync(1, 2)
  network.lose()
  network.crash(0)
  network.wipe(2)
  network.transcript()
  return network
}

t.test('message by message: silent, a life, the memories of the others, what was decided, and then it votes', (t) => {
  const network = wiped()
  network.start(0)
  network.repair(2)
  network.tick(0)
  network.inject(0, 2, { type: 'p1a', ballot: ballot('1.0'), from: 1 })
  network.inject(0, 2, { type: 'p2a', run: run('1.0', 4, 'c'), decided: 4 })
  network.inject(0, 2, { type: 'prescout', attempt: 1 })
  network.inject(1, 2, { type: 'askLife' })
  network.inject(1, 2, { type: 'revive', life: 1, from: 1 })
  const heartbeat = { type: 'heartbeat', ballot: ballot('1.0'), sequence: 1, decided: 4, lease: 0 } as const
  network.inject(0, 2, { ...heartbeat, audit: { slot: 0, hash: '0'.repeat(16) } })
  t.equal(network.transcript(), '2→0,1 askLife\n2→0 catchUp from slot 1', 'it answers nothing')
  network.deliver('2→0', '2→1')
  network.sync()
  network.deliver('0→2 tellLife', '1→2 tellLife')
  network.sync(2)
  network.deliver('2→0 revive', '2→1 revive')
  t.equal(network.status(2).repairing, true)
  network.transcript()
  network.sync(0, 1)
  network.deliver('0→2 revived', '1→2 revived')
  t.equal(
    network.transcript(),
    lines(`
      0→2 revived 1 from slot 1: 1.0 []; decided<4; lives 0,0,1
      1→2 revived 1 from slot 1: 1.0 [1.0 slot 4: c]; decided<4; lives 0,0,1
    `),
  )
  t.equal(network.status(2).repairing, true, 'it has heard all, but does not know what was decided')
  network.inject(0, 2, { type: 'p1a', ballot: ballot('1.0'), from: 1 })
  t.equal(network.transcript(), '')
  network.deliver('0→2 decided')
  t.equal(
    network.transcript(),
    lines(`
      2 logs learn 1.0 slots 1–3: open n, a, b
      2 logs accept 1.0 slot 4: c
      2 logs lives 0,0,1
      2 logs repaired 1
    `),
  )
  t.match(network.status(2), { repairing: false, life: 1 })
  network.sync(2)
  t.strictSame(
    network.durable(2).map(({ type }) => type),
    ['repairing', 'lives', 'learn', 'accept', 'lives', 'repaired'],
  )
  network.now += LONGEST_LEASE // it may have granted one in the life that it forgot
  network.inject(0, 2, { type: 'p1a', ballot: ballot('2.0'), from: 1 })
  network.sync(2)
  t.match(network.transcript(), '2→0 p1b 2.0 from slot 1: [1.0 slot 4: c]; decided<4; lives 0,0,1')
  t.end()
})

t.test('what only the wiped server and a minority had accepted is not lost, and the cluster goes on', (t) => {
  const network = wiped()
  network.start(0)
  network.repair(2)
  network.run(4000)
  for (const id of network.ids) t.strictSame(network.executed(id), ['a@2', 'b@3', 'c@4'], `server ${id}`)
  network.crash(0)
  network.submit(2, '1.n/4 d')
  network.run(4000)
  t.strictSame(network.executed(1), ['a@2', 'b@3', 'c@4', 'd@5'], 'server 2 counts again')
  network.crash(1)
  network.crash(2)
  network.start(1)
  network.start(2)
  t.match(network.status(2), { repairing: false, life: 1 }, 'and after a restart, too')
  t.end()
})

t.test('a repair goes by snapshot where others have no more in memory, and a crash only makes it begin anew', (t) => {
  const lives = new Set<number>()
  for (let rounds = 0; rounds < 12; rounds++) {
    const network = new Network(3, { limits: { tailCommands: 2, runCommands: 2 } })
    network.elect(0)
    network.submit(0, 'open n')
    network.settle()
    for (let localId = 1; localId < 9; localId++) network.submit(0, `1.n/${localId} x${localId}`)
    network.settle()
    network.wipe(2)
    network.repair(2)
    for (let round = 0; round < rounds; round++) {
      network.tick(250)
      network.deliver()
      network.sync()
      network.serve()
    }
    network.crash(2)
    network.start(2)
    const { repairing, life } = network.status(2)
    network.run(5000)
    t.match(network.status(2), { repairing: false, life: repairing ? life + 1 : life }, `after ${rounds} rounds`)
    t.strictSame(network.executed(2), network.executed(0))
    lives.add(network.status(2).life)
  }
  t.strictSame([...lives].sort(), [1, 2], 'some of them had ended')
  t.end()
})

t.test('it waits for as many as are needed, whoever comes and goes', (t) => {
  const network = new Network(5)
  network.elect(0)
  network.submit(0, 'open n, 1.n/1 a')
  network.settle()
  network.wipe(4)
  network.crash(3)
  network.crash(2)
  network.repair(4)
  network.run(3000)
  t.equal(network.status(4).repairing, true, 'two are no majority of five')
  network.crash(1)
  network.start(2)
  network.run(3000)
  t.equal(network.status(4).repairing, true, 'these have told their lives, but not their memories')
  network.start(3)
  network.run(3000)
  t.equal(network.status(4).repairing, false)
  t.strictSame(network.executed(4), ['a@2'])
  network.submit(4, '1.n/2 b')
  network.run(3000)
  t.strictSame(network.executed(4), ['a@2', 'b@3'])
  t.end()
})

t.test('it is told a later life by who knows one, and takes one above that', (t) => {
  const network = new Network(3)
  network.inject(2, 1, { type: 'revive', life: 6, from: 1 })
  network.sync()
  network.lose()
  network.wipe(2)
  network.repair(2)
  network.tick(0, 2)
  network.deliver()
  network.inject(1, 2, { type: 'tellLife', life: 0 }) // sent before it had heard of life 6
  network.deliver('0→2 tellLife')
  network.sync(2)
  t.match(network.transcript(), '2→1 revive 1 from slot 1')
  network.run(2000)
  t.match(network.status(2), { repairing: false, life: 7 })
  t.strictSame(
    [0, 1].map((id) => network.core(id).lifeOf(2)),
    [7, 7],
  )
  t.end()
})

t.test('each repair begins another life, and the others remember the last one through crashes', (t) => {
  const network = new Network(3)
  network.elect(0)
  for (let life = 1; life <= 3; life++) {
    network.wipe(2)
    network.repair(2)
    network.run(2000)
    t.match(network.status(2), { repairing: false, life })
    network.snapshot(0)
    network.settle()
    network.crash(1)
    network.start(1)
  }
  t.strictSame(
    [0, 1, 2].map((id) => network.core(id).lifeOf(2)),
    [3, 3, 3],
  )
  t.end()
})

t.test('a repaired server keeps no leader in office before it votes', (t) => {
  const network = new Network(3)
  network.elect(0)
  network.crash(1)
  network.wipe(2)
  network.repair(2)
  network.run(1000)
  t.not(network.status(0).role, 'leader', 'it has no majority')
  t.match(network.transcript(), '0→1,2 stepDown 1.0')
  t.end()
})

/**
 * Of five servers, a p1b of server 0 for ballot 2.4 is delayed on its way to 4. Server 0 is wiped, and repaired through 1, 2
 * and 3, which never heard of that ballot. Server 1 leads at 2.1, and decides c with 0 and 2.
 */
t.test('why lives are needed: an old promise of a repaired server is not counted', (t) => {
  const network = new Network(5)
  network.tick(0)
  network.inject(4, 0, { type: 'p1a', ballot: ballot('1.4'), from: 1 }) // so that server 4 asks at 2.4
  network.sync()
  network.inject(0, 4, { type: 'prescoutReply', attempt: 0, granted: false, ballot: ballot('1.0') })
  network.lose()
  network.tick(1000, 4)
  network.deliver('4→0 prescout', '4→1 prescout')
  network.deliver('0→4 prescoutReply', '1→4 prescoutReply')
  network.deliver('4→0 p1a 2.4')
  network.sync(0)
  const late = network.delay('0→4 p1b 2.4')
  const second = network.delay('4→3 p1a 2.4')
  network.lose()
  network.sync(4)
  t.match(network.transcript(), '0→4 p1b 2.4 from slot 1: []; decided<1\n', 'in its first life')
  network.cut('0-4', '1-4', '2-4', '3-4')
  network.wipe(0)
  network.repair(0)
  network.tick(0, 0)
  network.settle()
  t.match(network.status(0), { repairing: false, life: 1, ballot: ballot('0.0') }, 'it knows nothing of 2.4')
  network.inject(0, 1, { type: 'prescoutReply', attempt: 0, granted: false, ballot: ballot('1.4') })
  network.elect(1)
  network.cut('1-3')
  network.submit(1, 'c')
  network.settle()
  t.strictSame(network.status(1).ballot, ballot('2.1'))
  t.equal(network.status(1).applied, 1, 'c is decided with 0, 1 and 2')
  network.transcript()
  network.heal()
  network.cut('0-4', '1-4', '2-4')
  second()
  network.sync(3)
  network.deliver('3→4 p1b')
  late()
  t.equal(
    only(/→4 p1b|^4/, network.transcript()).join('\n'),
    '3→4 p1b 2.4 from slot 1: []; decided<1; lives 1',
    'server 3 names the life of server 0, so 4 has two promises, not three',
  )
  t.equal(network.status(4).role, 'candidate')
  network.heal()
  network.run(6000)
  for (const id of network.ids) t.equal(network.status(id).applied, 1)
  t.end()
})

t.test('two of five are repaired at once, and nothing is forgotten', (t) => {
  const network = new Network(5)
  network.elect(0)
  network.submit(0, 'open n, 1.n/1 a, 1.n/2 b')
  network.settle()
  network.submit(0, '1.n/3 c')
  network.deliver('0→3', '0→4')
  network.sync(0, 3, 4)
  network.deliver('3→0 p2b', '4→0 p2b')
  t.match(network.transcript(), '0 replies 1.n/3 ok c@4', 'decided by 0, 3 and 4')
  network.lose()
  network.wipe(3)
  network.wipe(4)
  network.repair(3)
  network.repair(4)
  network.run(4000)
  for (const id of [3, 4]) t.match(network.status(id), { repairing: false, life: 1 })
  network.crash(0)
  network.submit(4, '1.n/4 d')
  network.run(5000)
  for (const id of [1, 2, 3, 4]) t.strictSame(network.executed(id), ['a@2', 'b@3', 'c@4', 'd@5'])
  for (const id of [1, 2])
    t.strictSame(
      [3, 4].map((each) => network.core(id).lifeOf(each)),
      [1, 1],
    )
  t.end()
})

t.test('a leader asks a repaired server again for its vote, and takes that of its new life', (t) => {
  const network = new Network(5)
  network.elect(0)
  network.submit(0, 'c')
  network.deliver('0→4')
  network.sync(4)
  const late = network.delay('4→0 p2b')
  const p2a = network.delay('0→3 p2a')
  network.lose()
  network.sync(0)
  network.wipe(4)
  network.cut('0-4')
  network.repair(4)
  network.tick(0, 4)
  network.settle()
  t.match(network.status(4), { repairing: false, life: 1 }, 'by 1, 2 and 3, which had not voted')
  network.cut('0-1', '0-2')
  p2a()
  network.settle()
  network.transcript()
  late()
  t.equal(network.status(0).applied, 0, 'the votes of 0 and 3, and one of 4 that is outlived')
  network.heal()
  network.cut('0-1', '0-2')
  network.tick(500, 0)
  network.settle()
  t.equal(network.status(0).applied, 1)
  t.strictSame(only(/p2[ab]/, network.transcript()), [
    '0→1,2,4 p2a 1.0 slot 1: c; decided<1',
    '4→0 p2b 1.0 slot 1; decided<1; lives 0,0,0,0,1',
  ])
  t.end()
})
