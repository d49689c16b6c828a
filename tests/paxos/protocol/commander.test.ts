import t from 'tap'
import { Commander } from '@synod/paxos/internal/protocol/commander'
import type { Lives } from '@synod/paxos/internal/protocol/message'
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
    p2b: (from: number, at = '1.0', last = 5, lives: Lives = []): boolean =>
      self.p2b(from, { type: 'p2b', ballot: ballot(at), first: 4, last, decided: 4, lives }),
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

t.test('a vote of a life before one that another vote names does not count; its server may vote again', (t) => {
  const { p2b, tick } = commander(3)
  t.equal(p2b(1), false, 'sent before server 1 lost its votes')
  t.equal(p2b(2, '1.0', 5, [0, 1]), false, 'server 2 knows that it was repaired')
  t.equal(p2b(1), false, 'the old vote again')
  t.equal(
    tick(500),
    lines(`
      0→0 p2a 1.0 slots 4–5: a, b; decided<4
      0→1 p2a 1.0 slots 4–5: a, b; decided<4
    `),
    'it is asked again, beside those that did not vote',
  )
  t.equal(p2b(1), false, 'the old vote comes once more')
  t.equal(p2b(1, '1.0', 5, [0, 1]), true, 'the vote of its new life counts')
  t.end()
})

t.test('in whatever order they come, an outlived vote counts with none that outlives it', (t) => {
  const late = commander(5)
  late.p2b(3, '1.0', 5, [0, 2])
  late.p2b(0)
  t.equal(late.p2b(1, '1.0', 5, [0, 1]), false)
  t.equal(late.p2b(1, '1.0', 5, [0, 2]), true, 'of the life that server 3 knows')
  const others = commander(5)
  others.p2b(1)
  others.p2b(3, '1.0', 5, [0, 1])
  t.equal(others.p2b(0), false, 'two count, and server 1 does not')
  t.equal(others.p2b(4), true, 'three others are a majority without it')
  t.end()
})

t.test('a late vote of a former life does not take the place of one of a later life', (t) => {
  const { p2b } = commander(3)
  p2b(1, '1.0', 5, [0, 1])
  t.equal(p2b(1), false)
  t.equal(p2b(2, '1.0', 5, [0, 1]), true)
  t.end()
})
