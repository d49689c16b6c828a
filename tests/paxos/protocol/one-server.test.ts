import t from 'tap'
import { lines } from '../../support/transcript.js'
import { Network } from '../../support/network.js'

t.test(
  'a server alone is its own majority: it leads when its promise is durable, and decides what its disk holds',
  (t) => {
    const network = new Network(1)
    network.tick(0)
    t.equal(network.status(0).role, 'follower')
    network.tick(500)
    t.equal(network.transcript(), '0 logs promise 1.0')
    network.submit(0, 'open n')
    t.equal(network.transcript(), '', 'nothing is proposed before the promise is durable')
    t.equal(network.status(0).role, 'candidate')
    network.sync(0)
    t.equal(network.status(0).role, 'leader')
    t.equal(
      network.transcript(),
      lines(`
      0→0 p1b 1.0 from slot 1: []; decided<1
      0 logs accept 1.0 slot 1: open n
      0→0 p2b 1.0 slot 1; decided<1
      0 replies open n ok 1.n
    `),
    )
    t.end()
  },
)

t.test('while one write is on its way, what arrives waits its turn, and is answered append by append', (t) => {
  const network = new Network(1)
  network.elect(0)
  network.submit(0, 'open n')
  network.sync()
  network.transcript()
  network.submit(0, '1.n/1 x, 1.n/2 y')
  network.submit(0, '1.n/3 z')
  t.equal(
    network.transcript(),
    lines(`
      0 logs accept 1.0 slots 2–3: x, y
      0 logs decide 1.0; decided<2
      0 logs accept 1.0 slot 4: z
    `),
    'no reply: nothing is durable',
  )
  network.syncOne(0)
  t.equal(
    network.transcript(),
    lines(`
      0→0 p2b 1.0 slots 2–3; decided<2
      0 replies 1.n/1 ok x@2
      0 replies 1.n/2 ok y@3
    `),
  )
  network.syncOne(0)
  t.equal(network.transcript(), '0→0 p2b 1.0 slot 4; decided<2\n0 replies 1.n/3 ok z@4')
  network.tick(1000)
  t.equal(network.transcript(), '0 logs decide 1.0; decided<5', 'a hint, when there is time')
  t.end()
})

t.test('past so many runs in flight, what comes forms the next run', (t) => {
  const network = new Network(1, { limits: { runsInFlight: 2, runCommands: 3 } })
  network.elect(0)
  network.transcript()
  for (const command of ['a', 'b', 'c, d', 'e', 'f']) network.submit(0, command)
  t.equal(network.transcript(), '0 logs accept 1.0 slot 1: a\n0 logs accept 1.0 slot 2: b')
  network.syncOne(0)
  t.match(network.transcript(), '0 logs accept 1.0 slots 3–5: c, d, e\n')
  network.settle()
  t.match(network.transcript(), '0 logs accept 1.0 slot 6: f\n')
  t.end()
})

t.test('BUSY: past the limit of undecided commands a server answers so, and goes on', (t) => {
  const network = new Network(3, { limits: { pending: 2 } })
  network.tick(0)
  network.submit(1, 'a, b, c')
  t.equal(network.transcript(), '1 replies c/1 busy', 'there is no leader yet')
  network.elect(0)
  t.match(network.transcript(), /1 replies a\/1 expired\n1 replies b\/1 expired/)
  network.submit(1, 'c')
  network.settle()
  t.match(network.transcript(), '1 replies c/1 expired')
  t.end()
})
