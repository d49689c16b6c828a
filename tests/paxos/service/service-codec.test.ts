import { defineService, Refusal } from '@synod/paxos'
import { admitOp, decodeRefusal, decodeValue, encodeOp, machineOf } from '@synod/paxos/internal/service/service-codec'
import { packValue, unpackValue } from '@synod/paxos/internal/codec/values'
import t from 'tap'
import { z } from 'zod'

const op = z.discriminatedUnion('type', [
  z.object({ type: z.literal('give'), what: z.unknown() }),
  z.object({
    type: z.literal('set'),
    pair: z.object({ key: z.string().trim(), tags: z.array(z.string()).default([]) }),
  }),
])

/** Gives back what it is given, or throws it if it is an error's name. */
const echo = defineService({
  name: 'echo',
  op,
  state: () => ({
    execute: (slot: number, command: { readonly clientId: string; readonly op: z.output<typeof op> }): unknown => {
      if (command.op.type === 'set') return command.op
      const { what } = command.op
      if (what === 'Refusal') throw new Refusal('NO', 'no, thank you', { slot, clientId: command.clientId })
      if (what === 'Error') throw new TypeError('a bug')
      if (what === 'function') return { f: () => 1, s: Symbol('s') }
      if (what === 'half a character') return '😀'.slice(0, 1)
      if (what === 'much') return 'x'.repeat(9 << 20)
      return what
    },
    snapshot: () => [],
    restore: () => undefined,
  }),
})

const nobody = (): void => undefined

const give = (what: unknown) =>
  machineOf(echo).machine.execute(7, 'client', admitOp(echo, encodeOp(echo, { type: 'give', what }).bytes), nobody)

t.test('what is executed is what the schema makes of what was sent', (t) => {
  const bytes = admitOp(echo, encodeOp(echo, { type: 'set', pair: { key: ' a ' } }).bytes)
  t.strictSame(unpackValue(bytes), { type: 'set', pair: { key: 'a', tags: [] } })
  t.strictSame(decodeValue(machineOf(echo).machine.execute(1, 'c', bytes, nobody).value), {
    type: 'set',
    pair: { key: 'a', tags: [] },
  })
  t.end()
})

t.test('the schema is applied once: one that changes its own output is no trouble', (t) => {
  const doubling = { name: 'doubling', op: z.number().transform((n) => n * 2) }
  t.equal(unpackValue(admitOp(doubling, encodeOp(doubling, 21).bytes)), 42)
  t.end()
})

t.test('an operation that does not fit names the field', (t) => {
  const bad = { type: 'set', pair: { key: 'a', tags: ['b', 1] } } as unknown as z.input<typeof op>
  t.throws(() => encodeOp(echo, bad), {
    code: 'BAD_OPERATION',
    message: /echo: pair\.tags\.1: /,
    data: { path: 'pair.tags.1' },
  })
  t.throws(() => admitOp(echo, packValue(bad)), { code: 'BAD_OPERATION', message: /pair\.tags\.1/ })
  t.throws(() => encodeOp(echo, undefined as unknown as z.input<typeof op>), { code: 'BAD_OPERATION' })
  t.end()
})

t.test('a schema that throws, or that has to wait, refuses the operation', (t) => {
  const parsing = { name: 'parsing', op: z.string().transform((text): unknown => JSON.parse(text)) }
  t.strictSame(unpackValue(admitOp(parsing, encodeOp(parsing, '[1]').bytes)), [1])
  const picky = {
    name: 'picky',
    op: z.string().refine((text) => {
      if (text === '') throw new RangeError('empty')
      return true
    }),
  }
  const waiting = { name: 'waiting', op: z.string().refine(async (text) => Promise.resolve(text !== '')) }
  const cases: (readonly [service: { name: string; op: z.ZodType<unknown, string> }, text: string])[] = [
    [parsing, '{'],
    [picky, ''],
    [waiting, 'a'],
  ]
  for (const [service, text] of cases) {
    const message = new RegExp(`^not an operation of ${service.name}: its schema failed`)
    t.throws(() => encodeOp(service, text), { code: 'BAD_OPERATION', message })
    t.throws(() => admitOp(service, packValue(text)), { code: 'BAD_OPERATION', message })
  }
  t.end()
})

t.test('an operation from outside loses what the schema does not know, and is refused if it is none', (t) => {
  const raw = { junk: 1, pair: { tags: [], key: ' a ', more: [] }, type: 'set' }
  t.strictSame(unpackValue(admitOp(echo, packValue(raw))), { type: 'set', pair: { key: 'a', tags: [] } })
  for (const bytes of [Buffer.alloc(0), Buffer.from('garbage'), Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff])]) {
    t.throws(() => admitOp(echo, bytes), { code: 'BAD_OPERATION' })
  }
  t.end()
})

t.test('an operation that is too large, or cannot be sent, is refused', (t) => {
  t.throws(() => encodeOp(echo, { type: 'give', what: 'x'.repeat(5 << 20) }), {
    code: 'BAD_OPERATION',
    message: /the limit is 4194304/,
  })
  const cyclic: unknown[] = []
  cyclic.push(cyclic)
  for (const what of [Symbol('s'), '😀'.slice(0, 1), 2n ** 64n, new Date(NaN), cyclic]) {
    t.throws(() => encodeOp(echo, { type: 'give', what }), { code: 'BAD_OPERATION', message: /cannot be sent/ })
  }
  t.end()
})

t.test('plain values come back as they were, undefined too', (t) => {
  for (const value of [
    undefined,
    null,
    true,
    0,
    -1,
    2 ** 53,
    1.5,
    NaN,
    10n,
    '',
    'Σ😀',
    new Date(5),
    [1, [undefined]],
    { a: { b: null } },
  ]) {
    const { status, value: bytes } = give(value)
    t.equal(status, 'ok')
    t.strictSame(decodeValue(bytes), value)
  }
  t.strictSame(Buffer.from(decodeValue(give(new Uint8Array([1, 2])).value) as Uint8Array), Buffer.from([1, 2]))
  t.end()
})

t.test('text that is not well-formed is refused wherever it is, and however long', (t) => {
  for (const half of ['\ud800', '\udc00', `\udc00\ud800`]) {
    for (const text of [half, `a${half}`, half + 'x'.repeat(62), half + 'x'.repeat(63), 'é'.repeat(70_000) + half]) {
      const places = [text, [text], { a: { b: text } }, { [text]: 1 }, new Map([[text, 1]]), new Map([['k', [text]]]), new Set([text])] // prettier-ignore
      for (const value of places) t.throws(() => packValue(value), { code: 'BAD_FRAME', message: /not UTF-8/ })
    }
  }
  // The character that stands for an ill-formed one is a character as any other.
  const odd = '\ufffd'.repeat(100)
  for (const value of [odd, { [odd]: [odd, '😀'.repeat(100), new Date(0), null, Buffer.from(odd)] }])
    t.strictSame(unpackValue(packValue(value)), value)
  t.end()
})

t.test('keys such as __proto__ are plain data', (t) => {
  const hostile = JSON.parse('{"__proto__":{"a":1},"constructor":2,"list":[{"__proto__":3}]}') as object
  const back = decodeValue(give(hostile).value)
  t.equal(JSON.stringify(back), JSON.stringify(hostile))
  t.equal(Object.getPrototypeOf(back), Object.prototype)
  t.equal((back as { a?: number }).a, undefined)
  t.end()
})

t.test('what is unpacked shares no memory with the bytes', (t) => {
  const bytes = packValue({ blob: new Uint8Array([1, 2, 3]) })
  const { blob } = unpackValue(bytes) as { blob: Uint8Array }
  bytes.fill(0)
  t.strictSame([...blob], [1, 2, 3])
  t.equal(blob.buffer.byteLength, 3)
  t.end()
})

t.test('a small packed value does not keep a large buffer alive', (t) => {
  packValue('x'.repeat(20 << 20))
  for (let i = 0; i < 10; i++) t.ok(packValue({ i }).buffer.byteLength <= 8192 * 4)
  t.end()
})

t.test('a refusal is a result', (t) => {
  const { status, value } = give('Refusal')
  t.equal(status, 'refused')
  const refusal = decodeRefusal(value)
  t.ok(refusal instanceof Refusal)
  t.match(refusal, { code: 'NO', message: 'no, thank you', data: { slot: 7, clientId: 'client' } })
  t.end()
})

t.test('anything else that is thrown stops the server, with the slot and the service', (t) => {
  t.throws(() => give('Error'), {
    code: 'STATE_FAILED',
    message: /"echo" failed at slot 7: a bug/,
    data: { slot: 7, service: 'echo' },
  })
  t.end()
})

t.test('a result that cannot be sent is a refusal, and stops nobody', (t) => {
  for (const [what, code] of [
    ['function', 'BAD_RESULT'],
    ['half a character', 'BAD_RESULT'],
    ['much', 'RESULT_TOO_LARGE'],
  ]) {
    const { status, value } = give(what)
    t.equal(status, 'refused')
    t.match(decodeRefusal(value), { code, message: /^the operation was executed, but its result/ })
  }
  t.end()
})

/** Emits what it is given, and leaves when its session ends. */
const emitter = defineService({
  name: 'emitter',
  op: z.object({ events: z.array(z.unknown()), then: z.enum(['refuse', 'fail']).optional() }),
  state: () => ({
    execute: (
      _slot: number,
      { op }: { readonly op: { events: unknown[]; then?: string | undefined } },
      emit: (event: unknown) => void,
    ): string => {
      for (const event of op.events) emit(event === 'half a character' ? '😀'.slice(0, 1) : event)
      if (op.then === 'refuse') throw new Refusal('NO', 'no')
      if (op.then === 'fail') throw new Error('a bug')
      return 'done'
    },
    ended: (_slot: number, clientId: string, emit: (event: unknown) => void): void => {
      emit(clientId === 'odd' ? '😀'.slice(0, 1) : `${clientId} left`)
    },
    snapshot: () => [],
    restore: () => undefined,
  }),
})

t.test('what an operation emits comes out when it was executed, and not when it was refused', (t) => {
  const { machine } = machineOf(emitter)
  const emitted: unknown[] = []
  const emit = (event: Uint8Array): void => void emitted.push(unpackValue(event))
  const execute = (op: z.input<typeof emitter.op>) =>
    machine.execute(1, 'c', admitOp(emitter, encodeOp(emitter, op).bytes), emit)
  t.match(execute({ events: ['a', { b: [1] }] }), { status: 'ok' })
  t.match(execute({ events: ['c'], then: 'refuse' }), { status: 'refused' })
  t.throws(() => execute({ events: ['d'], then: 'fail' }), { code: 'STATE_FAILED' })
  t.match(execute({ events: [] }), { status: 'ok' })
  machine.ended(2, 'x', emit)
  t.strictSame(emitted, ['a', { b: [1] }, 'x left'])
  t.end()
})

t.test('an event that cannot be sent makes the operation a refusal on every server; the others are sent', (t) => {
  const { machine } = machineOf(emitter)
  const emitted: unknown[] = []
  const emit = (event: Uint8Array): void => void emitted.push(unpackValue(event))
  const large = 'x'.repeat((2 << 20) + 100)
  for (const events of [
    ['a', 'half a character'],
    [large, large],
  ]) {
    emitted.length = 0
    const { status, value } = machine.execute(1, 'c', packValue({ events }), emit)
    t.equal(status, 'refused')
    t.equal(decodeRefusal(value).code, 'BAD_EVENT')
    t.strictSame(emitted, events.slice(0, 1))
  }
  const many = Array.from({ length: 200_000 }, () => 'x')
  t.equal(decodeRefusal(machine.execute(1, 'c', packValue({ events: many }), emit).value).code, 'BAD_EVENT')
  t.ok(emitted.length < 130_000, 'small ones count for more than their bytes: a slot’s must fit into a frame')
  t.throws(() => machine.ended(3, 'odd', emit), { code: 'STATE_FAILED', message: /slot 3/ })
  t.end()
})
