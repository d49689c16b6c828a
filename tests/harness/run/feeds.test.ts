/** Subscribers and people in rooms, in whole runs: what a right service does holds, and what a wrong one does is found. */
import { chatroom, ChatState } from '@synod/chatroom'
import type { ChatEvent, ChatOp, ChatResult } from '@synod/chatroom'
import type { Report } from '@synod/harness/internal/report/report'
import { parseScenario } from '@synod/harness/internal/scenario/load'
import type { Step } from '@synod/harness/internal/scenario/schema'
import { simulateScenario } from '@synod/harness/internal/sim/simulate-scenario'
import { chatSubject } from '@synod/harness/internal/subject/chatroom'
import { kvSubject } from '@synod/harness/internal/subject/kvstore'
import type { Subject } from '@synod/harness/internal/subject/subject'
import type { Command } from '@synod/paxos'
import t from 'tap'

/** Steps as a file has them, checked as a file is. */
type Loose = { readonly type: Step['type'] } & Readonly<Record<string, unknown>>
type Emit = (event: ChatEvent) => void

const READY: Loose[] = [
  { type: 'Start', count: 3 },
  { type: 'Wait', for: 'serving' },
  { type: 'Connect', id: 0, servers: [0, 1, 2] },
  { type: 'Connect', id: 1, servers: [0, 1, 2] },
]

async function play(steps: readonly Loose[], subject: Subject = chatSubject): Promise<Report> {
  const scenario = parseScenario(JSON.stringify([...READY, ...steps]), 'test.json')
  return (await simulateScenario(scenario, subject)).report
}

function failures({ checks }: Report): string[] {
  return checks.flatMap(({ name, ok, detail }) => (ok === false ? [`${name}: ${detail}`] : []))
}

function detailOf({ checks }: Report, check: string): string | undefined {
  return checks.find(({ name }) => name === check)?.detail
}

const put = (message: string, id = 0): Loose => ({ type: 'Put', id, message, wait: true })
const join = (id: number, name: string): Loose => ({ type: 'Join', id, name, wait: true })

t.test(
  'subscribers hear what was posted, edited and erased; a run without any is judged by what was acknowledged',
  async (t) => {
    const report = await play([
      put('before'),
      { type: 'Subscribe', id: 'all', from: 1 },
      { type: 'Subscribe', id: 2, servers: [1] },
      { type: 'Subscribe', id: 'short' },
      { type: 'Wait', for: 'feeds' },
      put('after'),
      { type: 'Edit', id: 0, number: 1, message: 'edited', wait: true },
      { type: 'Wait', for: 'feeds' },
      { type: 'Unsubscribe', id: 'short' },
      { type: 'Erase', id: 0, number: 2, wait: true },
      { type: 'Get', id: 1 },
      { type: 'Expect', id: 1, log: ['edited'] },
    ])
    t.strictSame(failures(report), [])
    t.match(detailOf(report, 'feeds'), /^the judge and 3 subscribers heard 4 events, in order and once; 4 acknowledged/)
    t.match(
      report.history.find(({ process, f, type }) => process === '1' && f === 'read' && type === 'ok'),
      { key: 'lobby', value: ['edited', null] },
    )
    const quiet = await play([put('a')])
    t.match(detailOf(quiet, 'feeds'), /^the judge heard 1 event, in order and once; 1 acknowledged operation agree/)
  },
)

t.test('a feed that is there already, or is not, is not done; the key-value store has feeds, too', async (t) => {
  const report = await play(
    [
      { type: 'Subscribe', id: 'a', from: 1 },
      { type: 'Subscribe', id: 'a' },
      { type: 'Unsubscribe', id: 'b' },
      { type: 'Set', id: 0, key: 'k', value: 'v', wait: true },
    ],
    kvSubject,
  )
  t.strictSame(failures(report), [])
  t.strictSame(
    report.steps.flatMap(({ notDone }) => notDone ?? []),
    ['feed a has begun already', 'there is no feed b'],
  )
  t.match(detailOf(report, 'feeds'), /^the judge and 1 subscriber heard 1 event/)
})

t.test('who is in a room stays there, fails over, leaves, and is out when its session is over', async (t) => {
  const report = await play([
    join(0, 'ann'),
    join(1, 'bob'),
    { type: 'Expect', id: 0, here: ['bob', 'ann'] },
    { type: 'Sleep', ms: 25_000 },
    { type: 'Expect', here: ['ann', 'bob'] },
    { type: 'Leave', id: 0, wait: true },
    { type: 'Who', id: 1 },
    { type: 'Vanish', id: 1 },
    { type: 'Sleep', ms: 5_000 },
    { type: 'Expect', here: ['bob'] },
    { type: 'Wait', for: 'here', here: [] },
  ])
  t.strictSame(failures(report), [])
  t.match(detailOf(report, 'presence'), /^people came 2 times/)
  const left = await play([
    join(0, 'ann'),
    { type: 'Disconnect', id: 0 },
    { type: 'Wait', for: 'here', here: [], timeout: 1_000 },
  ])
  t.strictSame(failures(left), [], 'a farewell ends a session at once')
  const wrong = await play([join(0, 'ann'), { type: 'Expect', here: ['bob'] }])
  t.match(failures(wrong), [/^expect: step 6 \(Expect\): in the room are \["ann"\], not \["bob"\]/])
})

t.test('clients at every server are heard of, as long as they are connected', async (t) => {
  const report = await play([
    ...[0, 1, 2].flatMap((id): Loose[] => [{ type: 'Connect', id }, join(id, `at ${id}`)]),
    { type: 'Sleep', ms: 25_000 },
    { type: 'Expect', here: ['at 0', 'at 1', 'at 2'] },
  ])
  t.strictSame(failures(report), [])
})

t.test('whoever vanishes leaves the rooms within the time after the end, or the run fails', async (t) => {
  class Sticky extends ChatState {
    override ended(): void {
      // They stay.
    }
  }
  const report = await play(
    [join(0, 'ann'), { type: 'Vanish', id: 0 }],
    broken(() => new Sticky()),
  )
  t.match(failures(report), [
    /^presence: not within \d+ ms after healing: ann \(since slot \d+\) is still in "lobby", though that client is gone/,
  ])
})

/** The chatroom with another state; the servers and the simulator's reference alike. */
function broken(state: () => ChatState): Subject {
  return { ...chatSubject, service: { ...chatroom, state } }
}

/** Does what the state does, but for what the function makes of it. */
function mutant(act: (execute: () => ChatResult, op: ChatOp, emit: Emit, slot: number) => ChatResult): Subject {
  class Mutant extends ChatState {
    override execute(slot: number, command: Command<ChatOp>, emit: Emit): ChatResult {
      const events: ChatEvent[] = []
      const note = (event: ChatEvent): void => void events.push(event)
      const result = act(() => super.execute(slot, command, note), command.op, note, slot)
      for (const event of events) emit(event)
      return result
    }
  }
  return broken(() => new Mutant())
}

for (const { name, subject, steps, failure } of [
  {
    name: 'an event that is emitted twice',
    subject: mutant((execute, op, emit) => {
      const result = execute()
      if (op.type === 'delete') emit({ type: 'left', room: 'lobby', who: { id: 1, name: 'x' } })
      return result
    }),
    steps: [put('a'), { type: 'Erase', id: 0, number: 1, wait: true }],
    failure: /^feeds: slot \d+ told .*, and not the end of message 1 of "lobby"/,
  },
  {
    name: 'an edit that is not told',
    subject: mutant((execute, op) => {
      if (op.type !== 'edit') return execute()
      const message = { number: op.number, author: 'client 0', text: op.text, at: 0, edits: 1, deleted: false }
      return { slot: 7, message }
    }),
    steps: [put('a'), { type: 'Edit', id: 0, number: 1, message: 'b', wait: true }, put('c')],
    failure: /^feeds: /,
  },
  {
    name: 'an edit that is lost',
    subject: mutant((execute, op, emit, slot) => {
      if (op.type !== 'edit') return execute()
      const message = { number: op.number, author: 'client 0', text: op.text, at: 0, edits: 1, deleted: false }
      emit({ type: 'changed', room: op.room, message })
      return { slot, message }
    }),
    steps: [put('a'), { type: 'Edit', id: 0, number: 1, message: 'b', wait: true }],
    failure: /^linearizable: .*found \["a"\]; it can only have found \["b"\]/,
  },
  {
    name: 'somebody who is not seen',
    subject: mutant((execute, op) => {
      const result = execute()
      return op.type === 'who' && 'here' in result ? { slot: result.slot, here: [] } : result
    }),
    steps: [join(0, 'ann'), { type: 'Who', id: 1 }],
    failure:
      /^presence: .*process 1 sees nobody in "lobby" in slot \d+, where by the feed there must be ann \(since slot \d+\)/,
  },
  {
    name: 'somebody whom nobody brought in',
    subject: mutant((execute, op, emit, slot) => {
      if (op.type === 'post') emit({ type: 'joined', room: 'lobby', who: { id: slot, name: 'ghost' } })
      return execute()
    }),
    steps: [put('a'), { type: 'Who', id: 1 }],
    failure: /presence: .*ghost came into "lobby" in slot \d+, and nobody had asked for it/,
  },
] as const) {
  t.test(`found: ${name}`, async (t) => {
    const report = await play([{ type: 'Subscribe', id: 'a', from: 1 }, ...steps], subject)
    t.ok(
      failures(report).some((text) => failure.test(text)),
      failures(report).join('\n'),
    )
  })
}

t.test('whoever is thrown out without a reason is missed, where nothing was done to the cluster', async (t) => {
  class Rude extends ChatState {
    override execute(slot: number, command: Command<ChatOp>, emit: Emit): ChatResult {
      const result = super.execute(slot, command, emit)
      if (command.op.type === 'post') this.ended(slot, this.#last, emit)
      if (command.op.type === 'join') this.#last = command.clientId
      return result
    }
    #last = ''
  }
  const rude = broken(() => new Rude())
  const report = await play([join(0, 'ann'), put('a', 1)], rude)
  t.ok(
    failures(report).some((text) => /presence: .*ann .* left "lobby" in slot \d+ without a reason/.test(text)),
    failures(report).join('\n'),
  )
})
