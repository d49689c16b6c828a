import t from 'tap'
import { Election } from '@synod/paxos/internal/protocol/election'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { ballot, config, showBallot } from '../../support/transcript.js'

function election(count = 3, seed = 1) {
  return new Election(config(0, count), new Prng(seed))
}

/** When it is due, to the ms, if nothing happens until then. */
function dueAt(self: Election, from: number, until = from + 100_000): number {
  for (let now = from; now < until; now++) if (self.due(now) !== undefined) return now
  return Infinity
}

t.test('a new server waits up to one timeout, and differs from the others', (t) => {
  const times = [1, 2, 3, 4, 5].map((seed) => {
    const self = election(3, seed)
    self.begin(1000)
    return dueAt(self, 1000)
  })
  t.ok(
    times.every((time) => time >= 1000 && time <= 1500),
    times.join(),
  )
  t.equal(new Set(times).size, 5)
  t.end()
})

t.test('it tries to lead between one timeout and one and a half after the last word of a leader', (t) => {
  for (let seed = 1; seed <= 50; seed++) {
    const self = election(3, seed)
    self.begin(0)
    self.heard(ballot('1.1'), 10_000)
    const due = dueAt(self, 10_000)
    t.ok(due >= 10_500 && due <= 10_750, `${due}`)
    t.equal(self.leader, null, 'the silent leader is forgotten')
  }
  t.end()
})

t.test('preemption doubles the wait, up to a bound; signs of a working leader shorten it again', (t) => {
  const longest = (self: Election, now: number): number => {
    let most = 0
    for (let i = 0; i < 200; i++) {
      self.postpone(now)
      most = Math.max(most, dueAt(self, now) - now)
    }
    return most
  }
  const self = election()
  const within = (value: number, from: number, to: number): boolean => t.ok(value > from && value <= to, `${value}`)
  within(longest(self, 0), 700, 750)
  self.preempted(0)
  within(longest(self, 0), 1400, 1500)
  for (let i = 0; i < 20; i++) self.preempted(0)
  within(longest(self, 0), 2900, 3000)
  for (let i = 0; i < 10; i++) self.heard(ballot('1.1'), 0)
  within(longest(self, 0), 2200, 2250)
  for (let i = 0; i < 500; i++) self.heard(ballot('1.1'), 0)
  within(longest(self, 0), 700, 750)
  t.end()
})

t.test('it tells another leader from the same one, and does not go back to a lower ballot', (t) => {
  const self = election()
  t.equal(self.heard(ballot('1.1'), 0), true)
  t.equal(self.heard(ballot('1.1'), 0), false)
  t.equal(self.heard(ballot('2.1'), 0), true, 'the same server leads anew')
  t.equal(self.heard(ballot('1.2'), 0), false)
  t.equal(self.leader && showBallot(self.leader), '2.1')
  self.lost(ballot('1.2'), 0)
  t.equal(self.leader && showBallot(self.leader), '2.1', 'an older leader that steps down changes nothing')
  self.lost(ballot('2.1'), 0)
  t.equal(self.leader, null)
  t.ok(dueAt(self, 0) <= 500, 'and a leader that steps down need not be waited for')
  t.end()
})

t.test('it would follow another server only when it has not heard the leader for about a timeout', (t) => {
  const self = election()
  t.equal(self.wouldFollow(2, 0), true, 'no leader is known')
  self.heard(ballot('1.1'), 1000)
  t.equal(self.wouldFollow(2, 1400), false)
  t.equal(self.wouldFollow(1, 1400), true, 'the leader itself may take a higher ballot')
  t.equal(self.wouldFollow(2, 1401), true, 'who asks may have heard it a heartbeat before')
  t.end()
})

t.test('a majority must grant this attempt before the ballot is raised', (t) => {
  for (const [count, others] of [
    [1, 0],
    [3, 1],
    [4, 2],
    [5, 2],
  ] as const) {
    const self = election(count)
    t.equal(self.granted, false)
    self.due(10_000)
    self.due(20_000)
    self.answered(count - 1, 1, true, 20_000)
    for (let server = 1; server < others; server++) self.answered(server, 2, true, 20_000)
    if (others > 0) t.equal(self.granted, false, `one too few of ${count}`)
    self.answered(others, 2, true, 20_000)
    t.equal(self.granted, true, `${others + 1} of ${count}`)
    self.scouting(20_000)
    t.equal(self.granted, false, 'once')
  }
  t.end()
})

t.test('a leader that is heard ends the attempt, and grants that come late are worth nothing', (t) => {
  const self = election()
  const attempt = self.due(10_000)
  t.equal(self.asking, true)
  self.heard(ballot('1.1'), 10_001)
  self.answered(1, attempt ?? 0, true, 10_002)
  t.equal(self.granted, false)
  t.equal(self.asking, false)
  t.end()
})

t.test('it waits for twice as long as servers that live were silent, up to a bound, and forgets that in time', (t) => {
  const self = election()
  let now = 0
  const heard = (after: number): void => void self.heard(ballot('1.1'), (now += after))
  heard(0)
  heard(200)
  t.equal(self.patience, 500, 'the configured one at least')
  heard(400)
  t.equal(self.patience, 800)
  heard(5_000)
  t.equal(self.patience, 1_600, 'a leader that was taken for gone teaches to wait twice as long')
  for (let i = 0; i < 3; i++) heard(60_000)
  t.equal(self.patience, 2_000, 'four times the configured one at most')
  for (let i = 0; i < 600; i++) heard(100)
  t.ok(self.patience > 1_400 && self.patience < 1_500, `${self.patience} after a minute`)
  for (let i = 0; i < 1_200; i++) heard(100)
  t.equal(self.patience, 500)
  t.end()
})

t.test('what passes between two leaders is no silence of either', (t) => {
  const self = election()
  self.heard(ballot('1.1'), 0)
  self.heard(ballot('2.2'), 10_000)
  t.equal(self.patience, 500)
  t.end()
})

t.test('round trips count, too: where answers take longer than the timeout it comes to wait for them', (t) => {
  const self = election()
  self.begin(0)
  const delay = 900
  const sent = new Map<number, number>()
  let now = 0
  for (; now < 20_000 && !self.granted; now++) {
    const attempt = self.due(now)
    if (attempt !== undefined) sent.set(now, attempt)
    const answered = sent.get(now - delay)
    if (answered !== undefined) self.answered(1, answered, true, now)
  }
  t.ok(sent.size > 1, 'the first attempts are in vain')
  t.ok(now < 20_000, `a majority granted after ${now} ms`)
  t.end()
})

t.test(
  'a server that was stopped teaches nobody to wait: not itself when it led, nor others by its late answers',
  (t) => {
    const self = election()
    self.heard(ballot('1.0'), 0)
    self.heard(ballot('1.0'), 60_000)
    t.equal(self.patience, 500, 'its own heartbeats')
    const attempt = self.due(120_000) ?? 0
    self.scouting(120_010)
    self.answered(2, attempt, true, 180_000)
    t.equal(self.patience, 500, 'an answer that came when it was not waited for any more')
    t.end()
  },
)
