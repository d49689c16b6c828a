/** Sessions that end because nobody hears of their clients any more. */
import t from 'tap'
import { Network } from '../../support/network.js'
import { only } from '../../support/transcript.js'

const TTL = 1000

/** Three servers, of which 0 leads; session 1.n is open. */
function cluster(): Network {
  const network = new Network(3, { timing: { sessionTtl: TTL } })
  network.elect(0)
  network.submit(0, 'open n')
  network.run(200)
  network.transcript()
  return network
}

const ends = (network: Network): string[] => only(/logs accept .* end /, network.transcript())

t.test('the leader proposes the end of a session that it has not heard of, once', (t) => {
  const network = cluster()
  network.run(TTL - 250)
  t.strictSame(ends(network), [])
  network.run(500)
  t.strictSame(ends(network).length, 3, 'one slot, on three servers')
  for (const id of network.ids) t.equal(network.status(id).sessions, 0)
  for (const id of network.ids) t.strictSame(network.events(id), ['-1.n@2'])
  network.run(3 * TTL)
  t.strictSame(ends(network), [])
  t.end()
})

t.test('a session lasts as long as any server holds a connection of its client', (t) => {
  const network = cluster()
  for (let quarter = 0; quarter < 20; quarter++) {
    network.alive(2, '1.n')
    network.run(TTL / 4)
  }
  t.match(network.transcript(), '2→0 alive 1.n')
  t.equal(network.status(0).sessions, 1)
  for (let quarter = 0; quarter < 20; quarter++) {
    network.alive(0, '1.n')
    network.run(TTL / 4)
  }
  t.equal(network.status(0).sessions, 1, 'the leader’s own connections count, too')
  network.run(TTL + 250)
  t.equal(network.status(0).sessions, 0)
  t.end()
})

t.test('a new leader gives every session its full time', (t) => {
  const network = cluster()
  network.run(TTL - 300)
  network.crash(0)
  network.tick(2000, 1)
  network.settle()
  t.equal(network.status(1).role, 'leader')
  network.transcript()
  network.run(TTL)
  t.equal(network.status(1).sessions, 1)
  network.run(TTL / 2)
  t.equal(network.status(1).sessions, 0)
  t.end()
})

t.test(
  'a session lasts for its whole time after its connection was lost, though servers tell of it only now and then',
  (t) => {
    const network = cluster()
    network.alive(2, '1.n')
    network.run(TTL / 4) // the connection is lost just before the server would tell of it again
    network.run(TTL)
    t.equal(network.status(0).sessions, 1)
    network.run(100)
    t.equal(network.status(0).sessions, 0)
    t.end()
  },
)

t.test('when many sessions are due at once, all of them end, however little is taken in at a time', (t) => {
  const network = new Network(3, { timing: { sessionTtl: TTL }, limits: { pending: 10, runCommands: 4 } })
  network.elect(0)
  for (let session = 1; session <= 60; session++) {
    network.submit(0, `open n${session}`)
    network.settle()
  }
  t.equal(network.status(0).sessions, 60)
  network.run(2 * TTL)
  t.equal(network.status(0).sessions, 0)
  t.end()
})

t.test('a server that does not lead passes nothing on that others tell of their clients', (t) => {
  const network = cluster()
  network.inject(2, 1, { type: 'alive', clientIds: ['1.n'] })
  t.notMatch(network.transcript(), 'alive')
  t.end()
})

t.test('what is heard of sessions that are not open is forgotten at once', (t) => {
  const network = cluster()
  network.alive(0, '9.stranger', '1.n')
  network.run(2 * TTL)
  t.notMatch(network.transcript(), 'end 9.stranger')
  t.end()
})

t.test('time during which the leader did not run does not count in full: it could hear of nobody', (t) => {
  const network = new Network(1, { timing: { sessionTtl: TTL } })
  network.elect(0)
  network.submit(0, 'open n')
  network.settle()
  network.tick(60 * TTL)
  network.settle()
  t.equal(network.status(0).sessions, 1)
  network.run(TTL / 4)
  network.alive(0, '1.n')
  network.run(TTL / 2)
  t.equal(network.status(0).sessions, 1)
  network.run(TTL)
  t.equal(network.status(0).sessions, 0)
  t.end()
})

t.test('a client ends its session, and is told; a copy that comes late changes nothing', (t) => {
  const network = cluster()
  network.submit(1, 'end 1.n')
  network.settle()
  t.match(network.transcript(), '1 replies end 1.n ok')
  network.submit(2, 'end 1.n')
  network.submit(2, '1.n/1 late')
  network.settle()
  t.match(network.transcript(), '2 replies 1.n/1 expired')
  for (const id of network.ids) t.strictSame(network.events(id), ['-1.n@2'])
  t.end()
})
