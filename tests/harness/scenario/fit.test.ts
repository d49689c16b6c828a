/** What a world or a service cannot do: told when a scenario is read, not in the middle of a run. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { misfits } from '@synod/harness/internal/scenario/fit'
import { loadScenario, parseScenario } from '@synod/harness/internal/scenario/load'
import { anySubject } from '@synod/harness/internal/subject/any'
import { chatSubject } from '@synod/harness/internal/subject/chatroom'
import { kvSubject } from '@synod/harness/internal/subject/kvstore'
import t from 'tap'
import { account } from '../../support/account.js'

const START = { type: 'Start', id: 0, port: 10000, count: 3 }

t.test('what a world cannot do is refused when the file is read', (t) => {
  const steps = [
    START,
    { type: 'Crash', id: 0, powerLoss: true },
    { type: 'Crash', id: 0, on: 'p2a' },
    { type: 'Misdirect', id: 0 },
    { type: 'ClockRate', id: 0, rate: 2 },
    { type: 'Nemesis', faults: ['Crash', 'Misdirect'], duration: 1 },
  ]
  const scenario = parseScenario(JSON.stringify(steps), 'F.json')
  const real = misfits(scenario, 'processes', kvSubject)
  t.strictSame(
    real.map((line) => line.replace(/only the simulator.*/, '…')),
    [
      'step 2 (Crash): powerLoss: …',
      'step 3 (Crash): on: …',
      'step 4 (Misdirect): …',
      'step 5 (ClockRate): …',
      'step 6 (Nemesis): faults: Misdirect: …',
    ],
  )
  t.strictSame(misfits(scenario, 'simulator', kvSubject), [])
  t.end()
})

t.test('what a service does not have is refused, too', (t) => {
  const steps = [
    START,
    { type: 'Put', id: 0, message: 'm' },
    { type: 'Get', id: 0 },
    { type: 'Set', id: 0, key: '', value: 'v' },
  ]
  const scenario = parseScenario(JSON.stringify(steps), 'F.json')
  t.strictSame(misfits(scenario, 'processes', kvSubject), [
    'step 2 (Put): the key-value store has no messages: use Set, or --server chatroom',
    'step 3 (Get): key: which key of the key-value store?',
    'step 4 (Set): key: a key must not be empty',
  ])
  t.strictSame(misfits(scenario, 'processes', chatSubject), [
    'step 4 (Set): the chatroom has no Set: use Put, Get, Edit, Erase, Join, Leave and Who',
  ])
  t.end()
})

t.test('what a chatroom cannot do is told by the names that its steps have', (t) => {
  const steps = [
    START,
    { type: 'Put', id: 0, message: '' },
    { type: 'Edit', id: 0, number: 1, message: '' },
    { type: 'Join', id: 0, name: ' ' },
    { type: 'Who', id: 0, room: '' },
    { type: 'Get', id: 0, room: 'attic' },
    { type: 'Wait', for: 'here', here: [] },
  ]
  const scenario = parseScenario(JSON.stringify(steps), 'F.json')
  t.strictSame(misfits(scenario, 'simulator', chatSubject), [
    'step 2 (Put): message: a message must not be empty',
    'step 3 (Edit): message: a message must not be empty',
    'step 4 (Join): name: your name must not begin or end with a space',
    'step 5 (Who): room: the name of a room must not be empty',
  ])
  t.strictSame(misfits(scenario, 'simulator', kvSubject).slice(2), [
    'step 4 (Join): the key-value store has no rooms: use --server chatroom',
    'step 5 (Who): the key-value store has no rooms: use --server chatroom',
    'step 6 (Get): room: the key-value store has no rooms',
    'step 7 (Wait): here: kvstore has no rooms',
  ])
  t.end()
})

t.test('so is what cannot be drawn for a service, or be expected of it', (t) => {
  const load = { type: 'Workload', operations: 1 }
  const file = {
    steps: [
      START,
      { ...load, mix: { append: 1 } },
      { ...load, mix: { cas: 1 } },
      { ...load, keys: 2 },
      { ...load, bytes: 70_000 },
      { type: 'Expect', id: 0, log: [] },
      { type: 'Expect', id: 0, key: 'a', value: null },
    ],
    expect: { id: 0, contains: ['a'] },
  }
  const scenario = parseScenario(JSON.stringify(file), 'F.json')
  t.strictSame(misfits(scenario, 'simulator', kvSubject), [
    'step 2 (Workload): mix: the key-value store has no append, only read, write, delete, cas, list and stale',
    'step 6 (Expect): log: kvstore has no log',
    'expect: contains: kvstore has no log',
  ])
  t.strictSame(misfits(scenario, 'simulator', chatSubject), [
    'step 3 (Workload): mix: the chatroom has no cas, only read, append, edit, erase, join, leave, who',
    'step 4 (Workload): keys: the chatroom has none',
    'step 5 (Workload): bytes: messages of the chatroom are as long as they are',
    'step 7 (Expect): key: the chatroom has no keys; its Get reads the log',
  ])
  t.match(misfits(scenario, 'simulator', anySubject('mine', undefined)), [
    'step 2 (Workload): ops: the operations of mine are not known: give a list to draw from',
  ])
  t.end()
})

t.test("operations of one's own are drawn from a list, each of which the service takes", (t) => {
  const pay = { type: 'pay', amount: 1 }
  const load = { type: 'Workload', operations: 1 }
  const steps = [
    START,
    { ...load, ops: [pay] },
    { ...load, ops: [pay, { ...pay, amount: -1 }] },
    { ...load, ops: [pay], keys: 2 },
    { ...load, ops: [pay], bytes: 2 },
  ]
  const scenario = parseScenario(JSON.stringify(steps), 'F.json')
  t.match(misfits(scenario, 'simulator', anySubject('account', account)), [
    /^step 3 \(Workload\): ops\.1\.amount: /,
    'step 4 (Workload): keys: of account only the ops are drawn',
    'step 5 (Workload): bytes: of account only the ops are drawn',
  ])
  t.strictSame(misfits(scenario, 'simulator', kvSubject).slice(1), [
    'step 3 (Workload): ops: the key-value store has operations of its own: weigh them by mix',
    'step 4 (Workload): ops: the key-value store has operations of its own: weigh them by mix',
    'step 5 (Workload): ops: the key-value store has operations of its own: weigh them by mix',
  ])
  t.end()
})

t.test('more servers than a machine can run are for the simulator', (t) => {
  const scenario = parseScenario('{"servers": 17, "steps": [{"type": "Start"}]}', 'F.json')
  t.strictSame(misfits(scenario, 'processes', kvSubject), [
    'servers: 16 real ones at most, not 17; the simulator takes more',
  ])
  t.strictSame(misfits(scenario, 'simulator', kvSubject), [])
  t.end()
})

for (const subject of [kvSubject, chatSubject]) {
  t.test(`the scenarios of this repository for the ${subject.name} are all accepted`, async (t) => {
    const directory = fileURLToPath(new URL(`../../../scenarios/${subject.name}/`, import.meta.url))
    const files = readdirSync(directory)
    t.ok(files.length >= 8)
    for (const file of files) {
      const scenario = await loadScenario(join(directory, file))
      t.strictSame(misfits(scenario, 'simulator', subject), [], file)
    }
  })
}
