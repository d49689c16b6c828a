import {
  chatOpSchema,
  MAX_HERE,
  MAX_JOINED,
  MAX_MESSAGES,
  MAX_PAGE,
  MAX_ROOMS,
  MAX_TEXT,
  PAGE_TEXT,
} from '@synod/chatroom'
import type { ChatEvent, ChatMessage } from '@synod/chatroom'
import { packValue } from '@synod/paxos/internal/codec/values'
import t from 'tap'
import { hex, post, TestRoom } from './room.js'

const message = (number: number, author: string, text: string, more: Partial<ChatMessage> = {}): ChatMessage => ({
  number,
  author,
  text,
  at: 1,
  edits: 0,
  deleted: false,
  ...more,
})

t.test('a post comes behind all others of its room, and is told to all', (t) => {
  const chat = new TestRoom()
  t.strictSame(chat.do(post('lobby', 'ada', 'hello')), { slot: 1, number: 1 })
  t.strictSame(chat.do(post('lobby', 'eve', 'hi', { at: 7 })), { slot: 2, number: 2 })
  t.strictSame(chat.do(post('garden', 'eve', 'roses')), { slot: 3, number: 1 })
  t.strictSame(chat.taken(), [
    { type: 'posted', room: 'lobby', message: message(1, 'ada', 'hello') },
    { type: 'posted', room: 'lobby', message: message(2, 'eve', 'hi', { at: 7 }) },
    { type: 'posted', room: 'garden', message: message(1, 'eve', 'roses') },
  ] satisfies ChatEvent[])
  t.end()
})

t.test('a post that comes again with its nonce is the same message', (t) => {
  const chat = new TestRoom()
  const op = post('lobby', 'ada', 'hello', { nonce: hex('n') })
  t.equal(chat.do(op).number, 1)
  t.equal(chat.do(post('lobby', 'ada', 'more')).number, 2)
  chat.taken()
  t.strictSame(chat.do(op, 'another session'), { slot: 3, number: 1 })
  t.strictSame(chat.taken(), [])
  t.equal(chat.copy().do(op).number, 1, 'also behind a snapshot')
  t.equal(chat.do(post('lobby', 'eve', 'hello', { nonce: hex('n') })).number, 3, 'but not another author’s')
  t.equal(chat.do({ ...op, room: 'garden' }).number, 1, 'and not in another room')
  t.equal(chat.do(post('lobby', 'ada', 'more')).number, 4, 'without a nonce it is another one')
  t.end()
})

t.test('a post that follows another one is refused until that is there', (t) => {
  const chat = new TestRoom()
  const second = post('lobby', 'ada', 'second', { nonce: hex('2'), follows: hex('1') })
  t.equal(chat.refusal(second), 'OUT_OF_ORDER')
  chat.do(post('lobby', 'eve', 'not hers', { nonce: hex('1') }))
  t.equal(chat.refusal(second), 'OUT_OF_ORDER')
  chat.do(post('lobby', 'ada', 'first', { nonce: hex('1') }))
  t.equal(chat.do(second).number, 3)
  t.equal(chat.do(second).number, 3, 'and when it comes again')
  t.end()
})

t.test('pages are read from the end, before a number and after a number', (t) => {
  const chat = new TestRoom()
  const read = (more: { limit: number; before?: number; after?: number }) => {
    const { messages, first, last } = chat.do({ type: 'read', room: 'lobby', ...more })
    return [messages.map(({ number }) => number), first, last]
  }
  t.strictSame(read({ limit: 5 }), [[], 1, 0])
  for (let n = 1; n <= 10; n += 1) chat.do(post('lobby', 'ada', `message ${n}`))
  t.strictSame(read({ limit: 3 }), [[8, 9, 10], 1, 10])
  t.strictSame(read({ limit: MAX_PAGE }), [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 1, 10])
  t.strictSame(read({ limit: 3, before: 5 }), [[2, 3, 4], 1, 10])
  t.strictSame(read({ limit: 3, before: 3 }), [[1, 2], 1, 10])
  t.strictSame(read({ limit: 3, before: 1 }), [[], 1, 10])
  t.strictSame(read({ limit: 2, before: 99 }), [[9, 10], 1, 10])
  t.strictSame(read({ limit: 3, after: 0 }), [[1, 2, 3], 1, 10])
  t.strictSame(read({ limit: 3, after: 8 }), [[9, 10], 1, 10])
  t.strictSame(read({ limit: 3, after: 10 }), [[], 1, 10])
  t.strictSame(chat.do({ type: 'read', room: 'lobby', limit: 1 }).messages, [message(10, 'ada', 'message 10')])
  t.end()
})

t.test('a page of the longest messages stays far below the limit of a result', (t) => {
  const chat = new TestRoom()
  const text = '漢'.repeat(MAX_TEXT) // three bytes each
  for (let n = 0; n < MAX_PAGE; n += 1) chat.do(post('lobby', 'ada', text))
  const fits = PAGE_TEXT / MAX_TEXT
  const latest = chat.do({ type: 'read', room: 'lobby', limit: MAX_PAGE })
  t.strictSame([latest.messages[0]?.number, latest.messages.length], [MAX_PAGE - fits + 1, fits])
  t.ok(packValue(latest).length < 1 << 20)
  t.equal(chat.do({ type: 'read', room: 'lobby', limit: MAX_PAGE, after: 3 }).messages.at(-1)?.number, 3 + fits)
  t.end()
})

t.test('a room keeps its latest messages, and forgets nonces with the oldest', (t) => {
  const chat = new TestRoom()
  const first = post('lobby', 'ada', 'the first', { nonce: hex('first') })
  chat.do(first)
  for (let n = 2; n <= MAX_MESSAGES; n += 1) chat.do(post('lobby', 'ada', 'x'))
  t.equal(chat.do(first).number, 1)
  t.equal(chat.do({ type: 'read', room: 'lobby', limit: 1 }).first, 1)
  chat.do(post('lobby', 'ada', 'one more'))
  const { first: oldest, last } = chat.do({ type: 'read', room: 'lobby', limit: 1 })
  t.strictSame([oldest, last], [2, MAX_MESSAGES + 1])
  t.strictSame(chat.do({ type: 'read', room: 'lobby', limit: 9, before: 2 }).messages, [])
  t.equal(chat.do({ type: 'read', room: 'lobby', limit: 9, after: 0 }).messages[0]?.number, 2)
  t.equal(chat.refusal({ type: 'delete', room: 'lobby', number: 1, key: hex('ada') }), 'NO_MESSAGE')
  const copy = chat.copy()
  t.strictSame([...copy.state.snapshot()].slice(0, 2), [...chat.state.snapshot()].slice(0, 2))
  t.equal(copy.do({ type: 'read', room: 'lobby', limit: 1 }).first, 2)
  t.equal(chat.do(first).number, MAX_MESSAGES + 2)
  t.end()
})

t.test('one’s own message can be edited and deleted, and nobody else’s', (t) => {
  const chat = new TestRoom()
  chat.do(post('lobby', 'ada', 'helo', { nonce: hex('n') }))
  chat.taken()
  const edit = { type: 'edit', room: 'lobby', number: 1, key: hex('ada'), text: 'hello' } as const
  const edited = message(1, 'ada', 'hello', { edits: 1, nonce: hex('n') })
  t.strictSame(chat.do(edit), { slot: 2, message: edited })
  t.strictSame(chat.taken(), [{ type: 'changed', room: 'lobby', message: edited }] satisfies ChatEvent[])
  t.equal(chat.refusal({ ...edit, key: hex('eve') }), 'NOT_YOURS')
  t.equal(chat.refusal({ ...edit, number: 2 }), 'NO_MESSAGE')
  t.equal(chat.refusal({ ...edit, room: 'garden' }), 'NO_MESSAGE')
  const remove = { type: 'delete', room: 'lobby', number: 1, key: hex('ada') } as const
  t.equal(chat.refusal({ ...remove, key: hex('eve') }), 'NOT_YOURS')
  const deleted = { ...edited, text: '', deleted: true }
  t.strictSame(chat.do(remove).message, deleted)
  t.strictSame(chat.taken(), [{ type: 'changed', room: 'lobby', message: deleted }] satisfies ChatEvent[])
  t.equal(chat.refusal(edit), 'DELETED')
  t.equal(chat.refusal(remove), 'DELETED')
  t.equal(chat.do(post('lobby', 'ada', 'hello', { nonce: hex('n') })).number, 1, 'it does not come back')
  t.strictSame(chat.do({ type: 'read', room: 'lobby', limit: 9 }).messages, [deleted])
  t.end()
})

t.test('who joins is there until he leaves', (t) => {
  const chat = new TestRoom()
  const ada = { id: 1, name: 'ada' }
  t.strictSame(chat.do({ type: 'join', room: 'lobby', name: 'ada' }, 'a'), { slot: 1, id: 1, here: [ada] })
  const eve = { id: 2, name: 'eve' }
  t.strictSame(chat.do({ type: 'join', room: 'lobby', name: 'eve' }, 'e'), { slot: 2, id: 2, here: [ada, eve] })
  t.strictSame(chat.do({ type: 'who', room: 'lobby' }), { slot: 3, here: [ada, eve] })
  t.strictSame(chat.do({ type: 'who', room: 'nowhere' }).here, [])
  t.strictSame(chat.do({ type: 'leave', room: 'lobby' }, 'a'), { slot: 5, left: true })
  t.strictSame(chat.do({ type: 'leave', room: 'lobby' }, 'a'), { slot: 6, left: false })
  t.strictSame(chat.do({ type: 'leave', room: 'nowhere' }, 'a').left, false)
  t.strictSame(chat.do({ type: 'who', room: 'lobby' }).here, [eve])
  t.strictSame(chat.taken(), [
    { type: 'joined', room: 'lobby', who: ada },
    { type: 'joined', room: 'lobby', who: eve },
    { type: 'left', room: 'lobby', who: ada },
  ] satisfies ChatEvent[])
  t.end()
})

t.test('joining again changes the name, and nothing if it is the same', (t) => {
  const chat = new TestRoom()
  chat.do({ type: 'join', room: 'lobby', name: 'ada' }, 'a')
  chat.do({ type: 'join', room: 'lobby', name: 'eve' }, 'e')
  chat.taken()
  t.strictSame(chat.do({ type: 'join', room: 'lobby', name: 'ada' }, 'a').id, 1)
  t.strictSame(chat.taken(), [])
  const lady = { id: 1, name: 'lady' }
  t.strictSame(chat.do({ type: 'join', room: 'lobby', name: 'lady' }, 'a').here, [lady, { id: 2, name: 'eve' }])
  t.strictSame(chat.taken(), [{ type: 'joined', room: 'lobby', who: lady }] satisfies ChatEvent[])
  t.end()
})

t.test('a session that ends leaves all its rooms, in the order in which it joined them', (t) => {
  const chat = new TestRoom()
  for (const room of ['lobby', 'attic', 'garden']) chat.do({ type: 'join', room, name: 'ada' }, 'a')
  chat.do({ type: 'join', room: 'attic', name: 'eve' }, 'e')
  chat.do({ type: 'leave', room: 'lobby' }, 'a')
  chat.do({ type: 'join', room: 'lobby', name: 'ada' }, 'a')
  for (const each of [chat, chat.copy()]) {
    each.taken()
    each.end('a')
    t.strictSame(each.taken(), [
      { type: 'left', room: 'attic', who: { id: 2, name: 'ada' } },
      { type: 'left', room: 'garden', who: { id: 3, name: 'ada' } },
      { type: 'left', room: 'lobby', who: { id: 6, name: 'ada' } },
    ] satisfies ChatEvent[])
    t.strictSame(each.do({ type: 'who', room: 'attic' }).here, [{ id: 4, name: 'eve' }])
    each.end('a')
    each.end('nobody')
    t.strictSame(each.taken(), [])
  }
  t.end()
})

t.test('rooms are told in the order of their names, with what is in them', (t) => {
  const chat = new TestRoom()
  t.strictSame(chat.do({ type: 'rooms' }), { slot: 1, rooms: [] })
  chat.do(post('zoo', 'ada', 'a lion'))
  chat.do(post('zoo', 'ada', 'a tiger'))
  for (const room of ['attic', '__proto__', 'zoo', 'Zoo']) chat.do({ type: 'join', room, name: 'ada' }, 'a')
  chat.do({ type: 'leave', room: 'attic' }, 'a')
  t.strictSame(chat.do({ type: 'rooms' }).rooms, [
    { room: 'Zoo', last: 0, here: 1 },
    { room: '__proto__', last: 0, here: 1 },
    { room: 'zoo', last: 2, here: 1 },
  ])
  chat.end('a')
  t.strictSame(
    chat.do({ type: 'rooms' }).rooms,
    [{ room: 'zoo', last: 2, here: 0 }],
    'an empty room goes with the last',
  )
  t.end()
})

t.test('rooms, stays and people have their limits', (t) => {
  const chat = new TestRoom()
  for (let n = 1; n <= MAX_JOINED; n += 1) chat.do({ type: 'join', room: `room ${n}`, name: 'ada' }, 'a')
  t.equal(chat.refusal({ type: 'join', room: 'one more', name: 'ada' }, 'a'), 'TOO_MANY_JOINED')
  t.equal(chat.do({ type: 'join', room: 'room 1', name: 'lady' }, 'a').id, 1, 'where one is, one may join again')
  chat.do({ type: 'leave', room: 'room 1' }, 'a')
  chat.do({ type: 'join', room: 'one more', name: 'ada' }, 'a')
  for (let n = MAX_JOINED + 1; n <= MAX_ROOMS; n += 1) chat.do(post(`room ${n}`, 'eve', 'hello'))
  t.equal(chat.do({ type: 'rooms' }).rooms.length, MAX_ROOMS)
  t.equal(chat.refusal(post('too many', 'eve', 'hello')), 'TOO_MANY_ROOMS')
  t.equal(chat.refusal({ type: 'join', room: 'too many', name: 'eve' }, 'e'), 'TOO_MANY_ROOMS')
  for (let n = 2; n <= MAX_HERE; n += 1) chat.do({ type: 'join', room: 'room 2', name: 'guest' }, `guest ${n}`)
  t.equal(chat.refusal({ type: 'join', room: 'room 2', name: 'eve' }, 'e'), 'ROOM_FULL')
  t.equal(chat.do({ type: 'join', room: 'room 2', name: 'lady' }, 'a').here.length, MAX_HERE)
  t.end()
})

t.test('neither keys nor client ids are told to anybody', (t) => {
  const chat = new TestRoom()
  const told: unknown[] = [
    chat.do({ type: 'join', room: 'lobby', name: 'ada' }, 'secret-session'),
    chat.do(post('lobby', 'ada', 'hello', { key: hex('secret') }), 'secret-session'),
    chat.do({ type: 'read', room: 'lobby', limit: 9 }),
    chat.do({ type: 'edit', room: 'lobby', number: 1, key: hex('secret'), text: 'x' }, 'secret-session'),
    chat.do({ type: 'delete', room: 'lobby', number: 1, key: hex('secret') }, 'secret-session'),
    chat.do({ type: 'who', room: 'lobby' }),
    chat.do({ type: 'rooms' }),
    chat.do({ type: 'leave', room: 'lobby' }, 'secret-session'),
    chat.events,
  ]
  t.notMatch(JSON.stringify(told), new RegExp(`secret-session|${hex('secret')}`))
  t.end()
})

t.test('a snapshot that is none of the chatroom’s is not taken', (t) => {
  const chat = new TestRoom()
  t.throws(() => chat.state.restore([{ type: 'message', room: 'lobby', message: { number: 'one' } }]))
  t.end()
})

t.test('what does not fit the limits is no operation', (t) => {
  const refused = (op: unknown): boolean => !chatOpSchema.safeParse(op).success
  t.notOk(refused(post('lobby', 'ada', 'x'.repeat(MAX_TEXT))))
  t.ok(refused(post('lobby', 'ada', 'x'.repeat(MAX_TEXT + 1))))
  t.ok(refused(post('lobby', '', 'hello')))
  t.ok(refused(post(' lobby', 'ada', 'hello')))
  t.ok(refused(post('lobby', 'a\u001b[2Jda', 'hello')))
  t.ok(refused(post('lobby', 'ada', '\ud800')))
  t.ok(refused(post('lobby', 'ada', 'hello', { key: 'mine' })))
  t.ok(refused(post('lobby', 'ada', 'hello', { nonce: 'mine' })))
  t.notOk(refused(post('lobby', 'ada', 'two\nlines')))
  t.notOk(refused({ type: 'read', room: 'lobby', limit: MAX_PAGE, before: 1 }))
  t.ok(refused({ type: 'read', room: 'lobby', limit: MAX_PAGE + 1 }))
  t.ok(refused({ type: 'read', room: 'lobby', limit: 1, before: 3, after: 1 }))
  t.end()
})
