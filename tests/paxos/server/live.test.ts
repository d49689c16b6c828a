/** Feeds and the ends of sessions, with real servers on real sockets and directories. */
import { connect, defineService, Refusal, serve } from '@synod/paxos'
import type { Client, Feed, FeedEvent, RunningServer } from '@synod/paxos'
import t from 'tap'
import { z } from 'zod'
import { freeAddresses, QUICK, temporaryDirectory, until } from './support.js'

t.setTimeout(120_000)

interface Entry {
  readonly text: string
}

/** Guests write into it, one line each; who leaves is noted. Lines are told of as events, `quiet` ones are not. */
class Book {
  #lines: string[] = []
  readonly #guests = new Map<string, string>()

  execute(
    _slot: number,
    { clientId, op }: { readonly clientId: string; readonly op: { guest: string; line: string } },
    emit: (event: Entry) => void,
  ): number {
    emit({ text: `${op.guest}: ${op.line}` })
    if (op.line === 'refuse') throw new Refusal('NO', 'no such line')
    if (op.line === 'twice') emit({ text: `${op.guest}: again` })
    this.#guests.set(clientId, op.guest)
    return this.#lines.push(op.line)
  }

  ended(_slot: number, clientId: string, emit: (event: Entry) => void): void {
    const guest = this.#guests.get(clientId)
    if (guest !== undefined) emit({ text: `${guest} left` })
    this.#guests.delete(clientId)
  }

  *snapshot(): Generator {
    yield [this.#lines, [...this.#guests]]
  }

  restore(): void {
    this.#lines = []
  }
}

const book = defineService({
  name: 'book',
  op: z.object({ guest: z.string(), line: z.string() }),
  state: () => new Book(),
  sessionTtl: 1_500,
})

type BookClient = Client<{ guest: string; line: string }, number, Entry>

async function cluster(test: { teardown(call: () => void | Promise<void>): void }) {
  const directory = temporaryDirectory(test)
  const addresses = await freeAddresses(3)
  const running = new Map<number, RunningServer>()
  const start = async (id: number): Promise<void> => {
    const timing = { ...QUICK, sessionTtl: 1_500 }
    const options = { id, peers: addresses, dataDir: `${directory}/${id}`, timing, onWarning: () => undefined }
    running.set(id, await serve(book, options))
  }
  const stop = async (id: number): Promise<void> => {
    await running.get(id)?.close()
    running.delete(id)
  }
  const clients: BookClient[] = []
  const client = (servers: readonly string[] = addresses): { client: BookClient; at: () => number } => {
    let address = ''
    const made = connect(book, {
      servers,
      onConnection: (connectivity) => {
        if (connectivity.state === 'connected') address = connectivity.address
      },
    })
    clients.push(made)
    return { client: made, at: () => addresses.indexOf(address) }
  }
  test.teardown(async () => {
    await Promise.all(clients.map((each) => each.close()))
    await Promise.all([...running.keys()].map(stop))
  })
  await Promise.all(addresses.map((_, id) => start(id)))
  await Promise.all([...running.values()].map(({ serving }) => serving))
  return { addresses, start, stop, client, running }
}

/** What came so far. */
function read(feed: Feed<Entry>): FeedEvent<Entry>[] {
  const came: FeedEvent<Entry>[] = []
  void (async () => {
    try {
      for await (const event of feed) came.push(event)
    } catch {
      // the test ends
    }
  })()
  return came
}

const texts = (came: readonly FeedEvent<Entry>[]): string[] => came.map(({ value }) => value.text)

t.test(
  'all subscribers get the same events, whichever server they are connected to; refused operations emit none',
  async (t) => {
    const { addresses, client } = await cluster(t)
    const feeds = addresses.map((address) => client([address]).client.subscribe())
    await Promise.all(feeds.map(({ started }) => started))
    const came = feeds.map(read)
    const writer = client().client
    await writer.submit({ guest: 'ada', line: 'one' })
    await t.rejects(writer.submit({ guest: 'ada', line: 'refuse' }), { code: 'NO' })
    await writer.submit({ guest: 'ada', line: 'twice' })
    const expected = ['ada: one', 'ada: twice', 'ada: again']
    for (const each of came) {
      await until('the events', () => each.length >= 3 || undefined)
      t.strictSame(texts(each), expected)
      t.strictSame(each, came[0], 'with the same slots and places')
    }
    const slot = came[0]?.[0]?.slot ?? 0
    const again = read(client().client.subscribe({ from: slot }))
    await until('the events anew', () => again.length >= 3 || undefined)
    t.strictSame(texts(again), expected)
    const behind = read(client().client.subscribe({ from: slot + 1 }))
    await until('those behind', () => behind.length >= 2 || undefined)
    t.strictSame(texts(behind), expected.slice(1))
  },
)

t.test(
  'a feed goes on at another server when its own ends, and misses and repeats nothing; so after a start of all',
  async (t) => {
    const { start, stop, client, addresses } = await cluster(t)
    const { client: subscriber, at } = client()
    const came = read(subscriber.subscribe({ from: 1 }))
    const writer = client().client
    let line = 0
    const write = async (times: number): Promise<void> => {
      for (; times > 0; times--) await writer.submit({ guest: 'ada', line: String(++line) })
    }
    await write(5)
    for (let round = 0; round < 2; round++) {
      await until('events come', () => came.length >= line || undefined)
      const served = at()
      await stop(served)
      await write(5)
      await until('events come from elsewhere', () => (came.length >= line && at() !== served) || undefined)
      await start(served)
    }
    await Promise.all(addresses.map((_, id) => stop(id)))
    await Promise.all(addresses.map((_, id) => start(id)))
    await write(5)
    const wanted = Array.from({ length: line }, (_, index) => `ada: ${index + 1}`)
    await until('all events', () => texts(came).filter((text) => text.startsWith('ada: ')).length >= line || undefined)
    t.strictSame(
      texts(came).filter((text) => text.startsWith('ada: ')),
      wanted,
    )
    const old = read(client().client.subscribe({ from: 1 }))
    await until('the events of former lives', () => old.length >= came.length || undefined)
    t.strictSame(old, came, 'rebuilt from the log, the same')
  },
)

t.test('a server that knows no leader leaves its subscribers to the others', async (t) => {
  const { start, stop, client, addresses, running } = await cluster(t)
  const { client: subscriber, at } = client()
  const came = read(subscriber.subscribe({ from: 1 }))
  await until('it is connected', () => at() >= 0 || undefined)
  const served = at()
  const others = addresses.map((_, id) => id).filter((id) => id !== served)
  await Promise.all(others.map(stop))
  await until('it is dropped', () => running.get(served)?.status().feeds === 0 || undefined)
  await Promise.all(others.map(start))
  await client().client.submit({ guest: 'ada', line: 'here again' })
  await until('the event', () => came.length > 0 || undefined)
  t.strictSame(texts(came), ['ada: here again'])
})

t.test(
  'a session ends when its client is closed, and when it is gone for too long; not while it changes servers',
  async (t) => {
    const { stop, client, addresses } = await cluster(t)
    const watcher = read(client().client.subscribe())
    const { client: stays, at } = client()
    read(stays.subscribe())
    await stays.submit({ guest: 'stays', line: 'hello' })
    const closes = client().client
    await closes.submit({ guest: 'closes', line: 'hello' })
    await closes.close()
    await until('one left', () => texts(watcher).includes('closes left') || undefined)

    const pinned = client([addresses[at()] ?? '']).client // no feed: once its server is gone it does not look for another
    await pinned.submit({ guest: 'gone', line: 'hello' })
    await stop(at())
    await until('the other one left', () => texts(watcher).includes('gone left') || undefined)
    t.notOk(texts(watcher).includes('stays left'))
    await stays.submit({ guest: 'stays', line: 'still here' })
    await stays.close()
    await until('the last one left', () => texts(watcher).includes('stays left') || undefined)
    t.strictSame(
      texts(watcher).filter((text) => text.endsWith('left')),
      ['closes left', 'gone left', 'stays left'],
    )
  },
)

t.test(
  'who does not read holds nobody up, gets so much ahead and no more, and is told where events go on',
  async (t) => {
    const { client, addresses, running } = await cluster(t)
    const writer = client().client
    const slow = client([addresses[1] ?? '']).client.subscribe({ from: 1 })
    await slow.started
    const large = 'x'.repeat(20_000)
    for (let round = 0; round < 15; round++)
      await Promise.all(Array.from({ length: 100 }, () => writer.submit({ guest: 'ada', line: large })))
    const oldest = await until('its events are dropped', () => {
      const { oldestEvent, feeds } = running.get(1)?.status() ?? { oldestEvent: 0, feeds: 1 }
      return feeds === 0 ? oldestEvent : undefined
    })
    t.ok(oldest > 400, 'about 16 MiB of 30 MB are left')
    const came: FeedEvent<Entry>[] = []
    const reading = (async () => {
      for await (const event of slow) came.push(event)
    })()
    await t.rejects(reading, { code: 'LAGGED' })
    const { slot: resume = 0 } = (await reading.catch((error: unknown) => error)) as { slot?: number }
    t.ok(came.length > 30 && came.length < 80, `${came.length} events of 20 kB were sent ahead`)
    const [first = 0, last = 0] = [came[0]?.slot, came.at(-1)?.slot]
    t.strictSame(
      came.map(({ slot }) => slot),
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
      'one after the other',
    )
    t.ok(resume > last && resume <= oldest, `it can go on at ${resume}`)
    await t.rejects(client().client.subscribe({ from: oldest - 1 }).started, { code: 'COMPACTED', slot: oldest })
    const rest = read(client().client.subscribe({ from: oldest }))
    await until('all the rest', () => rest.at(-1)?.slot === running.get(0)?.status().applied || undefined)
    t.equal(rest[0]?.slot, oldest)
  },
)
