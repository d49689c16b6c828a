import t from 'tap'
import { Network } from '../../support/network.js'

/** Servers that server 0 leads, at rest. */
function led(count: number, seed = 0): Network {
  const network = new Network(count, { seed })
  network.elect(0)
  network.submit(0, 'open n')
  network.settle()
  network.run(300)
  network.transcript()
  return network
}

/** The leader that a majority follows, if there is one. */
function leader(network: Network): number | undefined {
  const majority = Math.floor(network.ids.length / 2) + 1
  return network.ids.find((id) => {
    const followers = network.ids.filter((each) => network.status(each).leader === id)
    return network.status(id).role === 'leader' && followers.length >= majority
  })
}

/** Whether the leader gets a command decided. */
function works(network: Network): boolean {
  const id = leader(network)
  if (id === undefined) return false
  const { applied } = network.status(id)
  network.submit(id, `work${network.now}`)
  network.run(200)
  return network.status(id).applied > applied
}

t.test('a server that was cut off and is back does not depose a working leader', (t) => {
  const network = led(3)
  network.cut('0-2', '1-2')
  network.run(10_000)
  t.equal(network.status(2).role, 'candidate')
  t.notMatch(network.transcript(), ' p1a ')
  for (;;) {
    network.tick(25)
    if (network.transcript().includes('2→0,1 prescout')) break
    network.settle()
  }
  network.heal()
  network.settle()
  const transcript = network.transcript()
  t.match(transcript, /0→2 prescoutReply #\d+ denied 1.0/)
  t.match(transcript, /1→2 prescoutReply #\d+ denied 1.0/)
  t.notMatch(transcript, ' p1a ')
  network.run(2000)
  t.equal(network.status(0).role, 'leader')
  t.equal(network.status(2).leader, 0)
  t.notMatch(network.transcript(), 'p1a')
  for (const id of network.ids) t.equal(network.status(id).ballot.round, 1)
  t.end()
})

t.test('a leader out of touch with a majority steps down, and says so', (t) => {
  const network = led(3)
  network.cut('0-1', '0-2')
  network.run(600)
  t.equal(network.status(0).role, 'follower')
  t.match(network.transcript(), '0→1,2 stepDown 1.0')
  t.end()
})

t.test('who hears that its leader steps down need not wait for its silence', (t) => {
  const network = led(3)
  network.inject(0, 1, { type: 'stepDown', ballot: network.status(0).ballot, successor: null })
  network.inject(0, 2, { type: 'stepDown', ballot: network.status(0).ballot, successor: null })
  network.crash(0)
  network.run(500)
  t.match(network.transcript(), / p1a 2.[12] /)
  t.end()
})

t.test('a leader stays while a majority is in touch, whoever else is not', (t) => {
  const network = led(5)
  network.cut('0-3', '0-4')
  network.run(5000)
  t.equal(network.status(0).role, 'leader')
  t.equal(works(network), true)
  t.equal(network.status(0).ballot.round, 1)
  t.end()
})

const seeds = Array.from({ length: 20 }, (_, seed) => seed)

t.test('quorum loss: five servers of which one alone is connected to all: it comes to lead', (t) => {
  for (const seed of seeds) {
    const network = led(5, seed)
    network.onlyLinks('0-2', '1-2', '2-3', '2-4')
    network.run(10_000)
    t.equal(leader(network), 2, `seed ${seed}`)
    t.equal(works(network), true)
    const { ballot } = network.status(2)
    network.run(5000)
    t.strictSame(network.status(2).ballot, ballot, 'and goes on leading')
  }
  t.end()
})

t.test(
  'constrained: the leader is gone, and the one server that is connected to all lacks decisions: it leads',
  (t) => {
    for (const seed of seeds) {
      const network = led(5, seed)
      network.cut('0-2', '1-2', '2-3', '2-4')
      network.submit(0, '1.n/1 x')
      network.run(100)
      t.equal(network.status(2).applied, 1)
      network.heal()
      network.onlyLinks('1-2', '2-3', '2-4')
      network.run(10_000)
      t.equal(leader(network), 2, `seed ${seed}`)
      t.equal(works(network), true)
      t.strictSame(network.executed(2)[0], 'x@2')
    }
    t.end()
  },
)

t.test('chained: three servers in a row: one leads, two follow it, and nobody takes turns', (t) => {
  for (const seed of seeds) {
    for (const links of [
      ['0-1', '1-2'],
      ['0-1', '0-2'],
      ['0-2', '1-2'],
    ]) {
      const network = led(3, seed)
      network.onlyLinks(...links)
      network.run(10_000)
      t.ok(leader(network) !== undefined, `seed ${seed}, links ${links.join()}`)
      t.equal(works(network), true)
      const rounds = network.ids.map((id) => network.status(id).ballot.round)
      network.run(5000)
      t.strictSame(
        network.ids.map((id) => network.status(id).ballot.round),
        rounds,
      )
    }
  }
  t.end()
})

t.test('after each partition all servers come to the same state', (t) => {
  for (const seed of seeds) {
    const network = led(5, seed)
    network.cut('0-2', '0-3', '0-4', '1-2', '1-3', '1-4')
    network.submit(0, '1.n/1 x')
    network.submit(3, '1.n/2 y')
    network.run(5000)
    network.heal()
    network.run(5000)
    const [first, ...rest] = network.ids.map((id) => network.executed(id))
    t.equal(first?.length, 2, `seed ${seed}`)
    for (const each of rest) t.strictSame(each, first)
  }
  t.end()
})
