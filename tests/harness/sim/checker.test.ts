/** The omniscient checker fires for each rule that is broken, and for nothing else. */
import { defineService, Refusal } from '@synod/paxos'
import { packValue } from '@synod/paxos/internal/codec/values'
import type { Ballot } from '@synod/paxos/internal/protocol/ballot'
import type { Command, Result } from '@synod/paxos/internal/protocol/command'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import { Checker } from '@synod/harness/internal/sim/checker'
import { observedService } from '@synod/harness/internal/sim/observed-state'
import t from 'tap'
import { z } from 'zod'

/** Adds up; refuses what is negative. */
class Sum {
  #sum = 0
  execute(_slot: number, { op }: { readonly op: { readonly add: number } }): number {
    if (op.add < 0) throw new Refusal('NEGATIVE', 'no')
    return (this.#sum += op.add)
  }
  *snapshot(): Iterable<number> {
    yield this.#sum
  }
  restore(): void {
    throw new Error('not in these tests')
  }
}
const service = defineService({ name: 'sum', op: z.object({ add: z.number() }), state: () => new Sum() })

const WINDOW = 10
const ballot = (round: number, server = 0, start = 7): Ballot => ({ round, server, start })
const open = (nonce = 'n'): Command => ({ kind: 'open', nonce })
/** The session that `open('n')` in slot 1 opens. */
const SESSION = '1.n'
const add = (localId: number, by = localId, clientId = SESSION, acked = 0): Command => ({
  ...{ kind: 'op', clientId, localId, acked },
  op: packValue({ add: by }),
})
const run = (at: Ballot, first: number, ...commands: Command[]) => ({ ballot: at, first, commands })
const accept = (at: Ballot, first: number, ...commands: Command[]): StoredRecord => {
  return { type: 'accept', run: run(at, first, ...commands) }
}
const ok = (value: number): Result => ({ status: 'ok', value: packValue(value) })

/** Three servers, and a session with two commands that are chosen at ballot 1.0: 1 + 2 = 3. */
function begun(): { checker: Checker; log: StoredRecord[] } {
  const checker = new Checker(3, service, WINDOW)
  for (const server of [0, 1, 2]) checker.started(server)
  const log: StoredRecord[] = [{ type: 'promise', ballot: ballot(1) }, accept(ballot(1), 1, open(), add(1), add(2))]
  for (const server of [0, 1]) checker.durable(server, log, 3)
  return { checker, log }
}

/** Lets a server execute an operation as the service would, unless told otherwise. */
function execute(
  checker: Checker,
  server: number,
  slot: number,
  by: number,
  outcome: unknown,
  clientId = SESSION,
): void {
  checker.executed(server, slot, clientId, { add: by }, packValue(outcome))
}

t.test('what is as it should be passes', (t) => {
  const { checker, log } = begun()
  t.equal(checker.chosen, 3)
  checker.sent(0, 1, { type: 'p1a', ballot: ballot(1), from: 1 })
  checker.sent(0, 1, { type: 'p2a', run: run(ballot(1), 1, open(), add(1), add(2)), decided: 1 })
  checker.sent(1, 0, { type: 'p2b', ballot: ballot(1), first: 1, last: 3, decided: 1 })
  checker.sent(0, 2, { type: 'heartbeat', ballot: ballot(1), sequence: 1, decided: 4 })
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
  const { checker } = begun()
  // No leader proposed the second one: the disks alone say it, at a lower ballot.
  const other = [accept(ballot(0, 1), 3, add(3))]
  const fresh = new Checker(3, service, WINDOW)
  for (const server of [0, 1]) fresh.durable(server, other, 1)
  fresh.durable(2, [accept(ballot(1), 3, add(2))], 1)
  t.throws(() => fresh.durable(0, [accept(ballot(1), 3, add(2))], 2), { rule: 'A5' })
  t.throws(() => execute(checker, 0, 2, 5, 5), { rule: 'R1', message: /another command/ })
  t.throws(() => execute(begun().checker, 0, 2, 1, 1, 'another'), { rule: 'R1' })
  t.throws(() => execute(begun().checker, 0, 4, 1, 1), { rule: 'R1', message: /nothing is durable on a majority/ })
  const learns: StoredRecord = { type: 'learn', ballot: ballot(1), first: 2, commands: [add(2)] }
  t.throws(() => begun().checker.durable(2, [learns], 1), { rule: 'R1' })
  t.end()
})

t.test('R2: a slot is called decided that is not', (t) => {
  for (const message of [
    { type: 'decision', ballot: ballot(1), decided: 5 },
    { type: 'heartbeat', ballot: ballot(1), sequence: 1, decided: 5 },
    { type: 'heartbeatReply', ballot: ballot(1), sequence: 1, decided: 5 },
    { type: 'decided', ballot: ballot(1), first: 1, commands: [], decided: 5 },
    { type: 'p2a', run: run(ballot(1), 5, add(3)), decided: 5 },
  ] as const)
    t.throws(() => begun().checker.sent(0, 1, message), { rule: 'R2', message: /slot 4/ })
  t.throws(() => begun().checker.durable(0, [{ type: 'decide', ballot: ballot(1), decided: 5 }], 4), { rule: 'R2' })
  t.end()
})

t.test('R3: a slot is left out, or comes to something else', (t) => {
  t.throws(() => execute(begun().checker, 0, 3, 2, 2), { rule: 'R3', message: /left out slot 2/ })
  t.throws(() => execute(begun().checker, 0, 2, 1, 17), { rule: 'R3', message: /something else of slot 2/ })
  t.end()
})

t.test('R4: slotOut decreases', (t) => {
  const { checker } = begun()
  execute(checker, 1, 2, 1, 1)
  t.throws(() => execute(checker, 1, 2, 1, 1), { rule: 'R4' })
  checker.sent(0, 1, { type: 'decision', ballot: ballot(1), decided: 4 })
  checker.sent(0, 2, { type: 'decision', ballot: ballot(1), decided: 3 })
  t.throws(() => checker.sent(0, 1, { type: 'decision', ballot: ballot(1), decided: 3 }), { rule: 'R4' })
  checker.started(0)
  checker.sent(0, 1, { type: 'decision', ballot: ballot(1), decided: 2 })
  t.end()
})

t.test('R5: a proposal beyond the window', (t) => {
  const { checker } = begun()
  checker.sent(0, 1, { type: 'p2a', run: run(ballot(1), 3 + WINDOW, add(9)), decided: 4 })
  t.throws(() => checker.sent(0, 1, { type: 'p2a', run: run(ballot(1), 4 + WINDOW, add(9)), decided: 4 }), {
    rule: 'R5',
  })
  t.end()
})

t.test('A1: a promise that is not above the last, or an answer below one of a former life', (t) => {
  const { checker, log } = begun()
  t.throws(() => checker.durable(0, [{ type: 'promise', ballot: ballot(1) }], 4), { rule: 'A1' })
  const promise: StoredRecord = { type: 'promise', ballot: ballot(2, 1) }
  checker.durable(0, [promise], 5)
  checker.sent(0, 1, { type: 'p1b', ballot: ballot(2, 1), from: 4, accepted: [], next: null, decided: 4 })
  checker.started(0)
  t.equal(checker.recovered(0, [...log, promise], 7, null), null)
  t.throws(() => checker.sent(0, 1, { type: 'p2b', ballot: ballot(1), first: 1, last: 1, decided: 4 }), {
    rule: 'A1',
    message: /after a restart/,
  })
  t.end()
})

t.test('A2: a vote below a promise', (t) => {
  const { checker } = begun()
  checker.durable(0, [{ type: 'promise', ballot: ballot(3, 1) }], 4)
  t.throws(() => checker.durable(0, [accept(ballot(2, 2), 4, add(3))], 5), { rule: 'A2' })
  t.end()
})

t.test('A3: a promise that leaves out what was accepted', (t) => {
  const p1b = { type: 'p1b', ballot: ballot(2, 1), from: 1, next: null, decided: 1 } as const
  const promised = (): Checker => {
    const { checker } = begun()
    checker.durable(0, [{ type: 'promise', ballot: ballot(2, 1) }], 4)
    return checker
  }
  const held = run(ballot(1), 1, open(), add(1), add(2))
  promised().sent(0, 1, { ...p1b, accepted: [held] })
  promised().sent(0, 1, { ...p1b, accepted: [run(ballot(1), 1, open())], next: 2 })
  promised().sent(0, 1, { ...p1b, accepted: [run(ballot(1), 3, add(2))], decided: 3 })
  t.throws(() => promised().sent(0, 1, { ...p1b, accepted: [] }), { rule: 'A3' })
  t.throws(() => promised().sent(0, 1, { ...p1b, accepted: [run(ballot(1), 1, open())], next: 3 }), { rule: 'A3' })
  t.throws(() => promised().sent(0, 1, { ...p1b, accepted: [run(ballot(1), 1, open(), add(1))] }), { rule: 'A3' })
  t.end()
})

t.test('A4: two commands at one ballot in one slot', (t) => {
  const { checker } = begun()
  checker.sent(0, 1, { type: 'p2a', run: run(ballot(1), 4, add(3)), decided: 4 })
  t.throws(() => checker.sent(0, 2, { type: 'p2a', run: run(ballot(1), 4, add(4)), decided: 4 }), { rule: 'A4' })
  t.throws(() => begun().checker.durable(2, [accept(ballot(1), 1, open('m'))], 1), { rule: 'A4' })
  t.end()
})

t.test('A5: another command above the ballot at which one is chosen, whichever comes first', (t) => {
  const above = { type: 'p2a', run: run(ballot(2, 1), 3, add(3)), decided: 1 } as const
  t.throws(() => begun().checker.sent(1, 0, above), { rule: 'A5' })
  const fresh = new Checker(3, service, WINDOW)
  fresh.sent(1, 0, above)
  fresh.durable(0, [accept(ballot(1), 3, add(2))], 1)
  t.throws(() => fresh.durable(1, [accept(ballot(1), 3, add(2))], 1), { rule: 'A5' })
  // Below that ballot a deposed leader may still propose what it likes.
  begun().checker.sent(0, 1, { type: 'p2a', run: run(ballot(0), 3, add(3)), decided: 1 })
  t.end()
})

t.test('one leader: a ballot that is used by another server, or by another life', (t) => {
  const { checker } = begun()
  t.throws(() => checker.sent(2, 0, { type: 'p1a', ballot: ballot(2, 1), from: 1 }), { rule: 'one leader' })
  checker.sent(0, 1, { type: 'p1a', ballot: ballot(2), from: 1 })
  checker.started(0)
  t.throws(() => checker.sent(0, 1, { type: 'p1a', ballot: ballot(2), from: 1 }), { rule: 'one leader' })
  t.end()
})

t.test('durability: an answer before its ballot, its vote, or what it tells is durable', (t) => {
  const p1b = { type: 'p1b', ballot: ballot(1), from: 1, next: null, decided: 1 } as const
  for (const message of [
    { ...p1b, ballot: ballot(2, 1), accepted: [] },
    { ...p1b, accepted: [run(ballot(1), 1, open(), add(1), add(2)), run(ballot(1), 4, add(3))] },
    { type: 'p2b', ballot: ballot(1), first: 1, last: 4, decided: 1 },
    { type: 'p2b', ballot: ballot(2, 1), first: 1, last: 1, decided: 1 },
  ] as const)
    t.throws(() => begun().checker.sent(0, 1, message), { rule: 'durability' })
  t.end()
})

t.test('durability: a promise or a vote that a start does not find', (t) => {
  const { checker, log } = begun()
  t.throws(() => checker.recovered(0, log.slice(0, 1), 5, null), { rule: 'durability', message: /slot 1/ })
  t.throws(() => begun().checker.recovered(0, [], 5, null), { rule: 'durability', message: /its promise of 1.0/ })
  checker.durable(0, [{ type: 'promise', ballot: ballot(2, 1) }], 4)
  t.throws(() => checker.recovered(0, log, 5, null), { rule: 'durability', message: /its promise of 2.1/ })
  const shorter = accept(ballot(1), 1, open(), add(1))
  t.throws(() => begun().checker.recovered(0, [shorter], 5, null), { rule: 'durability', message: /slot 3/ })
  t.end()
})

t.test('after damage, what nothing whole stands behind may be gone, but the server must stay down', (t) => {
  const { log } = begun()
  const promise: StoredRecord = { type: 'promise', ballot: ballot(2, 1) }
  const grown = (): Checker => {
    const { checker } = begun()
    checker.durable(0, [promise], 5)
    return checker
  }
  t.match(grown().recovered(0, log, 6, [2, 3, 4]), { what: 'its promise of 2.1', batch: 5 })
  t.throws(() => grown().recovered(0, log, 6, [2, 3, 4, 6]), { rule: 'durability' }, 'a seal stands behind it')
  t.throws(() => grown().recovered(0, [promise], 7, [5]), { rule: 'durability' }, 'not the last batch')
  t.equal(grown().recovered(0, [...log, promise], 7, [3, 5]), null, 'nothing is gone')
  t.end()
})

t.test('what an earlier start found was sealed by it', (t) => {
  const { checker, log } = begun()
  t.equal(checker.recovered(0, log, 9, null), null)
  t.throws(() => checker.recovered(0, [], 10, [9]), { rule: 'durability' })
  t.match(checker.recovered(0, [], 10, [7]), { batch: 8 })
  t.end()
})

t.test('durability: a wiped server that answers; one that had promised nothing may', (t) => {
  const p1b = { type: 'p1b', ballot: ballot(2, 1), from: 4, accepted: [], next: null, decided: 4 } as const
  const promise: StoredRecord = { type: 'promise', ballot: ballot(2, 1) }
  const { checker } = begun()
  t.equal(checker.recovered(0, [], 1, 'wiped'), null)
  checker.durable(0, [promise], 2)
  t.throws(() => checker.sent(0, 1, p1b), { rule: 'durability', message: /wiped/ })
  t.equal(checker.recovered(2, [], 1, 'wiped'), null)
  checker.durable(2, [promise], 2)
  checker.sent(2, 1, p1b)
  t.end()
})

t.test('exactly once: a command that was executed is not executed again, in its slot or another', (t) => {
  const { checker } = begun()
  for (const server of [0, 1]) checker.durable(server, [accept(ballot(1), 4, add(2))], 4)
  execute(checker, 0, 2, 1, 1)
  execute(checker, 0, 3, 2, 3)
  t.throws(() => execute(checker, 0, 4, 2, 5), { rule: 'exactly-once' })
  // What its client has acknowledged is not executed either.
  const late = begun().checker
  for (const server of [0, 1]) late.durable(server, [accept(ballot(1), 4, add(5, 5, SESSION, 4), add(3))], 4)
  execute(late, 0, 2, 1, 1)
  execute(late, 0, 3, 2, 3)
  execute(late, 0, 4, 5, 8)
  t.throws(() => execute(late, 0, 5, 3, 11), { rule: 'exactly-once' })
  t.end()
})

t.test('exactly once: a command of an expired session, or of none, is not executed', (t) => {
  const clock: Command = { kind: 'clock', elapsed: 600, ttl: 1000 }
  const { checker } = begun()
  const more = accept(ballot(1), 4, clock, { kind: 'noop' }, clock, add(3), add(1, 1, '1.unknown'))
  for (const server of [0, 1]) checker.durable(server, [more], 4)
  t.equal(checker.chosen, 8)
  execute(checker, 0, 2, 1, 1)
  execute(checker, 0, 3, 2, 3)
  const expired: Result = { status: 'expired', value: new Uint8Array() }
  checker.replied(0, { clientId: SESSION, localId: 3, result: expired })
  checker.replied(0, { clientId: '1.unknown', localId: 1, result: expired })
  t.throws(() => checker.replied(0, { clientId: SESSION, localId: 2, result: expired }), { rule: 'replies' })
  t.throws(() => execute(checker, 0, 7, 3, 6), { rule: 'exactly-once' })
  t.end()
})

t.test('replies: what was not executed, or came to something else', (t) => {
  const reply =
    (localId: number, result: Result, clientId = SESSION) =>
    () =>
      begun().checker.replied(1, { clientId, localId, result })
  t.throws(reply(3, ok(6)), { rule: 'replies', message: /not executed/ })
  t.throws(reply(1, ok(1), '1.other'), { rule: 'replies' })
  t.throws(reply(2, ok(4)), { rule: 'one reply', message: /slot 3/ })
  t.throws(reply(2, { status: 'refused', value: packValue(3) }), { rule: 'one reply' })
  t.throws(reply(1, { status: 'stale', value: new Uint8Array() }), { rule: 'replies' })
  t.throws(reply(0, { status: 'ok', value: Buffer.from('2.n') }, 'n'), { rule: 'replies' })
  t.throws(reply(0, { status: 'ok', value: Buffer.from(SESSION) }, 'm'), { rule: 'replies' })
  t.end()
})

t.test('a refusal is an outcome like any other', (t) => {
  const outcomes: Uint8Array[] = []
  const state = observedService(service, (_slot, _command, outcome) => outcomes.push(outcome)).state()
  t.throws(() => state.execute(4, { clientId: SESSION, op: { add: -1 } }), { code: 'NEGATIVE' })
  const { checker } = begun()
  for (const server of [0, 1]) checker.durable(server, [accept(ballot(1), 4, add(3, -1))], 4)
  execute(checker, 0, 2, 1, 1)
  execute(checker, 0, 3, 2, 3)
  checker.executed(0, 4, SESSION, { add: -1 }, outcomes[0] ?? new Uint8Array())
  const value = packValue({ code: 'NEGATIVE', message: 'no', data: {} })
  checker.replied(0, { clientId: SESSION, localId: 3, result: { status: 'refused', value } })
  t.throws(() => checker.replied(0, { clientId: SESSION, localId: 3, result: ok(2) }), { rule: 'one reply' })
  t.end()
})
