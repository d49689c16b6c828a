/** Thousands of small histories at random: the checker must say of each what trying every order says. */
import { defineService, Refusal } from '@synod/paxos'
import type { Command, State } from '@synod/paxos'
import { check } from '@synod/harness/internal/checker/check'
import { Space } from '@synod/harness/internal/checker/configuration'
import { Levels } from '@synod/harness/internal/checker/levels'
import { machineOf } from '@synod/harness/internal/checker/machine'
import type { Model } from '@synod/harness/internal/checker/model'
import { chatModel } from '@synod/harness/internal/checker/models/chat'
import { kvModel } from '@synod/harness/internal/checker/models/kv'
import { registerModel } from '@synod/harness/internal/checker/models/register'
import { serviceModel } from '@synod/harness/internal/checker/models/service'
import type { HistoryEvent, Kind } from '@synod/harness/internal/history/history'
import { writeHistory } from '@synod/harness/internal/history/jsonl'
import { operationsOf } from '@synod/harness/internal/history/operations'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import t from 'tap'
import { z } from 'zod'
import { performAccount, performChat, performEdits, performKv, smallestPrefix } from './brute-force.js'
import { randomHistory, spoilt } from './random-history.js'
import type { Draw } from './random-history.js'

t.setTimeout(60_000)

interface Op {
  readonly add?: number | undefined
  readonly set?: number | undefined
}

class Account implements State<Op, number> {
  #balance = 0

  execute(_slot: number, { op }: Command<Op>): number {
    const next = op.set ?? this.#balance + (op.add ?? 0)
    if (next < 0) throw new Refusal('OVERDRAWN', 'there is not so much')
    return (this.#balance = next)
  }

  *snapshot(): Iterable<number> {
    yield this.#balance
  }

  restore(entries: Iterable<unknown>): void {
    this.#balance = Number([...entries][0])
  }
}

const account = defineService({
  name: 'account',
  op: z.object({ add: z.number().optional(), set: z.number().optional() }),
  state: () => new Account(),
})

/** What a key-value operation says, of few values: so some are written twice, and some never read. */
function askKv(values: number): Draw['ask'] {
  return (f: Kind, prng: Prng): unknown => {
    const value = (): number | null => (prng.chance(0.2) ? null : prng.below(values))
    if (f === 'write') return prng.below(values)
    return f === 'cas' ? [value(), value()] : undefined
  }
}

/** What a chatroom's operation says, of few messages. */
function askEdits(f: Kind, prng: Prng): unknown {
  const number = 1 + prng.below(3)
  if (f === 'edit') return [number, prng.below(3)]
  if (f === 'erase') return number
  return f === 'append' ? prng.below(4) : undefined
}

const kv: Omit<Draw, 'kinds' | 'keys'> = { ask: askKv(3), perform: performKv, operations: 9, unanswered: 0.2 }

interface Suite extends Draw {
  readonly model: Model
  readonly histories: number
}

const SUITES: Readonly<Record<string, Suite>> = {
  'one register': { ...kv, model: registerModel, kinds: ['read', 'write', 'cas'], keys: ['x'], histories: 1200 },
  registers: { ...kv, model: registerModel, kinds: ['read', 'write', 'cas'], keys: ['x', 'y'], histories: 800 },
  'a store with deletes': {
    ...kv,
    model: kvModel,
    kinds: ['read', 'read', 'write', 'cas', 'delete'],
    keys: ['x'],
    histories: 1200,
  },
  'values that are written once': {
    ...kv,
    model: kvModel,
    kinds: ['read', 'read', 'write', 'write', 'delete'],
    keys: ['x'],
    ask: askKv(50),
    histories: 800,
  },
  'many that nobody answers': {
    ...kv,
    model: kvModel,
    kinds: ['read', 'read', 'write', 'cas', 'cas', 'delete'],
    keys: ['x'],
    operations: 9,
    unanswered: 0.5,
    histories: 1000,
  },
  'lists and counts': {
    ...kv,
    model: kvModel,
    kinds: ['read', 'write', 'write', 'cas', 'delete', 'list', 'list', 'count'],
    keys: ['', 'a', 'ab', 'b'],
    histories: 1200,
  },
  'lists and counts, many without an answer': {
    ...kv,
    model: kvModel,
    kinds: ['read', 'write', 'write', 'delete', 'cas', 'list', 'list', 'count'],
    keys: ['a', 'ab'],
    unanswered: 0.4,
    histories: 1200,
  },
  rooms: {
    ...kv,
    model: chatModel,
    kinds: ['append', 'append', 'read'],
    keys: ['lobby', 'attic'],
    ask: (f, prng) => (f === 'append' ? prng.below(3) : undefined),
    perform: performChat,
    histories: 1000,
  },
  'one room, many without an answer': {
    ...kv,
    model: chatModel,
    kinds: ['append', 'append', 'read', 'read'],
    keys: ['lobby'],
    ask: (f, prng) => (f === 'append' ? prng.below(3) : undefined),
    perform: performChat,
    operations: 10,
    unanswered: 0.4,
    histories: 1000,
  },
  'rooms that tell numbers': {
    ...kv,
    model: chatModel,
    kinds: ['append', 'append', 'read'],
    keys: ['lobby'],
    ask: (f, prng) => (f === 'append' ? prng.below(4) : undefined),
    perform: performEdits,
    unanswered: 0.3,
    histories: 1000,
  },
  'rooms where messages are changed': {
    ...kv,
    model: chatModel,
    kinds: ['append', 'append', 'edit', 'erase', 'read', 'read'],
    keys: ['lobby'],
    ask: askEdits,
    perform: performEdits,
    histories: 1500,
  },
  'rooms where messages are changed, many without an answer': {
    ...kv,
    model: chatModel,
    kinds: ['append', 'append', 'edit', 'edit', 'erase', 'read'],
    keys: ['lobby', 'attic'],
    ask: askEdits,
    perform: performEdits,
    unanswered: 0.4,
    histories: 1500,
  },
  'a service': {
    ...kv,
    model: serviceModel(account),
    kinds: ['submit', 'submit', 'read'],
    keys: [''],
    ask: (f, prng) => {
      if (f === 'read') return undefined
      return prng.chance(0.2) ? { set: prng.below(3) } : { add: prng.below(7) - 3 }
    },
    perform: performAccount,
    operations: 6,
    histories: 600,
  },
}

/** The same model, without its machine: every step is one of the model's own. */
function plain(model: Model): Model {
  return { ...model, machine: () => null }
}

function prefixFound(history: readonly HistoryEvent[], model: Model): number | null {
  const verdict = check(history, model)
  if (verdict.result === 'not linearizable') return verdict.offence.prefix
  if (verdict.result === 'linearizable') return null
  throw new Error('undecided, without a timeout')
}

/** What the search finds that others begin with only when it takes long. */
function hasOrderByLevels(history: readonly HistoryEvent[], model: Model): boolean {
  return model.partition(operationsOf(history).operations).every(({ operations }) => {
    const room = { left: 10_000 }
    const levels = new Levels(new Space(operations, machineOf(model, operations, false)), room)
    for (;;) {
      const found = levels.step()
      if (found === null) continue
      levels.forget()
      if (room.left !== 10_000) throw new Error('it does not give back its room')
      return found === 'order'
    }
  })
}

for (const [name, suite] of Object.entries(SUITES)) {
  t.test(`${name}: the verdict and the smallest prefix are those of trying every order`, (t) => {
    const prng = new Prng(1)
    const seen = { linearizable: 0, not: 0 }
    for (let number = 0; number < suite.histories; number++) {
      let history = randomHistory(prng, suite)
      for (let wrong = prng.below(6); wrong > 0; wrong--) history = spoilt(prng, history)
      const expected = smallestPrefix(history, suite.perform)
      seen[expected === null ? 'linearizable' : 'not']++
      const found = prefixFound(history, suite.model)
      if (found !== expected) t.equal(found, expected, `history ${number}:\n${writeHistory(history)}`)
      if (hasOrderByLevels(history, suite.model) !== (expected === null))
        t.fail(`level by level, history ${number}:\n${writeHistory(history)}`)
      if (number % 4 === 0 && prefixFound(history, plain(suite.model)) !== expected)
        t.fail(`the model alone, history ${number}, not ${expected}:\n${writeHistory(history)}`)
    }
    t.comment(`${seen.linearizable} linearizable, ${seen.not} not`)
    t.ok(seen.linearizable > suite.histories / 5 && seen.not > suite.histories / 5, 'there are many of each')
    t.end()
  })
}
