import { obstacleOf } from '@synod/paxos/internal/server/obstacle'
import { Log } from '@synod/paxos/internal/server/log'
import { Standing } from '@synod/paxos/internal/server/standing'
import type { Standpoint } from '@synod/paxos/internal/server/standing'
import t from 'tap'

const SECOND = 1_000

function standpoint(fields: Partial<Standpoint['core']> = {}, more: Partial<Standpoint> = {}): Standpoint {
  return {
    id: 0,
    address: '127.0.0.1:10000',
    service: 'counter',
    clusterId: null,
    obstacle: null,
    takesPart: true,
    progress: null,
    core: {
      role: 'follower',
      leader: 1,
      ballot: { round: 3, server: 1, start: 9 },
      applied: 0,
      decided: 0,
      sessions: 0,
      executed: 0,
      collected: 0,
      life: 0,
      repairing: false,
      audit: { slot: 0, hash: '0'.repeat(16) },
      reached: [],
      indexes: { underLease: 0, confirmed: 0 },
      handingOverTo: null,
      clocksMistrusted: false,
      ...fields,
    },
    keeper: { snapshot: { slot: 0, bytes: 0 }, fetching: null, installed: 0 },
    storage: { logBytes: 0, syncs: 0 } as Standpoint['storage'],
    connected: [],
    clients: 0,
    feeds: 0,
    reads: { answered: 0, stale: 0, waiting: 0 },
    latency: null,
    oldestEvent: 1,
    ...more,
  }
}

t.test('the rate is the mean of the last ten seconds, and 0 when nothing happens', (t) => {
  const standing = new Standing(new Log(0, () => undefined), 0)
  let executed = 0
  const rate = (now: number): number => standing.status(standpoint({ executed }), now).commandsPerSecond
  t.equal(rate(0), 0)
  // 100 a second, sampled more often than needed.
  for (let now = 0; now <= 30 * SECOND; now += 25) {
    executed = now / 10
    standing.sample(standpoint({ executed }).core, now)
    if (now > 0) t.ok(Math.abs(rate(now) - 100) < 0.001, `at ${now} ms`)
  }
  // Then nothing.
  for (let now = 30 * SECOND; now <= 35 * SECOND; now += 25) standing.sample(standpoint({ executed }).core, now)
  t.ok(Math.abs(rate(35 * SECOND) - 50) < 6)
  for (let now = 35 * SECOND; now <= 42 * SECOND; now += 25) standing.sample(standpoint({ executed }).core, now)
  t.equal(rate(42 * SECOND), 0)
  t.equal(rate(0), 0, 'also when the clock jumped back')
  t.end()
})

t.test('elections are told the latest first, and not for ever', (t) => {
  const standing = new Standing(new Log(0, () => undefined), 0)
  for (let round = 1; round <= 40; round++) {
    const { core } = standpoint({ leader: round % 2 === 0 ? null : 1, ballot: { round, server: 1, start: 9 } })
    standing.watch(core, round * SECOND)
  }
  const { elections } = standing.status(standpoint(), 50 * SECOND)
  t.equal(elections.length, 16)
  t.strictSame(elections.slice(0, 2), [
    { agoMs: 10 * SECOND, leader: null, ballot: '40.1' },
    { agoMs: 11 * SECOND, leader: 1, ballot: '39.1' },
  ])
  t.end()
})

t.test('a server is ready if nothing is in the way and a leader is known', (t) => {
  const standing = new Standing(new Log(0, () => undefined), 0)
  const of = (one: Standpoint) => {
    const { ready, reason, role } = standing.status(one, 0)
    return { ready, reason, role }
  }
  t.strictSame(of(standpoint()), { ready: true, reason: null, role: 'follower' })
  t.match(of(standpoint({ leader: null })), { ready: false, reason: /^no leader is known/ })
  t.strictSame(of(standpoint({}, { obstacle: 'the disk is full' })), {
    ready: false,
    reason: 'the disk is full',
    role: 'follower',
  })
  t.equal(of(standpoint({}, { takesPart: false, obstacle: 'not formed' })).role, 'forming')
  t.equal(of(standpoint({}, { takesPart: false, progress: 0.4, obstacle: 'it starts' })).role, 'starting')
  t.equal(of(standpoint({ repairing: true }, { obstacle: 'it is repaired' })).role, 'repairing')
  t.end()
})

t.test('what stands in the way is told in one sentence, the first thing first', (t) => {
  const nothing = {
    stopping: false,
    progress: null,
    takesPart: true,
    missing: [],
    fetching: null,
    lacksState: false,
    outpaced: false,
    repairing: false,
    full: false,
  }
  t.equal(obstacleOf(nothing), null)
  t.equal(obstacleOf({ ...nothing, full: true }), 'the disk is full')
  t.match(obstacleOf({ ...nothing, repairing: true, full: true }), /repaired .* does not vote yet/)
  const fetching = { from: 2, received: 50, bytes: 200 }
  t.match(obstacleOf({ ...nothing, fetching, repairing: true }), /fetches a snapshot of server 2, 25 % is here/)
  t.match(obstacleOf({ ...nothing, outpaced: true }), /far behind: it waits for a snapshot of another server/)
  t.match(obstacleOf({ ...nothing, lacksState: true }), /damaged: it waits for one of another server/)
  t.match(obstacleOf({ ...nothing, takesPart: false, missing: [1] }), /not formed: not met yet: server 1/)
  t.match(obstacleOf({ ...nothing, takesPart: false, progress: 0.429 }), /starting: 42 % of its directory/)
  t.equal(obstacleOf({ ...nothing, stopping: true, progress: 0 }), 'this server is stopping')
  t.end()
})
