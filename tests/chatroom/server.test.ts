/** The chatroom's servers as processes, and their client: what happens on one is known on another. */
import { connectChatroom } from '@synod/chatroom'
import t from 'tap'
import { until } from '../support/cluster.js'
import { hex } from './room.js'
import { ChatServers } from './servers.js'

t.test('every operation has its answer, on whichever server, also when one is gone', async (t) => {
  const servers = await ChatServers.start(t)
  const clientOf = (id: number) => {
    const client = connectChatroom({ servers: servers.addresses.slice(id, id + 1), discover: false, timeout: 20_000 })
    t.teardown(() => client.close())
    return client
  }
  const [ada, eve] = [clientOf(0), clientOf(1)]
  const by = (author: string) => ({ room: 'lobby', author, key: hex(author) })
  t.match(await ada.post({ ...by('ada'), text: 'hello', at: 7 }), { number: 1 })
  await servers.kill(2)
  t.match(await eve.post({ ...by('eve'), text: 'is anybody there?' }), { number: 2 })
  t.match(await ada.edit({ room: 'lobby', number: 1, key: hex('ada'), text: 'hello!' }), { message: { edits: 1 } })
  await t.rejects(ada.delete({ room: 'lobby', number: 2, key: hex('ada') }), { name: 'Refusal', code: 'NOT_YOURS' })
  t.match(await eve.delete({ room: 'lobby', number: 2, key: hex('eve') }), { message: { deleted: true } })
  await t.rejects(eve.post({ ...by('eve'), text: '' }), { code: 'BAD_OPERATION' })
  const { messages } = await ada.read('lobby')
  t.match(messages, [
    { number: 1, author: 'ada', text: 'hello!', at: 7, edits: 1, deleted: false },
    { number: 2, author: 'eve', text: '', edits: 0, deleted: true },
  ])
  t.ok(Math.abs(Date.now() - (messages[1]?.at ?? 0)) < 60_000, 'a time is given to what has none')
  const { id } = await eve.join('lobby', 'eve')
  t.strictSame((await ada.who('lobby')).here, [{ id, name: 'eve' }])
  t.match((await ada.rooms()).rooms, [{ room: 'lobby', last: 2, here: 1 }])
  t.match(await eve.leave('lobby'), { left: true })
  t.strictSame((await ada.who('lobby')).here, [])
})

t.test(
  'a client that is closed leaves its rooms at once, and one that vanishes within its session’s time',
  async (t) => {
    const servers = await ChatServers.start(t)
    const watcher = servers.client(t)
    const here = async () => (await watcher.who('lobby')).here.map(({ name }) => name)
    const leaver = connectChatroom({ servers: servers.addresses })
    await leaver.join('lobby', 'leaver')
    t.strictSame(await here(), ['leaver'])
    await leaver.close()
    await until('the one that was closed is gone', async () => (await here()).length === 0, { patience: 5_000 })
    // Its only server is stopped, so that nobody hears of its end; the others decide that it is over.
    const lost = connectChatroom({ servers: servers.addresses.slice(2), discover: false })
    t.teardown(() => lost.close())
    await lost.join('lobby', 'lost')
    t.strictSame(await here(), ['lost'])
    await servers.kill(2)
    await until('the one that is cut off is gone', async () => (await here()).length === 0, { patience: 40_000 })
  },
)
