import t from 'tap'
import { ballot, broken, command, config, Journal, lines, only, showReady } from '../../support/transcript.js'
import { Paxos } from '@synod/paxos/internal/protocol/paxos'
import type { Input } from '@synod/paxos/internal/protocol/ready'
import { save } from '../../support/saved.js'
import { farBehind } from './far-behind.js'

t.test('a server that is behind by more than others have in memory gets a snapshot, and goes on with the tail', (t) => {
  const network = farBehind(20)
  t.equal(network.status(2).applied, 1)
  network.heal()
  network.run(100)
  t.equal(
    only(/catchUp|compacted|snapshot|base|decided \d|learn/, network.transcript()).join('\n'),
    lines(`
      2→0 catchUp from slot 2
      0→2 compacted from slot 2, snapshot 0; 1.0 decided<21
      0 wants a snapshot
      0 logs base 20: promise 1.0; 1.0 decided<21
    `),
    'one is made',
  )
  network.submit(0, '1.n/21^19 y, 1.n/22^19 z')
  network.run(1000)
  t.equal(
    only(/catchUp|compacted|snapshot|base|decided \d|learn/, network.transcript()).join('\n'),
    lines(`
      2→0 catchUp from slot 2
      0→2 compacted from slot 2, snapshot 20; 1.0 decided<23
      2 fetches the snapshot of 0
      2 logs base 20: promise 1.0; 1.0 decided<23
    `),
    'the same server is asked again: it has it by now, and nobody else needs to make one',
  )
  t.equal(network.status(2).applied, 22)
  t.strictSame(network.executed(2), network.executed(0))
  t.equal(network.status(2).collected, 20, 'what it installed is its own now')
  t.end()
})

t.test(
  'while a server fetches, nobody else makes a snapshot for it, and its clients’ commands take no slots again',
  (t) => {
    const network = farBehind(20)
    network.submit(2, '1.n/30^18 mine')
    network.snapshot(0)
    network.settle()
    network.heal()
    network.transcript()
    const { applied } = network.status(0)
    for (let ms = 0; ms < 5000; ms += 50) {
      network.tick(50)
      network.sync()
      network.deliver()
    }
    const told = network.transcript()
    t.match(told, '2 fetches the snapshot of 0')
    t.notMatch(told, /wants a snapshot/)
    t.ok(network.status(0).applied <= applied + 1, `${network.status(0).applied - applied} slots were taken`)
    t.end()
  },
)

t.test('message by message: compacted, fetch, nothing is executed, install, and on with what is behind it', (t) => {
  const network = farBehind(12)
  network.snapshot(0)
  network.settle()
  network.heal()
  network.transcript()
  network.tick(100)
  network.deliver('0→2 heartbeat')
  network.deliver('2→0 catchUp')
  network.deliver('0→2 compacted')
  t.equal(
    only(/^(2→0|0→2|2 fetches) /, network.transcript()).join('\n'),
    lines(`
      2→0 heartbeatReply 1.0 #8; decided<2
      2→0 catchUp from slot 2
      0→2 compacted from slot 2, snapshot 12; 1.0 decided<13
      2 fetches the snapshot of 0
    `),
  )
  const snapshot = network.suspend(2, 0)
  if (snapshot === null) throw new Error('there is no snapshot')
  network.submit(0, '1.n/13^11 y')
  for (let i = 0; i < 3; i++) {
    network.sync()
    network.deliver()
  }
  network.tick(100)
  network.deliver('0→2 heartbeat')
  network.sync()
  t.strictSame(network.executed(2), [], 'nothing is executed while it is installed')
  t.equal(network.status(2).applied, 1)
  t.match(network.transcript(), '2→0 p2b 1.0 slot 13; decided<2', 'but it votes')
  network.resume(2, snapshot)
  t.equal(network.status(2).applied, 13, 'what it accepted meanwhile is executed at once')
  t.equal(
    network.transcript(),
    lines(`
      2 logs base 12: promise 1.0; 1.0 decided<14
      2 logs decide 1.0; decided<14
    `),
  )
  t.strictSame(network.executed(2), network.executed(0))
  network.run(100)
  t.strictSame(network.core(2).chain.at(-1), network.core(0).chain.at(-1), 'and the chain goes on')
  t.end()
})

t.test('a restarted server gives its own snapshot away, though it made none in this life', (t) => {
  const network = farBehind(12)
  network.snapshot(0)
  network.settle()
  network.crash(0)
  network.start(0)
  network.transcript()
  network.inject(2, 0, { type: 'catchUp', from: 2 })
  t.equal(network.transcript(), '0→2 compacted from slot 2, snapshot 12; 1.0 decided<13')
  t.end()
})

t.test('a far-behind server does not stand for election, and does again later', (t) => {
  const network = farBehind(12)
  const tells = (): void => {
    network.inject(1, 2, { type: 'compacted', from: 2, snapshot: 0, ballot: ballot('1.0'), decided: 13 })
  }
  network.crash(0)
  network.crash(1)
  network.lose()
  for (let ms = 0; ms < 5000; ms += 500) {
    tells()
    network.tick(500, 2)
  }
  t.strictSame(only(/prescout/, network.transcript()), [], 'it would only be in the way')
  network.tick(499, 2)
  t.strictSame(only(/prescout/, network.transcript()), [])
  network.tick(1, 2)
  t.match(network.transcript(), '2→0,1 prescout', 'nobody has told it for long')
  t.end()
})

t.test('nor does a server whose state is being replaced', (t) => {
  const network = farBehind(12)
  network.snapshot(0)
  network.settle()
  network.heal()
  const snapshot = network.suspend(2, 0)
  if (snapshot === null) throw new Error('there is no snapshot')
  network.crash(0)
  network.crash(1)
  network.lose()
  network.transcript()
  for (let ms = 0; ms < 10_000; ms += 500) network.tick(500, 2)
  t.strictSame(only(/→/, network.transcript()), [], 'it is silent')
  network.resume(2, snapshot)
  network.tick(0, 2)
  t.match(network.transcript(), '2→0,1 prescout')
  t.end()
})

t.test('a new leader that has to catch up by a snapshot leads when it has', (t) => {
  const network = farBehind(12)
  network.snapshot(1)
  network.settle()
  network.stop(0)
  network.crash(0)
  network.lose()
  network.tick(2000, 2)
  network.heal()
  network.tick(2000, 2)
  network.settle()
  network.transcript()
  network.run(4000)
  const leader = [1, 2].find((id) => network.status(id).role === 'leader')
  t.ok(leader !== undefined)
  network.submit(2, '1.n/13^11 y')
  network.settle()
  t.strictSame(network.executed(2), network.executed(1))
  t.equal(network.executed(2).at(-1), 'y@13')
  t.end()
})

t.test('what clients wait for is answered from the sessions of the snapshot', (t) => {
  const network = farBehind(3)
  network.submit(2, '1.n/4^2 mine, open m, mark k')
  network.submit(0, '1.n/4^2 mine, open m')
  network.settle()
  for (let localId = 5; localId < 15; localId++) network.submit(0, `1.n/${localId}^3 x`)
  network.settle()
  network.snapshot(0)
  network.settle()
  network.heal()
  network.transcript()
  network.install(2, 0)
  t.equal(
    only(/replies/, network.transcript()).join('\n'),
    lines(`
      2 replies 1.n/4 ok mine@4
      2 replies open m ok 5.m
    `),
  )
  network.run(3000)
  t.strictSame(only(/2 replies/, network.transcript()), ['2 replies mark k ok 16'], 'the rest is proposed')
  t.end()
})

t.test('two installs in a row, and events, sessions and the chain are those of the others', (t) => {
  const network = farBehind(8)
  const more = (from: number): void => {
    for (let slot = from; slot < from + 10; slot++) network.submit(0, `1.n/${slot}^${slot - 3} emit-e`)
    network.submit(0, `open o${from}`)
    network.settle()
    network.snapshot(0)
    network.settle()
  }
  network.heal()
  network.cut('1-2')
  more(9)
  network.install(2, 0)
  t.equal(network.status(2).applied, 19)
  more(20)
  network.install(2, 0)
  t.equal(network.status(2).applied, 30)
  t.strictSame(network.events(2), network.events(0))
  t.equal(network.status(2).sessions, 3)
  t.strictSame(network.core(2).chain.at(-1), network.core(0).chain.at(-1))
  network.heal()
  network.submit(2, '1.n/28^10 emit-e, 1.n/40^10 emit-last')
  network.run(3000)
  t.strictSame(only(/2 replies/, network.transcript()), [
    '2 replies 1.n/28 ok emit-e@28',
    '2 replies 1.n/40 ok emit-last@31',
  ])
  t.strictSame(network.events(2), network.events(0))
  t.end()
})

/** Server 0 of three, alone. */
function core() {
  const journal = new Journal()
  const self = new Paxos(config(0, 3), journal)
  const step = (input: Input): string => {
    self.step(input)
    return showReady(0, self.ready()).join('\n')
  }
  return { self, journal, step }
}

/** Decisions from slot `first` on, as server 1 tells them. */
function decided(first: number, list: string, now = 0, at = '1.1'): Input {
  const commands = list.split(', ').map(command)
  const told = { ballot: ballot(at), first, commands, decided: first + commands.length }
  return { type: 'message', from: 1, message: { type: 'decided', ...told }, now }
}

t.test('R4: a snapshot that is older than what was executed breaks it', (t) => {
  const old = core()
  old.step(decided(1, 'open n, 1.n/1 a'))
  const snapshot = save(old.self, old.journal)
  const { self, step } = core()
  step(decided(1, 'open n, 1.n/1 a, 1.n/2 b'))
  t.throws(() => {
    self.install(snapshot)
  }, broken('R4'))
  t.end()
})

t.test('a snapshot below what is collected collects nothing, and the same one again only says so again', (t) => {
  const { step } = core()
  step(decided(1, 'a, b, c, d'))
  const made = (slot: number): string => step({ type: 'snapshot', slot, now: 0 })
  t.equal(made(3), '0 logs base 3: promise 0.0; 1.1 decided<5')
  t.equal(made(2), '')
  t.equal(made(3), '0 logs base 3: promise 0.0; 1.1 decided<5')
  t.equal(made(4), '0 logs base 4: promise 0.0; 1.1 decided<5')
  t.end()
})

t.test('the base says what must survive: the promise, what is known as decided, and the lives', (t) => {
  const { self, step } = core()
  step(decided(1, 'a, b'))
  step({ type: 'message', from: 2, message: { type: 'p1a', ballot: ballot('7.2'), from: 1 }, now: 0 })
  step({ type: 'message', from: 1, message: { type: 'revive', life: 3, from: 1 }, now: 0 })
  step({ type: 'message', from: 1, message: { type: 'decision', ballot: ballot('5.1'), decided: 9 }, now: 0 })
  t.equal(step({ type: 'snapshot', slot: 2, now: 0 }), '0 logs base 2: promise 7.2; 5.1 decided<9; lives 0,3')
  t.equal(self.status().collected, 2)
  t.equal(
    step({ type: 'message', from: 2, message: { type: 'p1a', ballot: ballot('8.2'), from: 1 }, now: 0 }),
    lines(`
      0 logs promise 8.2
      0→2 p1b 8.2 from slot 1: []; decided<3; collected 2; lives 0,3 (after sync)
    `),
    'p1b tells what is collected',
  )
  t.end()
})

t.test('what is pending for clients, queued and forwarded survives an install in good order', (t) => {
  const far = core()
  far.step(decided(1, 'open n, 1.n/1 a, 1.n/2 b, 1.n/3 c'))
  const snapshot = save(far.self, far.journal)
  const { self, step } = core()
  step({ type: 'tick', now: 0 })
  step({ type: 'submit', commands: ['1.n/2 b', '1.n/9 z'].map(command), now: 0 })
  self.suspend()
  t.equal(step(decided(1, 'open n, 1.n/1 a')), '', 'decisions that come meanwhile are left')
  self.install(snapshot)
  t.equal(
    step({ type: 'snapshot', slot: 4, now: 0 }),
    lines(`
      0 logs base 4: promise 0.0; 1.1 decided<5
      0 replies 1.n/2 ok b@3
    `),
  )
  const heartbeat = {
    type: 'heartbeat',
    lease: 0,
    ballot: ballot('2.2'),
    sequence: 1,
    decided: 5,
    audit: { slot: 0, hash: '' },
  } as const
  t.equal(
    step({ type: 'message', from: 2, message: heartbeat, now: 0 }),
    lines(`
      0→2 heartbeatReply 2.2 #1; decided<5
      0→2 forward z
    `),
    'what was answered is not forwarded',
  )
  t.end()
})

t.test('a server that cannot execute takes only so much in, and goes on when it can', (t) => {
  const { self, step } = core()
  self.suspend()
  const op = new Uint8Array(4 << 20)
  const p2a = (slot: number): Input => {
    const commands = [{ kind: 'op', clientId: 'n', localId: slot, acked: 0, op } as const]
    const run = { ballot: ballot('1.1'), first: slot, commands }
    return { type: 'message', from: 1, message: { type: 'p2a', run, decided: slot }, now: 0 }
  }
  let votes = 0
  for (let slot = 1; slot <= 100; slot++) if (step(p2a(slot)).includes('p2b')) votes++
  t.ok(votes >= 32 && votes < 36, `${votes} runs of 4 MiB`)
  self.install({ ...save(new Paxos(config(0, 3), new Journal()), new Journal()) })
  t.match(step({ type: 'tick', now: 0 }), 'catchUp', 'it executes what it has, and asks for the rest')
  t.equal(self.status().applied, votes)
  t.match(step(p2a(101)), 'p2b')
  t.end()
})
