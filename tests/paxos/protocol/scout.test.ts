import t from 'tap'
import type { Adopted } from '@synod/paxos/internal/protocol/command'
import type { Lives } from '@synod/paxos/internal/protocol/message'
import { Outbox } from '@synod/paxos/internal/protocol/outbox'
import { Scout } from '@synod/paxos/internal/protocol/scout'
import type { Run } from '@synod/paxos/internal/protocol/command'
import { ballot, broken, lines, run, showCommand, showOutbox } from '../../support/transcript.js'

function scout(count: number, from = 1) {
  const out = new Outbox(0)
  const servers = Array.from({ length: count }, (_, id) => id)
  const self = new Scout(ballot('2.0'), from, { servers }, 500, 0, out)
  const spawned = showOutbox(0, out)
  return {
    spawned,
    /** What the promise leads to: messages, or adoption. */
    p1b: (
      server: number,
      accepted: Run[] = [],
      { at = '2.0', slot = from, next = null as number | null, decided = 1, collected = 0, lives = [] as Lives } = {},
    ): string => {
      const told = { from: slot, accepted, next, decided, collected, lives }
      const adopted = self.p1b(server, { type: 'p1b', ballot: ballot(at), ...told }, out)
      return [showOutbox(0, out), adopted === undefined ? '' : show(adopted)].filter((line) => line !== '').join('\n')
    },
    tick: (now: number): string => {
      self.tick(now, out)
      return showOutbox(0, out)
    },
  }
}

function show({ proposals, decided, decidedBy, collected }: Adopted): string {
  const list = [...proposals].sort(([a], [b]) => a - b).map(([slot, command]) => `${slot}:${showCommand(command)}`)
  const told = collected === 0 ? '' : `, collected ${collected}`
  return `adopted {${list.join(' ')}} decided<${decided} by ${decidedBy}${told}`
}

t.test('it asks every acceptor, its own server’s within the step', (t) => {
  t.equal(
    scout(3, 7).spawned,
    lines(`
      0→0 p1a 2.0 from slot 7
      0→1,2 p1a 2.0 from slot 7
    `),
  )
  t.end()
})

t.test('a majority of the configuration adopts, and nothing less', (t) => {
  const majorities = [
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ] as const
  for (const [count, majority] of majorities) {
    const { p1b } = scout(count)
    for (let server = 0; server < majority - 1; server++) t.equal(p1b(server), '', `${server + 1} of ${count}`)
    if (majority > 1) t.equal(p1b(0), '', 'nor one that answers twice')
    t.equal(p1b(9), '', 'nor one that is not in the configuration')
    t.equal(p1b(majority - 1), 'adopted {} decided<1 by 0', `${majority} of ${count}`)
  }
  t.end()
})

t.test('of each slot it takes the command of the highest ballot (pmax), in whatever order they come', (t) => {
  const [low, high] = [run('1.1', 1, 'a, b, c'), run('1.2', 2, 'x')]
  const first = scout(3)
  t.equal(first.p1b(1, [low]), '')
  t.equal(first.p1b(2, [high]), 'adopted {1:a 2:x 3:c} decided<1 by 1')
  const second = scout(3)
  t.equal(second.p1b(2, [high]), '')
  t.equal(second.p1b(1, [low]), 'adopted {1:a 2:x 3:c} decided<1 by 2')
  t.end()
})

t.test('the highest slotOut of those that answered, and whose it is, is to be reached', (t) => {
  const { p1b } = scout(5)
  p1b(0, [], { decided: 4 })
  p1b(3, [], { decided: 9 })
  t.equal(p1b(1, [], { decided: 6 }), 'adopted {} decided<9 by 3')
  t.end()
})

t.test('it asks for chunk after chunk, and counts an acceptor when it has told all', (t) => {
  const { p1b } = scout(3)
  t.equal(p1b(0), '')
  t.equal(p1b(1, [run('1.1', 1, 'a')], { next: 2 }), '0→1 p1a 2.0 from slot 2')
  t.equal(p1b(1, [run('1.1', 2, 'b')], { slot: 2, next: 5, decided: 3 }), '0→1 p1a 2.0 from slot 5')
  t.equal(p1b(1, [run('1.1', 5, 'e')], { slot: 5 }), 'adopted {1:a 2:b 5:e} decided<3 by 1')
  t.end()
})

t.test('a chunk that is lost is asked for again, and one that comes twice or late counts once', (t) => {
  const { p1b, tick } = scout(3)
  p1b(0)
  p1b(1, [run('1.1', 1, 'a')], { next: 2 })
  t.equal(tick(499), '')
  t.equal(
    tick(500),
    lines(`
      0→1 p1a 2.0 from slot 2
      0→2 p1a 2.0 from slot 1
    `),
    'who has told all is not asked again',
  )
  t.equal(p1b(1, [run('1.1', 1, 'a')], { next: 2 }), '', 'the first chunk again')
  t.equal(p1b(1, [run('1.1', 3, 'c')], { slot: 3 }), '', 'a chunk that was not asked for yet')
  t.equal(p1b(1, [run('1.1', 2, 'b')], { slot: 2 }), 'adopted {1:a 2:b} decided<1 by 0')
  t.end()
})

t.test('a promise for another ballot, or for another life of this server, is none for this one', (t) => {
  const { p1b } = scout(3)
  t.equal(p1b(0), '')
  for (const at of ['1.0', '2.1', '2.0+1', '3.0']) t.equal(p1b(1, [], { at }), '', at)
  t.equal(p1b(1), 'adopted {} decided<1 by 0')
  t.end()
})

t.test('A2: a pvalue above the promise that reports it breaks it', (t) => {
  const { p1b } = scout(3)
  t.throws(() => p1b(1, [run('2.1', 1, 'a')]), broken('A2'))
  t.end()
})

t.test('A4: two acceptors that accepted different commands for one slot at one ballot break it', (t) => {
  const { p1b } = scout(5)
  p1b(1, [run('1.1', 1, 'a')])
  t.throws(() => p1b(2, [run('1.1', 1, 'b')]), broken('A4'))
  t.doesNotThrow(() => p1b(3, [run('1.1', 1, 'a')]))
  t.end()
})

t.test('the highest slot that one of them has collected is told along', (t) => {
  const { p1b } = scout(5)
  p1b(0, [], { decided: 9, collected: 3 })
  p1b(3, [], { decided: 8, collected: 7 })
  t.equal(p1b(1, [], { decided: 6 }), 'adopted {} decided<9 by 0, collected 7')
  t.end()
})

t.test('a promise of a life before one that another names does not count; that server is asked again', (t) => {
  const { p1b, tick } = scout(3)
  t.equal(p1b(1, [run('1.1', 1, 'a')]), '', 'sent before server 1 lost its votes')
  t.equal(p1b(2, [run('1.1', 2, 'b')], { lives: [0, 1] }), '', 'server 2 knows that it was repaired')
  t.equal(
    tick(500),
    lines(`
      0→0 p1a 2.0 from slot 1
      0→1 p1a 2.0 from slot 1
    `),
  )
  t.equal(p1b(1, [run('1.1', 1, 'a')]), '', 'the old promise once more')
  t.equal(p1b(1, [run('1.2', 3, 'c')], { lives: [0, 1] }), 'adopted {1:a 2:b 3:c} decided<1 by 1')
  t.end()
})

t.test('three of five count without the one whose promise is outlived', (t) => {
  const { p1b } = scout(5)
  p1b(1)
  p1b(3, [], { lives: [0, 0, 0, 0, 7] })
  p1b(2, [], { lives: [0, 1] })
  t.equal(p1b(4), '', 'nor does this one: server 3 knows of seven lives of it')
  t.equal(p1b(0), 'adopted {} decided<1 by 1')
  t.end()
})

t.test('an acceptor that was repaired amid its report begins anew: what it told first is not its any more', (t) => {
  const { p1b, tick } = scout(3)
  p1b(0)
  t.equal(p1b(1, [run('1.1', 1, 'a')], { next: 5 }), '0→1 p1a 2.0 from slot 5')
  t.equal(p1b(1, [run('1.1', 5, 'e')], { slot: 5, lives: [0, 1] }), '', 'the rest, in another life')
  t.equal(tick(500).split('\n')[0], '0→1 p1a 2.0 from slot 1')
  t.equal(p1b(1, [run('1.2', 1, 'x')], { next: 5, lives: [0, 1] }), '0→1 p1a 2.0 from slot 5')
  t.equal(p1b(1, [], { slot: 5 }), '', 'a late chunk of the former life')
  t.equal(p1b(1, [run('1.2', 1, 'x')], { lives: [0, 1] }), 'adopted {1:x} decided<1 by 0')
  t.end()
})
