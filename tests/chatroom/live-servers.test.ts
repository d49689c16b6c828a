/** The live view on real servers, which are killed and stopped. */
import { Chat, connectChatroom, drawSecret, type ChatMessage, type Room } from '@synod/chatroom'
import t from 'tap'
import { until } from '../support/cluster.js'
import { ChatServers } from './servers.js'

t.setTimeout(180_000)
const servers = await ChatServers.start(t)

interface Viewer {
  readonly chat: Chat
  readonly room: Room
  /** The address of the server that it talks to. */
  readonly server: () => string
  readonly told: string[]
}

function view(t: { teardown(work: () => unknown): void }, roomName: string, name: string, only?: number): Viewer {
  let server = ''
  const client = connectChatroom({
    servers: only === undefined ? servers.addresses : servers.addresses.slice(only, only + 1),
    discover: only === undefined,
    timeout: 5_000,
    onConnection: (connectivity) => {
      if (connectivity.state === 'connected') server = connectivity.address
    },
  })
  const told: string[] = []
  const chat = new Chat(client, { name, key: drawSecret() }, (change) => {
    if (change.type === 'posted') told.push(change.message.text)
    else if (change.type === 'joined' || change.type === 'left') told.push(`${change.who.name} ${change.type}`)
  })
  t.teardown(() => {
    chat.close()
    return client.close()
  })
  return { chat, room: chat.enter(roomName), server: () => server, told }
}

const texts = (messages: readonly ChatMessage[]) => messages.map(({ text }) => text)

t.test('views whose servers are killed one after the other lose, double and re-order nothing', async (t) => {
  const viewers = [view(t, 'killed', 'ada'), view(t, 'killed', 'bob')]
  await until('both are in', () => viewers.every(({ room }) => room.here.length === 2), { patience: 20_000 })
  const written: Record<string, string[]> = { ada: [], bob: [] }
  const write = () => {
    for (const [at, name] of ['ada', 'bob'].entries()) {
      const text = `${name} ${written[name]?.length ?? 0}`
      written[name]?.push(text)
      viewers[at]?.room.post(text)
    }
  }
  for (const victim of viewers) {
    const writing = setInterval(write, 20)
    await until('some are in', () => victim.room.messages.length >= 20)
    const id = servers.addresses.indexOf(victim.server())
    await servers.kill(id)
    const before = victim.room.messages.length
    await until('it goes on', () => victim.room.messages.length > before + 20)
    clearInterval(writing)
    servers.startServer(id)
    await until('all are sent', () => viewers.every(({ room }) => room.pending === 0))
  }
  const count = Object.values(written).flat().length
  await until('all are seen', () =>
    viewers.every(({ room }) => room.messages.length === count && room.unsent.length === 0),
  )
  const [first, second] = viewers.map(({ room }) => texts(room.messages))
  t.strictSame(first, second, 'in the same order')
  for (const [name, own] of Object.entries(written))
    t.strictSame(
      first?.filter((text) => text.startsWith(name)),
      own,
      `${name}’s messages, each once, as they were written`,
    )
  for (const { told } of viewers)
    t.strictSame(
      told.filter((line) => /\d$/.test(line)),
      first,
      'each was told once',
    )
})

t.test(
  'who is cut off for too long is gone for the others, and comes back by himself with what he wrote',
  async (t) => {
    const ada = view(t, 'cut off', 'ada', 0)
    const bob = view(t, 'cut off', 'bob', 2)
    await until('both are in', () => [ada, bob].every(({ room }) => room.here.length === 2), { patience: 20_000 })
    servers.signal(2, 'SIGSTOP')
    bob.room.post('from nowhere')
    await until('bob is gone', () => ada.room.here.length === 1, { patience: 40_000 })
    servers.signal(2, 'SIGCONT')
    await until('bob is back', () => ada.room.here.length === 2 && bob.room.here.length === 2, { patience: 40_000 })
    await until('what he wrote is there', () => bob.room.pending === 0 && ada.room.messages.length > 0)
    bob.room.post('here again')
    await until('all is there', () => [ada, bob].every(({ room }) => room.messages.length >= 2))
    for (const { room } of [ada, bob]) t.strictSame(texts(room.messages), ['from nowhere', 'here again'])
    t.ok(bob.room.here.some(({ id }) => id === bob.room.myId))
    const moves = ada.told.filter((line) => line.startsWith('bob'))
    t.strictSame(moves.slice(-2), ['bob left', 'bob joined'])
  },
)
