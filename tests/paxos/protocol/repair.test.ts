/** How the memory of a server that lost its votes is asked for: docs/PROTOCOL.md, "Repair". */
import t from 'tap'
import { LivesKnown } from '@synod/paxos/internal/protocol/lives'
import { Outbox } from '@synod/paxos/internal/protocol/outbox'
import { Repair } from '@synod/paxos/internal/protocol/repair'
import type { Lives } from '@synod/paxos/internal/protocol/message'
import type { Run } from '@synod/paxos/internal/protocol/command'
import { ballot, config, lines, run, showBallot, showOutbox, showRun } from '../../support/transcript.js'

/** Server 0 of so many is repaired. */
function repair(count: number) {
  const known = new LivesKnown()
  const self = new Repair(config(0, count), known)
  const out = new Outbox(0)
  return {
    tick: (now: number): string => {
      self.tick(now, out)
      return showOutbox(0, out)
    },
    tellLife: (from: number, life: number): string => {
      self.tellLife(from, { type: 'tellLife', life }, out)
      return showOutbox(0, out)
    },
    /** What it comes to: messages, or what is remembered. */
    revived: (
      from: number,
      accepted: Run[] = [],
      { life = 1, slot = 1, next = null as number | null, at = '0.0', decided = 1, lives = [life] as Lives } = {},
    ): string => {
      const told = { accepted, next, ballot: ballot(at), decided, lives }
      self.revived(from, { type: 'revived', life, from: slot, ...told }, out)
      return showOutbox(0, out)
    },
    remembered: (): string | undefined => {
      const { remembered } = self
      if (remembered === undefined) return undefined
      const { life, ballot, runs, decided, decidedBy } = remembered
      const list = runs.map((each) => `[${showRun(each)}]`).join(' ')
      return `life ${life} of ${known.told.join(',')}; ${showBallot(ballot)} ${list || '[]'}; decided<${decided} by ${decidedBy}`
    },
  }
}

t.test('it asks all others which life of it they know, until a majority of all has told, itself not counted', (t) => {
  const three = repair(3)
  t.equal(three.tick(0), '0→1,2 askLife')
  t.equal(three.tick(499), '')
  t.equal(three.tick(500), '0→1,2 askLife')
  t.equal(three.tellLife(1, 0), '')
  t.equal(three.tellLife(1, 0), '', 'the same one again')
  t.equal(
    three.tellLife(2, 0),
    lines(`
      0 logs lives 1
      0→1 revive 1 from slot 1 (after sync)
      0→2 revive 1 from slot 1 (after sync)
    `),
    'what it has chosen it must not forget',
  )
  const five = repair(5)
  five.tick(0)
  five.tellLife(1, 0)
  five.tellLife(3, 4)
  t.match(five.tellLife(2, 2), /^0 logs lives 5\n0→1 revive 5 from slot 1 /, 'a life above the highest that they know')
  t.equal(five.tellLife(4, 5), '', 'a late answer that knows no later one')
  t.end()
})

t.test('somebody knows a later life: it begins again, above that', (t) => {
  const { tick, tellLife, revived, remembered } = repair(3)
  tellLife(1, 0)
  tellLife(2, 0)
  revived(1)
  t.equal(tellLife(2, 3), '')
  t.equal(tick(0), '0→1,2 askLife')
  t.equal(revived(2), '', 'what was told to the life that it gave up does not count')
  t.equal(remembered(), undefined)
  t.match(tellLife(1, 1), 'revive 4 from slot 1')
  revived(1, [], { life: 4 })
  revived(2, [], { life: 1 })
  t.equal(remembered(), undefined)
  revived(2, [], { life: 4 })
  t.equal(remembered(), 'life 4 of 4; 0.0 []; decided<1 by 1')
  t.end()
})

t.test('a majority has to tell all of its memory, chunk by chunk; what is lost is asked for again', (t) => {
  const { tick, tellLife, revived, remembered } = repair(3)
  tellLife(1, 0)
  tellLife(2, 0)
  t.equal(revived(1, [run('1.1', 1, 'a')], { next: 4 }), '0→1 revive 1 from slot 4 (after sync)')
  revived(2)
  t.equal(remembered(), undefined)
  t.equal(tick(500), '0→1 revive 1 from slot 4 (after sync)')
  t.equal(revived(1, [run('1.1', 1, 'a')], { next: 4 }), '', 'a chunk that came twice')
  revived(1, [run('1.1', 4, 'd')], { slot: 4 })
  t.equal(remembered(), 'life 1 of 1; 0.0 [1.1 slot 1: a] [1.1 slot 4: d]; decided<1 by 1')
  t.end()
})

t.test('it remembers each slot at its highest ballot, ballots ascending, and only where it is not decided', (t) => {
  const { tellLife, revived, remembered } = repair(5)
  for (const id of [1, 2, 3]) tellLife(id, 0)
  revived(1, [run('1.1', 2, 'b, c, d'), run('3.1', 6, 'f')], { at: '3.1', decided: 2 })
  revived(2, [run('2.2', 3, 'x')], { at: '5.2', decided: 3, lives: [1, 0, 4] })
  revived(3, [run('1.1', 3, 'c, d'), run('1.1', 8, 'h')], { at: '2.2', decided: 1, lives: [1, 0, 0, 0, 2] })
  t.equal(
    remembered(),
    'life 1 of 1,0,4,0,2; 5.2 [1.1 slot 4: d] [1.1 slot 8: h] [2.2 slot 3: x] [3.1 slot 6: f]; decided<3 by 2',
  )
  t.end()
})

t.test('an answer that is outlived does not count: that server is asked for all of it again', (t) => {
  const { tick, tellLife, revived, remembered } = repair(5)
  for (const id of [1, 2, 3]) tellLife(id, 0)
  revived(1, [run('1.1', 1, 'a')])
  revived(2, [], { lives: [1, 1] })
  revived(3, [], { lives: [1] })
  t.equal(remembered(), undefined, 'server 2 knows that server 1 lost its memory since')
  t.match(tick(500), '0→1 revive 1 from slot 1')
  revived(1, [run('2.2', 1, 'b')], { lives: [1, 1] })
  t.equal(remembered(), 'life 1 of 1,1; 0.0 [2.2 slot 1: b]; decided<1 by 1')
  t.end()
})

t.test('one that was repaired amid its answer begins anew', (t) => {
  const { tellLife, revived, remembered } = repair(3)
  tellLife(1, 0)
  tellLife(2, 0)
  revived(2)
  revived(1, [run('1.1', 1, 'a')], { next: 4 })
  t.equal(revived(1, [], { slot: 4, lives: [1, 1] }), '')
  t.equal(remembered(), undefined)
  revived(1, [run('1.1', 1, 'a')], { lives: [1, 1] })
  t.equal(remembered(), 'life 1 of 1,1; 0.0 [1.1 slot 1: a]; decided<1 by 1')
  t.end()
})
