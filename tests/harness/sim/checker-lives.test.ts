/** The checker knows which answers of acceptors go together, and what a repaired server must remember. */
import type { Lives, Revived } from '@synod/paxos/internal/protocol/message'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import type { Checker } from '@synod/harness/internal/sim/checker'
import { Promises } from '@synod/harness/internal/sim/promises'
import { Pvalues } from '@synod/harness/internal/sim/pvalues'
import { Votes } from '@synod/harness/internal/sim/votes'
import t from 'tap'
import { accept, add, ballot, begun, breaks, promise, run, voter } from './little-checker.js'

const lives = (known: Lives): StoredRecord => ({ type: 'lives', lives: known })
const REPAIRING: StoredRecord = { type: 'repairing' }
const repaired = (life: number): StoredRecord => ({ type: 'repaired', life })

t.test('a vote of a former life does not go with one that knows of a later life', (t) => {
  const votes = new Votes(3)
  votes.add(voter(0))
  votes.add(voter(1, 0, [1]))
  t.notOk(votes.isMajority())
  votes.add(voter(0, 1, [1]))
  t.ok(votes.isMajority(), 'in its new life it votes again')
  t.notOk(votes.isMajority(({ life }) => life === 0))
  const others = new Votes(3)
  others.add(voter(0))
  others.add(voter(1))
  t.ok(others.isMajority(), 'whoever knew of no other life then')
  const same = new Votes(3)
  same.add(voter(0))
  same.add(voter(0, 1))
  t.notOk(same.isMajority(), 'two lives of one server are no two servers')
  t.end()
})

t.test('of five servers any three that go together are enough, whoever else has voted', (t) => {
  const votes = new Votes(5)
  for (const each of [voter(0), voter(1, 0, [1]), voter(2)]) votes.add(each)
  t.notOk(votes.isMajority())
  votes.add(voter(4))
  t.ok(votes.isMajority(), '0, 2 and 4 know of no life of 0')
  t.end()
})

t.test(
  'what was chosen with a vote that is lost stays chosen, and is to be remembered by whoever was repaired',
  (t) => {
    const pvalues = new Pvalues(3)
    for (const server of [0, 1]) pvalues.accept(voter(server), ballot(1), 1, add(1))
    t.ok(pvalues.chosen(1))
    t.equal(pvalues.forgotten(voter(0, 1), 1), 1)
    t.equal(pvalues.forgotten(voter(0, 1), 2), null, 'it has it as decided')
    t.equal(pvalues.forgotten(voter(2, 1), 1), null, 'it was not needed')
    pvalues.hold(voter(0, 1), ballot(1), 1, add(1))
    t.equal(pvalues.forgotten(voter(0, 1), 1), null)
    pvalues.hold(voter(0, 2), ballot(1), 1, add(1))
    pvalues.accept(voter(2), ballot(1), 1, add(1))
    t.equal(pvalues.forgotten(voter(0, 3), 1), null, 'the others are a majority by now')
    t.end()
  },
)

t.test(
  'a ballot that was adopted with a promise that is lost is to be remembered, and those below it need not be',
  (t) => {
    const promises = new Promises(3)
    for (const server of [0, 1]) promises.adopt(voter(server), ballot(2))
    t.ok(promises.isAdopted(ballot(2)))
    t.notOk(promises.isAdopted(ballot(2, 0, 8)), 'of another start')
    t.strictSame(promises.forgotten(voter(0, 1), ballot(1)), ballot(2))
    t.equal(promises.forgotten(voter(0, 1), ballot(2)), null)
    t.equal(promises.forgotten(voter(2, 1), ballot(1)), null)
    t.end()
  },
)

/** Server 0 loses its directory; 2 has promised ballot 2.1, as it had, which is adopted by that. */
function wiped(): Checker {
  const { checker } = begun()
  for (const server of [0, 2]) checker.durable(server, [promise(ballot(2, 1))], 4)
  checker.started(0)
  t.equal(checker.recovered(0, [], 1, 'wiped'), null)
  t.notOk(checker.remembers(0))
  checker.durable(0, [REPAIRING], 2)
  return checker
}
const LEARNT: StoredRecord = {
  type: 'learn',
  ballot: ballot(1),
  first: 1,
  commands: [{ kind: 'open', nonce: 'n' }, add(1), add(2)],
}

t.test('repair: a server that remembers all that counts votes again, in its new life', (t) => {
  const checker = wiped()
  const p1b = {
    type: 'p1b',
    ballot: ballot(2, 1),
    from: 4,
    accepted: [],
    next: null,
    decided: 4,
    collected: 0,
  } as const
  breaks(t, 'durability', () => checker.sent(0, 1, { ...p1b, lives: [1] }), /lost what it had promised/)
  const log = [REPAIRING, LEARNT, promise(ballot(2, 1)), lives([1]), repaired(1)]
  checker.durable(0, log.slice(1), 3)
  t.ok(checker.remembers(0))
  breaks(t, 'lives', () => checker.sent(0, 1, { ...p1b, lives: [] }), /answers in life 0/)
  checker.sent(0, 1, { ...p1b, lives: [1] })
  checker.started(0)
  t.equal(checker.recovered(0, log, 5, null), null)
  checker.sent(0, 1, { ...p1b, lives: [1] })
  breaks(t, 'repair', () => checker.sent(0, 1, { ...p1b, decided: 2, lives: [1] }), /slot 2 may be undecided/)
  checker.started(0)
  breaks(t, 'durability', () => checker.recovered(0, log.slice(0, 4), 7, null), /that it is in life 1/)
  t.end()
})

t.test('repair: a server that votes again without a ballot or a command that counted', (t) => {
  const end = [lives([1]), repaired(1)]
  breaks(t, 'repair', () => wiped().durable(0, [LEARNT, promise(ballot(1)), ...end], 3), /a majority adopted 2.1/)
  breaks(t, 'repair', () => wiped().durable(0, [promise(ballot(2, 1)), ...end], 3), /slot 1/)
  const held = accept(ballot(1), 1, { kind: 'open', nonce: 'n' }, add(1), add(2))
  wiped().durable(0, [held, promise(ballot(2, 1)), ...end], 3)
  t.end()
})

t.test('repair: what it was told of at lower ballots it has not accepted', (t) => {
  const { checker } = begun(5)
  checker.durable(1, [accept(ballot(1), 4, add(3))], 4)
  checker.durable(2, [accept(ballot(1), 4, add(3))], 4)
  checker.started(0)
  t.equal(checker.recovered(0, [], 1, 'wiped'), null)
  const log = [REPAIRING, LEARNT, accept(ballot(1), 4, add(3)), promise(ballot(2, 3)), lives([1]), repaired(1)]
  checker.durable(0, log, 2)
  t.equal(checker.chosen, 3, 'two have accepted it, and one has heard of it')
  checker.durable(3, [accept(ballot(1), 4, add(3))], 1)
  t.equal(checker.chosen, 4)
  t.end()
})

t.test('repair: a life must be a new one', (t) => {
  const checker = wiped()
  checker.durable(0, [LEARNT, promise(ballot(2, 1)), lives([1]), repaired(1)], 3)
  checker.started(0)
  t.equal(checker.recovered(0, [], 1, 'wiped'), null)
  checker.durable(0, [REPAIRING, LEARNT, promise(ballot(2, 1)), lives([1])], 2)
  breaks(t, 'lives', () => checker.durable(0, [repaired(1)], 3), /as life 1, after life 1/)
  t.end()
})

t.test('lives: a server that helps a repair before it has noted it, or that is being repaired itself', (t) => {
  const revived: Revived = {
    ...{ type: 'revived', life: 1, from: 4, ballot: ballot(1) },
    ...{ accepted: [], next: null, decided: 4, lives: [1] },
  }
  const { checker } = begun()
  breaks(t, 'lives', () => checker.sent(1, 0, revived), /before that is durable/)
  checker.durable(1, [lives([1])], 4)
  checker.sent(1, 0, revived)
  checker.sent(1, 0, { type: 'tellLife', life: 1 })
  checker.durable(1, [promise(ballot(2, 1)), accept(ballot(2, 1), 4, add(3)), promise(ballot(3, 1))], 5)
  breaks(t, 'A3', () => checker.sent(1, 0, { ...revived, ballot: ballot(3, 1) }), /its revived does not tell it/)
  breaks(t, 'lives', () => checker.sent(1, 0, { type: 'tellLife', life: 0 }))
  breaks(t, 'lives', () =>
    checker.sent(1, 0, { type: 'p2b', ballot: ballot(3, 1), first: 4, last: 4, decided: 4, lives: [] }),
  )
  breaks(t, 'durability', () => wiped().sent(0, 1, { type: 'tellLife', life: 0 }))
  t.end()
})

t.test('lives that were known must stay known: in each base, and after each start', (t) => {
  const { checker, log } = begun()
  checker.durable(1, [lives([2, 0, 1])], 4)
  const base = (known: Lives): StoredRecord => ({
    ...{ type: 'base', collected: 3, ballot: ballot(1), decidedBallot: ballot(1), decided: 4 },
    lives: known,
  })
  breaks(t, 'lives', () => checker.durable(1, [base([2])], 5), /of server 2/)
  checker.durable(1, [base([2, 0, 1])], 6)
  breaks(t, 'durability', () => checker.recovered(1, log, 8, null), /that server 0 is in life 2/)
  breaks(t, 'durability', () => checker.recovered(1, [base([2])], 8, null), /that server 2 is in life 1/)
  t.equal(checker.recovered(1, [base([2, 0, 1])], 8, null), null)
  t.end()
})

t.test('adopted: promises of two lives that nobody could count together', (t) => {
  const { checker } = begun(5)
  const at = ballot(2, 4)
  checker.durable(0, [promise(at)], 4)
  checker.durable(4, [promise(at)], 4)
  checker.durable(3, [lives([1]), promise(at)], 4)
  breaks(t, 'adopted', () => checker.sent(4, 1, { type: 'p2a', run: run(at, 4, add(3)), decided: 4 }))
  checker.durable(2, [promise(at)], 4)
  checker.sent(4, 1, { type: 'p2a', run: run(at, 4, add(3)), decided: 4 })
  t.end()
})
