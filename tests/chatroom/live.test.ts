/** The live view of rooms, on a cluster that fails as the test wants. */
import { Chat, ChatClient, type ChatChange, type ChatMessage, type ChatOp, type Room } from '@synod/chatroom'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { until } from '@synod/harness/internal/process'
import t from 'tap'
import { FakeCluster, FakeConnection } from './fake-cluster.js'
import { hex, post } from './room.js'

interface Viewer {
  readonly connection: FakeConnection
  readonly chat: Chat
  readonly room: Room
  readonly changes: ChatChange[]
  readonly told: () => readonly string[]
}

/** What changed, in a few words each. */
function words(change: ChatChange): string {
  switch (change.type) {
    case 'posted':
    case 'changed':
      return `${change.type} ${change.message.number} ${change.message.text}`
    case 'older':
      return `older ${change.messages.map(({ number }) => number).join()}`
    case 'joined':
    case 'left':
      return `${change.type} ${change.who.name}`
    case 'unsent':
      return `${change.unsent.text}: ${change.unsent.state}`
    case 'refused':
    case 'trouble':
      return `${change.type}: ${change.error.message}`
    case 'opened':
      return change.isNew ? 'opened' : 'opened anew'
    case 'rooms':
      return 'rooms'
  }
}

function view(
  t: { teardown(work: () => void): void },
  cluster: FakeCluster,
  name: string,
  set: (connection: FakeConnection) => void = () => undefined,
): Viewer {
  const connection = new FakeConnection(cluster)
  set(connection)
  const changes: ChatChange[] = []
  const lines: string[] = []
  const chat = new Chat(new ChatClient(connection), { name, key: hex(name) }, (change) => {
    changes.push(change)
    if (change.type !== 'rooms') lines.push(words(change))
  })
  const room = chat.enter('lobby')
  t.teardown(() => {
    chat.close()
  })
  return { connection, chat, room, changes, told: () => lines }
}

const texts = (messages: readonly ChatMessage[]) => messages.map(({ text }) => text)
const names = (room: Room) => room.here.map(({ name }) => name)

t.test('a room opens with its latest messages and its people, and is kept up to date', async (t) => {
  const cluster = new FakeCluster()
  for (let n = 1; n <= 60; n += 1) cluster.execute(post('lobby', 'eve', `message ${n}`), 'e')
  const { room, chat, told } = view(t, cluster, 'ada')
  await until('it is open', () => room.isOpen)
  t.strictSame([room.messages.length, room.messages[0]?.number, room.messages.at(-1)?.number], [50, 11, 60])
  t.strictSame([names(room), room.hasOlder], [['ada'], true])
  cluster.execute({ type: 'join', room: 'lobby', name: 'eve' }, 'e')
  cluster.execute(post('lobby', 'eve', 'hello'), 'e')
  cluster.execute(post('garden', 'eve', 'roses'), 'e')
  cluster.execute({ type: 'edit', room: 'lobby', number: 61, key: hex('eve'), text: 'hello!' }, 'e')
  cluster.execute({ type: 'delete', room: 'lobby', number: 60, key: hex('eve') }, 'e')
  cluster.execute({ type: 'delete', room: 'lobby', number: 1, key: hex('eve') }, 'e')
  cluster.end('e')
  await until('all was told', () => told().includes('left eve'))
  t.strictSame(told(), ['opened', 'joined eve', 'posted 61 hello', 'changed 61 hello!', 'changed 60 ', 'left eve'])
  t.strictSame(texts(room.messages.slice(-2)), ['', 'hello!'])
  t.strictSame(names(room), ['ada'])
  t.strictSame(chat.rooms, [
    { room: 'garden', last: 1, here: 0 },
    { room: 'lobby', last: 61, here: 1 },
  ])
})

t.test('older messages come page by page, as they are now', async (t) => {
  const cluster = new FakeCluster()
  for (let n = 1; n <= 120; n += 1) cluster.execute(post('lobby', 'eve', `message ${n}`), 'e')
  const { room, connection, told } = view(t, cluster, 'ada')
  await until('it is open', () => room.isOpen)
  connection.delay = () => 60
  const older = room.loadOlder()
  t.equal(room.loadOlder(), older, 'asked for once')
  // Read already, but the answer is on its way when the change is told.
  await until('it is read', () => cluster.chat.slot === 124)
  cluster.execute({ type: 'edit', room: 'lobby', number: 30, key: hex('eve'), text: 'edited' }, 'e')
  t.equal((await older).find(({ number }) => number === 30)?.text, 'edited')
  t.equal(room.messages.length, 100)
  await room.loadOlder()
  t.strictSame([room.messages.length, room.messages[0]?.number, room.hasOlder], [120, 1, false])
  t.strictSame(await room.loadOlder(), [])
  t.equal(told().filter((line) => line.startsWith('older')).length, 2)
})

t.test('one’s own messages are unsent until they are seen in the room, and then only there', async (t) => {
  const cluster = new FakeCluster()
  const { room, told } = view(t, cluster, 'ada')
  await until('it is open', () => room.isOpen)
  const unsent = room.post('hello')
  t.strictSame([unsent.state, room.unsent, room.pending], ['sending', [unsent], 1])
  await until('it is sent', () => room.messages.length > 0)
  t.strictSame([room.unsent, unsent.state, room.pending], [[], 'sent', 0])
  t.strictSame(told(), ['opened', 'hello: sending', 'hello: sent', 'posted 1 hello'])
})

t.test('a message whose outcome is unknown is sent again, and not doubled', async (t) => {
  for (const fate of ['lost', 'late', 'never'] as const) {
    const cluster = new FakeCluster()
    let tries = 0
    const { room, told, chat } = view(t, cluster, 'ada', (connection) => {
      connection.fate = (op) => (op.type === 'post' && ++tries === 1 ? fate : 'answered')
    })
    await until('it is open', () => room.isOpen)
    for (const feed of cluster.feeds) feed.more = () => undefined // what happens is told late
    const unsent = room.post('hello')
    await until('the first try has failed', () => unsent.state !== 'sending')
    t.match(unsent, { state: 'waiting', mayBeThere: fate !== 'never', error: { message: /./ } })
    chat.hurry()
    await until('it is sent', () => unsent.state === 'sent')
    cluster.executeLate()
    t.equal(tries, 2)
    t.strictSame(texts(cluster.execute({ type: 'read', room: 'lobby', limit: 9 }, 'x').messages), ['hello'])
    t.match(told().slice(0, 4), ['opened', 'hello: sending', 'hello: waiting', 'hello: sent'])
  }
})

t.test('messages come in the order in which they were written, whichever of them fails', async (t) => {
  const cluster = new FakeCluster()
  const failed = new Set<string>()
  const { room, chat } = view(t, cluster, 'ada', (connection) => {
    connection.fate = (op) => {
      if (op.type !== 'post' || !/[37]$/.test(op.text) || failed.has(op.text)) return 'answered'
      failed.add(op.text)
      return op.text.endsWith('3') ? 'never' : 'late'
    }
  })
  await until('it is open', () => room.isOpen)
  const written = Array.from({ length: 400 }, (_, n) => `message ${n}`)
  for (const text of written) room.post(text)
  await until('all are sent', () => {
    chat.hurry()
    cluster.executeLate()
    return room.pending === 0 && room.messages.length === written.length
  })
  t.strictSame(texts(room.messages), written)
  t.equal(failed.size, 80)
})

t.test('a message that cannot be taken is refused, and those behind it go on', async (t) => {
  const cluster = new FakeCluster()
  const { room, chat } = view(t, cluster, 'ada')
  await until('it is open', () => room.isOpen)
  for (let n = 2; n <= 1000; n += 1) cluster.execute(post(`room ${n}`, 'eve', 'x'), 'e')
  const full = chat.enter('one too many')
  const [first, second] = [full.post('hello'), full.post('is anybody there?')]
  await until('both are refused', () => first.state === 'refused' && second.state === 'refused')
  t.match(first.error, { code: 'TOO_MANY_ROOMS' })
  t.strictSame(full.unsent, [first, second])
  full.dismiss(first)
  t.strictSame(full.unsent, [second])
  t.notOk(full.isOpen)
})

t.test('a kept message is sent with its nonce, its time and its author', async (t) => {
  const cluster = new FakeCluster()
  cluster.execute(post('lobby', 'ada', 'there already', { nonce: hex('1') }), 'before')
  const { room } = view(t, cluster, 'lady', (connection) => {
    connection.delay = () => 5
  })
  const there = room.post('there already', { nonce: hex('1'), at: 1, author: 'ada' })
  room.post('new', { nonce: hex('2'), at: 2, author: 'ada' })
  await until('both are there', () => room.pending === 0 && room.messages.length > 0 && room.unsent.length === 0)
  t.equal(there.state, 'sent')
  // The key is another one here: so the first one is another message, too.
  t.match(room.messages, [{ text: 'there already' }, { author: 'ada', at: 1, nonce: hex('1') }, { text: 'new', at: 2 }])
})

t.test('lost events are made up for by reading anew', async (t) => {
  const cluster = new FakeCluster()
  const { room, told, connection, chat } = view(t, cluster, 'ada')
  await until('it is open', () => room.isOpen)
  connection.fate = () => 'never'
  for (const feed of [...cluster.feeds]) feed.lag()
  cluster.execute({ type: 'join', room: 'lobby', name: 'eve' }, 'e')
  for (let n = 1; n <= 60; n += 1) cluster.execute(post('lobby', 'eve', `message ${n}`), 'e')
  const unsent = room.post('meanwhile')
  await until('it has trouble', () => told().some((line) => line.startsWith('trouble')) && unsent.state === 'waiting')
  connection.fate = () => 'answered'
  chat.hurry()
  await until('it is open again', () => told().includes('opened anew') && room.messages.at(-1)?.text === 'meanwhile')
  t.strictSame([room.messages[0]?.number, room.hasOlder, names(room)], [12, true, ['ada', 'eve']])
  t.strictSame(room.unsent, [])
  cluster.execute(post('lobby', 'eve', 'go on'), 'e')
  await until('it goes on', () => room.messages.at(-1)?.text === 'go on')
})

t.test('who was taken for gone joins again by himself', async (t) => {
  const cluster = new FakeCluster()
  const { room, connection, told } = view(t, cluster, 'ada')
  await until('it is open', () => room.isOpen)
  const before = room.myId
  let fails = 1
  connection.fate = (op) => (op.type === 'join' && fails-- > 0 ? 'lost' : 'answered')
  connection.expire()
  await until('he is in the room again', () => room.myId !== null && room.myId !== before)
  t.strictSame(names(room), ['ada'])
  t.strictSame(cluster.chat.do({ type: 'who', room: 'lobby' }).here, room.here)
  t.match(told(), ['opened', 'left ada', 'joined ada', 'trouble: the command has no outcome in time'])
})

t.test('a name can be changed, also while a room is being opened', async (t) => {
  const cluster = new FakeCluster()
  const { room, chat, changes } = view(t, cluster, 'ada', (connection) => {
    connection.delay = () => 5
  })
  await until('it is joined', () => cluster.chat.slot >= 2)
  chat.rename('lady')
  await until('all see it', () => names(room)[0] === 'lady')
  chat.rename('countess')
  await until('all see it', () => names(room)[0] === 'countess')
  t.equal(cluster.chat.do({ type: 'who', room: 'lobby' }).here.length, 1)
  t.match(
    changes.find(({ type }) => type === 'joined'),
    { who: { name: 'lady' }, before: { name: 'ada' } },
  )
  room.post('hello')
  await until('it is there', () => room.messages[0]?.author === 'countess')
})

t.test('who leaves hears no more, but what was written goes its way; and may come back', async (t) => {
  const cluster = new FakeCluster()
  const { room, chat, connection, told } = view(t, cluster, 'ada')
  await until('it is open', () => room.isOpen)
  connection.fate = (op) => (op.type === 'post' ? 'never' : 'answered')
  const unsent = room.post('farewell')
  await until('it waits', () => unsent.state === 'waiting')
  await chat.leave(room)
  t.strictSame([chat.entered, chat.pending, cluster.chat.do({ type: 'who', room: 'lobby' }).here], [[], 1, []])
  connection.fate = () => 'answered'
  chat.hurry()
  await until('it is sent', () => chat.pending === 0)
  cluster.execute(post('lobby', 'eve', 'she is gone'), 'e')
  await until('the feed is there', () => chat.rooms[0]?.last === 2)
  t.notOk(told().some((line) => line.startsWith('posted')))
  const again = chat.enter('lobby')
  await until('it is open', () => again.isOpen)
  t.strictSame([texts(again.messages), names(again)], [['farewell', 'she is gone'], ['ada']])
})

t.test('a room that cannot be entered says why, once', async (t) => {
  const cluster = new FakeCluster()
  for (let n = 1; n <= 1000; n += 1) cluster.execute(post(`room ${n}`, 'eve', 'x'), 'e')
  const { told, room } = view(t, cluster, 'ada')
  await until('it is refused', () => told().length > 0)
  t.strictSame(told(), ['refused: there are 1000 rooms already: use one of them'])
  t.notOk(room.isOpen)
})

/** One of these clients does something, or something is done to it. */
function stir(prng: Prng, cluster: FakeCluster, viewer: Viewer, written: string[]): void {
  const { room, connection, chat } = viewer
  switch (prng.below(12)) {
    case 0:
      return connection.expire()
    case 1:
      for (const feed of cluster.feeds) if (prng.chance(0.3)) feed.lag()
      return
    case 2:
      return cluster.executeLate(1 + prng.below(3))
    case 3:
      return chat.hurry()
    case 4:
      void room.loadOlder(1 + prng.below(9)).catch(() => undefined)
      return
    case 5: {
      const mine = room.messages.find((message) => message.author === written[0])
      if (mine !== undefined && prng.chance(0.5)) room.delete(mine.number).catch(() => undefined)
      else if (mine !== undefined) room.edit(mine.number, `${mine.text}!`).catch(() => undefined)
      return
    }
    default: {
      const text = `${written[0]} ${written.length}`
      written.push(text)
      room.post(text)
    }
  }
}

t.test('whatever happens, all views become what the room is, with every message once and in order', async (t) => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const prng = new Prng(seed)
    const cluster = new FakeCluster()
    // The name of each, then what was written.
    const all = ['ada', 'eve', 'bob'].map((name) => ({
      written: [name],
      viewer: view(t, cluster, name, (connection) => {
        connection.delay = () => prng.below(3)
        connection.fate = (_op: ChatOp) =>
          prng.chance(0.8) ? 'answered' : prng.pick(['lost', 'late', 'never'] as const)
      }),
    }))
    for (let step = 0; step < 300; step += 1) {
      const { viewer, written } = prng.pick(all)
      stir(prng, cluster, viewer, written)
      if (prng.chance(0.3)) await new Promise((resolve) => setTimeout(resolve, prng.below(3)))
    }
    for (const { viewer } of all) viewer.connection.fate = () => 'answered'
    const truth = () => cluster.execute({ type: 'read', room: 'lobby', limit: 100 }, 'x').messages
    const here = () => JSON.stringify(cluster.chat.do({ type: 'who', room: 'lobby' }).here)
    await until(
      `seed ${seed}: all is settled`,
      () => {
        cluster.executeLate()
        for (const { viewer } of all) viewer.chat.hurry()
        const latest = JSON.stringify(truth().slice(-40))
        return all.every(
          ({ viewer: { room, chat } }) =>
            chat.pending === 0 &&
            room.unsent.length === 0 &&
            room.myId !== null &&
            JSON.stringify(room.messages.slice(-40)) === latest &&
            JSON.stringify(room.here) === here(),
        )
      },
      {
        patience: 10_000,
        describe: () => JSON.stringify(all.map(({ viewer }) => [viewer.room.here, viewer.room.unsent])),
      },
    )
    const entries = [...cluster.chat.state.snapshot()]
    for (const { viewer, written } of all) {
      const [name, ...posts] = written
      const came = entries.flatMap((entry) =>
        entry.type === 'message' && entry.message.author === name ? [entry.message] : [],
      )
      const wanted = posts.map((text, at) => (came[at]?.deleted === true ? '' : text))
      const found = texts(came).map((text) => text.replace(/!+$/, ''))
      t.strictSame(found, wanted, `seed ${seed}, ${name}`)
      viewer.chat.close()
    }
  }
})
