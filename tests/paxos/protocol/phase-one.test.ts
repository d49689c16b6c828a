import t from 'tap'
import { ballot, lines, only, run } from '../../support/transcript.js'
import { Network } from '../../support/network.js'

t.test(
  'a server that hears no leader asks first, then scouts, and leads when a majority’s promises are durable',
  (t) => {
    const network = new Network(3)
    network.tick(0)
    network.tick(500, 0)
    t.equal(network.transcript(), '0→1,2 prescout #1')
    network.deliver('0→1')
    network.deliver('1→0')
    t.equal(
      network.transcript(),
      lines(`
      1→0 prescoutReply #1 granted 0.0
      1→0 decision 0.0; decided<1
      0→1,2 p1a 1.0 from slot 1
      0 logs promise 1.0
    `),
    )
    network.deliver('0→1')
    t.equal(network.transcript(), '1 logs promise 1.0', 'no p1b before it is durable')
    network.sync(1)
    network.deliver('1→0')
    t.equal(network.transcript(), '1→0 p1b 1.0 from slot 1: []; decided<1')
    t.equal(network.status(0).role, 'candidate', 'its own promise is not durable')
    network.sync(0)
    t.equal(
      network.transcript(),
      lines(`
      0→0 p1b 1.0 from slot 1: []; decided<1
      0→1,2 heartbeat 1.0 #1; decided<1
    `),
    )
    t.equal(network.status(0).role, 'leader')
    network.deliver('0→1 heartbeat')
    t.equal(network.status(1).leader, 0)
    t.end()
  },
)

t.test('with 4 servers two are no majority, with 5 three are one', (t) => {
  for (const [count, live] of [
    [4, 2],
    [5, 2],
  ] as const) {
    const network = new Network(count)
    for (let id = live; id < count; id++) network.crash(id)
    network.run(5000)
    t.ok(
      network.ids.slice(0, live).every((id) => network.status(id).role !== 'leader'),
      `${live} of ${count}`,
    )
    network.start(live)
    network.run(5000)
    t.ok(
      network.ids.slice(0, live + 1).some((id) => network.status(id).role === 'leader'),
      `${live + 1} of ${count}`,
    )
  }
  t.end()
})

t.test('a lost p1a is sent again', (t) => {
  const network = new Network(3)
  network.tick(0)
  network.tick(500, 0)
  network.deliver('0→1')
  network.deliver('1→0')
  network.lose()
  network.sync()
  network.transcript()
  network.tick(499, 0)
  t.equal(network.transcript(), '')
  network.tick(1, 0)
  t.equal(network.transcript(), '0→1 p1a 1.0 from slot 1\n0→2 p1a 1.0 from slot 1')
  network.settle()
  t.equal(network.status(0).role, 'leader')
  t.end()
})

t.test('a scout that gets no majority is given up: the server asks again before it takes a higher ballot', (t) => {
  const network = new Network(3)
  network.tick(0)
  network.tick(500, 0)
  network.deliver('0→1')
  network.deliver('1→0')
  network.crash(1)
  network.crash(2)
  network.transcript()
  network.run(3000)
  t.match(network.transcript(), '0→1,2 prescout #2')
  t.strictSame(network.status(0).ballot, ballot('1.0'), 'nobody granted a higher one')
  network.start(1)
  network.tick(0)
  network.tick(2000, 0)
  network.settle()
  t.equal(network.status(0).role, 'leader')
  t.strictSame(network.status(1).ballot, ballot('2.0'))
  t.end()
})

/** Servers 1 and 2 hold at 1.1 what they accepted of their old leader 1; it is not known as decided. */
function undecided(limits = {}): Network {
  const network = new Network(3, { limits })
  for (const to of [1, 2]) {
    network.inject(1, to, { type: 'p2a', run: run('1.1', 1, 'a, b'), decided: 1 })
    network.inject(1, to, { type: 'p2a', run: run('1.1', 5, 'e, f'), decided: 1 })
  }
  network.inject(2, 2, { type: 'p2a', run: run('1.2', 2, 'x, y'), decided: 1 })
  network.sync()
  network.lose()
  network.transcript()
  return network
}

t.test(
  'a new leader first proposes what may have been chosen, by the highest ballot, with no-ops in the holes',
  (t) => {
    const network = undecided()
    network.cut('0-1')
    network.submit(0, 'new')
    network.elect(0)
    t.equal(
      only(/ (p1b|p2a) /, network.transcript()).join('\n'),
      lines(`
      0→0 p1b 2.0 from slot 1: []; decided<1
      2→0 p1b 2.0 from slot 1: [1.1 slot 1: a] [1.2 slots 2–3: x, y] [1.1 slots 5–6: e, f]; decided<1
      0→1,2 p2a 2.0 slots 1–6: a, x, y, noop, e, f; decided<1
      0→1,2 p2a 2.0 slot 7: new; decided<1
    `),
    )
    for (const id of [0, 2]) t.equal(network.status(id).applied, 7)
    network.heal()
    network.run(200)
    t.equal(network.status(1).applied, 7)
    t.end()
  },
)

t.test('R5: what is proposed again keeps to the window, too', (t) => {
  const network = undecided({ window: 2, runsInFlight: 9 })
  network.submit(0, 'new')
  network.elect(0)
  const rounds = only(/^0→1,2 p2a/, network.transcript())
  const ends = rounds.map((line) => {
    const [, first, last, decided] = /slots? (\d+)(?:–(\d+))?: .*decided<(\d+)/.exec(line) ?? []
    return { last: Number(last ?? first), decided: Number(decided) }
  })
  t.ok(ends.length >= 4, rounds.join('\n'))
  for (const { last, decided } of ends) t.ok(last < decided + 2, `slot ${last} with slotOut ${decided}`)
  t.equal(network.status(0).applied, 7)
  t.end()
})

t.test('a lost chunk of a p1b is asked for again, from where it began', (t) => {
  const network = undecided({ runCommands: 2 })
  network.crash(1)
  network.tick(0)
  network.tick(501, 0)
  network.deliver('0→2 prescout')
  network.deliver('2→0')
  network.sync(0)
  network.deliver('0→2 p1a')
  network.sync(2)
  network.deliver('2→0 p1b 2.0 from slot 1')
  network.deliver('0→2 p1a 2.0 from slot 3')
  t.match(network.transcript(), '2→0 p1b 2.0 from slot 3: [1.2 slot 3: y] [1.1 slot 5: e], next from slot 6; decided<1')
  network.lose('2→0 p1b 2.0 from slot 3')
  network.tick(500, 0)
  t.equal(network.transcript(), '0→1 p1a 2.0 from slot 1\n0→2 p1a 2.0 from slot 3')
  network.deliver('0→2 p1a')
  network.repeat('2→0 p1b 2.0 from slot 3')
  network.settle()
  t.equal(network.status(0).role, 'leader')
  t.match(network.transcript(), '2→0 p1b 2.0 from slot 6: [1.1 slot 6: f]; decided<1')
  t.equal(network.status(0).applied, 6)
  t.strictSame(network.status(2).applied, 6)
  t.end()
})

t.test('a higher ballot preempts a leader: it says that it steps down, and follows', (t) => {
  const network = new Network(3)
  network.elect(0)
  network.submit(0, 'open n')
  network.settle()
  network.transcript()
  network.inject(2, 0, { type: 'p1a', ballot: ballot('2.2'), from: 1 })
  t.equal(
    network.transcript(),
    lines(`
      0→1,2 stepDown 1.0
      0 logs promise 2.2
      0 logs decide 1.0; decided<2
    `),
  )
  t.equal(network.status(0).role, 'follower')
  network.sync()
  t.equal(network.transcript(), '0→2 p1b 2.2 from slot 1: []; decided<2')
  t.end()
})

t.test(
  'an acceptor that promised a higher ballot tells the leader, which leads no more and tries again above it',
  (t) => {
    const network = new Network(3)
    network.elect(0)
    network.inject(2, 1, { type: 'p1a', ballot: ballot('5.2'), from: 1 })
    network.sync()
    network.lose()
    network.transcript()
    network.submit(0, 'a')
    network.deliver('0→1')
    network.deliver('1→0')
    t.equal(
      network.transcript(),
      lines(`
      0→1,2 p2a 1.0 slot 1: a; decided<1
      0 logs accept 1.0 slot 1: a
      1→0 preempt 5.2
      0→1,2 stepDown 1.0
    `),
    )
    t.equal(network.status(0).role, 'follower')
    network.run(10_000)
    const leaders = network.ids.filter((id) => network.status(id).role === 'leader')
    t.equal(leaders.length, 1)
    t.ok(network.status(0).ballot.round > 5)
    t.end()
  },
)

t.test('a promise for an earlier ballot of this server, or another life of it, does not count', (t) => {
  const network = new Network(3)
  network.tick(0)
  network.tick(500, 0)
  network.deliver('0→1')
  network.deliver('1→0')
  network.sync()
  const p1b = { type: 'p1b', from: 1, accepted: [], next: null, decided: 1, collected: 0, lives: [] } as const
  network.inject(1, 0, { ...p1b, ballot: ballot('1.0+1') })
  network.inject(2, 0, { ...p1b, ballot: ballot('0.0') })
  t.equal(network.status(0).role, 'candidate')
  network.inject(2, 0, { ...p1b, ballot: ballot('1.0') })
  t.equal(network.status(0).role, 'leader')
  t.end()
})
