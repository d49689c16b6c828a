/** The omniscient checker fires for each rule that is broken, and for nothing else. */
import { packValue } from '@synod/paxos/internal/codec/values'
import type { Command, Result } from '@synod/paxos/internal/protocol/command'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import type { Checker } from '@synod/harness/internal/sim/checker'
import { ENDED, observedService } from '@synod/harness/internal/sim/observed-state'
import { Pvalues } from '@synod/harness/internal/sim/pvalues'
import t from 'tap'
import {
  accept,
  add,
  ballot,
  begun,
  breaks,
  NOW,
  open,
  promise,
  run,
  service,
  SESSION,
  voter,
  WINDOW,
} from './little-checker.js'

const audit = { slot: 0, hash: '0'.repeat(16) }
const ok = (value: number): Result => ({ status: 'ok', value: packValue(value) })

/** Lets a server execute an operation as the service would, unless told otherwise. */
function execute(
  checker: Checker,
  server: number,
  slot: number,
  by: number,
  outcome: unknown,
  clientId = SESSION,
): void {
  checker.executed(server, slot, clientId, { add: by }, packValue([outcome, []]))
}

t.test('what is as it should be passes', (t) => {
  const { checker, log } = begun()
  t.equal(checker.chosen, 3)
  checker.sent(0, 1, { type: 'p1a', ballot: ballot(1), from: 1 })
  checker.sent(0, 1, { type: 'p2a', run: run(ballot(1), 1, open(), add(1), add(2)), decided: 1 })
  checker.sent(1, 0, { type: 'p2b', ballot: ballot(1), first: 1, last: 3, decided: 1, lives: [] })
  checker.sent(0, 2, { type: 'heartbeat', ballot: ballot(1), sequence: 1, decided: 4, audit, lease: 0 })
  execute(checker, 0, 2, 1, 1)
  execute(checker, 0, 3, 2, 3)
  checker.replied(0, { clientId: 'n', localId: 0, result: { status: 'ok', value: Buffer.from(SESSION) } })
  checker.replied(0, { clientId: SESSION, localId: 2, result: ok(3) })
  checker.replied(0, { clientId: SESSION, localId: 9, result: { status: 'busy', value: new Uint8Array() } })
  checker.durable(2, [{ type: 'learn', ballot: ballot(1), first: 1, commands: [open(), add(1)] }], 1)
  checker.durable(0, [{ type: 'decide', ballot: ballot(1), decided: 4 }], 4)
  checker.started(0)
  t.equal(checker.recovered(0, log, 6, null), null)
  execute(checker, 0, 2, 1, 1)
  t.end()
})

t.test('R1: two commands are chosen for a slot', (t) => {
  const pvalues = new Pvalues(3)
  pvalues.accept(voter(0), ballot(1), 3, add(2))
  for (const server of [1, 2]) pvalues.accept(voter(server), ballot(2, 1), 3, add(2, 7))
  breaks(t, 'R1', () => pvalues.accept(voter(1), ballot(1), 3, add(2)), /two commands are chosen for slot 3/)
  t.end()
})

t.test('R1: a server executes, or holds as decided, another command than the chosen one', (t) => {
  breaks(t, 'R1', () => execute(begun().checker, 0, 2, 5, 5), /another command/)
  breaks(t, 'R1', () => execute(begun().checker, 0, 2, 1, 1, 'another'))
  breaks(t, 'R1', () => execute(begun().checker, 0, 4, 1, 1), /nothing is durable on a majority/)
  const learns: StoredRecord = { type: 'learn', ballot: ballot(1), first: 2, commands: [add(2)] }
  breaks(t, 'R1', () => begun().checker.durable(2, [learns], 1))
  t.end()
})

t.test('R2: a slot is called decided that is not', (t) => {
  for (const message of [
    { type: 'decision', ballot: ballot(1), decided: 5 },
    { type: 'heartbeat', ballot: ballot(1), sequence: 1, decided: 5, audit, lease: 0 },
    { type: 'heartbeatReply', ballot: ballot(1), sequence: 1, decided: 5, audit },
    { type: 'decided', ballot: ballot(1), first: 1, commands: [], decided: 5 },
    { type: 'p2a', run: run(ballot(1), 5, add(3)), decided: 5 },
  ] as const)
    breaks(t, 'R2', () => begun().checker.sent(0, 1, message), /slot 4/)
  breaks(t, 'R2', () => begun().checker.durable(0, [{ type: 'decide', ballot: ballot(1), decided: 5 }], 4))
  t.end()
})

t.test('R3: a slot is left out, or comes to something else', (t) => {
  breaks(t, 'R3', () => execute(begun().checker, 0, 3, 2, 2), /left out slot 2/)
  breaks(t, 'R3', () => execute(begun().checker, 0, 2, 1, 17), /something else of slot 2/)
  t.end()
})

t.test('R4: slotOut decreases', (t) => {
  const { checker } = begun()
  execute(checker, 1, 2, 1, 1)
  breaks(t, 'R4', () => execute(checker, 1, 2, 1, 1))
  checker.sent(0, 1, { type: 'decision', ballot: ballot(1), decided: 4 })
  checker.sent(0, 2, { type: 'decision', ballot: ballot(1), decided: 3 })
  breaks(t, 'R4', () => checker.sent(0, 1, { type: 'decision', ballot: ballot(1), decided: 3 }))
  checker.started(0)
  checker.sent(0, 1, { type: 'decision', ballot: ballot(1), decided: 2 })
  t.end()
})

t.test('R5: a proposal beyond the window', (t) => {
  const { checker } = begun()
  checker.sent(0, 1, { type: 'p2a', run: run(ballot(1), 3 + WINDOW, add(9)), decided: 4 })
  breaks(t, 'R5', () => checker.sent(0, 1, { type: 'p2a', run: run(ballot(1), 4 + WINDOW, add(9)), decided: 4 }))
  t.end()
})

t.test('A1: a promise that is not above the last, or an answer below one of a former life', (t) => {
  const { checker, log } = begun()
  breaks(t, 'A1', () => checker.durable(0, [promise(ballot(1))], 4))
  const second = promise(ballot(2, 1))
  checker.durable(0, [second], 5)
  checker.sent(0, 1, { type: 'p1b', ballot: ballot(2, 1), from: 4, accepted: [], next: null, decided: 4, ...NOW })
  checker.started(0)
  t.equal(checker.recovered(0, [...log, second], 7, null), null)
  breaks(
    t,
    'A1',
    () => checker.sent(0, 1, { type: 'p2b', ballot: ballot(1), first: 1, last: 1, decided: 4, lives: [] }),
    /after a restart/,
  )
  t.end()
})

t.test('A2: a vote below a promise', (t) => {
  const { checker } = begun()
  checker.durable(0, [promise(ballot(3, 1))], 4)
  breaks(t, 'A2', () => checker.durable(0, [accept(ballot(2, 2), 4, add(3))], 5))
  t.end()
})

t.test('A3: a promise that leaves out what was accepted', (t) => {
  const p1b = { type: 'p1b', ballot: ballot(2, 1), from: 1, next: null, decided: 1, ...NOW } as const
  const promised = (): Checker => {
    const { checker } = begun()
    checker.durable(0, [promise(ballot(2, 1))], 4)
    return checker
  }
  const held = run(ballot(1), 1, open(), add(1), add(2))
  promised().sent(0, 1, { ...p1b, accepted: [held] })
  promised().sent(0, 1, { ...p1b, accepted: [run(ballot(1), 1, open())], next: 2 })
  promised().sent(0, 1, { ...p1b, accepted: [run(ballot(1), 3, add(2))], decided: 3 })
  breaks(t, 'A3', () => promised().sent(0, 1, { ...p1b, accepted: [] }))
  breaks(t, 'A3', () => promised().sent(0, 1, { ...p1b, accepted: [run(ballot(1), 1, open())], next: 3 }))
  breaks(t, 'A3', () => promised().sent(0, 1, { ...p1b, accepted: [run(ballot(1), 1, open(), add(1))] }))
  t.end()
})

t.test('A4: two commands at one ballot in one slot', (t) => {
  const { checker } = begun()
  checker.sent(0, 1, { type: 'p2a', run: run(ballot(1), 4, add(3)), decided: 4 })
  breaks(t, 'A4', () => checker.sent(0, 2, { type: 'p2a', run: run(ballot(1), 4, add(4)), decided: 4 }))
  breaks(t, 'A4', () => begun().checker.durable(2, [accept(ballot(1), 1, open('m'))], 1))
  t.end()
})

t.test('A5: another command above the ballot at which one is chosen, whichever comes first', (t) => {
  const above = { type: 'p2a', run: run(ballot(2, 1), 3, add(3)), decided: 1 } as const
  const adopted = (checker: Checker): Checker => {
    for (const server of [1, 2]) checker.durable(server, [promise(ballot(2, 1))], 4)
    return checker
  }
  breaks(t, 'A5', () => adopted(begun().checker).sent(1, 0, above))
  const pvalues = new Pvalues(3)
  pvalues.propose(ballot(2, 1), 3, add(3))
  // Below the ballot at which something is chosen a deposed leader may have proposed what it liked.
  pvalues.propose(ballot(0), 3, add(4))
  pvalues.accept(voter(0), ballot(1), 3, add(2))
  breaks(t, 'A5', () => pvalues.accept(voter(1), ballot(1), 3, add(2)))
  t.end()
})

t.test('adopted: a proposal at a ballot that no majority has adopted', (t) => {
  const { checker } = begun()
  const proposal = { type: 'p2a', run: run(ballot(2, 1), 4, add(3)), decided: 4 } as const
  breaks(t, 'adopted', () => checker.sent(1, 0, proposal))
  for (const server of [0, 2]) {
    checker.durable(server, [promise(ballot(2, 1))], 4)
    if (server === 0) breaks(t, 'adopted', () => checker.sent(1, 0, proposal))
  }
  checker.sent(1, 0, proposal)
  t.end()
})

t.test('one leader: a ballot that is used by another server, or by another process', (t) => {
  const { checker } = begun()
  breaks(t, 'one leader', () => checker.sent(2, 0, { type: 'p1a', ballot: ballot(2, 1), from: 1 }))
  checker.sent(0, 1, { type: 'p1a', ballot: ballot(2), from: 1 })
  checker.started(0)
  breaks(t, 'one leader', () => checker.sent(0, 1, { type: 'p1a', ballot: ballot(2), from: 1 }))
  t.end()
})

t.test('durability: an answer before its ballot, its vote, or what it tells is durable', (t) => {
  const p1b = { type: 'p1b', ballot: ballot(1), from: 1, next: null, decided: 1, ...NOW } as const
  for (const message of [
    { ...p1b, ballot: ballot(2, 1), accepted: [] },
    { ...p1b, accepted: [run(ballot(1), 1, open(), add(1), add(2)), run(ballot(1), 4, add(3))] },
    { type: 'p2b', ballot: ballot(1), first: 1, last: 4, decided: 1, lives: [] },
    { type: 'p2b', ballot: ballot(2, 1), first: 1, last: 1, decided: 1, lives: [] },
  ] as const)
    breaks(t, 'durability', () => begun().checker.sent(0, 1, message))
  t.end()
})

t.test('durability: a promise or a vote that a start does not find', (t) => {
  const { checker, log } = begun()
  breaks(t, 'durability', () => checker.recovered(0, log.slice(0, 1), 5, null), /slot 1/)
  breaks(t, 'durability', () => begun().checker.recovered(0, [], 5, null), /its promise of 1.0/)
  checker.durable(0, [promise(ballot(2, 1))], 4)
  breaks(t, 'durability', () => checker.recovered(0, log, 5, null), /its promise of 2.1/)
  const shorter = accept(ballot(1), 1, open(), add(1))
  breaks(t, 'durability', () => begun().checker.recovered(0, [shorter], 5, null), /slot 3/)
  t.end()
})

t.test('after damage, what nothing whole stands behind may be gone, but the server must stay down', (t) => {
  const { log } = begun()
  const second = promise(ballot(2, 1))
  const grown = (): Checker => {
    const { checker } = begun()
    checker.durable(0, [second], 5)
    return checker
  }
  t.match(grown().recovered(0, log, 6, [2, 3, 4]), { what: 'its promise of 2.1', batch: 5 })
  breaks(t, 'durability', () => grown().recovered(0, log, 6, [2, 3, 4, 6])) // a seal stands behind it
  breaks(t, 'durability', () => grown().recovered(0, [second], 7, [5])) // not the last batch
  t.equal(grown().recovered(0, [...log, second], 7, [3, 5]), null, 'nothing is gone')
  t.end()
})

t.test('what an earlier start found was sealed by it', (t) => {
  const { checker, log } = begun()
  t.equal(checker.recovered(0, log, 9, null), null)
  breaks(t, 'durability', () => checker.recovered(0, [], 10, [9]))
  t.match(checker.recovered(0, [], 10, [7]), { batch: 8 })
  t.end()
})

t.test('durability: a wiped server that answers; one that had promised nothing may', (t) => {
  const p1b = { type: 'p1b', ballot: ballot(2, 1), from: 4, accepted: [], next: null, decided: 4, ...NOW } as const
  const second = promise(ballot(2, 1))
  const { checker } = begun()
  t.equal(checker.recovered(0, [], 1, 'wiped'), null)
  checker.durable(0, [second], 2)
  breaks(t, 'durability', () => checker.sent(0, 1, p1b), /lost what it had promised/)
  t.equal(checker.recovered(2, [], 1, 'wiped'), null)
  checker.durable(2, [second], 2)
  checker.sent(2, 1, p1b)
  t.end()
})

t.test('exactly once: a command that was executed is not executed again, in its slot or another', (t) => {
  const { checker } = begun()
  for (const server of [0, 1]) checker.durable(server, [accept(ballot(1), 4, add(2))], 4)
  execute(checker, 0, 2, 1, 1)
  execute(checker, 0, 3, 2, 3)
  breaks(t, 'exactly-once', () => execute(checker, 0, 4, 2, 5))
  // What its client has acknowledged is not executed either.
  const late = begun().checker
  for (const server of [0, 1]) late.durable(server, [accept(ballot(1), 4, add(5, 5, SESSION, 4), add(3))], 4)
  execute(late, 0, 2, 1, 1)
  execute(late, 0, 3, 2, 3)
  execute(late, 0, 4, 5, 8)
  breaks(t, 'exactly-once', () => execute(late, 0, 5, 3, 11))
  t.end()
})

t.test('exactly once: a command of a session that has ended, or of none, is not executed', (t) => {
  const { checker } = begun()
  const end: Command = { kind: 'end', clientId: SESSION }
  const more = accept(ballot(1), 4, end, { kind: 'noop' }, end, add(3), add(1, 1, '1.unknown'))
  for (const server of [0, 1]) checker.durable(server, [more], 4)
  t.equal(checker.chosen, 8)
  execute(checker, 0, 2, 1, 1)
  execute(checker, 0, 3, 2, 3)
  checker.executed(0, 4, SESSION, ENDED, packValue([]))
  const expired: Result = { status: 'expired', value: new Uint8Array() }
  checker.replied(0, { clientId: SESSION, localId: 3, result: expired })
  checker.replied(0, { clientId: '1.unknown', localId: 1, result: expired })
  breaks(t, 'replies', () => checker.replied(0, { clientId: SESSION, localId: 2, result: expired }))
  breaks(t, 'exactly-once', () => execute(checker, 0, 7, 3, 6))
  t.end()
})

t.test('the end of a session: a state that is not told of it, or twice, or makes something else of it', (t) => {
  const ended = (): Checker => {
    const { checker } = begun()
    const more = accept(ballot(1), 4, { kind: 'end', clientId: SESSION }, open('m'), add(1, 4, '5.m'))
    for (const server of [0, 1]) checker.durable(server, [more], 4)
    execute(checker, 0, 2, 1, 1)
    execute(checker, 0, 3, 2, 3)
    return checker
  }
  const told = ended()
  told.executed(0, 4, SESSION, ENDED, packValue([]))
  execute(told, 0, 6, 4, 7, '5.m')
  breaks(t, 'R3', () => execute(ended(), 0, 6, 4, 7, '5.m'), /left out slot 4/)
  breaks(t, 'R3', () => ended().executed(0, 4, SESSION, ENDED, packValue(['bye'])), /something else of slot 4/)
  const twice = ended()
  twice.executed(0, 4, SESSION, ENDED, packValue([]))
  breaks(t, 'exactly-once', () => twice.executed(0, 5, SESSION, ENDED, packValue([])))
  t.end()
})

t.test('replies: what was not executed, or came to something else', (t) => {
  const reply =
    (localId: number, result: Result, clientId = SESSION) =>
    () =>
      begun().checker.replied(1, { clientId, localId, result })
  breaks(t, 'replies', reply(3, ok(6)), /not executed/)
  breaks(t, 'replies', reply(1, ok(1), '1.other'))
  breaks(t, 'one reply', reply(2, ok(4)), /slot 3/)
  breaks(t, 'one reply', reply(2, { status: 'refused', value: packValue(3) }))
  breaks(t, 'replies', reply(1, { status: 'stale', value: new Uint8Array() }))
  breaks(t, 'replies', reply(0, { status: 'ok', value: Buffer.from('2.n') }, 'n'))
  breaks(t, 'replies', reply(0, { status: 'ok', value: Buffer.from(SESSION) }, 'm'))
  t.end()
})

t.test('a refusal is an outcome like any other', (t) => {
  const outcomes: Uint8Array[] = []
  const observer = {
    executed: (_slot: number, _command: unknown, outcome: Uint8Array) => void outcomes.push(outcome),
    read: () => t.fail('it is no read'),
  }
  const state = observedService(service, observer).state()
  t.throws(() => state.execute(4, { clientId: SESSION, op: { add: -1 } }, () => undefined), { code: 'NEGATIVE' })
  const { checker } = begun()
  for (const server of [0, 1]) checker.durable(server, [accept(ballot(1), 4, add(3, -1))], 4)
  execute(checker, 0, 2, 1, 1)
  execute(checker, 0, 3, 2, 3)
  checker.executed(0, 4, SESSION, { add: -1 }, outcomes[0] ?? new Uint8Array())
  const value = packValue({ code: 'NEGATIVE', message: 'no', data: {} })
  checker.replied(0, { clientId: SESSION, localId: 3, result: { status: 'refused', value } })
  breaks(t, 'one reply', () => checker.replied(0, { clientId: SESSION, localId: 3, result: ok(2) }))
  t.end()
})
