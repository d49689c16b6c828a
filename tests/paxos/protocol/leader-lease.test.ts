import t from 'tap'
import { DEFAULT_TIMING } from '@synod/paxos/internal/protocol/config'
import { leaseFault, LONGEST_LEASE } from '@synod/paxos/internal/protocol/leader-lease'
import { ballot, lines } from '../../support/transcript.js'
import { Network } from '../../support/network.js'

const LEASE = 300

/** So many servers that server 0 leads, at rest; leases last 300 ms, of which the leader trusts in 200. */
function led(count = 3): Network {
  const network = new Network(count, { timing: { lease: LEASE, drift: 0.2 } })
  network.elect(0)
  network.transcript()
  return network
}

t.test('a leader that has a lease answers reads at once, its own and others’', (t) => {
  const network = led()
  network.read(0)
  t.equal(network.transcript(), '0 may answer reads up to 1')
  network.read(1)
  network.deliver()
  network.deliver()
  t.equal(network.transcript(), lines('1→0 askIndex #1 1.0\n0→1 tellIndex #1: 0\n1 may answer reads up to 1'))
  t.strictSame(network.status(0).indexes, { underLease: 2, confirmed: 0 })
  t.end()
})

t.test('a lease counts from the sending of the heartbeat, and is granted when the log says so', (t) => {
  const network = new Network(3, { timing: { lease: LEASE, drift: 0.2 } })
  network.tick(0)
  network.tick(2000, 0)
  while (network.status(0).role !== 'leader') {
    network.sync()
    network.deliver()
  }
  network.transcript()
  network.now += 150
  network.deliver('0→1')
  t.equal(
    network.transcript(),
    lines('1→0 heartbeatReply 1.0 #1; decided<1\n1 logs lease 300'),
    'not before that is durable',
  )
  network.sync(1)
  t.match(network.transcript(), '1→0 grant 1.0 #1')
  network.deliver('1→0')
  network.now += 49
  network.read(0)
  t.equal(network.readable(0), 1)
  network.now += 1
  network.read(0)
  t.equal(network.readable(0), 1, '200 ms after it was sent')
  t.end()
})

t.test('a lease that is over is no reason to answer: the ballot is confirmed, as without one', (t) => {
  const network = led()
  network.now += 250
  network.read(0)
  t.equal(network.transcript(), '0→1,2 heartbeat 1.0 #2; decided<1; lease 300')
  network.settle()
  t.equal(network.readable(0), 1)
  t.strictSame(network.status(0).indexes, { underLease: 0, confirmed: 1 })
  t.end()
})

t.test('as long as a lease lasts, an acceptor adopts no other server’s ballot, and helps nobody to one', (t) => {
  const network = led()
  network.now += 299
  network.inject(2, 1, { type: 'p1a', ballot: ballot('2.2'), from: 1 })
  t.equal(network.transcript(), '', 'as if it were lost')
  network.inject(2, 1, { type: 'prescout', attempt: 1 })
  t.match(network.transcript(), '1→2 prescoutReply #1 denied')
  network.now += 1
  network.inject(2, 1, { type: 'p1a', ballot: ballot('2.2'), from: 1 })
  t.equal(network.transcript(), '1 logs promise 2.2')
  t.end()
})

t.test('the holder itself may come with another ballot', (t) => {
  const network = led()
  network.inject(0, 1, { type: 'p1a', ballot: ballot('2.0+1'), from: 1 })
  t.equal(network.transcript(), '1 logs promise 2.0+1')
  t.end()
})

t.test('after a restart an acceptor keeps everybody out for as long as it may have granted', (t) => {
  const network = led()
  network.crash(1)
  network.start(1)
  network.tick(0, 1)
  network.inject(0, 1, { type: 'p1a', ballot: ballot('2.0+1'), from: 1 })
  network.inject(2, 1, { type: 'p1a', ballot: ballot('2.2'), from: 1 })
  t.equal(network.transcript(), '')
  network.tick(LEASE, 1)
  t.match(network.transcript(), '1 logs lease 0', 'none that it granted then lasts any more')
  network.lose()
  network.inject(2, 1, { type: 'p1a', ballot: ballot('2.2'), from: 1 })
  t.match(network.transcript(), '1 logs promise 2.2')
  network.sync(1)
  network.crash(1)
  network.lose()
  network.start(1)
  network.tick(0, 1)
  network.inject(2, 1, { type: 'p1a', ballot: ballot('3.2'), from: 1 })
  t.match(network.transcript(), '1 logs promise 3.2', 'so the next life need not wait')
  t.end()
})

t.test('what was granted is known after the log was collected, too', (t) => {
  const network = led()
  network.submit(0, 'open n')
  network.settle()
  network.snapshot(1)
  network.sync(1)
  t.strictSame(
    network.durable(1).map(({ type }) => type),
    ['base', 'lease'],
  )
  t.end()
})

t.test('a server that lost its log keeps everybody out for the longest time that there is', (t) => {
  const network = led()
  network.submit(0, 'open n')
  network.settle()
  network.wipe(1)
  network.repair(1)
  network.run(400)
  t.notOk(network.status(1).repairing)
  network.transcript()
  network.inject(2, 1, { type: 'p1a', ballot: ballot('5.2'), from: 1 })
  t.notMatch(network.transcript(), /promise/)
  t.end()
})

t.test('a leader that hands over drops its lease, and whoever hears of it may follow another one at once', (t) => {
  const network = led()
  network.stop(0)
  network.deliver('0→1 heartbeat')
  network.sync(1)
  network.deliver('1→0 heartbeatReply')
  t.match(network.transcript(), '0→1,2 stepDown 1.0 for 1')
  network.inject(1, 0, { type: 'askIndex', ballot: ballot('1.0'), sequence: 9 })
  t.equal(network.transcript(), '', 'it answers nobody')
  network.deliver('0→1 stepDown', '0→2 stepDown')
  network.deliver('1→2 p1a')
  t.match(network.transcript(), '2 logs promise 2.1')
  t.end()
})

t.test('the farewell of a former leader, come late, ends no lease of the next one', (t) => {
  const network = led()
  network.handOver(0, 1)
  network.settle()
  network.run(100)
  t.equal(network.status(1).role, 'leader')
  network.read(1)
  t.equal(network.readable(1), 1, 'under its lease')
  network.transcript()
  network.inject(0, 2, { type: 'stepDown', ballot: ballot('1.0'), successor: 1 })
  network.inject(0, 2, { type: 'p1a', ballot: ballot('3.0'), from: 1 })
  t.equal(network.transcript(), '', 'as if it were lost')
  t.end()
})

t.test('in a cluster of five a lease needs two others', (t) => {
  const answers = (...granting: number[]): number => {
    const network = led(5)
    network.tick(250, 0)
    for (const id of granting) {
      network.deliver(`0→${id}`)
      network.sync(id)
      network.deliver(`${id}→0`)
    }
    network.lose()
    network.read(0)
    return network.readable(0)
  }
  t.equal(answers(1), 0)
  t.equal(answers(1, 3), 1)
  t.end()
})

t.test('a leader whose clock goes back trusts in no lease any more', (t) => {
  const network = led()
  network.now -= 1
  network.read(0)
  t.equal(network.readable(0), 0)
  network.settle()
  t.equal(network.readable(0), 1, 'it has its ballot confirmed')
  t.ok(network.status(0).clocksMistrusted)
  t.end()
})

t.test('a leader that finds another clock to be faster than two clocks can differ trusts in no lease any more', (t) => {
  const network = led()
  const reply = (sequence: number, clock: number): void => {
    network.inject(1, 0, { type: 'grant', ballot: ballot('1.0'), sequence, clock })
  }
  t.equal(network.now, 2000, 'when server 1 granted its first lease')
  network.tick(100, 0)
  reply(2, 2150)
  network.tick(100, 0)
  reply(3, 2300)
  t.notOk(network.status(0).clocksMistrusted, '300 ms in 200: 3/2 is what two clocks of 0.8 and 1.2 differ by')
  network.tick(100, 0)
  reply(4, 2452)
  t.ok(network.status(0).clocksMistrusted, '452 ms in 300')
  network.read(0)
  t.equal(network.readable(0), 0)
  t.end()
})

t.test('a clock that begins anew is that of a new process', (t) => {
  const network = led()
  const reply = (sequence: number, clock: number): void => {
    network.inject(1, 0, { type: 'grant', ballot: ballot('1.0'), sequence, clock })
  }
  network.tick(100, 0)
  reply(2, 5)
  network.tick(100, 0)
  reply(3, 100)
  t.notOk(network.status(0).clocksMistrusted)
  t.end()
})

t.test('with leases, a leader that died is followed by another one', (t) => {
  const network = led()
  network.crash(0)
  network.run(3000)
  t.ok([1, 2].some((id) => network.status(id).role === 'leader'))
  t.end()
})

t.test('leases that cannot work are told', (t) => {
  t.equal(leaseFault(DEFAULT_TIMING), null)
  t.equal(leaseFault({ ...DEFAULT_TIMING, lease: 300 }), null)
  t.equal(leaseFault({ ...DEFAULT_TIMING, lease: LONGEST_LEASE + 1 }), 'a lease is at most 2000 ms long, not 2001')
  t.equal(
    leaseFault({ ...DEFAULT_TIMING, heartbeat: 100, lease: 150 }),
    'a lease of 150 ms ends before the next heartbeat can renew it (every 100 ms)',
  )
  t.match(leaseFault({ ...DEFAULT_TIMING, lease: 300, drift: 1 }), /a ratio from 0 to 1, not 1/)
  t.end()
})
