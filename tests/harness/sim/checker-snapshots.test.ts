/** The checker knows what a snapshot must hold, what may be collected, and what is executed after an installation. */
import { packValue } from '@synod/paxos/internal/codec/values'
import type { CoreSnapshot } from '@synod/paxos/internal/protocol/snapshot'
import { coreChunks, stateChunks } from '@synod/paxos/internal/server/snapshot-codec'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import type { Checker } from '@synod/harness/internal/sim/checker'
import type { Image } from '@synod/harness/internal/sim/image'
import { differs } from '@synod/harness/internal/sim/image'
import { Reference } from '@synod/harness/internal/sim/reference'
import t from 'tap'
import { accept, add, ballot, begun, breaks, open, promise, run, service, SESSION } from './little-checker.js'

/** What is decided in `begun`, and one slot more. */
const COMMANDS = [open(), add(1), add(2), add(3, 9)]

function reference(): Reference {
  const made = new Reference(service)
  for (const command of COMMANDS) made.advance(command)
  return made
}

/** A snapshot of this, as a server would write it. */
function chunksOf({ chain, block, sessions, events, entries }: Image, head: Partial<CoreSnapshot['head']> = {}) {
  const core: CoreSnapshot = {
    head: { slot: chain.slot, ballot: ballot(1), chain, block, servers: 3, ...head },
    sessions,
    events: [1, ...events],
  }
  return [...coreChunks(core, false), ...stateChunks(entries)]
}

/** A cluster that has decided all of them. */
function decided(): Checker {
  const { checker } = begun()
  for (const server of [0, 1]) checker.durable(server, [accept(ballot(1), 4, ...COMMANDS.slice(3))], 4)
  return checker
}

t.test('the reference tells what a replica holds after any slot, in any order of the questions', (t) => {
  const made = reference()
  const at = (slot: number): unknown => {
    const { chain, sessions, events, entries } = made.image(slot)
    return [chain.slot, sessions.map(({ results }) => results.length), events.map((each) => each.slot), entries]
  }
  t.strictSame(at(4), [4, [3], [4], [12]])
  t.strictSame(at(2), [2, [1], [], [1]])
  t.strictSame(at(3), [3, [2], [], [3]])
  t.strictSame(at(1), [1, [0], [], [0]])
  t.strictSame(at(0), [0, [], [], [0]])
  t.strictSame(at(4), [4, [3], [4], [12]])
  t.not(made.image(2).chain.hash, made.image(3).chain.hash)
  t.end()
})

t.test('a snapshot holds what comes of all decisions through its slot', (t) => {
  const made = reference()
  for (const slot of [2, 4, 3]) decided().snapshot(0, slot, chunksOf(made.image(slot)))
  breaks(t, 'R2', () => begun().checker.snapshot(0, 4, chunksOf(made.image(4))), /slot 4/)
  t.end()
})

t.test('a snapshot that lacks something, or has too much', (t) => {
  const image = reference().image(4)
  const wrong = (change: Partial<Image>, what: RegExp): void =>
    breaks(t, 'snapshot', () => decided().snapshot(0, 4, chunksOf({ ...image, ...change })), what)
  wrong({ entries: [13] }, /the state/)
  wrong({ entries: [12, 12] }, /the state/)
  wrong({ sessions: [] }, /sessions/)
  wrong({ sessions: image.sessions.map((session) => ({ ...session, acked: 1 })) }, /sessions/)
  wrong({ sessions: image.sessions.map(({ results, ...of }) => ({ ...of, results: results.slice(1) })) }, /sessions/)
  wrong({ events: [] }, /events/)
  wrong({ chain: { ...image.chain, hash: '0123456789abcdef' } }, /the chain/)
  const head = (change: Partial<CoreSnapshot['head']>, what: RegExp): void =>
    breaks(t, 'snapshot', () => decided().snapshot(0, 4, chunksOf(image, change)), what)
  head({ slot: 3 }, /the head says slot 3/)
  head({ servers: 5 }, /5 servers/)
  head({ ballot: ballot(0) }, /the ballot 0.0 is below 1.0/)
  t.end()
})

t.test('the order of entries, and of the results of a session, says nothing', (t) => {
  const image = reference().image(4)
  const turned = image.sessions.map(({ results, ...of }) => ({ ...of, results: [...results].reverse() }))
  t.equal(differs({ ...image, sessions: turned, entries: [1, 2] }, { ...image, entries: [2, 1] }), null)
  t.end()
})

t.test('an installation: what comes next is what is behind the snapshot, from the state that is in it', (t) => {
  const installed = (entries: readonly unknown[]): Checker => {
    const checker = decided()
    checker.made(2)
    checker.installs(2, 3)
    checker.begins(2, entries)
    return checker
  }
  const execute = (checker: Checker, slot: number, by: number, sum: number): void =>
    checker.executed(2, slot, SESSION, { add: by }, packValue([sum, sum > 10 ? [sum] : []]))
  execute(installed([3]), 4, 9, 12)
  breaks(t, 'installation', () => installed([1]))
  breaks(t, 'exactly-once', () => execute(installed([3]), 3, 2, 3), /is in the snapshot/)
  const back = installed([3])
  execute(back, 4, 9, 12)
  back.made(2)
  back.begins(2, [0])
  breaks(t, 'R4', () => execute(back, 2, 1, 1))
  t.end()
})

const base = (collected: number, at = ballot(1)): StoredRecord => ({
  ...{ type: 'base', collected, ballot: at, decidedBallot: ballot(1), decided: collected + 1 },
  lives: [],
})

t.test('collection: what a base record says is collected may be gone, and nothing else', (t) => {
  const [opened, rest] = [accept(ballot(1), 1, open(), add(1)), accept(ballot(1), 3, add(2))]
  const collected = (): Checker => {
    const { checker } = begun()
    checker.durable(0, [promise(ballot(2, 1)), base(2, ballot(2, 1))], 5)
    t.equal(checker.collected(0), 2)
    return checker
  }
  t.equal(collected().recovered(0, [rest, base(2, ballot(2, 1))], 7, null), null)
  t.equal(collected().recovered(0, [opened, rest, base(2, ballot(2, 1))], 7, null), null)
  breaks(t, 'durability', () => collected().recovered(0, [base(2, ballot(2, 1))], 7, null), /slot 3/)
  breaks(
    t,
    'durability',
    () => collected().recovered(0, [opened, rest, promise(ballot(2, 1))], 7, null),
    /collected through/,
  )
  breaks(t, 'durability', () => collected().recovered(0, [rest, base(2)], 7, null), /its promise of 2.1/)
  t.end()
})

t.test('collection: a base record without the promise, or of what is not decided', (t) => {
  const { checker } = begun()
  checker.durable(0, [promise(ballot(2, 1))], 4)
  breaks(t, 'A1', () => checker.durable(0, [base(2)], 5), /collects its log under ballot 1.0 after 2.1/)
  breaks(t, 'R2', () => begun().checker.durable(0, [base(4)], 5), /slot 4/)
  t.end()
})

t.test('collection: a p1b that hides it', (t) => {
  const { checker } = begun()
  checker.durable(0, [promise(ballot(2, 1)), base(3, ballot(2, 1))], 4)
  const p1b = { type: 'p1b', ballot: ballot(2, 1), from: 1, accepted: [], next: null, decided: 4, lives: [] } as const
  checker.sent(0, 1, { ...p1b, collected: 0 }) // it may have been on its way
  checker.durable(0, [promise(ballot(3, 1))], 5)
  checker.sent(0, 1, { ...p1b, ballot: ballot(3, 1), collected: 3 })
  breaks(t, 'collection', () => checker.sent(0, 1, { ...p1b, ballot: ballot(3, 1), collected: 0 }))
  breaks(t, 'R2', () => checker.sent(0, 1, { ...p1b, ballot: ballot(3, 1), collected: 9 }))
  t.end()
})

t.test('catch-up: a server that tells other commands than the decided ones', (t) => {
  const told = { type: 'decided', ballot: ballot(1), first: 2, commands: [add(1), add(2)], decided: 4 } as const
  begun().checker.sent(0, 1, told)
  breaks(t, 'R1', () => begun().checker.sent(0, 1, { ...told, first: 1 }), /slot 1/)
  breaks(t, 'R1', () => begun().checker.sent(0, 1, { ...told, commands: [add(2)] }), /slot 2/)
  breaks(t, 'R2', () =>
    begun().checker.sent(0, 1, { type: 'compacted', from: 1, snapshot: 0, ballot: ballot(1), decided: 5 }),
  )
  t.end()
})

t.test('the chain: two servers that tell different hashes of one slot', (t) => {
  const heartbeat = (hash: string) =>
    ({ type: 'heartbeat', ballot: ballot(1), sequence: 1, decided: 4, audit: { slot: 256, hash }, lease: 0 }) as const
  const { checker } = begun()
  checker.sent(0, 1, heartbeat('0123456789abcdef'))
  checker.sent(1, 0, heartbeat('0123456789abcdef'))
  breaks(t, 'chain', () => checker.sent(2, 0, heartbeat('0123456789abcdee')))
  t.end()
})

t.test('a proposal of what is collected elsewhere is judged like any other', (t) => {
  const { checker } = begun()
  checker.durable(1, [base(3)], 4)
  for (const server of [1, 2]) checker.durable(server, [promise(ballot(2, 1))], 5)
  breaks(t, 'A5', () => checker.sent(1, 0, { type: 'p2a', run: run(ballot(2, 1), 3, add(3)), decided: 1 }))
  t.end()
})
