/** Verdicts: what they say of an offence, and what they say when time is short. */
import { check } from '@synod/harness/internal/checker/check'
import { machineOf } from '@synod/harness/internal/checker/machine'
import type { Model } from '@synod/harness/internal/checker/model'
import { chatModel } from '@synod/harness/internal/checker/models/chat'
import { kvModel } from '@synod/harness/internal/checker/models/kv'
import { registerModel } from '@synod/harness/internal/checker/models/register'
import { Search } from '@synod/harness/internal/checker/search'
import type { Offence } from '@synod/harness/internal/checker/verdict'
import type { HistoryEvent, Kind } from '@synod/harness/internal/history/history'
import { MalformedHistory } from '@synod/harness/internal/history/malformed'
import { operationsOf } from '@synod/harness/internal/history/operations'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import t, { type Test } from 'tap'
import { isLinearizable, performKv, smallestPrefix } from './brute-force.js'
import { randomHistory, spoilt } from './random-history.js'
import { simulatedHistory } from './simulated.js'
import { hardStory, Story } from './story.js'

t.setTimeout(60_000)

function at(events: readonly HistoryEvent[], place: number): HistoryEvent {
  const event = events.at(place)
  if (event === undefined) throw new RangeError(`there is no event ${place}`)
  return event
}

function offence(t: Test, events: readonly HistoryEvent[], model: Model = kvModel): Offence {
  const verdict = check(events, model)
  if (verdict.result === 'not linearizable') return verdict.offence
  t.fail(`it is ${verdict.result}`)
  throw new Error('no offence')
}

t.test('a stale read is told with what it could have found instead', (t) => {
  const { events } = new Story()
    .did('A', 'write', 'x', 1)
    .begin('B', 'write', 'x', 2)
    .begin('C', 'write', 'x', 3)
    .end('B', 'ok')
    .end('C', 'ok')
    .did('A', 'write', 'y', 9)
    .did('D', 'read', 'x', undefined, 1)
    .did('D', 'read', 'x', undefined, 2)
  t.strictSame(offence(t, events), {
    key: 'x',
    prefix: 10,
    isSmallest: true,
    why: `process D's read of "x" found 1; it can only have found 3 or 2`,
    from: 2,
    to: 9,
  })
  t.end()
})

t.test('each kind of operation that does not fit is told in its own words', (t) => {
  const written = (): Story => new Story().did('A', 'write', 'x', 'one')
  const tell = (story: Story, model?: Model): string => offence(t, story.events, model).why
  t.equal(
    tell(written().did('B', 'read', 'x', undefined, 'two')),
    `process B's read of "x" found "two", which was never written by then; it can only have found "one"`,
  )
  t.equal(
    tell(written().did('B', 'read', 'x', undefined, null)),
    `process B's read of "x" found null; it can only have found "one"`,
  )
  t.equal(
    tell(written().did('B', 'cas', 'x', ['two', 'three'])),
    `process B's cas of "x" from "two" to "three" found "two"; it can only have found "one"`,
  )
  t.equal(
    tell(written().begin('B', 'cas', 'x', ['one', 'two']).end('B', 'fail')),
    `process B's cas of "x" from "one" to "two" found another value than "one"; it can only have found "one"`,
  )
  t.equal(
    tell(written().did('B', 'count', '', undefined, 2)),
    `process B's count of "" found 2; it can only have found 1`,
  )
  t.equal(
    tell(written().did('B', 'list', 'x', undefined, [])),
    `process B's list of "x" found [] at "x"; it can only have found "one"`.replace('[]', 'null'),
  )
  t.equal(
    tell(
      new Story()
        .did('A', 'append', 'hall', 'hi')
        .did('A', 'append', 'hall', 'ho')
        .did('B', 'read', 'hall', undefined, ['hi']),
      chatModel,
    ),
    `process B's read of "hall" found ["hi"]; it can only have found ["hi", "ho"]`,
  )
  t.equal(
    tell(new Story().did('A', 'append', 'hall', 'hi').did('B', 'read', 'hall', undefined, ['hi', 'hu']), chatModel),
    `process B's read of "hall" found ["hi", "hu"], of which "hu" was never said by then; it can only have found ["hi"]`,
  )
  t.end()
})

t.test("a list that shows two keys as they never were together is the whole map's offence", (t) => {
  const { events } = new Story()
    .did('A', 'write', 'a1', 1)
    .begin('B', 'list', 'a')
    .did('A', 'write', 'a1', 2)
    .did('A', 'write', 'a2', 3)
    .end('B', 'ok', [
      ['a1', 1],
      ['a2', 3],
    ])
  const { key, prefix, why } = offence(t, events)
  t.strictSame([key, prefix], [null, 8])
  t.match(why, `process B's list of "a" found [["a1", 1], ["a2", 3]]; it can only have found [`)
  t.end()
})

t.test('what can only have been found is all that trying every order allows', (t) => {
  const prng = new Prng(3)
  const draw = {
    kinds: ['read', 'read', 'write', 'write', 'delete'] as const,
    keys: ['x'],
    ask: (f: Kind) => (f === 'write' ? prng.below(3) : undefined),
    perform: performKv,
    operations: 8,
    unanswered: 0.1,
  }
  let told = 0
  while (told < 150) {
    const events = spoilt(prng, randomHistory(prng, draw))
    const prefix = smallestPrefix(events, performKv)
    if (prefix === null) continue
    const before = events.slice(0, prefix - 1)
    const last = at(events, prefix - 1)
    const possible = [null, 0, 1, 2].filter((value) => isLinearizable([...before, { ...last, value }], performKv))
    const { why } = offence(t, events)
    const [, list = ''] = / it can only have found (.*)$/.exec(why) ?? []
    const found = list.split(/, | or /).map((text): unknown => JSON.parse(text))
    if (String(found.sort()) !== String(possible.sort())) t.fail(`${why}, but ${possible.join()} is possible`)
    told++
  }
  t.pass()
  t.end()
})

t.test('what cannot be decided in time is unknown, soon after the time is over', (t) => {
  const began = performance.now()
  const verdict = check(hardStory().events, kvModel, { timeout: 200 })
  t.strictSame(verdict, { result: 'unknown', operations: 42, undecided: [null] })
  t.ok(performance.now() - began < 5_000)
  t.end()
})

t.test('a search that has no room to remember more gives up, and gives its room back', (t) => {
  const { operations } = operationsOf(hardStory().events)
  const room = { left: 1_000 }
  const search = new Search(operations, machineOf(kvModel, operations, false), room)
  t.equal(search.run(Infinity), 'full')
  t.ok(room.left <= 0)
  search.forget()
  t.equal(room.left, 1_000)
  t.end()
})

t.test('a key that cannot be decided does not hide the offence of another', (t) => {
  const hidden = new Story().did('A', 'write', 'x', 1).did('B', 'read', 'x', undefined, 2)
  for (const [place, events] of [
    ['before', [...hidden.events, ...later(hardStory().events, 4)]],
    ['after', [...hardStory().events, ...later(hidden.events, 100)]],
  ] as const) {
    const verdict = check(events, kvModel, { timeout: 1_000 })
    t.match(
      verdict,
      {
        result: 'not linearizable',
        offence: { key: 'x', prefix: hidden.events.length + (place === 'after' ? hardStory().events.length : 0) },
      },
      place,
    )
  }
  t.end()
})

function later(events: readonly HistoryEvent[], ms: number): HistoryEvent[] {
  return events.map((event) => ({ ...event, process: `${event.process}'`, time: event.time + ms }))
}

t.test('of two keys that offend, the one whose smallest prefix is smaller is told', (t) => {
  const offends = (key: string, reads: number): Story => {
    const story = new Story().did('A', 'write', key, 1)
    for (let read = 0; read < reads; read++) story.did('A', 'read', key, undefined, 1)
    return story.did('A', 'read', key, undefined, 2)
  }
  const long = offends('long', 20).events
  const short = offends('short', 2).events
  t.equal(offence(t, [...long, ...later(short, 100)]).key, 'long')
  t.equal(offence(t, [...later(long, 100), ...short]).key, 'short')
  t.end()
})

t.test('sixty writes that nobody answered do not make a key undecidable', (t) => {
  const story = new Story()
  for (let number = 0; number < 60; number++) {
    story.begin(`lost ${number}`, 'write', 'x', `lost ${number}`)
    story.did('A', 'write', 'x', number).did('B', 'read', 'x', undefined, number)
    story.begin('C', 'cas', 'x', [number, 'never']).end('C', 'fail')
    if (number % 3 === 0) story.did('B', 'read', 'x', undefined, `lost ${number}`)
  }
  t.equal(check(story.events, kvModel, { timeout: 10_000 }).result, 'linearizable')
  story.did('B', 'read', 'x', undefined, 5)
  const verdict = check(story.events, kvModel, { timeout: 20_000 })
  t.match(verdict, { result: 'not linearizable', offence: { prefix: story.events.length, isSmallest: true } })
  t.end()
})

t.test('more operations may be open at once than fit into the bits of a number', (t) => {
  const story = new Story()
  for (let number = 0; number < 70; number++) story.begin(`w${number}`, 'write', 'x', number)
  for (let number = 0; number < 70; number++) {
    story.begin(`r${number}`, 'read', 'x')
    if (number > 0) story.end(`r${number - 1}`, 'ok', 70 - number)
  }
  story.end('r69', 'ok', 0)
  for (let number = 0; number < 70; number++) story.end(`w${number}`, 'ok')
  t.equal(check(story.events, kvModel).result, 'linearizable')
  t.equal(offence(t, story.did('A', 'read', 'x', undefined, 33).events).prefix, 282)
  t.end()
})

t.test('operations that a model has not are malformed', (t) => {
  const wrong: readonly (readonly [HistoryEvent[], Model, string])[] = [
    [new Story().did('A', 'append', 'x', 1).events, kvModel, 'line 2: a key-value store has no append'],
    [new Story().did('A', 'join', 'x', 'me').events, kvModel, 'line 2: a key-value store has no join'],
    [new Story().did('A', 'edit', 'x', ['a', 'b']).events, chatModel, 'line 1: value: of an edit must be'],
    [new Story().did('A', 'edit', 'x', [1, null]).events, chatModel, 'line 2: value: an edit to null is an erase'],
    [
      new Story().did('A', 'erase', 'x', 0).events,
      chatModel,
      'line 1: value: of an erase must be the number of a message',
    ],
    [
      new Story().did('A', 'append', 'x', null).events,
      chatModel,
      'line 2: value: of an append must be a message, not null',
    ],
    [new Story().begin('A', 'delete', 'x').events, registerModel, 'line 1: a register has no delete'],
    [new Story().did('A', 'write', 'x', 1).events, chatModel, 'line 2: a chatroom has no write'],
    [new Story().did('A', 'list', '', undefined, [['x']]).events, kvModel, 'line 2: value: of a list must be pairs'],
    [new Story().did('A', 'count', '', undefined, '1').events, kvModel, 'line 2: value: of a count'],
    [new Story().did('A', 'read', 'x', undefined, 'hi').events, chatModel, 'line 2: value: of a read'],
  ]
  for (const [events, model, message] of wrong) {
    t.throws(() => check(events, model), MalformedHistory)
    t.throws(() => check(events, model), { message: new RegExp(`^${message}`) })
  }
  t.end()
})

t.test('100,000 operations over 20 keys and 16 processes are judged', (t) => {
  const shape = {
    seed: 1,
    operations: 100_000,
    keys: 20,
    processes: 16,
    kinds: ['read', 'read', 'write', 'cas', 'delete'],
  } as const
  t.strictSame(check(simulatedHistory(shape), kvModel), { result: 'linearizable', operations: 100_000 })
  const events = simulatedHistory({ ...shape, unanswered: 0.01 })
  t.strictSame(check(events, kvModel), { result: 'linearizable', operations: 100_000 })
  const middle = events.findIndex(({ f, type }, at) => at > events.length / 2 && f === 'read' && type === 'ok')
  const { key } = at(events, middle)
  const old = events.find((event) => event.f === 'read' && event.key === key && typeof event.value === 'number')
  events[middle] = { ...at(events, middle), value: old?.value }
  t.match(offence(t, events), { key, prefix: middle + 1, isSmallest: true })
  t.end()
})

t.test('an empty history, and one in which nothing was answered, are linearizable', (t) => {
  t.strictSame(check([], kvModel), { result: 'linearizable', operations: 0 })
  const { events } = new Story().begin('A', 'write', 'x', 1).begin('B', 'read', 'x').begin('C', 'cas', 'x', [1, 2])
  t.strictSame(check(events, kvModel), { result: 'linearizable', operations: 3 })
  t.end()
})
