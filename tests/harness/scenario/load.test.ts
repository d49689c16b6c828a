/** Scenario files: what is accepted, and the sentence for each thing that is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadScenario, parseScenario, ScenarioError } from '@synod/harness/internal/scenario/load'
import t from 'tap'

const START = { type: 'Start', id: 0, port: 10000, count: 3 }

/** What is wrong with the file, a line each. */
function problems(file: unknown): string[] {
  try {
    parseScenario(typeof file === 'string' ? file : JSON.stringify(file), 'F.json')
    return []
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error
    return error.message.split('\n')
  }
}

t.test('an array of steps is a scenario: the Start steps say how many servers there are', (t) => {
  const scenario = parseScenario(JSON.stringify([START, { type: 'Sleep', ms: 1 }]), '/some/where/basic.json')
  t.match(scenario, { name: 'basic', description: '', servers: 3, seed: 1 })
  t.equal(scenario.steps.length, 2)
  t.end()
})

t.test('an object names itself, its servers and its seed', (t) => {
  const file = {
    name: 'n',
    description: 'd',
    servers: 5,
    seed: 7,
    timeout: 100,
    steps: [{ type: 'Start' }],
    expect: { equal: true },
  }
  t.strictSame(parseScenario(JSON.stringify(file), 'F.json'), file)
  t.end()
})

t.test(
  'where nothing says how many servers there are, the Start steps name the last one; without numbers there are three',
  (t) => {
    const servers = (...ids: (number | undefined)[]): number =>
      parseScenario(JSON.stringify(ids.map((id) => ({ type: 'Start', id }))), 'F.json').servers
    t.equal(servers(0), 1)
    t.equal(servers(0, 4), 5)
    t.equal(servers(undefined), 3)
    t.equal(servers(undefined, 6), 7)
    t.strictSame(
      problems([
        { type: 'Start', id: 0 },
        { type: 'Crash', id: 9 },
      ]),
      ['F.json: step 2 (Crash): there is no server 9: there is only server 0'],
    )
    t.end()
  },
)

t.test('what is said of the life of logs is accepted: of one server, of some, and of all', (t) => {
  const steps = [
    START,
    { type: 'Start', id: 1, repair: true },
    { type: 'Snapshot' },
    { type: 'Snapshot', id: 'leader' },
    { type: 'Corrupt', id: 1, file: 'snapshot' },
    { type: 'Wait', for: 'snapshot', id: 1, slot: 7 },
    { type: 'Wait', for: 'collected' },
    { type: 'Wait', for: 'installed', id: 2 },
    { type: 'Expect', snapshot: [0, 1], collected: [2], slot: 7 },
    { type: 'Expect', installed: [2], repaired: [1] },
    { type: 'Workload', operations: 1, bytes: 70_000 },
  ]
  t.strictSame(problems(steps), [])
  t.end()
})

for (const [what, file, wanted] of [
  ['no JSON', '[{"type": "Start",}]', /^F\.json: this is not JSON: /],
  ['neither array nor object', '3', 'F.json: a scenario is an array of steps, or an object that has "steps"'],
  ['null', 'null', 'F.json: a scenario is an array of steps, or an object that has "steps"'],
  ['an object without steps', '{}', 'F.json: steps: is missing'],
  ['steps that are no array', '{"steps": 5}', 'F.json: steps: must be an array, not 5'],
  ['no steps', '[]', 'F.json: steps: there must be at least one step'],
  ['no step starts a server', [{ type: 'Sleep', ms: 1 }], 'F.json: no step starts a server: begin with Start'],
  [
    'a step of an unknown type',
    [START, { type: 'Explode', id: 1 }],
    /^F\.json: step 2: type: there is no step "Explode"; steps are Start, Restart, /,
  ],
  ['a step without a type', [START, { id: 1 }], /^F\.json: step 2: type: the type is missing; steps are Start, /],
  ['a step that is no object', [START, 7], 'F.json: step 2: must be an object, not 7'],
  ['a step in an array', [[START]], 'F.json: step 1: must be an object, not an array'],
  [
    'a number that is not whole',
    [START, { type: 'Truncate', id: 0, bytes: 1.5 }],
    'F.json: step 2 (Truncate): bytes: must be a whole number, not 1.5',
  ],
  [
    'a number that is too small',
    [START, { type: 'Workload', operations: 0 }],
    'F.json: step 2 (Workload): operations: must be at least 1',
  ],
  [
    'a time that no timer knows',
    [START, { type: 'Sleep', ms: 1e12 }],
    'F.json: step 2 (Sleep): ms: must be at most 2147483647 ms, which is 24 days',
  ],
  [
    'an operation without time',
    [START, { type: 'Set', id: 0, key: 'a', value: 'b', timeout: 0 }],
    'F.json: step 2 (Set): timeout: must be at least 1 ms',
  ],
  [
    'a workload of nothing',
    [START, { type: 'Workload', operations: 1, mix: { read: 0 } }],
    'F.json: step 2 (Workload): mix: at least one weight must be above 0',
  ],
  [
    'a nemesis that never rests',
    [START, { type: 'Nemesis', faults: ['Crash'], duration: 1, every: 0 }],
    'F.json: step 2 (Nemesis): every: must be at least 1 ms',
  ],
  [
    'a link with one end',
    [START, { type: 'Cut', from: 0, to: 0 }],
    'F.json: step 2 (Cut): from and to are both server 0: a link has two ends',
  ],
  [
    'one way of no link',
    [START, { type: 'Heal', oneWay: true }],
    'F.json: step 2 (Heal): oneWay: of which link? give from, to, or both',
  ],
  [
    'a machine and a link',
    [START, { type: 'Heal', id: 0, from: 1 }],
    'F.json: step 2 (Heal): id means the disk and the clock of a server, from and to mean a link: make it two steps',
  ],
  [
    'a directory of whoever leads, which runs',
    [START, { type: 'Wipe', id: 'leader' }],
    'F.json: step 2 (Wipe): id: must be the number of a server',
  ],
  [
    'a count of what is not counted',
    [START, { type: 'Wait', for: 'leader', count: 2 }],
    'F.json: step 2 (Wait): count: there is none of leader',
  ],
  [
    'a wait for one server of what is not about one',
    [START, { type: 'Wait', for: 'workload', id: 2 }],
    'F.json: step 2 (Wait): id: workload is not about one server',
  ],
  [
    'a client that nothing is expected of',
    [START, { type: 'Expect', id: 1, equal: true }],
    'F.json: step 2 (Expect): id: it is for what a client sees: key, outcome, error, result, log, contains, here',
  ],
  [
    'a feed of a server that is not there',
    [START, { type: 'Subscribe', id: 9, servers: [9], from: 9 }],
    'F.json: step 2 (Subscribe): there is no server 9: they are 0 to 2',
  ],
  [
    'a feed from before the first slot',
    [START, { type: 'Subscribe', id: 'a', from: 0 }],
    'F.json: step 2 (Subscribe): from: must be at least 1',
  ],
  [
    'a client that knows nobody',
    [START, { type: 'Connect', id: 0, servers: [] }],
    'F.json: step 2 (Connect): servers: must name at least one server',
  ],
  [
    'a wait for nobody in particular',
    [START, { type: 'Wait', for: 'here' }],
    'F.json: step 2 (Wait): here: who is to be there? give a list of names',
  ],
  [
    'people where nobody waits for them',
    [START, { type: 'Wait', for: 'leader', here: [] }],
    'F.json: step 2 (Wait): here: it goes with "for": "here"',
  ],
  [
    'a room of nothing',
    [START, { type: 'Expect', equal: true, room: 'attic' }],
    'F.json: step 2 (Expect): room: it goes with log, contains or here',
  ],
  [
    'a message without a number',
    [START, { type: 'Erase', id: 0, number: 0 }],
    'F.json: step 2 (Erase): number: must be at least 1',
  ],
  [
    'one server that is equal',
    [START, { type: 'Expect', equal: [1] }],
    'F.json: step 2 (Expect): equal: must have at least 2',
  ],
  [
    'a field of a wrong type',
    [START, { type: 'Sleep', ms: 'long' }],
    'F.json: step 2 (Sleep): ms: must be a number of ms',
  ],
  ['a number below its range', [START, { type: 'Sleep', ms: -1 }], 'F.json: step 2 (Sleep): ms: must not be below 0'],
  ['a rate above 1', [START, { type: 'Drop', rate: 1.5 }], 'F.json: step 2 (Drop): rate: a rate is from 0 to 1'],
  ['a missing field', [START, { type: 'Put', id: 1 }], 'F.json: step 2 (Put): message: is missing'],
  [
    'a field that is not known',
    [START, { type: 'Put', id: 1, mesage: 'x', message: 'y' }],
    'F.json: step 2 (Put): there is no "mesage"; fields are id, message, room, timeout, wait',
  ],
  [
    'a wrong name of a server',
    [START, { type: 'Crash', id: 'boss' }],
    'F.json: step 2 (Crash): id: must be the number of a server, or "leader", "follower", "any"',
  ],
  [
    'an unknown fault',
    [START, { type: 'Nemesis', faults: ['Rain'], duration: 1 }],
    /^F\.json: step 2 \(Nemesis\): faults\.0: /,
  ],
  [
    'a server that is not there',
    [START, { type: 'Crash', id: 3 }],
    'F.json: step 2 (Crash): there is no server 3: they are 0 to 2',
  ],
  [
    'a group with a server that is not there',
    [START, { type: 'Partition', groups: [[0, 9]] }],
    'F.json: step 2 (Partition): there is no server 9: they are 0 to 2',
  ],
  [
    'two counts',
    [START, { ...START, id: 1, count: 5 }],
    'F.json: step 2 (Start): count: it is 5 here, and the cluster has 3 servers',
  ],
  [
    'a workload without an end',
    [START, { type: 'Workload' }],
    'F.json: step 2 (Workload): it would never end: say how many operations, or the duration in ms',
  ],
  [
    'a wait for how many',
    [START, { type: 'Wait', for: 'acknowledged' }],
    'F.json: step 2 (Wait): count: how many operations to wait for?',
  ],
  ['an end of whom', [START, { type: 'Wait', for: 'ended' }], 'F.json: step 2 (Wait): id: which server is to end?'],
  [
    'a repair of all servers at once',
    [START, { type: 'Start', repair: true }],
    'F.json: step 2 (Start): repair: which server? give its id: the others must be whole',
  ],
  [
    'a snapshot of a server that is not there',
    [START, { type: 'Snapshot', id: 3 }],
    'F.json: step 2 (Snapshot): there is no server 3: they are 0 to 2',
  ],
  [
    'a slot where nobody waits for one',
    [START, { type: 'Wait', for: 'repaired', slot: 3 }],
    'F.json: step 2 (Wait): slot: it goes with "for": "snapshot" or "collected"',
  ],
  [
    'a slot of nothing',
    [START, { type: 'Expect', repaired: [1], slot: 3 }],
    'F.json: step 2 (Expect): slot: it goes with snapshot or collected',
  ],
  ['only a slot', [START, { type: 'Expect', slot: 3 }], /^F\.json: step 2 \(Expect\): nothing is expected/],
  [
    'a server that is not there among those that were repaired',
    [START, { type: 'Expect', repaired: [1, 5] }],
    'F.json: step 2 (Expect): there is no server 5: they are 0 to 2',
  ],
  [
    'nobody who was repaired',
    [START, { type: 'Expect', repaired: [] }],
    'F.json: step 2 (Expect): repaired: must not be empty',
  ],
  [
    'values that no store takes',
    [START, { type: 'Workload', operations: 1, bytes: 2_000_000 }],
    'F.json: step 2 (Workload): bytes: a value has at most 1048576 bytes',
  ],
  [
    'a byte at two places',
    [START, { type: 'Corrupt', id: 0, offset: 1, tail: 1 }],
    'F.json: step 2 (Corrupt): offset and tail are two places: give one',
  ],
  ['an expectation of nothing', [START, { type: 'Expect', id: 1 }], /^F\.json: step 2 \(Expect\): nothing is expected/],
  [
    'an expectation of nobody',
    [START, { type: 'Expect', log: [] }],
    'F.json: step 2 (Expect): id: log by which client?',
  ],
  [
    'a key without its value',
    [START, { type: 'Expect', id: 0, key: 'a' }],
    'F.json: step 2 (Expect): key and value go together',
  ],
  [
    'a field that no scenario has',
    { steps: [START], sed: 1 },
    'F.json: there is no "sed"; fields are name, description, servers, seed, small, lease, timeout, steps, expect',
  ],
  [
    'an end that is not there',
    { steps: [START], expect: { ended: [4] } },
    'F.json: expect: there is no server 4: they are 0 to 2',
  ],
] as const) {
  t.test(`refused with one sentence: ${what}`, (t) => {
    const found = problems(file)
    t.equal(found.length, 1, found.join('\n'))
    if (typeof wanted === 'string') t.equal(found[0], wanted)
    else t.match(found[0], wanted)
    t.end()
  })
}

t.test('all that is wrong is told at once', (t) => {
  const file = [START, { type: 'Sleep' }, { type: 'Drop', rate: 2 }]
  t.strictSame(problems(file), [
    'F.json: step 2 (Sleep): ms: must be a number of ms',
    'F.json: step 3 (Drop): rate: a rate is from 0 to 1',
  ])
  t.end()
})

t.test('a file that is not there is told by its name', async (t) => {
  await t.rejects(loadScenario('/nowhere/F.json'), { message: /^\/nowhere\/F\.json: the file cannot be read: ENOENT/ })
})

t.test('a byte order mark is no harm', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'synod-scenario-'))
  t.teardown(() => {
    rmSync(directory, { recursive: true })
  })
  writeFileSync(join(directory, 'a.json'), '\uFEFF[{"type":"Start","id":0}]')
  t.equal((await loadScenario(join(directory, 'a.json'))).name, 'a')
})
