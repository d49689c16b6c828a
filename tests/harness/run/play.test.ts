/** Playing scenarios: what steps do, what is recorded, and that each check fails when it should. In the simulator, for speed. */
import type { Report } from '@synod/harness/internal/report/report'
import { parseScenario } from '@synod/harness/internal/scenario/load'
import type { Step } from '@synod/harness/internal/scenario/schema'
import { simulateScenario } from '@synod/harness/internal/sim/simulate-scenario'
import { anySubject } from '@synod/harness/internal/subject/any'
import { chatSubject } from '@synod/harness/internal/subject/chatroom'
import { kvSubject } from '@synod/harness/internal/subject/kvstore'
import type { Subject } from '@synod/harness/internal/subject/subject'
import { kvstore, KvState } from '@synod/kvstore'
import type { KvEvent, KvOp, KvResult } from '@synod/kvstore'
import type { Command } from '@synod/paxos'
import t from 'tap'
import { account } from '../../support/account.js'

/** Steps as a file has them, checked as a file is. */
type Loose = { readonly type: Step['type'] } & Readonly<Record<string, unknown>>

const THREE: Loose[] = [
  { type: 'Start', count: 3 },
  { type: 'Wait', for: 'serving' },
]

async function play(steps: readonly Loose[], subject: Subject = kvSubject, more: object = {}): Promise<Report> {
  const scenario = parseScenario(JSON.stringify({ steps: [...THREE, ...steps], ...more }), 'test.json')
  return (await simulateScenario(scenario, subject)).report
}

/** The checks that failed, as `name: detail`. */
function failures({ checks }: Report): string[] {
  return checks.flatMap(({ name, ok, detail }) => (ok === false ? [`${name}: ${detail}`] : []))
}

const CONNECTED: Loose[] = [0, 1, 2].map((id) => ({ type: 'Connect', id }))
const SET: Loose = { type: 'Set', id: 0, key: 'a', value: '1', wait: true }

t.test('a run without faults holds, and says all that it did', async (t) => {
  const report = await play([...CONNECTED, SET, { type: 'Get', id: 1, key: 'a' }])
  t.strictSame(failures(report), [])
  t.match(report, {
    ok: true,
    world: 'simulator',
    server: 'kvstore',
    operations: { attempted: 2, ok: 2, fail: 0, info: 0 },
  })
  t.strictSame(
    report.history
      .filter(({ process }) => process === '0' || process === '1')
      .map(({ process, type, f, key, value }) => [process, type, f, key, value]),
    [
      ['0', 'invoke', 'write', 'a', '1'],
      ['0', 'ok', 'write', 'a', '1'],
      ['1', 'invoke', 'read', 'a', undefined],
      ['1', 'ok', 'read', 'a', '1'],
    ],
  )
  t.match(report.history.at(-1), { process: 'final state', type: 'ok', f: 'read' })
  t.equal(report.steps.length, 7)
  t.ok(report.samples.some(({ role }) => role === 'leader'))
})

t.test(
  'a step to a server that is down, or by a client that is not connected, is not done and fails nothing',
  async (t) => {
    const report = await play([
      ...CONNECTED,
      SET,
      { type: 'Crash', id: 2 },
      { type: 'Crash', id: 2 },
      { type: 'Get', id: 2, key: 'a' },
      { type: 'Connect', id: 2 },
      { type: 'Disconnect', id: 1 },
      { type: 'Get', id: 1, key: 'a' },
      { type: 'Resume', id: 1 },
      { type: 'Start', id: 0 },
    ])
    t.equal(report.ok, true)
    t.strictSame(
      report.steps.flatMap(({ number, step, notDone }) => (notDone === null ? [] : [[number, step.type, notDone]])),
      [
        [8, 'Crash', 'server 2 is down'],
        [9, 'Get', 'server 2 is down'],
        [10, 'Connect', 'server 2 is down'],
        [12, 'Get', 'client 1 is not connected: a Connect with that id comes before what it sends'],
        [13, 'Resume', 'server 1 is not paused'],
        [14, 'Start', 'server 0 is up already'],
      ],
    )
  },
)

t.test('a client is pinned: while its server is down, its operations have no outcome, or a late one', async (t) => {
  const write: Loose = { type: 'Set', id: 0, key: 'b', value: '2', timeout: 2_000 }
  const report = await play([...CONNECTED, SET, write, { type: 'Crash', id: 0 }, { type: 'Sleep', ms: 3_000 }])
  t.equal(report.ok, true)
  t.match(report.operations, { attempted: 2, info: 1 })
})

t.test('many operations of one client at a time are several processes in its history', async (t) => {
  const writes = [0, 1, 2].map((n): Loose => ({ type: 'Set', id: 0, key: 'a', value: String(n) }))
  const report = await play([
    ...CONNECTED,
    ...writes,
    { type: 'Wait', for: 'outcomes' },
    { type: 'Get', id: 0, key: 'a' },
  ])
  t.equal(report.ok, true)
  const processes = report.history.filter(({ type }) => type === 'invoke').map(({ process }) => process)
  t.strictSame(processes.slice(0, 4), ['0', '0.1', '0.2', '0'])
})

t.test('what is expected and does not hold fails the run, with what there was instead', async (t) => {
  const report = await play([
    ...CONNECTED,
    SET,
    { type: 'Expect', id: 1, key: 'a', value: '2' },
    { type: 'Expect', id: 0, outcome: 'fail' },
    { type: 'Expect', id: 0, error: 'TIMEOUT' },
    { type: 'Expect', acknowledged: 50 },
    { type: 'Expect', ended: [2], says: 'never said' },
    { type: 'Wait', for: 'leader', id: 1, timeout: 0 },
    { type: 'Wait', for: 'leader', id: 0, timeout: 0 },
    { type: 'Wait', for: 'leader', id: 2, timeout: 0 },
  ])
  t.equal(report.ok, false)
  const found = failures(report)
  t.strictSame(found.slice(0, 4), [
    'expect: step 7 (Expect): client 1 reads "1" at "a", not "2"',
    'expect: step 8 (Expect): the last operation of client 0 is ok, not fail',
    'expect: step 9 (Expect): the last operation of client 0 ended with ok, not TIMEOUT',
    'expect: step 10 (Expect): 2 operations were acknowledged, not 50',
  ])
  t.equal(found[4], 'expect: step 11 (Expect): server 2 has not ended by itself; it is up')
  t.match(found[5], /^expect: step 11 \(Expect\): no server said "never said"; server 2 said last: /)
  t.equal(found.filter((line) => line.startsWith('wait: ')).length, 2, 'only one of three leads')
})

t.test("the log's content and order are expected of a chatroom", async (t) => {
  const put = (message: string): Loose => ({ type: 'Put', id: 0, message, wait: true })
  const report = await play(
    [
      ...CONNECTED,
      ...['a', 'b', 'c'].map(put),
      { type: 'Expect', id: 1, log: ['a', 'b', 'c'] },
      { type: 'Expect', id: 1, contains: ['a', 'c'] },
      { type: 'Expect', id: 1, contains: ['c', 'a'] },
      { type: 'Expect', id: 1, log: ['a', 'b'] },
      { type: 'Expect', equal: true },
    ],
    chatSubject,
  )
  t.strictSame(failures(report), [
    'expect: step 11 (Expect): the log is ["a","b","c"], without "a" in its place',
    'expect: step 12 (Expect): the log is ["a","b","c"], not ["a","b"]',
  ])
})

t.test('a run in which nothing succeeds fails', async (t) => {
  const nothing = await play([{ type: 'Sleep', ms: 10 }], { ...kvSubject, probe: null })
  t.strictSame(failures(nothing), [
    'meaningful: 0 of 0 operations succeeded: 1 are needed for this run to mean something',
  ])
  const dead: Loose[] = [
    { type: 'Crash', id: 1 },
    { type: 'Crash', id: 2 },
  ]
  const alone = await play([...CONNECTED, ...dead, { ...SET, timeout: 500 }])
  t.match(failures(alone), [/^meaningful: 0 of 1 operations succeeded/])
  t.match(
    alone.checks.find(({ name }) => name === 'convergence'),
    { ok: null, detail: /only 1 of 3 servers run in the end/ },
  )
  const wanted = await play([...CONNECTED, ...dead, { ...SET, timeout: 500 }], kvSubject, {
    expect: { acknowledged: 0 },
  })
  t.strictSame(failures(wanted), [], 'a scenario may say that nothing succeeds')
})

t.test('a cluster that was never formed is told as such', async (t) => {
  const steps = [
    { type: 'Start', id: 0, count: 3 },
    { type: 'Start', id: 1 },
  ]
  const scenario = parseScenario(JSON.stringify(steps), 'test.json')
  const { report } = await simulateScenario(scenario, kvSubject)
  t.match(
    failures(report)[0],
    /^liveness: no answer .*the cluster is not formed: .* all 3 servers, .* server 2 is not up$/,
  )
})

t.test('servers that have all ended by themselves are not waited for', async (t) => {
  const fail = [0, 1, 2].map((id): Loose => ({ type: 'FsyncError', id, always: true }))
  const report = await play([...CONNECTED, ...fail, SET, { type: 'Wait', for: 'leader', timeout: 50_000 }])
  t.match(failures(report)[0], /^wait: step \d+ \(Wait\): no leader .*: all servers have ended by themselves: .*EIO/)
  t.ok(report.elapsed < 40_000)
})

t.test('all that are paused go on with one Resume', async (t) => {
  const pause = [0, 2].map((id): Loose => ({ type: 'Pause', id }))
  const more: Loose[] = [
    { type: 'Sleep', ms: 300 },
    { type: 'Resume' },
    { type: 'Resume' },
    { type: 'Wait', for: 'leader' },
  ]
  const report = await play([...CONNECTED, SET, ...pause, ...more, { ...SET, value: '2' }])
  t.strictSame(failures(report), [])
  t.strictSame(
    report.steps.flatMap(({ number, notDone }) => (notDone === null ? [] : [[number, notDone]])),
    [[11, 'no server is paused']],
  )
  t.equal(report.bands.filter(({ label }) => label.endsWith('is paused')).length, 2)
})

t.test('a run that takes too long fails', async (t) => {
  const report = await play([...CONNECTED, SET, { type: 'Sleep', ms: 5_000 }], kvSubject, { timeout: 1_000 })
  t.ok(failures(report).includes('timeout: the run was not over after 1000 ms'), failures(report).join('\n'))
})

t.test('a server that ends by itself without a reason fails the run', async (t) => {
  // A sync fails, and no step said so: the nemesis of this test is the subject's own probe.
  const report = await play([
    ...CONNECTED,
    SET,
    { type: 'FsyncError', id: 2, always: true },
    { type: 'Wait', for: 'ended', id: 2, timeout: 20_000 },
    { ...SET, value: '2' },
  ])
  t.strictSame(failures(report), [], 'here a step is the reason')
  t.match(report.checks, [{ name: 'liveness' }, { name: 'convergence', detail: /servers 0, 1 are equal/ }])
})

/** A store that forgets every third set, the same on all servers. */
class Forgetful extends KvState {
  #sets = 0
  override execute(slot: number, command: Command<KvOp>, emit: (event: KvEvent) => void): KvResult {
    if (command.op.type === 'set' && ++this.#sets % 3 === 0) return { existed: true }
    return super.execute(slot, command, emit)
  }
}

t.test('a service that loses writes is not linearizable: the run fails, and shows where', async (t) => {
  const subject: Subject = { ...kvSubject, service: { ...kvstore, state: () => new Forgetful() } }
  const writes = ['1', '2', '3'].map((value): Loose => ({ ...SET, value }))
  const report = await play([...CONNECTED, ...writes, { type: 'Get', id: 1, key: 'a' }], subject)
  t.equal(failures(report).length, 1)
  const check = report.checks.find(({ name }) => name === 'linearizable')
  t.equal(check?.ok, false)
  t.match(check?.detail, /"a"|\ba\b/)
  const read = report.history.find(({ type, f, process }) => type === 'ok' && f === 'read' && process === '1')
  t.ok(
    check?.window !== undefined && read !== undefined && check.window.to >= read.time && check.window.from <= read.time,
  )
})

let clock = 0

/** A store that is not deterministic. */
class Random extends KvState {
  override execute(slot: number, command: Command<KvOp>, emit: (event: KvEvent) => void): KvResult {
    const { op } = command
    const random = op.type === 'set' ? { ...command, op: { ...op, value: String(clock++) } } : command
    return super.execute(slot, random, emit)
  }
}

t.test('servers that come to different states fail the run', async (t) => {
  const subject: Subject = { ...kvSubject, service: { ...kvstore, state: () => new Random() } }
  const report = await play([...CONNECTED, SET, SET, { type: 'Get', id: 1, key: 'a' }], subject)
  t.equal(report.ok, false)
  t.ok(failures(report).length > 0)
})

t.test('any service can be played, and is judged by its own state class; refusals are answers', async (t) => {
  const subject = anySubject('account', account)
  const pay = (amount: number): Loose => ({ type: 'Submit', id: 0, op: { type: 'pay', amount }, wait: true })
  const report = await play(
    [
      ...CONNECTED,
      pay(3),
      pay(9),
      { type: 'Expect', id: 0, error: 'POOR' },
      pay(7),
      { type: 'Submit', id: 1, op: { type: 'balance' }, wait: true },
      { type: 'Expect', id: 1, result: 0 },
      { type: 'Workload', operations: 20, ops: [{ type: 'balance' }, { type: 'pay', amount: 1 }] },
      { type: 'Wait', for: 'workload' },
    ],
    subject,
  )
  t.strictSame(failures(report), [])
  t.match(report.operations, { attempted: 24, ok: 24 })
  t.match(
    report.checks.find(({ name }) => name === 'linearizable'),
    { ok: true },
  )
})
