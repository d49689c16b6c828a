/** What a log, with its snapshot or without, brings back. */
import t from 'tap'
import { compareBallots } from '@synod/paxos/internal/protocol/ballot'
import { Paxos } from '@synod/paxos/internal/protocol/paxos'
import { LONGEST_LEASE } from '@synod/paxos/internal/protocol/leader-lease'
import type { LogRecord } from '@synod/paxos/internal/protocol/ready'
import type { Saved } from '../../support/saved.js'
import { collect, recover, save } from '../../support/saved.js'
import { ballot, broken, commands, config, Journal, only, run, showReady } from '../../support/transcript.js'
import { Network } from '../../support/network.js'

/** A core, server 0 of three, that was rebuilt from these. */
function rebuilt(durable: readonly LogRecord[], snapshot: Saved | null = null) {
  const machine = new Journal()
  const core = new Paxos(config(0, 3, { start: 9 }), machine)
  recover({ core, machine, snapshot, durable })
  return {
    core,
    executed: machine.executed,
    /** What its acceptor tells a scout of a very high ballot; before that, what it has promised. */
    told: (): string => {
      const { ballot: promised, applied } = core.status()
      core.step({ type: 'tick', now: 0 })
      core.step({
        type: 'message',
        from: 1,
        message: { type: 'p1a', ballot: ballot('999.1'), from: 1 },
        now: LONGEST_LEASE,
      })
      const [told = ''] = only(/p1b/, showReady(0, core.ready()).join('\n'))
      return `${promised.round}.${promised.server}, applied ${applied}; ${told.replace(/^.*from slot 1: | \(after sync\)$/g, '')}`
    },
  }
}

const accept = (at: string, first: number, list: string): LogRecord => ({ type: 'accept', run: run(at, first, list) })
const promise = (at: string): LogRecord => ({ type: 'promise', ballot: ballot(at) })
const decide = (at: string, decided: number): LogRecord => ({ type: 'decide', ballot: ballot(at), decided })
const learn = (at: string, first: number, list: string): LogRecord => {
  return { type: 'learn', ballot: ballot(at), first, commands: commands(list) }
}
const base = (collected: number, at: string, decidedAt: string, decided: number, lives: number[] = []): LogRecord => {
  return { type: 'base', collected, ballot: ballot(at), decidedBallot: ballot(decidedAt), decided, lives }
}

/** The snapshot of what these commands come to. */
function snapshotOf(list: string, at = '1.1'): Saved {
  const machine = new Journal()
  const core = new Paxos(config(1, 3), machine)
  core.restore(learn(at, 1, list))
  return save(core, machine)
}

/** Eight slots: 1 to 4 are in a snapshot, 5 and 6 are decided, 7 and 8 accepted. */
const LOG: readonly LogRecord[] = [
  promise('1.1'),
  accept('1.1', 1, 'open n, 1.n/1 a'),
  decide('1.1', 3),
  accept('2.2', 3, '1.n/2 b, 1.n/3 c, 1.n/4 d'),
  decide('2.2', 4),
  learn('2.2', 4, '1.n/3 c'),
  promise('3.1'),
  { type: 'lives', lives: [0, 2] },
  base(4, '3.1', '2.2', 5, [0, 2]),
  accept('3.1', 6, '1.n/5 e'),
  decide('2.2', 6),
  promise('4.2'),
  accept('4.2', 6, '1.n/5 e, 1.n/6 f'),
  accept('4.2', 8, '1.n/7 g'),
  decide('4.2', 7),
]
const FOUR = snapshotOf('open n, 1.n/1 a, 1.n/2 b, 1.n/3 c')

const WHOLE = '4.2, applied 6; [4.2 slot 7: f] [4.2 slot 8: g]; decided<7; collected 4; lives 0,2'

t.test('a log that was cut off anywhere before its base goes on behind the snapshot', (t) => {
  const bare = LOG.filter(({ type }) => type !== 'base')
  t.equal(rebuilt(bare).told(), WHOLE.replace(' collected 4;', ''), 'the whole log, without a snapshot')
  for (let first = 0; first <= 3; first++) {
    const { told, executed } = rebuilt(LOG.slice(first), FOUR)
    t.equal(told(), WHOLE, `from record ${first} on`)
    t.strictSame(executed, ['a@2', 'b@3', 'c@4', 'd@5', 'e@6'])
  }
  t.strictSame(collect(LOG)[0], LOG[3], 'what is collected begins with the record that tells of slot 5')
  t.end()
})

t.test('a newer snapshot than the last base, one that was installed, or both', (t) => {
  const six = snapshotOf('open n, 1.n/1 a, 1.n/2 b, 1.n/3 c, 1.n/4 d, 1.n/5 e')
  t.equal(rebuilt(LOG, six).told(), WHOLE, 'the base of the newer one was not durable yet')
  const far = snapshotOf(`open n, ${Array.from({ length: 19 }, (_, i) => `1.n/${i + 1} x`).join(', ')}`, '9.2')
  t.equal(
    rebuilt([...LOG, base(20, '4.2', '9.2', 21)], far).told(),
    '4.2, applied 20; []; decided<21; collected 20; lives 0,2',
  )
  t.equal(
    rebuilt([...LOG, base(20, '4.2', '9.2', 21), accept('9.2', 21, 'y'), decide('9.2', 22)], far).told(),
    '9.2, applied 21; []; decided<22; collected 20; lives 0,2',
  )
  t.equal(
    rebuilt([...LOG, accept('9.2', 21, 'y')], far).told(),
    '9.2, applied 20; [9.2 slot 21: y]; decided<21; collected 4; lives 0,2',
    'installed, and its base was not durable yet',
  )
  t.end()
})

t.test('a log without its snapshot: its promise and votes are kept, its decisions are not executed', (t) => {
  const voting = '[4.2 slots 6–7: e, f] [4.2 slot 8: g]; decided<5; collected 4; lives 0,2'
  const kept = collect(LOG)
  const { told, executed, core } = rebuilt(kept)
  t.equal(core.lacksState, true)
  t.strictSame(executed, [])
  t.equal(told(), `4.2, applied 0; [2.2 slot 5: d] ${voting}`)
  const at = kept.findIndex(({ type }) => type === 'base')
  t.ok(at > 0, 'the base stands amid the records')
  t.equal(rebuilt(LOG.slice(6)).told(), `4.2, applied 0; ${voting}`, 'whichever records before the base are gone')
  t.end()
})

t.test('a log that is whole brings the state back, though the snapshot is lost', (t) => {
  const { core, told, executed } = rebuilt(LOG)
  t.strictSame(executed, ['a@2', 'b@3', 'c@4', 'd@5', 'e@6'])
  t.equal(core.lacksState, false)
  t.equal(told(), WHOLE)
  t.end()
})

t.test('what was learnt is told as decided, also where it cannot be executed: its votes are nowhere else', (t) => {
  const durable: LogRecord[] = [
    { type: 'repairing' },
    base(4, '0.0', '2.2', 7),
    learn('2.2', 5, '1.n/4 d, 1.n/5 e'),
    accept('3.1', 7, '1.n/6 f'),
    { type: 'lives', lives: [1] },
    { type: 'repaired', life: 1 },
  ]
  const whole = rebuilt(durable, FOUR).told()
  t.equal(whole, '3.1, applied 6; [3.1 slot 7: f]; decided<7; collected 4; lives 1')
  t.equal(rebuilt(durable).told(), whole.replace('applied 6', 'applied 0'))
  t.end()
})

t.test('a server without its snapshot gets another’s, and is what it was', (t) => {
  const network = new Network(3, { limits: { tailCommands: 4 } })
  network.elect(0)
  network.submit(0, 'open n, 1.n/1 a, 1.n/2 b, 1.n/3 c, 1.n/4 d, 1.n/5 e')
  network.settle()
  network.snapshot(2)
  network.submit(0, '1.n/6 f')
  network.settle()
  network.run(1500)
  network.crash(2)
  network.loseSnapshot(2)
  network.start(2)
  t.equal(network.status(2).applied, 0)
  network.run(1500)
  t.equal(network.snapshotOf(2), 7)
  t.strictSame(network.executed(2), network.executed(0))
  t.equal(network.core(2).lacksState, false)
  network.crash(2)
  network.start(2)
  t.strictSame(network.executed(2), network.executed(0))
  t.end()
})

t.test('it may have lost its snapshot and lead: nothing is proposed before it has another one', (t) => {
  const network = new Network(3, { limits: { tailCommands: 4 } })
  network.elect(0)
  network.submit(0, 'open n, 1.n/1 a, 1.n/2 b, 1.n/3 c, 1.n/4 d, 1.n/5 e')
  network.settle()
  network.run(1500)
  for (const id of network.ids) network.snapshot(id)
  network.sync()
  for (const id of network.ids) network.crash(id)
  network.loseSnapshot(2)
  network.lose()
  for (const id of network.ids) network.start(id)
  network.transcript()
  network.elect(2)
  const told = network.transcript()
  t.strictSame(only(/^2→.* p2a|^2→.* heartbeat /, told), ['2→0,1 heartbeat 2.2+1 #1; decided<7'])
  t.match(told, /2→0 catchUp from slot 1\n[^]*2 fetches the snapshot of [^]* p1b [^]*2→0,1 heartbeat [^]*2 logs base 6/)
  t.strictSame(network.executed(2), network.executed(0))
  t.end()
})

t.test('R2: a log that has a hole which no snapshot ever filled breaks it', (t) => {
  t.throws(() => rebuilt([accept('1.1', 1, 'a'), decide('1.1', 3)]), broken('R2'))
  t.throws(() => rebuilt([learn('1.1', 3, 'c')]), broken('R2'))
  t.throws(
    () =>
      rebuilt(
        LOG.filter(({ type }) => type !== 'accept'),
        FOUR,
      ),
    broken('R2'),
    'behind the snapshot, too',
  )
  t.end()
})

t.test('a repair that was begun goes on; one that is over is over; and the life stays', (t) => {
  const status = (...records: LogRecord[]) => {
    const { repairing, life } = rebuilt(records).core.status()
    return { repairing, life }
  }
  t.strictSame(status({ type: 'repairing' }), { repairing: true, life: 0 })
  t.strictSame(status({ type: 'repairing' }, { type: 'repairing' }), { repairing: true, life: 0 })
  t.strictSame(status({ type: 'repairing' }, base(0, '0.0', '1.1', 9, [0, 3])), { repairing: true, life: 0 })
  t.strictSame(status({ type: 'repairing' }, { type: 'repaired', life: 2 }), { repairing: false, life: 2 })
  t.strictSame(status({ type: 'repaired', life: 2 }, { type: 'lives', lives: [2, 1] }), { repairing: false, life: 2 })
  t.strictSame(
    status(base(0, '1.1', '0.0', 1, [4])),
    { repairing: false, life: 4 },
    'also when all but the base is gone',
  )
  t.strictSame(
    status({ type: 'lives', lives: [0, 0, 5] }, base(0, '1.1', '0.0', 1, [2, 0, 5]), { type: 'lives', lives: [0, 7] }),
    { repairing: false, life: 2 },
  )
  const known = rebuilt([
    { type: 'lives', lives: [0, 0, 5] },
    base(0, '1.1', '0.0', 1, [2, 0, 5]),
    { type: 'lives', lives: [0, 7] },
  ])
  t.strictSame(
    [0, 1, 2].map((id) => known.core.lifeOf(id)),
    [2, 7, 5],
  )
  t.end()
})

t.test('while it is being repaired its log is silent about promises: a p1a gets no answer', (t) => {
  const { core } = rebuilt([{ type: 'repairing' }, base(4, '0.0', '2.2', 7), learn('2.2', 5, '1.n/4 d')], FOUR)
  core.step({ type: 'message', from: 1, message: { type: 'p1a', ballot: ballot('9.1'), from: 1 }, now: 0 })
  t.equal(showReady(0, core.ready()).join('\n'), '0→1 catchUp from slot 6')
  t.equal(compareBallots(core.status().ballot, ballot('0.0')), 0)
  t.end()
})

t.test('each record may be the last: a log with its snapshot forgets no promise and no vote', (t) => {
  for (let length = 0; length <= LOG.length; length++) {
    const durable = LOG.slice(0, length)
    const hasBase = durable.some(({ type }) => type === 'base')
    const whole = rebuilt(durable, hasBase ? FOUR : null)
    const highest = durable.reduce((most, record) => {
      const at = record.type === 'promise' ? record.ballot : record.type === 'accept' ? record.run.ballot : most
      return compareBallots(at, most) > 0 ? at : most
    }, ballot('0.0'))
    t.strictSame(whole.core.status().ballot, highest, `${length} records`)
    if (hasBase) t.equal(rebuilt(collect(durable), FOUR).told(), whole.told(), 'collected or not')
  }
  t.equal(rebuilt(LOG.slice(0, 4)).told(), '2.2, applied 2; [2.2 slots 3–5: b, c, d]; decided<3')
  t.end()
})
