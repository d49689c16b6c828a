/** Feeds of a client, against servers that do what the test says. */
import type { Feed, FeedError, FeedEvent } from '@synod/paxos'
import { packValue } from '@synod/paxos/internal/codec/values'
import type { SlotEvents } from '@synod/paxos/internal/protocol/event-ring'
import type { Connection } from '@synod/paxos/internal/transport/transport'
import { MAX_FEEDS } from '@synod/paxos/internal/transport/wire'
import type { ClientFrame } from '@synod/paxos/internal/transport/wire'
import t from 'tap'
import { ScriptedCluster } from './scripted-cluster.js'
import type { ScriptedServer } from './scripted-cluster.js'

/** A server that answers subscriptions with `subscribed`, and is told what to send next. */
class Feeder {
  readonly asked: (number | null)[] = []
  readonly taken: number[] = []
  connection: Connection | undefined
  feed = 0
  #server: ScriptedServer | undefined

  constructor(readonly now = 1) {}

  readonly script = (frame: ClientFrame, server: ScriptedServer, connection: Connection): void => {
    this.#server = server
    this.connection = connection
    if (frame.type === 'subscribe') {
      this.feed = frame.feed
      this.asked.push(frame.from)
      server.send(connection, { type: 'subscribed', feed: frame.feed, from: frame.from ?? this.now })
    } else if (frame.type === 'taken') this.taken.push(frame.through)
    else server.answer(frame, connection)
  }

  /** Sends slots with their events. */
  emit(...slots: [slot: number, ...events: unknown[]][]): void {
    this.send(slots.map(([slot, ...events]) => ({ slot, events: events.map(packValue) })))
  }

  send(slots: readonly SlotEvents[]): void {
    if (this.connection !== undefined) this.#server?.send(this.connection, { type: 'events', feed: this.feed, slots })
  }

  compacted(oldest: number): void {
    if (this.connection !== undefined)
      this.#server?.send(this.connection, { type: 'compacted', feed: this.feed, oldest })
  }
}

async function cluster(...feeders: Feeder[]) {
  const made = new ScriptedCluster()
  const addresses = feeders.map((_, id) => `s${id}:1`)
  for (const [id, feeder] of feeders.entries()) await made.server(addresses[id] ?? '', feeder.script)
  return { made, client: made.client(addresses) }
}

async function end(made: ScriptedCluster, client: ReturnType<ScriptedCluster['client']>): Promise<void> {
  const closed = client.close()
  await made.clock.pass(10)
  await closed
}

/** Reads on; what came so far, as `4.0 a`, and in the end `done` or the error's code. */
function read(feed: Feed<unknown>): string[] {
  const came: string[] = []
  const show = ({ slot, index, value }: FeedEvent<unknown>): string => `${slot}.${index} ${String(value)}`
  void (async () => {
    try {
      for await (const event of feed) came.push(show(event))
      came.push('done')
    } catch (error) {
      came.push((error as FeedError).code)
    }
  })()
  return came
}

t.test('events come in order, with their slots and places', async (t) => {
  const feeder = new Feeder(5)
  const { made, client } = await cluster(feeder)
  const feed = client.subscribe()
  const came = read(feed)
  await made.clock.pass(10)
  t.equal(await feed.started, 5)
  feeder.emit([5, 'a', 'b'], [9, 'c'])
  feeder.emit([10, 'd'])
  await made.clock.pass(10)
  t.strictSame(came, ['5.0 a', '5.1 b', '9.0 c', '10.0 d'])
  feed.close()
  await made.clock.pass(10)
  t.strictSame(came.at(-1), 'done')
  await end(made, client)
})

t.test('after the loss of its server a feed goes on at another one, behind what came', async (t) => {
  const feeders = [new Feeder(3), new Feeder(50)]
  const { made, client } = await cluster(...feeders)
  const came = read(client.subscribe())
  await made.clock.pass(10)
  const first = feeders.find(({ asked }) => asked.length > 0)
  const second = feeders.find(({ asked }) => asked.length === 0)
  const from = first?.now ?? 0
  first?.emit([from, 'a'], [from + 4, 'b', 'c'])
  await made.clock.pass(10)
  first?.connection?.close('killed')
  await made.clock.pass(3_000)
  t.strictSame(first?.asked, [null], 'from now on')
  t.strictSame(second?.asked, [from + 5])
  second?.emit([from + 4, 'b', 'c'], [from + 5, 'd'])
  await made.clock.pass(10)
  t.strictSame(came, [`${from}.0 a`, `${from + 4}.0 b`, `${from + 4}.1 c`, `${from + 5}.0 d`], 'each once')
  await end(made, client)
})

t.test('a feed that nobody reads takes nothing, and one that is read says so now and then', async (t) => {
  const feeder = new Feeder()
  const { made, client } = await cluster(feeder)
  const feed = client.subscribe({ from: 1 })
  await made.clock.pass(10)
  const large = 'x'.repeat(60_000)
  feeder.emit([1, large], [2, large], [3, large], [4, large])
  await made.clock.pass(10)
  t.strictSame(feeder.taken, [])
  const came = read(feed)
  await made.clock.pass(10)
  t.equal(came.length, 4)
  t.strictSame(feeder.taken, [3], 'when enough came together')
  await end(made, client)
})

t.test('what waits for a reader is bounded: another server is asked only when there is room again', async (t) => {
  const feeders = [new Feeder(1), new Feeder(1)]
  const { made, client } = await cluster(...feeders)
  const feed = client.subscribe({ from: 1 })
  await made.clock.pass(10)
  const [first, second] = feeders.toSorted((a, b) => b.asked.length - a.asked.length)
  const large = 'x'.repeat(200_000)
  first?.emit(...Array.from({ length: 6 }, (_, at): [number, string] => [at + 1, large]))
  await made.clock.pass(10)
  first?.connection?.close('killed')
  await made.clock.pass(3_000)
  t.strictSame(second?.asked, [])
  const iterator = feed[Symbol.asyncIterator]()
  for (let slot = 1; slot <= 3; slot++) t.match(await iterator.next(), { value: { slot } })
  await made.clock.pass(10)
  t.strictSame(second?.asked, [], 'not yet')
  for (let slot = 4; slot <= 5; slot++) t.match(await iterator.next(), { value: { slot } })
  await made.clock.pass(10)
  t.strictSame(second?.asked, [7])
  await end(made, client)
})

t.test('LAGGED: the servers have dropped what comes next; what came before is read first', async (t) => {
  const feeder = new Feeder()
  const { made, client } = await cluster(feeder)
  const feed = client.subscribe({ from: 2 })
  await made.clock.pass(10)
  feeder.emit([2, 'a'])
  feeder.compacted(40)
  await made.clock.pass(10)
  const iterator = feed[Symbol.asyncIterator]()
  t.match(await iterator.next(), { value: { slot: 2, value: 'a' } })
  await t.rejects(iterator.next(), { code: 'LAGGED', slot: 40, message: /slots 3 to 39/ })
  t.match(await iterator.next(), { done: true }, 'it is told once')
  await end(made, client)
})

t.test('COMPACTED: it begins with a slot that was dropped already', async (t) => {
  const made = new ScriptedCluster()
  await made.server('a:1', (frame, server, connection) => {
    if (frame.type === 'subscribe') server.send(connection, { type: 'compacted', feed: frame.feed, oldest: 9 })
  })
  const client = made.client(['a:1'])
  const feed = client.subscribe({ from: 1 })
  const came = read(feed)
  await made.clock.pass(10)
  t.strictSame(came, ['COMPACTED'])
  await t.rejects(feed.started, { code: 'COMPACTED', slot: 9, message: /slots 1 to 8/ })
  await end(made, client)
})

t.test('what ends a client ends its feeds', async (t) => {
  const feeder = new Feeder()
  const { made, client } = await cluster(feeder)
  const came = read(client.subscribe())
  await made.clock.pass(10)
  await end(made, client)
  await made.clock.pass(10)
  t.strictSame(came, ['CLOSED'])
  t.strictSame(read(client.subscribe()), [])
  await t.rejects(client.subscribe().started, { code: 'CLOSED' })
})

t.test('a slot must be one', async (t) => {
  const { made, client } = await cluster(new Feeder())
  for (const from of [-1, 1.5, NaN, 'then' as unknown as number])
    t.throws(() => client.subscribe({ from }), { code: 'BAD_OPTION' })
  await end(made, client)
})

t.test('slot 0 stands for the beginning', async (t) => {
  const feeder = new Feeder()
  const { made, client } = await cluster(feeder)
  const feed = client.subscribe({ from: 0 })
  await made.clock.pass(10)
  t.equal(await feed.started, 1)
  await end(made, client)
})

t.test('who asks several times at once is answered in the order of the questions', async (t) => {
  const feeder = new Feeder()
  const { made, client } = await cluster(feeder)
  const iterator = client.subscribe({ from: 1 })[Symbol.asyncIterator]()
  const asked = Promise.allSettled([1, 2, 3, 4].map(() => iterator.next()))
  await made.clock.pass(10)
  feeder.emit([1, 'a', 'b'])
  feeder.emit([2, 'c'])
  feeder.compacted(9)
  await made.clock.pass(10)
  t.match(await asked, [
    { value: { value: { value: 'a' } } },
    { value: { value: { value: 'b' } } },
    { value: { value: { value: 'c' } } },
    { reason: { code: 'LAGGED', slot: 9 } },
  ])
  t.match(await iterator.next(), { done: true })
  await end(made, client)
})

t.test('an event that cannot be read ends its feed, behind those before it, and nothing else', async (t) => {
  const feeder = new Feeder()
  const { made, client } = await cluster(feeder)
  const came = read(client.subscribe({ from: 1 }))
  await made.clock.pass(10)
  const unreadable = new Uint8Array([0xc1])
  feeder.send([
    { slot: 1, events: [packValue('a')] },
    { slot: 2, events: [packValue('b'), unreadable, packValue('c')] },
  ])
  await made.clock.pass(10)
  t.strictSame(came, ['1.0 a', '2.0 b', 'INCOMPATIBLE'])
  const other = read(client.subscribe({ from: 5 }))
  await made.clock.pass(10)
  feeder.emit([5, 'd'])
  await made.clock.pass(10)
  t.strictSame(other, ['5.0 d'])
  await end(made, client)
})

t.test('what a server repeats is not told again, and takes no room', async (t) => {
  const feeders = [new Feeder(), new Feeder()]
  const { made, client } = await cluster(...feeders)
  const came = read(client.subscribe({ from: 1 }))
  await made.clock.pass(10)
  const [first, second] = feeders.toSorted((a, b) => b.asked.length - a.asked.length)
  first?.emit([1, 'a'], [9, 'b'])
  for (let slot = 2; slot < 9; slot++) first?.emit([slot, 'x'.repeat(200_000)])
  await made.clock.pass(10)
  t.strictSame(came, ['1.0 a', '9.0 b'])
  first?.connection?.close('killed')
  await made.clock.pass(3_000)
  t.strictSame(second?.asked, [10])
  await end(made, client)
})

t.test('a client has only so many feeds; one more fails, and is no harm to the others', async (t) => {
  const feeder = new Feeder()
  const { made, client } = await cluster(feeder)
  const feeds = Array.from({ length: MAX_FEEDS }, () => client.subscribe({ from: 1 }))
  const more = client.subscribe({ from: 1 })
  t.strictSame(read(more), [])
  await t.rejects(more.started, { code: 'BUSY', message: /64 feeds/ })
  await made.clock.pass(10)
  t.equal(feeder.asked.length, MAX_FEEDS)
  feeds[0]?.close()
  client.subscribe({ from: 1 })
  await made.clock.pass(10)
  t.equal(feeder.asked.length, MAX_FEEDS + 1)
  await end(made, client)
})

t.test('leaving the loop ends the feed at the server, too', async (t) => {
  const frames: string[] = []
  const feeder = new Feeder()
  const made = new ScriptedCluster()
  await made.server('a:1', (frame, server, connection) => {
    frames.push(frame.type)
    feeder.script(frame, server, connection)
  })
  const client = made.client(['a:1'])
  const feed = client.subscribe()
  const left = (async () => {
    for await (const { value } of feed) return value
    return 'nothing'
  })()
  await made.clock.pass(10)
  feeder.emit([1, 'a'], [2, 'b'])
  await made.clock.pass(10)
  t.equal(await left, 'a')
  await made.clock.pass(10)
  t.strictSame(frames, ['subscribe', 'unsubscribe'])
  await end(made, client)
})

t.test(
  'a client with a session says on every connection that it is there, and ends the session when it is closed',
  async (t) => {
    const frames: string[] = []
    const made = new ScriptedCluster()
    let connection: Connection | undefined
    await made.server('a:1', (frame, server, over) => {
      frames.push(frame.type === 'submit' ? `submit ${frame.commands.length}` : frame.type)
      connection = over
      server.answer(frame, over)
    })
    const client = made.client(['a:1'])
    const submitted = client.submit({ add: 1 })
    await made.clock.pass(10)
    await submitted
    client.subscribe()
    await made.clock.pass(10)
    connection?.close('lost')
    await made.clock.pass(1_000)
    t.strictSame(frames, ['open', 'submit 1', 'subscribe', 'submit 0', 'subscribe'])
    await end(made, client)
    await made.clock.pass(10)
    t.strictSame(frames.slice(5), ['end', 'unsubscribe'])
  },
)
