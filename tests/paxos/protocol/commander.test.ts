import t from 'tap'
import { Commander } from '@synod/paxos/internal/protocol/commander'
import { Outbox } from '@synod/paxos/internal/protocol/outbox'
import { ballot, broken, lines, run, showOutbox } from '../../support/transcript.js'

function commander(count: number) {
  const out = new Outbox(0)
  const servers = Array.from({ length: count }, (_, id) => id)
  const self = new Commander(run('1.0', 4, 'a, b'), { servers }, 4, 0, out)
  const spawned = showOutbox(0, out)
  return {
    self,
    spawned,
    p2b: (from: number, at = '1.0', last = 5): boolean =>
      self.p2b(from, { type: 'p2b', ballot: ballot(at), first: 4, last, decided: 4 }),
    tick: (now: number): string => {
      self.tick(now, 500, 4, out)
      return showOutbox(0, out)
    },
  }
}

t.test('it sends the run to every acceptor, with the decisions before it', (t) => {
  t.equal(
    commander(3).spawned,
    lines(`
      0→0 p2a 1.0 slots 4–5: a, b; decided<4
      0→1,2 p2a 1.0 slots 4–5: a, b; decided<4
    `),
  )
  t.end()
})

t.test('a majority of the configuration decides, and nothing less', (t) => {
  const majorities = [
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ] as const
  for (const [count, majority] of majorities) {
    const { p2b, self } = commander(count)
    for (let server = 0; server < majority - 1; server++) t.equal(p2b(server), false, `${server + 1} of ${count}`)
    if (majority > 1) t.equal(p2b(0), false, 'nor one that votes twice')
    t.equal(p2b(9), false, 'nor one that is not in the configuration')
    t.equal(self.decided, false)
    t.equal(p2b(majority - 1), true, `${majority} of ${count}`)
    t.equal(self.decided, true)
  }
  t.end()
})

t.test('C2: decided once, it stays so, and says it once', (t) => {
  const { p2b, self } = commander(3)
  p2b(0)
  t.equal(p2b(1), true)
  t.equal(p2b(2), false)
  t.equal(self.decided, true)
  t.end()
})

t.test('a vote at another ballot is none for this run', (t) => {
  const { p2b } = commander(3)
  p2b(0)
  for (const at of ['0.0', '2.0', '1.1', '1.0+1']) t.equal(p2b(1, at), false, at)
  t.equal(p2b(1), true)
  t.end()
})

t.test('C1: a vote for another run at its ballot and first slot breaks it', (t) => {
  const { p2b } = commander(3)
  t.throws(() => p2b(1, '1.0', 6), broken('C1'))
  t.throws(() => p2b(1, '1.0', 4), broken('C1'))
  t.end()
})

t.test(
  'a p2a or p2b may be lost: after a while those that did not vote get the run again, until it is decided',
  (t) => {
    const { p2b, tick } = commander(5)
    p2b(2)
    t.equal(tick(499), '')
    t.equal(
      tick(500),
      lines(`
      0→0 p2a 1.0 slots 4–5: a, b; decided<4
      0→1,3,4 p2a 1.0 slots 4–5: a, b; decided<4
    `),
    )
    t.equal(tick(999), '')
    p2b(0)
    t.equal(tick(1000), '0→1,3,4 p2a 1.0 slots 4–5: a, b; decided<4')
    p2b(3)
    t.equal(tick(9000), '')
    t.end()
  },
)
