/** A leader that hands its leadership over, and what broken connections tell. */
import t from 'tap'
import { Network } from '../../support/network.js'
import { only } from '../../support/transcript.js'

/** Servers that server 0 leads, at rest, with session 1.n. */
function led(count = 3): Network {
  const network = new Network(count)
  network.elect(0)
  network.submit(0, 'open n')
  network.settle()
  network.run(300)
  network.transcript()
  return network
}

t.test('a leader hands over to whoever has all that is decided; that one scouts at once, and nobody else', (t) => {
  const network = led()
  network.handOver(0, null)
  t.equal(network.transcript(), '0→1,2 heartbeat 1.0 #5; decided<2', 'is it there, and how far?')
  network.deliver('0→2 heartbeat')
  network.deliver('2→0 heartbeatReply')
  t.notMatch(network.transcript(), 'stepDown')
  network.deliver('0→1 heartbeat')
  network.deliver('1→0 heartbeatReply')
  t.match(network.transcript(), '0→1,2 stepDown 1.0 for 1')
  network.deliver('0→1 stepDown')
  t.equal(
    only(/prescout|p1a/, network.transcript()).join('\n'),
    '1→0,2 p1a 2.1 from slot 2',
    'without asking who would follow',
  )
  network.settle()
  t.strictSame(
    network.ids.map((id) => network.status(id).leader),
    [1, 1, 1],
  )
  t.end()
})

t.test('it proposes nothing more, and is done when what it proposed is decided and the successor knows', (t) => {
  const network = led()
  network.submit(0, '1.n/1 x')
  network.transcript()
  network.handOver(0, 2)
  network.submit(0, '1.n/2 y')
  t.equal(network.transcript(), '', 'x is not decided yet')
  network.sync()
  network.deliver('0→2 p2a')
  network.sync(2)
  network.deliver('2→0 p2b')
  t.match(network.transcript(), '0→1,2 heartbeat 1.0 #5; decided<3', 'is it there, and how far?')
  network.settle()
  t.equal(only(/stepDown/, network.transcript()).join('\n'), '0→1,2 stepDown 1.0 for 2')
  t.equal(network.status(2).role, 'leader')
  network.run(100)
  t.strictSame(network.executed(1), ['x@2', 'y@3'], 'and what waited at the old leader came to the new one')
  t.end()
})

t.test('a successor that does not answer is waited for no longer than a timeout, and the leader goes on', (t) => {
  const network = led()
  network.cut('0-2')
  network.handOver(0, 2)
  network.submit(0, '1.n/1 x')
  network.run(500)
  t.strictSame(network.executed(0), [])
  network.run(100)
  t.strictSame(network.executed(0), ['x@2'])
  t.equal(network.status(0).role, 'leader')
  t.notMatch(network.transcript(), 'stepDown')
  t.end()
})

t.test('nothing is handed over to who is out of touch, to itself, or by who does not lead', (t) => {
  const network = led()
  network.cut('0-2', '1-2')
  network.run(1000)
  network.transcript()
  network.handOver(0, 2)
  network.handOver(0, 0)
  network.handOver(1, 0)
  t.equal(network.transcript(), '')
  t.equal(network.status(0).role, 'leader')
  t.end()
})

t.test('a leader whose host ends hands over, and does not come to lead again', (t) => {
  const network = led()
  network.stop(0)
  network.settle()
  t.match(network.transcript(), '0→1,2 stepDown 1.0 for 1')
  t.equal(network.status(1).role, 'leader')
  t.equal(network.status(0).leader, 1, 'it goes on meanwhile')
  network.crash(1)
  network.crash(2)
  network.run(5000)
  t.notMatch(network.transcript(), /0→1,2 prescout/)
  t.end()
})

t.test('a leader whose host ends, and that nobody answers, says that it leads no more', (t) => {
  const network = led()
  network.run(0)
  network.cut('0-1', '0-2')
  network.run(200)
  network.transcript()
  network.stop(0)
  t.equal(network.status(0).role, 'leader', 'it has heard them lately')
  network.run(600)
  t.match(network.transcript(), '0→1,2 stepDown 1.0')
  t.equal(network.status(0).role, 'follower')
  t.end()
})

t.test('a second copy of the news begins no second scout, nor does one of a former leader', (t) => {
  const network = led()
  network.handOver(0, 1)
  network.settle()
  t.equal(network.status(1).role, 'leader')
  const late = { type: 'stepDown', ballot: { round: 1, server: 0, start: 0 }, successor: 1 } as const
  network.transcript()
  network.inject(0, 1, late)
  network.inject(0, 2, { ...late, successor: 2 })
  t.equal(network.transcript(), '')
  t.equal(network.status(2).leader, 1)
  t.end()
})

t.test('while the successor scouts the others wait, and if it is gone one of them leads', (t) => {
  const network = led(5)
  network.handOver(0, 1)
  network.deliver()
  network.deliver()
  network.lose('0→1 stepDown')
  network.crash(1)
  network.transcript()
  network.run(450)
  t.notMatch(network.transcript(), / prescout /)
  network.run(2000)
  t.ok(network.ids.some((id) => id !== 1 && network.status(id).role === 'leader'))
  t.end()
})

t.test('who loses its connections to the leader asks at once, and whoever has lost them too agrees', (t) => {
  const network = led()
  network.crash(0)
  network.unreachable(1, 0)
  network.unreachable(2, 0)
  network.run(100)
  t.ok(network.status(1).role === 'leader' || network.status(2).role === 'leader')
  t.match(network.transcript(), / prescoutReply #\d+ granted /)
  t.end()
})

t.test(
  'whoever alone lost its connections is refused, follows the leader again, and heeds no such news for a while',
  (t) => {
    const network = led()
    const asked = (): number => only(/1→0,2 prescout /, network.transcript()).length
    network.unreachable(1, 0)
    network.run(100)
    t.equal(asked(), 1)
    t.equal(network.status(1).leader, 0)
    t.equal(network.status(1).ballot.round, 1)
    network.unreachable(1, 0)
    network.run(400)
    t.equal(asked(), 0, 'a leader that was there all the same')
    network.run(8_000)
    network.unreachable(1, 0)
    network.run(100)
    t.equal(asked(), 1)
    t.end()
  },
)

t.test('connections to others than the leader say nothing of it', (t) => {
  const network = led()
  network.crash(2)
  network.unreachable(1, 2)
  network.unreachable(0, 2)
  network.run(400)
  t.notMatch(network.transcript(), 'prescout')
  t.equal(network.status(0).role, 'leader')
  t.end()
})
