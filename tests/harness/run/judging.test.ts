/** What a run is judged by besides its history: servers that end by themselves, runs that mean nothing, the final state. */
import type { Report } from '@synod/harness/internal/report/report'
import { checkEnds, noteEnd } from '@synod/harness/internal/run/ends'
import { play } from '@synod/harness/internal/run/play'
import { Run } from '@synod/harness/internal/run/run'
import { parseScenario } from '@synod/harness/internal/scenario/load'
import type { Step } from '@synod/harness/internal/scenario/schema'
import { SimWorld } from '@synod/harness/internal/sim/sim-world'
import { anySubject } from '@synod/harness/internal/subject/any'
import { kvSubject } from '@synod/harness/internal/subject/kvstore'
import type { Subject } from '@synod/harness/internal/subject/subject'
import type { Standing, World } from '@synod/harness/internal/world/world'
import { defineService } from '@synod/paxos'
import type { Command } from '@synod/paxos'
import t from 'tap'
import { z } from 'zod'
import { account } from '../../support/account.js'

/** Steps as a file has them, checked as a file is. */
type Loose = { readonly type: Step['type'] } & Readonly<Record<string, unknown>>

const THREE: Loose[] = [
  { type: 'Start', count: 3 },
  { type: 'Wait', for: 'serving' },
  { type: 'Connect', id: 0 },
]
const SET: Loose = { type: 'Set', id: 0, key: 'a', value: '1', wait: true }

/** Plays the steps; `meanwhile` is called before each of them. */
async function playWith(
  steps: readonly Loose[],
  subject: Subject,
  meanwhile: (number: number, world: SimWorld) => void = () => undefined,
  more: object = {},
): Promise<Report> {
  const scenario = parseScenario(JSON.stringify({ steps: [...THREE, ...steps], ...more }), 'test.json')
  if (subject.service === undefined) throw new TypeError('this subject is no use')
  const world = new SimWorld({ service: subject.service, servers: scenario.servers, seed: 1 })
  const report = play(scenario, world, subject, { step: (number) => meanwhile(number, world) })
  t.teardown(() => world.close())
  return world.driveTo(report, 3_600_000)
}

function failures({ checks }: Report): string[] {
  return checks.flatMap(({ name, ok, detail }) => (ok === false ? [`${name}: ${detail}`] : []))
}

t.test("the judge's own question does not save a run in which no client asked anything", async (t) => {
  const report = await playWith([], kvSubject)
  t.strictSame(failures(report), [
    'meaningful: 0 of 0 operations succeeded: 1 are needed for this run to mean something',
  ])
  t.ok(
    report.history.some(({ process, type }) => process === 'judge' && type === 'ok'),
    'though it was answered',
  )
  const wanted = await playWith([SET], kvSubject, undefined, { expect: { acknowledged: 2 } })
  t.ok(
    failures(wanted).includes('meaningful: 1 of 1 operations succeeded: 2 are needed for this run to mean something'),
  )
})

/** A sync of server 2 fails before the fifth step, and nobody has said so. */
function sabotage(number: number, world: SimWorld): void {
  if (number === 5) void world.server(2).fsyncError(true)
}

t.test('a server that ends by itself fails the run, also if a step starts it again', async (t) => {
  const steps: Loose[] = [
    SET,
    SET,
    { type: 'Sleep', ms: 2_000 },
    { type: 'Heal' },
    { type: 'Start' },
    { type: 'Wait', for: 'convergence' },
  ]
  const report = await playWith(steps, kvSubject, sabotage)
  t.match(failures(report), [/^servers: server 2 ended by itself: kvstore-server: /])
  t.equal(failures(report).length, 1)
  t.match(
    report.checks.find(({ name }) => name === 'convergence'),
    { detail: /^servers 0, 1, 2 are equal/ },
    'though all is well in the end',
  )
})

t.test('a server that the scenario expects to end may do so', async (t) => {
  const wait: Loose = { type: 'Wait', for: 'ended', id: 2 }
  for (const step of [wait, { type: 'Expect', ended: [2] } as const]) {
    const report = await playWith([SET, SET, { type: 'Sleep', ms: 2_000 }, step], kvSubject, sabotage)
    t.strictSame(failures(report), [])
  }
})

/** A run whose server 0 stands as it is told, and said what it is told. */
function runWith(standing: Standing, output: string): Run {
  const world = { servers: 1, now: () => 0, standing: () => standing, output: () => output } as Partial<World> as World
  return new Run(parseScenario('[{"type":"Start"}]', 'test.json'), world, kvSubject, {})
}

const STARTS = '[harness] server 0 starts\n'
const CODE = '[harness] server 0 ended by itself (exit code 1)\n'

t.test('what ended a server is told in its own last words, without stack traces', (t) => {
  for (const [output, words] of [
    [
      `${STARTS}kvstore server 0 serves\nkvstore-server: the disk is broken\n${CODE}`,
      'kvstore-server: the disk is broken (exit code 1)',
    ],
    [
      `${STARTS}Error: no\n    at here (file.js:1:2) {\n  code: 1\n}\n\nNode.js v20.1.0\n${CODE}`,
      'Error: no (exit code 1)',
    ],
    [`${STARTS}before\n${STARTS}${CODE}`, 'it said nothing (exit code 1)'],
    ['kvstore-server: simulated\n', 'kvstore-server: simulated'],
  ] as const) {
    const run = runWith('ended', output)
    checkEnds(run)
    t.equal(run.checks.length, 1)
    t.ok(run.checks[0]?.detail.endsWith(`: ${words}`), String(run.checks[0]?.detail))
  }
  t.end()
})

t.test('a fault excuses a server that ends, but not a bug that it meets', (t) => {
  for (const [said, excused] of [
    ['kvstore-server: 00000001.paxos is damaged at offset 40', true],
    ['kvstore-server: R2 is broken; the server stops rather than lose what was acknowledged: please report it', false],
    ['kvstore-server: the state of service "kvstore" failed at slot 3: no', false],
    ['kvstore-server: the server stops after an unexpected error: TypeError', false],
    ['TypeError: no\n    at here\n\nNode.js v20.1.0', false],
  ] as const) {
    const run = runWith('ended', `${STARTS}TypeError: before\n\nNode.js v20.1.0\n${STARTS}${said}\n${CODE}`)
    run.excused.add(0)
    noteEnd(run, 0)
    t.equal(run.checks.length, excused ? 0 : 1, said)
  }
  t.end()
})

const pay = (amount: number): Loose => ({ type: 'Submit', id: 0, op: { type: 'pay', amount }, wait: true })

/** An account as it should be, but its servers forget the second payment, which they have acknowledged. */
function forgetful(): Subject {
  const state = (): ReturnType<typeof account.state> => {
    const inner = account.state()
    let payments = 0
    return {
      execute: (slot, command, emit) =>
        command.op.type === 'pay' && ++payments === 2 ? 4 : inner.execute(slot, command, emit),
      snapshot: () => inner.snapshot(),
      restore: (entries) => inner.restore(entries),
    }
  }
  return { ...anySubject('account', account), service: { ...account, state } }
}

t.test('the final state of any service must be what its operations make of it, also if nobody reads it', async (t) => {
  const honest = await playWith([pay(3), pay(3)], anySubject('account', account))
  t.strictSame(failures(honest), [])
  t.match(honest.history.at(-1), { process: 'final state', f: 'read', value: [4] })
  const report = await playWith([pay(3), pay(3)], forgetful())
  t.equal(failures(report).length, 1)
  t.match(failures(report), [/^linearizable: process final state's read found \[7\]/])
})

t.test('a state that tells of slots or clients is not judged: nobody but the servers knows those', async (t) => {
  class LastOne {
    #last: unknown[] = []
    execute(slot: number, { clientId }: Command<object>): number {
      this.#last = [slot, clientId]
      return 0
    }
    snapshot(): Iterable<unknown> {
      return this.#last
    }
    restore(entries: Iterable<unknown>): void {
      this.#last = [...entries]
    }
  }
  const service = defineService({ name: 'lastone', op: z.object({}), state: () => new LastOne() })
  const report = await playWith([{ type: 'Submit', id: 0, op: {}, wait: true }], anySubject('lastone', service))
  t.strictSame(failures(report), [])
  t.notOk(report.history.some(({ process }) => process === 'final state'))
})
