/** A client's feed and the servers' feeds, put together: servers that lag, connections that break, readers that stop. */
import type { FeedError } from '@synod/paxos'
import { Feeds as ClientFeeds } from '@synod/paxos/internal/client/feeds'
import type { FeedFrame } from '@synod/paxos/internal/client/feeds'
import { packValue } from '@synod/paxos/internal/codec/values'
import { EventRing } from '@synod/paxos/internal/protocol/event-ring'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { Feeds as ServerFeeds } from '@synod/paxos/internal/server/feeds'
import { decodeServerFrame } from '@synod/paxos/internal/transport/codec'
import type { Connection } from '@synod/paxos/internal/transport/transport'
import type { ClientFrame } from '@synod/paxos/internal/transport/wire'
import t from 'tap'

const MIB = 1 << 20

/** All that is ever decided: for each slot its events. Some slots have none, some have large ones. */
function drawLog(prng: Prng): string[][] {
  const large = prng.pick([10, 1_000, 60_000, 300_000])
  return Array.from({ length: 400 }, (_, at) => {
    const count = prng.pick([0, 0, 1, 1, 1, 3])
    return Array.from({ length: count }, (_, index) => `${at + 1}.${index} `.padEnd(prng.below(large), 'x'))
  })
}

class Replica {
  readonly ring: EventRing
  readonly feeds: ServerFeeds
  applied = 0

  constructor(limits: { events: number; bytes: number }) {
    this.ring = new EventRing(limits)
    this.feeds = new ServerFeeds({ events: this.ring, next: () => this.applied + 1 })
  }

  execute(log: readonly string[][], slots: number): void {
    for (; slots > 0 && this.applied < log.length; slots--)
      for (const event of log[this.applied++] ?? []) this.ring.add(this.applied, packValue(event))
  }
}

class Run {
  readonly log: string[][]
  readonly replicas: Replica[]
  readonly told: string[] = []
  readonly first: number
  failure: FeedError | undefined
  readonly #prng: Prng
  readonly #client: ClientFeeds
  readonly #feed: AsyncIterator<{ value: unknown }>
  #link: {
    connection: Connection & { buffered: number }
    replica: Replica
    up: ClientFrame[]
    down: Uint8Array[]
  } | null = null
  #asked = false

  constructor(seed: number) {
    this.#prng = new Prng(seed)
    this.log = drawLog(this.#prng)
    const limits = { events: this.#prng.pick([20, 1_000]), bytes: this.#prng.pick([2 * MIB, 16 * MIB]) }
    this.replicas = [1, 2, 3].map(() => new Replica(limits))
    this.first = 1 + this.#prng.below(20)
    this.#client = new ClientFeeds({ send: (frame) => this.#link?.up.push(frame), wanted: () => undefined })
    this.#feed = this.#client.add(this.first)
  }

  /** Some of what may happen happens. */
  step(): void {
    const prng = this.#prng
    const replica = prng.pick(this.replicas)
    switch (prng.below(6)) {
      case 0:
        replica.execute(this.log, prng.pick([1, 1, 5, 40]))
        return replica.feeds.serve()
      case 1:
        if (prng.chance(0.1)) this.connect(replica)
        return
      case 2:
      case 3:
        return this.deliver(1)
      case 4:
        return this.read()
      default:
        if (this.#link !== null) this.#link.connection.buffered = prng.pick([0, 0, 17 * MIB])
    }
  }

  connect(replica: Replica): void {
    if (this.#link !== null) {
      this.#link.replica.feeds.forget(this.#link.connection)
      this.#client.linkLost()
    }
    const down: Uint8Array[] = []
    const connection = {
      remote: '',
      buffered: 0,
      send: (frame: Uint8Array) => down.push(frame),
      close: () => undefined,
    }
    this.#link = { connection, replica, up: [], down }
    this.#client.linkReady()
  }

  deliver(frames: number): void {
    if (this.#link === null) return
    const { connection, replica, up, down } = this.#link
    for (const frame of up.splice(0, frames)) {
      if (frame.type === 'subscribe') replica.feeds.open(connection, frame.feed, frame.from)
      else if (frame.type === 'taken') replica.feeds.taken(connection, frame.feed, frame.through)
    }
    for (const bytes of down.splice(0, frames)) this.#client.frame(decodeServerFrame(bytes) as FeedFrame)
  }

  read(): void {
    if (this.#asked || this.failure !== undefined) return
    this.#asked = true
    this.#feed.next().then(
      ({ value }) => {
        this.#asked = false
        this.told.push((value as { value: string }).value)
      },
      (error: unknown) => {
        this.failure = error as FeedError
      },
    )
  }

  /** Everything is well from now on; until nothing happens any more. */
  async heal(): Promise<void> {
    for (const replica of this.replicas) {
      replica.execute(this.log, Infinity)
      replica.feeds.serve()
    }
    if (this.#link === null) this.connect(this.#prng.pick(this.replicas))
    else this.#link.connection.buffered = 0
    for (let idle = 0, before = -1; idle < 50; before = this.told.length) {
      this.deliver(10)
      for (const replica of this.replicas) replica.feeds.serve()
      this.read()
      await Promise.resolve()
      idle = this.told.length === before ? idle + 1 : 0
    }
  }
}

t.test('a feed tells every event once, in order, or that it lost some, whatever happens to it', async (t) => {
  let [complete, lagged, compacted] = [0, 0, 0]
  for (let seed = 1; seed <= 60; seed++) {
    const run = new Run(seed)
    for (let steps = 0; steps < 1_500; steps++) {
      run.step()
      await Promise.resolve()
    }
    await run.heal()
    const { told, failure, log, first } = run
    const wanted = log.slice(first - 1).flat()
    if (told.some((event, at) => event !== wanted[at])) t.fail(`seed ${seed}: other events came`)
    if (failure === undefined) {
      complete++
      if (told.length !== wanted.length) t.fail(`seed ${seed}: it hangs after ${told.length} of ${wanted.length}`)
      continue
    }
    if (failure.code === 'LAGGED') lagged++
    else compacted++
    const next = Number.parseInt(wanted[told.length] ?? '', 10)
    if (!(next < failure.slot)) t.fail(`seed ${seed}: ${failure.code} ${failure.slot}, though ${next} comes next`)
  }
  t.ok(complete > 10 && lagged > 10 && compacted > 0, `${complete} complete, ${lagged} lagged, ${compacted} compacted`)
  t.end()
})
