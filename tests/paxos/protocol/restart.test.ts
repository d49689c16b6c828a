import t from 'tap'
import { compareBallots } from '@synod/paxos/internal/protocol/ballot'
import type { Command } from '@synod/paxos/internal/protocol/command'
import { Paxos } from '@synod/paxos/internal/protocol/paxos'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { LogRecord } from '@synod/paxos/internal/protocol/ready'
import { ballot, config, Journal, lines, run, showBallot, showCommand, showReady } from '../../support/transcript.js'
import { Network } from '../../support/network.js'

/** A core that was rebuilt from these records. */
function rebuilt(records: readonly LogRecord[], start = 9): { core: Paxos; journal: Journal } {
  const journal = new Journal()
  const core = new Paxos(config(0, 3, { start }), journal)
  for (const record of records) core.restore(record)
  return { core, journal }
}

/** What the highest promise of these records is. */
function promised(records: readonly LogRecord[]) {
  let highest = ballot('0.0')
  for (const record of records) {
    if (record.type !== 'promise' && record.type !== 'accept') continue
    const at = record.type === 'promise' ? record.ballot : record.run.ballot
    if (compareBallots(at, highest) > 0) highest = at
  }
  return highest
}

/** For each slot what was accepted last, as `ballot command`. */
function acceptedLast(records: readonly LogRecord[]): Map<number, string> {
  const last = new Map<number, string>()
  for (const record of records) {
    if (record.type !== 'accept') continue
    record.run.commands.forEach((each, index) => {
      last.set(record.run.first + index, `${showBallot(record.run.ballot)} ${showCommand(each)}`)
    })
  }
  return last
}

/** What the core's acceptor reports to a scout of a very high ballot, slot by slot; and below which slot it has decisions. */
function reported(core: Paxos): { accepted: Map<number, string>; decided: number } {
  core.step({ type: 'message', from: 1, message: { type: 'p1a', ballot: ballot('999.1'), from: 1 }, now: 0 })
  const accepted = new Map<number, string>()
  let decided = 0
  for (const { message } of core.ready().messagesAfterSync) {
    if (message.type !== 'p1b') continue
    decided = message.decided
    for (const run of message.accepted) {
      const each = (command: Command, index: number): unknown =>
        accepted.set(run.first + index, `${showBallot(run.ballot)} ${showCommand(command)}`)
      run.commands.forEach(each)
    }
  }
  return { accepted, decided }
}

/** Some seconds of three servers with losses, partitions and a crash; deterministic by its seed. */
function eventful(seed: number): Network {
  const network = new Network(3, { seed })
  const prng = new Prng(seed)
  network.elect(prng.below(3))
  network.submit(0, 'open n')
  network.settle()
  for (let i = 1; i <= 60; i++) {
    network.submit(prng.below(3), `1.n/${i}^${Math.max(0, i - 20)} x${i}`)
    if (prng.chance(0.1)) network.cut(prng.pick(['0-1', '0-2', '1-2']))
    if (prng.chance(0.1)) network.heal()
    if (prng.chance(0.05)) {
      const id = prng.below(3)
      network.crash(id)
      network.start(id)
    }
    if (prng.chance(0.3)) network.lose()
    if (prng.chance(0.5)) network.run(25 + prng.below(400))
  }
  network.heal()
  network.run(10_000)
  return network
}

t.test(
  'a core rebuilt from any prefix of its log forgets no promise and nothing accepted, and has the same state',
  (t) => {
    let prefixes = 0
    for (let seed = 1; seed <= 12; seed++) {
      const network = eventful(seed)
      const executed = network.executed(0)
      t.strictSame(network.executed(1), executed, `seed ${seed}: all servers agree`)
      t.ok(executed.length >= 40, `seed ${seed}: ${executed.length} executed`)
      const records = network.durable(0)
      for (let length = 0; length <= records.length; length++) {
        const prefix = records.slice(0, length)
        const { core, journal } = rebuilt(prefix)
        const wrong: string[] = []
        if (compareBallots(core.status().ballot, promised(prefix)) !== 0) wrong.push('the promise')
        if (journal.executed.join() !== executed.slice(0, journal.executed.length).join()) wrong.push('the state')
        const { accepted, decided } = reported(core)
        for (const [slot, last] of acceptedLast(prefix)) {
          if (slot >= decided && accepted.get(slot) !== last)
            wrong.push(`slot ${slot}: ${accepted.get(slot)} for ${last}`)
        }
        if (wrong.length > 0) t.fail(`seed ${seed}, ${length} records: ${wrong.join('; ')}`)
        prefixes++
      }
      const { core } = rebuilt(records)
      t.ok(core.status().applied >= network.status(0).applied - 50, 'hints spare the work of asking')
    }
    t.ok(prefixes > 500, `${prefixes} prefixes`)
    t.end()
  },
)

t.test('a restarted server has its state back before its first step, and answers retries from it', (t) => {
  const network = new Network(3)
  network.elect(0)
  network.submit(0, 'open n, 1.n/1 x')
  network.settle()
  network.run(1500)
  network.crash(1)
  network.start(1)
  t.strictSame(network.executed(1), ['x@2'])
  network.transcript()
  network.submit(1, '1.n/1 x')
  t.equal(network.transcript(), '1 replies 1.n/1 ok x@2')
  t.end()
})

t.test('all servers crash at once: what was acknowledged is there', (t) => {
  const network = new Network(3)
  network.elect(0)
  network.submit(0, 'open n, 1.n/1 x')
  network.deliver()
  network.sync()
  network.deliver()
  t.match(network.transcript(), '0 replies 1.n/1 ok x@2')
  for (const id of network.ids) network.crash(id)
  network.lose()
  for (const id of network.ids) network.start(id)
  t.strictSame(network.executed(0), [], 'nobody had time for a hint')
  network.run(3000)
  for (const id of network.ids) t.strictSame(network.executed(id), ['x@2'])
  t.end()
})

t.test('a ballot is never used twice, also when the promise was not durable', (t) => {
  const network = new Network(3)
  network.tick(0)
  network.tick(500, 0)
  network.deliver('0→1')
  network.deliver('1→0')
  network.deliver('0→1 p1a')
  t.match(network.transcript(), '0→1,2 p1a 1.0 from slot 1\n0 logs promise 1.0')
  network.crash(0)
  network.lose()
  network.start(0)
  t.strictSame(network.status(0).ballot, ballot('0.0'), 'it has forgotten its promise')
  network.tick(0, 0)
  network.tick(500, 0)
  network.deliver('0→2')
  network.deliver('2→0')
  t.match(network.transcript(), '0→1,2 p1a 1.0+1 from slot 1')
  const nothing = { from: 1, accepted: [], next: null, decided: 1, collected: 0, lives: [] }
  network.inject(1, 0, { type: 'p1b', ballot: ballot('1.0'), ...nothing })
  network.sync()
  t.equal(network.status(0).role, 'candidate', 'a late promise for its former life is none for this one')
  network.settle()
  t.equal(network.status(0).role, 'leader')
  t.end()
})

t.test('a restarted leader takes a ballot above all that its log names', (t) => {
  const { core } = rebuilt([
    { type: 'promise', ballot: ballot('3.1') },
    { type: 'accept', run: run('4.2', 1, 'a') },
    { type: 'learn', ballot: ballot('6.2'), first: 1, commands: run('6.2', 1, 'a').commands },
  ])
  core.step({ type: 'tick', now: 0 })
  core.step({ type: 'tick', now: 500 })
  core.ready()
  core.step({
    type: 'message',
    from: 1,
    message: { type: 'prescoutReply', attempt: 1, granted: true, ballot: ballot('5.0') },
    now: 500,
  })
  t.equal(
    showReady(0, core.ready()).join('\n'),
    lines(`
      0→1,2 p1a 7.0+9 from slot 2
      0 logs promise 7.0+9
      0→0 p1b 7.0+9 from slot 2: []; decided<2 (after sync)
    `),
  )
  t.end()
})

t.test('an append that was lost in a crash was never voted for, so another command may be decided', (t) => {
  const network = new Network(3)
  network.elect(0)
  network.submit(0, 'lost')
  network.deliver('0→1 p2a')
  network.crash(0)
  network.crash(1)
  network.lose()
  network.start(1)
  network.start(0)
  network.transcript()
  network.submit(2, 'other')
  network.run(3000)
  t.match(network.transcript(), /accept \d\.\d(\+1)? slot 1: other/)
  for (const id of network.ids) t.equal(network.status(id).applied, 1)
  t.end()
})
