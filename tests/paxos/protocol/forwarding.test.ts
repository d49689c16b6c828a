import t from 'tap'
import { lines } from '../../support/transcript.js'
import { Network } from '../../support/network.js'

/** Three servers that server 0 leads, with session 1.n. */
function led(): Network {
  const network = new Network(3)
  network.elect(0)
  network.submit(0, 'open n')
  network.settle()
  network.run(100)
  network.transcript()
  return network
}

t.test('a follower forwards its clients’ commands to the leader, and answers them itself', (t) => {
  const network = led()
  network.submit(1, '1.n/1 x, 1.n/2 y')
  t.equal(network.transcript(), '1→0 forward x, y')
  network.settle()
  const replies = network
    .transcript()
    .split('\n')
    .filter((line) => line.includes('replies'))
  t.strictSame(replies, ['1 replies 1.n/1 ok x@2', '1 replies 1.n/2 ok y@3'])
  t.end()
})

t.test('what was submitted before there was a leader is forwarded when one is heard', (t) => {
  const network = new Network(3)
  network.tick(0)
  network.submit(2, 'open n')
  t.equal(network.transcript(), '')
  network.elect(0)
  t.match(network.transcript(), '2→0 forward open n')
  t.match(network.status(2).sessions, 1)
  t.end()
})

t.test('a forward that was lost comes again, and a copy of one that was not is dropped', (t) => {
  const network = led()
  network.submit(1, '1.n/1 x')
  network.lose('1→0 forward')
  network.run(2000)
  t.match(network.transcript(), '1 replies 1.n/1 ok x@2')
  network.submit(1, '1.n/2 y')
  network.repeat('1→0 forward')
  network.deliver('1→0 forward')
  network.settle()
  t.strictSame(network.executed(0), ['x@2', 'y@3'])
  t.equal(network.status(0).applied, 3, 'one slot')
  t.end()
})

t.test('a copy that comes after the decision takes a slot, and is not executed again', (t) => {
  const network = led()
  network.submit(1, '1.n/1 x')
  network.repeat('1→0 forward')
  network.lose('1→0 forward')
  network.submit(2, '1.n/1 x')
  network.settle()
  network.submit(1, '1.n/2 y')
  network.settle()
  network.transcript()
  network.submit(1, '1.n/1 x')
  t.equal(network.transcript(), '1 replies 1.n/1 ok x@2', 'the retry is answered from the session table')
  for (const id of network.ids)
    t.strictSame(
      network.executed(id).map((each) => each[0]),
      ['x', 'y'],
    )
  t.end()
})

t.test('commands that a deposed leader held come from their servers again, and take effect once', (t) => {
  const network = led()
  network.cut('0-1', '0-2')
  network.submit(0, '1.n/1 own')
  network.run(3000)
  const [leader] = [1, 2].filter((id) => network.status(id).role === 'leader')
  t.ok(leader !== undefined)
  network.transcript()
  network.heal()
  network.run(1000)
  t.match(network.transcript(), `0→${leader} forward own`)
  for (const id of network.ids) t.strictSame(network.executed(id), ['own@2'])
  t.end()
})

t.test('what a new leader proposes again is not proposed once more when its server forwards it', (t) => {
  const network = led()
  network.submit(1, '1.n/1 x, 1.n/2 y')
  network.deliver('1→0 forward')
  network.deliver('0→1 p2a') // server 1 has accepted both when its leader dies
  network.crash(0)
  network.elect(2)
  network.settle()
  network.run(3000)
  t.strictSame(network.executed(2), ['x@2', 'y@3'])
  t.equal(network.status(2).applied, 3, 'no slot for a copy')
  t.end()
})

t.test('a client that goes to another server with its command gets the same result from both', (t) => {
  const network = led()
  network.submit(1, '1.n/1 x')
  network.submit(2, '1.n/1 x')
  network.submit(0, '1.n/1 x')
  network.settle()
  const replies = network
    .transcript()
    .split('\n')
    .filter((line) => line.includes('replies'))
  t.strictSame(
    replies.sort().join('\n'),
    lines(`
    0 replies 1.n/1 ok x@2
    1 replies 1.n/1 ok x@2
    2 replies 1.n/1 ok x@2
  `),
  )
  t.strictSame(network.executed(0), ['x@2'])
  t.end()
})

t.test('who does not lead drops what is forwarded to it', (t) => {
  const network = led()
  network.inject(1, 2, { type: 'forward', commands: [{ kind: 'open', nonce: 'm' }] })
  network.settle()
  t.equal(network.transcript(), '')
  t.end()
})
