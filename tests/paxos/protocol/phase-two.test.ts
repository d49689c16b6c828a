import t from 'tap'
import { ballot, broken, command, commands, lines, run } from '../../support/transcript.js'
import { Network } from '../../support/network.js'

/** Three servers that server 0 leads, at rest. */
function led(count = 3, limits = {}): Network {
  const network = new Network(count, { limits })
  network.elect(0)
  network.transcript()
  return network
}

t.test('the way of a command: p2a to the others beside the own disk, votes when durable, decision at once', (t) => {
  const network = led()
  network.submit(0, 'open n, 1.n/1 x')
  t.equal(
    network.transcript(),
    lines(`
      0→1,2 p2a 1.0 slots 1–2: open n, x; decided<1
      0 logs accept 1.0 slots 1–2: open n, x
    `),
  )
  network.deliver('0→1')
  t.equal(network.transcript(), '1 logs accept 1.0 slots 1–2: open n, x')
  network.sync(1)
  t.equal(network.transcript(), '1→0 p2b 1.0 slots 1–2; decided<1')
  network.deliver('1→0')
  t.equal(network.transcript(), '', 'one vote: the own one is not durable')
  network.sync(0)
  t.equal(
    network.transcript(),
    lines(`
      0→0 p2b 1.0 slots 1–2; decided<1
      0→1,2 decision 1.0; decided<3
      0 replies open n ok 1.n
      0 replies 1.n/1 ok x@2
    `),
  )
  network.deliver('0→1 decision')
  t.strictSame(network.executed(1), ['x@2'], 'from its own acceptor')
  t.equal(network.status(2).applied, 0)
  network.deliver('0→2 decision')
  t.equal(network.transcript(), '2→0 catchUp from slot 1', 'it did not accept them')
  t.end()
})

t.test('a majority of the others decides, before the leader’s own disk has it', (t) => {
  const network = led(5)
  network.submit(0, 'open n')
  network.deliver()
  network.sync(1, 2)
  network.deliver()
  t.equal(network.status(0).applied, 0, '2 of 5')
  network.sync(3)
  network.deliver('3→0')
  t.equal(network.status(0).applied, 1, '3 of 5')
  t.match(network.transcript(), '0 replies open n ok 1.n')
  t.end()
})

t.test('the decision travels on the next p2a; alone only when none leaves', (t) => {
  const network = led(3, { runsInFlight: 1 })
  network.submit(0, 'a')
  network.submit(0, 'b')
  network.sync(0)
  network.deliver('0→1')
  network.sync(1)
  network.transcript()
  network.deliver('1→0')
  t.equal(
    network.transcript(),
    lines(`
      0→1,2 p2a 1.0 slot 2: b; decided<2
      0 logs accept 1.0 slot 2: b
      0 logs decide 1.0; decided<2
      0 replies a/1 expired
    `),
    'and no message `decision`',
  )
  network.deliver('0→1')
  t.equal(network.status(1).applied, 1)
  network.sync()
  network.transcript()
  network.deliver('1→0')
  t.match(network.transcript(), /^0→1,2 decision 1.0; decided<3\n/)
  t.end()
})

t.test('a p2a that comes twice is not answered while its first record is being written', (t) => {
  const network = led()
  network.submit(0, 'a')
  network.repeat('0→1 p2a')
  network.deliver('0→1 p2a')
  t.equal(
    network.transcript(),
    lines(`
      0→1,2 p2a 1.0 slot 1: a; decided<1
      0 logs accept 1.0 slot 1: a
      1 logs accept 1.0 slot 1: a
    `),
    'one record, no vote',
  )
  network.sync(1)
  t.equal(network.transcript(), '1→0 p2b 1.0 slot 1; decided<1\n1→0 p2b 1.0 slot 1; decided<1')
  t.end()
})

t.test('a lost p2b or p2a: the run is sent again to who did not vote', (t) => {
  const network = led()
  network.submit(0, 'a')
  network.deliver('0→1')
  network.lose('0→2')
  network.sync()
  network.lose('1→0')
  network.transcript()
  network.tick(499, 0)
  t.notMatch(network.transcript(), 'p2a')
  network.tick(1, 0)
  t.match(network.transcript(), '0→1,2 p2a 1.0 slot 1: a; decided<1')
  network.deliver('0→1 p2a')
  t.match(network.transcript(), '1→0 p2b 1.0 slot 1; decided<1', 'it is durable already, and not logged again')
  network.deliver('1→0 p2b')
  t.equal(network.status(0).applied, 1)
  t.end()
})

t.test('a vote that comes twice is one vote', (t) => {
  const network = led(5)
  network.submit(0, 'a')
  network.sync(0)
  network.deliver('0→1')
  network.sync(1)
  network.repeat('1→0')
  network.deliver('1→0')
  t.equal(network.status(0).applied, 0)
  t.end()
})

t.test('R2: runs that are decided out of order are executed in order', (t) => {
  const network = led()
  network.submit(0, 'open n')
  network.submit(0, '1.n/1 x')
  network.deliver('0→1 p2a 1.0 slot 2')
  network.deliver('0→2 p2a 1.0 slot 2')
  network.sync(1, 2)
  network.deliver('1→0', '2→0')
  t.equal(network.status(0).applied, 0)
  network.settle()
  t.strictSame(network.executed(0), ['x@2'])
  t.strictSame(network.executed(1), ['x@2'])
  t.end()
})

t.test('a decision at a ballot is not taken from what was accepted below it, but got from a peer', (t) => {
  const network = led()
  network.inject(0, 1, { type: 'p2a', run: run('1.0', 1, 'lost'), decided: 1 })
  network.cut('0-1')
  network.submit(0, 'open n')
  network.settle()
  network.heal()
  network.transcript()
  network.inject(2, 1, { type: 'decision', ballot: ballot('2.2'), decided: 2 })
  t.equal(network.status(1).applied, 0)
  t.equal(network.transcript(), '1→2 catchUp from slot 1')
  network.settle()
  t.equal(network.status(1).applied, 1)
  t.match(network.transcript(), '1 logs learn 1.0 slot 1: open n')
  t.end()
})

t.test(
  'a late p2a of a deposed leader is refused, or is of no consequence, where its slot is decided otherwise',
  (t) => {
    const late = { type: 'p2a', run: run('1.0', 1, 'late'), decided: 1 } as const
    const network = new Network(3)
    network.inject(2, 1, { type: 'p2a', run: run('2.2', 1, 'open n'), decided: 1 })
    network.inject(2, 1, { type: 'decision', ballot: ballot('2.2'), decided: 2 })
    network.inject(2, 0, { type: 'decided', ballot: ballot('2.2'), first: 1, commands: commands('open n'), decided: 2 })
    network.sync()
    network.transcript()
    network.inject(0, 1, late)
    t.equal(network.transcript(), '1→0 preempt 2.2')
    network.inject(2, 0, late)
    network.sync()
    t.match(network.transcript(), '0→2 p2b 1.0 slot 1; decided<2', 'this acceptor promised nothing above it')
    for (const id of [0, 1]) t.equal(network.status(id).sessions, 1)
    network.crash(0)
    network.start(0)
    t.equal(network.status(0).sessions, 1, 'nor after a restart')
    t.end()
  },
)

t.test('decisions of a former leader may overtake what a new one proposes again', (t) => {
  const network = new Network(3, { limits: { runsInFlight: 1, runCommands: 1 } })
  network.inject(1, 0, { type: 'p2a', run: run('1.1', 1, 'a, b, c, d'), decided: 1 })
  network.settle()
  network.crash(1)
  network.tick(0)
  network.tick(2000, 0)
  network.deliver()
  network.deliver()
  network.deliver()
  network.sync()
  network.transcript()
  for (let i = 0; i < 9 && network.status(0).role !== 'leader'; i++) {
    network.deliver()
    network.sync(2)
  }
  t.match(network.transcript(), '0→1,2 p2a 2.0 slot 1: a; decided<1')
  network.inject(1, 0, { type: 'decision', ballot: ballot('1.1'), decided: 5 })
  t.equal(network.status(0).applied, 4)
  network.submit(0, 'e')
  network.settle()
  t.match(network.transcript(), '0→1,2 p2a 2.0 slot 5: e; decided<5')
  t.equal(network.status(0).applied, 5)
  network.run(200)
  t.equal(network.status(2).applied, 5)
  t.end()
})

t.test('R1: a leader that proposes another command for a decided slot is found out', (t) => {
  const network = led()
  network.submit(0, 'a')
  network.settle()
  t.throws(() => network.inject(2, 1, { type: 'p2a', run: run('2.2', 1, 'b'), decided: 1 }), broken('R1'))
  t.end()
})

t.test('A5: decisions above its ballot depose a leader before it tells any', (t) => {
  const network = led()
  network.submit(0, 'a')
  network.transcript()
  network.inject(2, 0, { type: 'decision', ballot: ballot('2.2'), decided: 1 })
  t.equal(network.status(0).role, 'leader', 'a decision of nothing says nothing')
  const message = { type: 'decided', ballot: ballot('2.2'), first: 1, commands: [command('b')], decided: 2 } as const
  network.inject(2, 0, message)
  t.equal(network.status(0).role, 'follower')
  t.match(network.transcript(), '0→1,2 stepDown 1.0')
  t.end()
})
