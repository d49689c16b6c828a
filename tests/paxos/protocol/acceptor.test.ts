import t from 'tap'
import { Acceptor } from '@synod/paxos/internal/protocol/acceptor'
import { DEFAULT_LIMITS } from '@synod/paxos/internal/protocol/config'
import { Outbox } from '@synod/paxos/internal/protocol/outbox'
import { ballot, broken, lines, run, showBallot, showCommand, showOutbox } from '../../support/transcript.js'

/** Server 0's acceptor. Each method tells what a message led to. */
function acceptor(limits = {}) {
  const self = new Acceptor({ ...DEFAULT_LIMITS, ...limits })
  const out = new Outbox(0)
  return {
    self,
    p1a: (from: number, at: string, slot = 1, decided = 1): string => {
      self.p1a(from, { type: 'p1a', ballot: ballot(at), from: slot }, decided, [], out)
      return showOutbox(0, out)
    },
    p2a: (from: number, at: string, first: number, commands: string, decided = 1): string => {
      self.p2a(from, { type: 'p2a', run: run(at, first, commands), decided }, decided, [], out)
      return showOutbox(0, out)
    },
    accepted: (slot: number, at: string): string | undefined => {
      const command = self.acceptedAt(slot, ballot(at))
      return command && showCommand(command)
    },
  }
}

t.test('it promises a higher ballot, and says so once the promise is durable', (t) => {
  const { p1a } = acceptor()
  t.equal(
    p1a(1, '1.1'),
    lines(`
      0 logs promise 1.1
      0→1 p1b 1.1 from slot 1: []; decided<1 (after sync)
    `),
  )
  t.equal(
    p1a(2, '1.2'),
    lines(`
      0 logs promise 1.2
      0→2 p1b 1.2 from slot 1: []; decided<1 (after sync)
    `),
  )
  t.end()
})

t.test('the same p1a again needs no record, but its answer waits for those that are being written', (t) => {
  const { p1a } = acceptor()
  p1a(1, '1.1')
  t.equal(p1a(1, '1.1'), '0→1 p1b 1.1 from slot 1: []; decided<1 (after sync)')
  t.end()
})

t.test('a lower ballot is refused, by round, then server, then start, and nothing is logged', (t) => {
  const { p1a, p2a } = acceptor()
  p1a(1, '2.1+5')
  for (const lower of ['1.2+9', '2.0+9', '2.1+4']) {
    t.equal(p1a(2, lower), '0→2 preempt 2.1+5', lower)
    t.equal(p2a(2, lower, 1, 'a'), '0→2 preempt 2.1+5', lower)
  }
  t.equal(p1a(1, '2.1+6').split('\n')[0], '0 logs promise 2.1+6', 'the same server, started again')
  t.end()
})

t.test('it accepts a run at its ballot, and votes for the run once it is durable', (t) => {
  const { p1a, p2a } = acceptor()
  p1a(1, '1.1')
  t.equal(
    p2a(1, '1.1', 1, 'a, b, c'),
    lines(`
      0 logs accept 1.1 slots 1–3: a, b, c
      0→1 p2b 1.1 slots 1–3; decided<1 (after sync)
    `),
  )
  t.end()
})

t.test('a run at a higher ballot is accepted, and its ballot adopted, by one record', (t) => {
  const { self, p1a, p2a } = acceptor()
  p1a(1, '1.1')
  t.equal(p2a(2, '3.2', 1, 'a').split('\n')[0], '0 logs accept 3.2 slot 1: a')
  t.equal(showBallot(self.ballot), '3.2')
  t.equal(p1a(1, '2.1'), '0→1 preempt 3.2')
  t.end()
})

t.test('a p2a that came twice is not logged again, and is answered after sync only', (t) => {
  const { p2a } = acceptor()
  p2a(1, '1.1', 1, 'a, b')
  p2a(1, '1.1', 3, 'c')
  t.equal(p2a(1, '1.1', 1, 'a, b'), '0→1 p2b 1.1 slots 1–2; decided<1 (after sync)')
  t.equal(p2a(1, '1.1', 1, 'a, b, c'), '0→1 p2b 1.1 slots 1–3; decided<1 (after sync)', 'held as two runs')
  t.match(p2a(1, '1.1', 2, 'b, c, d'), /^0 logs accept 1.1 slots 2–4: b, c, d\n/, 'one slot of it is new')
  t.match(p2a(1, '2.1', 1, 'a, b'), /^0 logs accept 2.1 slots 1–2: a, b\n/, 'the same at a higher ballot is new')
  t.end()
})

t.test('p1b reports for each slot what was accepted at the highest ballot', (t) => {
  const { p1a, p2a } = acceptor()
  p2a(1, '1.1', 1, 'a, b, c')
  p2a(2, '2.2', 2, 'x')
  p2a(2, '2.2', 6, 'y')
  t.match(
    p1a(1, '3.1'),
    'p1b 3.1 from slot 1: [1.1 slot 1: a] [2.2 slot 2: x] [1.1 slot 3: c] [2.2 slot 6: y]; decided<1',
  )
  t.match(
    p1a(1, '4.1', 3),
    'p1b 4.1 from slot 3: [1.1 slot 3: c] [2.2 slot 6: y]; decided<1',
    'from the slot asked for',
  )
  t.end()
})

t.test('p1b comes in chunks of so many commands or bytes, and at least one command', (t) => {
  const small = acceptor({ runCommands: 2 })
  small.p2a(1, '1.1', 1, 'a, b, c, d')
  small.p2a(1, '1.1', 7, 'e')
  t.match(small.p1a(1, '2.1'), 'p1b 2.1 from slot 1: [1.1 slots 1–2: a, b], next from slot 3; decided<1')
  t.equal(
    small.p1a(1, '2.1', 3),
    '0→1 p1b 2.1 from slot 3: [1.1 slots 3–4: c, d], next from slot 7; decided<1 (after sync)',
  )
  t.equal(small.p1a(1, '2.1', 7), '0→1 p1b 2.1 from slot 7: [1.1 slot 7: e]; decided<1 (after sync)')

  const tight = acceptor({ runBytes: 1 })
  tight.p2a(1, '1.1', 1, 'a, b')
  t.match(tight.p1a(1, '2.1'), 'p1b 2.1 from slot 1: [1.1 slot 1: a], next from slot 2; decided<1')
  t.match(tight.p1a(1, '2.1', 2), 'p1b 2.1 from slot 2: [1.1 slot 2: b]; decided<1')
  t.end()
})

t.test('A1: a promise that does not rise breaks it', (t) => {
  const { self } = acceptor()
  self.restorePromise(ballot('2.1'))
  t.throws(() => self.restorePromise(ballot('2.1')), broken('A1'))
  t.throws(() => self.restorePromise(ballot('1.2')), broken('A1'))
  t.end()
})

t.test('A2: a run accepted below the promise breaks it', (t) => {
  const { self } = acceptor()
  self.restorePromise(ballot('2.1'))
  t.throws(() => self.restoreAccept(run('1.1', 1, 'a')), broken('A2'))
  t.end()
})

t.test('A4: two commands for one slot at one ballot break it, in a new run and in a repeated one', (t) => {
  const { p2a } = acceptor()
  p2a(1, '1.1', 1, 'a, b')
  t.throws(() => p2a(1, '1.1', 2, 'x'), broken('A4'))
  t.throws(() => p2a(1, '1.1', 2, 'x, y'), broken('A4'))
  t.doesNotThrow(() => p2a(1, '2.1', 1, 'x, y'), 'at another ballot they may differ')
  t.end()
})

t.test('A3: it forgets only below the slot it is told, and tells scouts where the decided slots end', (t) => {
  const { self, p1a, p2a, accepted } = acceptor()
  p2a(1, '1.1', 1, 'a, b, c, d')
  self.forget(3)
  t.equal(accepted(3, '1.1'), 'c')
  t.match(p1a(2, '2.2', 1, 3), 'p1b 2.2 from slot 1: [1.1 slots 3–4: c, d]; decided<3')
  self.forget(2)
  t.match(p1a(2, '2.2', 1, 3), '[1.1 slots 3–4: c, d]', 'it never takes a forgotten slot back')
  t.match(p2a(2, '2.2', 1, 'a, b, c', 3), 'p2b 2.2 slots 1–3; decided<3', 'a re-proposed decided slot gets its vote')
  t.match(p1a(2, '2.2', 1, 3), '[2.2 slot 3: c] [1.1 slot 4: d]')
  t.end()
})

t.test('A5: it gives a decision of a ballot only from what it accepted at that ballot or above', (t) => {
  const { p2a, accepted } = acceptor()
  p2a(1, '2.1', 5, 'a')
  t.equal(accepted(5, '2.1'), 'a')
  t.equal(accepted(5, '1.2'), 'a', 'decided lower: what was accepted above is the same')
  t.equal(accepted(5, '2.2'), undefined, 'decided higher: what was accepted below may be another')
  t.equal(accepted(4, '1.0'), undefined)
  t.end()
})

t.test('what its records say, in order, makes the same acceptor', (t) => {
  const { self, p1a, accepted } = acceptor()
  self.restorePromise(ballot('1.1'))
  self.restoreAccept(run('1.1', 1, 'a, b'))
  self.restoreAccept(run('2.2', 2, 'x'))
  t.equal(showBallot(self.ballot), '2.2')
  t.equal(accepted(1, '1.1'), 'a')
  t.equal(p1a(1, '2.1'), '0→1 preempt 2.2')
  t.match(p1a(1, '3.1'), '[1.1 slot 1: a] [2.2 slot 2: x]')
  t.end()
})
