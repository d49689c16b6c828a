/** Feeds of a server that was away for so long that it is brought up by another one's snapshot. */
import { connect, defineService, FeedError, serve } from '@synod/paxos'
import type { Command, RunningServer } from '@synod/paxos'
import { DEFAULT_LIMITS } from '@synod/paxos/internal/protocol/config'
import t from 'tap'
import { z } from 'zod'
import { freeAddresses, temporaryDirectory } from './support.js'

t.setTimeout(120_000)

const op = z.object({ number: z.int(), text: z.string() })
type Op = z.output<typeof op>

/** Counts, and tells of each number with its text. */
class Sayings {
  #count = 0

  execute(_slot: number, command: Command<Op>, emit: (event: { number: number; text: string }) => void): number {
    const { number, text } = command.op
    emit({ number, text })
    return ++this.#count
  }

  *snapshot(): Iterable<number> {
    yield this.#count
  }

  restore(entries: Iterable<unknown>): void {
    for (const count of entries) this.#count = z.number().parse(count)
  }
}

const sayings = defineService({ name: 'sayings', op, state: () => new Sayings() })

/** So little is kept in memory for servers that lag; eight times that for one that was brought up a moment ago. */
const limits = { ...DEFAULT_LIMITS, tailCommands: 3 }
const MANY = 40
/** So many events with this text are too much to be kept. */
const TEXT = 'x'.repeat(512 << 10)

t.test('they go on without a gap as far as the events reach back, and say so where they do not', async (t) => {
  const addresses = await freeAddresses(3)
  const directory = temporaryDirectory(t)
  const start = (id: number): Promise<RunningServer> =>
    serve(sayings, { id, peers: addresses, dataDir: `${directory}/${id}`, limits })
  const servers = await Promise.all([0, 1, 2].map(start))
  const client = connect(sayings, { servers: addresses.slice(0, 2), discover: false, timeout: 30_000 })
  const lagging = addresses[2] ?? ''
  const pinned = connect(sayings, { servers: [lagging], discover: false })
  t.teardown(async () => {
    await Promise.all([client.close(), pinned.close()])
    await Promise.all(servers.map((server) => server.close()))
  })
  let number = 0
  const say = async (count: number, isLoud: boolean): Promise<void> => {
    for (const last = number + count; number < last;)
      await client.submit({ number: ++number, text: isLoud ? TEXT : '' })
  }
  /** The last server is away while so much is said that the others have only a snapshot of it. */
  const away = async (isLoud: boolean): Promise<void> => {
    await servers[2]?.close()
    await say(MANY, isLoud)
    for (const address of addresses.slice(0, 2)) await client.snapshot(address)
    servers[2] = await start(2)
    while ((await pinned.status(lagging)).installed === 0) await client.status(lagging)
  }

  const feed = pinned.subscribe({ from: 1 })
  const heard: number[] = []
  const reading = (async () => {
    for await (const { value } of feed) heard.push(value.number)
  })()
  const told = reading.catch((error: unknown) => error)
  await feed.started
  await say(3, false)
  await away(false)
  await say(1, false)
  while (heard.length < number) await client.status(lagging)
  t.strictSame(
    heard,
    Array.from({ length: number }, (_, index) => index + 1),
    'every one once',
  )

  await away(true)
  const error = await told
  t.ok(error instanceof FeedError && error.code === 'LAGGED', String(error))
  const { oldestEvent } = await pinned.status(lagging)
  t.equal((error as FeedError).slot, oldestEvent)
  const next = pinned.subscribe({ from: oldestEvent })
  t.equal(await next.started, oldestEvent)
  for await (const { value } of next) {
    t.ok(value.number > MANY && value.text === TEXT)
    break
  }
  const early = pinned.subscribe({ from: oldestEvent - 1 })
  await t.rejects(early.started, { code: 'COMPACTED', slot: oldestEvent })
  t.ok((await client.verify()).servers.slice(0, 2).every(({ verdict }) => verdict === 'same'))
})
