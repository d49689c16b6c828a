import t from 'tap'
import { ballot, broken, command, commands, lines, run, showOutbox } from '../../support/transcript.js'
import { replica } from './replica-alone.js'

t.test('R2, R3, R4: it executes decisions in slot order, each once, and answers its own clients only', (t) => {
  const { self, journal, accept, submit, hear } = replica()
  submit('open n, 1.n/1 x')
  accept(1, 'open n, 1.n/1 x, 9.m/1 y')
  t.equal(
    hear('1.1', 3),
    lines(`
      0 replies open n ok 1.n
      0 replies 1.n/1 ok x@2
    `),
  )
  t.equal(self.slotOut, 3)
  t.equal(hear('1.1', 2), '', 'an older decision changes nothing')
  t.equal(self.slotOut, 3)
  t.equal(hear('1.1', 4), '', 'another server answers that client')
  t.strictSame(journal.executed, ['x@2'])
  t.end()
})

t.test('R2: it does not execute over a hole, and goes on when the hole is filled', (t) => {
  const { self, accept, hear, decided, goOn } = replica()
  accept(1, 'a')
  accept(3, 'c')
  hear('1.1', 4)
  t.equal(self.slotOut, 2)
  t.equal(decided(1, '1.1', 2, 'b', 4), '0 logs decide 1.1; decided<2\n0 logs learn 1.1 slot 2: b')
  goOn()
  t.equal(self.slotOut, 4)
  t.end()
})

t.test('a decision counts only for what was accepted at its ballot or above; the rest is asked for', (t) => {
  const { self, accept, hear, seek } = replica()
  accept(1, 'a')
  hear('2.2', 2)
  t.equal(self.slotOut, 1)
  t.equal(seek(0), '0→1 catchUp from slot 1')
  t.end()
})

t.test('it asks whoever told it for what it lacks, and the next peer when no answer comes, one at a time', (t) => {
  const { self, hear, seek, decided, goOn } = replica()
  t.equal(seek(0), '', 'it lacks nothing')
  hear('2.1', 5, 2)
  hear('2.1', 5, 1)
  t.equal(seek(0), '0→2 catchUp from slot 1', 'the first that told')
  t.equal(seek(499), '')
  t.equal(seek(500), '0→1 catchUp from slot 1')
  t.equal(seek(1000), '0→2 catchUp from slot 1', 'and so on, in turn')
  t.equal(decided(2, '2.1', 1, 'a, b', 5, 1001), '0 logs learn 2.1 slots 1–2: a, b')
  t.equal(seek(9000), '', 'it asks for no more before it has executed these')
  goOn()
  t.equal(self.slotOut, 3)
  t.equal(seek(1100), '0→2 catchUp from slot 3 (after sync)', 'more is asked for when these are durable')
  t.equal(seek(1599), '')
  t.equal(decided(2, '2.1', 3, 'c, d', 5, 1599), '0 logs learn 2.1 slots 3–4: c, d')
  goOn()
  t.equal(self.slotOut, 5)
  t.equal(seek(9000), '')
  t.end()
})

t.test('what its quorum knows a leader asks for, though it cannot tell at which ballot it was chosen', (t) => {
  const { self, accept, hear, seek } = replica()
  accept(1, 'a, b')
  self.expect(3, 2)
  t.equal(hear('1.1', 2), '')
  t.equal(self.slotOut, 2, 'what it accepted for slot 2 may not be what was chosen')
  t.equal(seek(0), '0→2 catchUp from slot 2')
  t.strictSame(self.decision, { ballot: ballot('1.1'), decided: 2 }, 'nor does it tell others of it')
  t.end()
})

t.test('a decision that nobody else told of, but its own log, is asked for in the order of the peers', (t) => {
  const { hear, seek } = replica()
  hear('1.0', 2, 0)
  t.equal(seek(0), '0→1 catchUp from slot 1')
  t.equal(seek(500), '0→2 catchUp from slot 1')
  t.end()
})

t.test('decisions from a peer are taken where they go on from its own, and only the new ones', (t) => {
  const { self, journal, decided } = replica()
  t.equal(decided(1, '1.1', 2, 'b', 3), '', 'slot 1 is missing')
  decided(1, '1.1', 1, 'open n', 2)
  t.equal(decided(2, '1.1', 1, 'open n, 1.n/1 x', 3), '0 logs learn 1.1 slot 2: x')
  t.equal(decided(2, '1.1', 1, 'open n, 1.n/1 x', 3), '')
  t.equal(self.slotOut, 3)
  t.strictSame(journal.executed, ['x@2'])
  t.end()
})

t.test('it tells a peer what it lacks, in chunks of so many commands or bytes', (t) => {
  const few = replica({ runCommands: 2 })
  few.decided(1, '1.1', 1, 'a, b, c', 4)
  t.equal(few.catchUp(2, 1), '0→2 decided 1.1 slots 1–2: a, b; decided<4')
  t.equal(few.catchUp(2, 3), '0→2 decided 1.1 slot 3: c; decided<4')
  t.equal(few.catchUp(2, 9), '0→2 decided 1.1 nothing from slot 9; decided<4')
  const tight = replica({ runBytes: 1 })
  tight.decided(1, '1.1', 1, 'a, b', 3)
  t.equal(tight.catchUp(2, 1), '0→2 decided 1.1 slot 1: a; decided<3', 'one command at least')
  t.end()
})

t.test(
  'R1: another command for a decided slot, at its ballot or above, breaks it; a late one from below does not',
  (t) => {
    const { self, accept, hear } = replica()
    accept(1, 'a, b')
    hear('1.1', 3)
    t.throws(() => self.assertSame(run('1.1', 2, 'x')), broken('R1'))
    t.throws(() => self.assertSame(run('3.0', 1, 'a, x, c')), broken('R1'))
    t.doesNotThrow(() => self.assertSame(run('3.0', 1, 'a, b, c')))
    t.doesNotThrow(() => self.assertSame(run('1.0', 2, 'x')))
    t.end()
  },
)

t.test('clients’ commands wait in order; a run takes so many commands or bytes of them', (t) => {
  const { submit, take } = replica({ runBytes: 100 })
  submit('a, b, c, d')
  t.equal(take(1), 'a')
  t.equal(take(9), 'b, c')
  t.equal(take(9), 'd')
  t.equal(take(9), '')
  t.end()
})

t.test(
  'a command that waits or is under way is not taken in twice, and a retry of an executed one is answered at once',
  (t) => {
    const { submit, take, accept, hear } = replica()
    submit('open n, 1.n/1 x')
    submit('1.n/1 x')
    t.equal(take(), 'open n, x')
    submit('1.n/1 x')
    t.equal(take(), '')
    accept(1, 'open n, 1.n/1 x')
    hear('1.1', 3)
    t.equal(submit('1.n/1 x'), '0 replies 1.n/1 ok x@2')
    t.equal(take(), '')
    t.end()
  },
)

t.test('R3: an open is told from the commands without a client, whatever its nonce is', (t) => {
  const { self, submit, accept, hear, take } = replica()
  submit('open noop, open clock')
  self.requests.forwarded(commands('clock 100/1000'))
  t.equal(take(), 'open noop, open clock, clock 100/1000', 'none is taken for a copy of another')
  accept(1, 'noop, clock 100/1000, open noop, open clock')
  t.equal(hear('1.1', 3), '')
  t.equal(
    hear('1.1', 5),
    lines(`
      0 replies open noop ok 3.noop
      0 replies open clock ok 4.clock
    `),
  )
  t.end()
})

t.test('BUSY: past so many undecided commands of its clients a new one is refused', (t) => {
  const { submit, accept, hear, take } = replica({ pending: 2 })
  t.equal(submit('open n, open m, open o'), '0 replies open o busy')
  t.equal(take(), 'open n, open m')
  t.equal(submit('9.z/1 x'), '0 replies 9.z/1 busy', 'handed on is not decided')
  accept(1, 'open n')
  hear('1.1', 2)
  t.equal(submit('1.n/1 x'), '')
  t.equal(submit('1.n/2 y'), '0 replies 1.n/2 busy')
  t.end()
})

t.test('BUSY: past so many bytes of undecided commands likewise', (t) => {
  const { submit, accept, hear } = replica({ pendingBytes: 100 })
  t.equal(submit('a, b, c, d'), '0 replies d/1 busy', 'each counts 48 bytes and its operation')
  accept(1, 'a')
  t.equal(hear('1.1', 2), '0 replies a/1 expired')
  t.equal(submit('d'), '')
  t.end()
})

t.test('without its leader it takes back what is not decided, in order, and leaves others’ commands to them', (t) => {
  const { self, submit, take } = replica()
  submit('a, b')
  self.requests.forwarded(commands('c'))
  t.equal(take(1), 'a')
  submit('d')
  self.requests.requeue()
  t.equal(take(), 'a, b, d')
  t.end()
})

t.test('what was forwarded and not decided for long is forwarded again', (t) => {
  const { self, submit, take } = replica()
  submit('a, b')
  take(1, 0)
  take(1, 100)
  self.requests.resend(1999, 2000)
  t.equal(take(), '')
  self.requests.resend(2000, 2000)
  t.equal(take(9, 2000), 'a')
  self.requests.resend(2100, 2000)
  t.equal(take(9, 2100), '', 'b waits for its turn behind a')
  self.requests.resend(4000, 2000)
  t.equal(take(9, 4000), 'a, b')
  t.end()
})

t.test('a forwarded copy of a command that waits or is proposed here is dropped, until it is decided', (t) => {
  const { self, submit, take, accept, hear } = replica()
  submit('a')
  self.requests.forwarded(commands('a, b, b'))
  t.equal(take(), 'a, b')
  self.requests.forwarded(commands('a, b'))
  t.equal(take(), '')
  accept(1, 'a, b')
  hear('1.1', 3)
  self.requests.forwarded(commands('b'))
  t.equal(take(), 'b', 'its session then tells that it was executed')
  t.end()
})

t.test('a full queue takes no forwarded command', (t) => {
  const { self, take } = replica({ pending: 2 })
  self.requests.forwarded(commands('a, b, c'))
  t.equal(take(), 'a, b')
  self.requests.forwarded(commands('c'))
  t.equal(take(), 'c', 'it is taken when it comes again')
  t.end()
})

t.test('hints of what was executed are left for each ballot at which it was taken from the acceptor', (t) => {
  const { accept, hear, log, decided } = replica()
  t.equal(log(), '')
  accept(1, 'a, b, c, d')
  t.equal(hear('1.0', 2), '')
  t.equal(hear('1.1', 3), '0 logs decide 1.0; decided<2')
  t.equal(log(), '0 logs decide 1.1; decided<3')
  t.equal(log(), '', 'once')
  hear('1.1', 4)
  t.equal(
    decided(1, '2.2', 4, 'd', 5),
    lines(`
      0 logs decide 1.1; decided<4
      0 logs learn 2.2 slot 4: d
    `),
    'before it goes on with what it learns',
  )
  t.equal(log(), '')
  t.end()
})

t.test('recovery: hints and learned decisions bring the state back, and answer nobody', (t) => {
  const { self, journal, out, accept, acceptedAt } = replica()
  accept(1, 'open n, 1.n/1 x')
  self.restoreDecided(ballot('1.1'), 3, acceptedAt, out)
  self.restoreLearned(ballot('2.1'), 2, [command('1.n/1 x'), command('1.n/2 y'), command('1.n/1 x')], out)
  t.equal(self.slotOut, 5)
  t.strictSame(journal.executed, ['x@2', 'y@3'])
  t.strictSame(self.decision, { ballot: ballot('2.1'), decided: 5 })
  t.equal(showOutbox(0, out), '')
  t.end()
})

t.test('R2: a log that says more than it holds breaks it', (t) => {
  const { self, out, accept, acceptedAt } = replica()
  accept(1, 'a')
  t.throws(() => self.restoreDecided(ballot('1.1'), 3, acceptedAt, out), broken('R2'))
  t.throws(() => self.restoreLearned(ballot('1.1'), 5, commands('e'), out), broken('R2'))
  t.end()
})
