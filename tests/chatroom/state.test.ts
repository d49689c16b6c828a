import t from 'tap'
import { chatOpSchema, ChatState, MAX_PAGE, MAX_TEXT, type ChatOp } from '@synod/chatroom'

const execute = (state: ChatState, op: ChatOp) => state.execute(1, { clientId: 'someone', op })

t.test('messages are numbered in the order in which they were posted, and read in pages', (t) => {
  const state = new ChatState()
  for (let n = 1; n <= MAX_PAGE + 2; n += 1) {
    t.strictSame(execute(state, { type: 'post', author: 'ada', text: `message ${n}` }), { number: n })
  }
  const total = MAX_PAGE + 2
  t.match(execute(state, { type: 'read', from: 1 }), { total, messages: { length: MAX_PAGE } })
  t.strictSame(execute(state, { type: 'read', from: total }), {
    total,
    messages: [{ number: total, author: 'ada', text: `message ${total}` }],
  })
  t.strictSame(execute(state, { type: 'read', from: total + 1 }), { total, messages: [] })
  t.end()
})

t.test('a snapshot carries the room over', (t) => {
  const state = new ChatState()
  execute(state, { type: 'post', author: 'ada', text: 'hello' })
  const restored = new ChatState()
  execute(restored, { type: 'post', author: 'eve', text: 'left over' })
  restored.restore(structuredClone([...state.snapshot()]))
  t.strictSame(execute(restored, { type: 'read', from: 1 }), {
    total: 1,
    messages: [{ number: 1, author: 'ada', text: 'hello' }],
  })
  t.strictSame(execute(restored, { type: 'post', author: 'ada', text: 'again' }), { number: 2 })
  t.end()
})

t.test('an empty, oversized or malformed message is refused', (t) => {
  const refused = (op: unknown): boolean => !chatOpSchema.safeParse(op).success
  t.notOk(refused({ type: 'post', author: 'ada', text: 'x'.repeat(MAX_TEXT) }))
  t.ok(refused({ type: 'post', author: 'ada', text: 'x'.repeat(MAX_TEXT + 1) }))
  t.ok(refused({ type: 'post', author: '', text: 'hello' }))
  t.ok(refused({ type: 'post', author: 'ada', text: '\ud800' }))
  t.ok(refused({ type: 'read', from: 0 }))
  t.end()
})
