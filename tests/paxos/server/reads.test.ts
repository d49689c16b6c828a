/** Clients' reads at a server: what waits, what is answered when, and what is refused. */
import { SynodError } from '@synod/paxos'
import { packValue, unpackValue } from '@synod/paxos/internal/codec/values'
import { realClock } from '@synod/paxos/internal/clock'
import { Asker } from '@synod/paxos/internal/server/asker'
import { Log } from '@synod/paxos/internal/server/log'
import { Reads } from '@synod/paxos/internal/server/reads'
import type { ReadsHost } from '@synod/paxos/internal/server/reads'
import { readRejection } from '@synod/paxos/internal/transport/read-frames'
import type { ServerFrame } from '@synod/paxos/internal/transport/wire'
import t from 'tap'
import { Wire } from './clients-support.js'

type Answers = Extract<ServerFrame, { type: 'answers' }>

/** A server whose state is told by the test: a read answers with it, and with its own name. */
class World {
  now = 1_000
  readonly warnings: string[] = []
  /** Operations that were executed. */
  readonly executed: unknown[] = []
  state = 'empty'
  slot = 0
  wakes = 0
  takes: ReturnType<ReadsHost['takes']> = 'yes'
  isWhole = true
  /** What an execution does, besides. */
  during: () => void = () => undefined
  readonly reads: Reads

  constructor() {
    const host: ReadsHost = {
      takes: () => this.takes,
      isWhole: () => this.isWhole,
      applied: () => this.slot,
      admitRead: (bytes) => {
        const op = unpackValue(bytes)
        if (op === 'write') throw new SynodError('BAD_OPERATION', 'it may change the state')
        return op
      },
      read: (slot, op) => {
        this.during()
        if (op === 'fail') throw new SynodError('READ_FAILED', 'the service failed at a read: oh')
        this.executed.push(op)
        const status = op === 'refuse' ? 'refused' : 'ok'
        return { status, value: packValue(op instanceof Uint8Array ? op : `${String(op)}: ${this.state}@${slot}`) }
      },
      wake: () => this.wakes++,
    }
    this.reads = new Reads(host, { ...realClock, now: () => this.now }, new Log(0, (line) => this.warnings.push(line)))
  }

  client(): Client {
    return new Client(this)
  }

  /** What a server does at the end of a turn, when the core says that so many may be answered. */
  turn(readable: number): number {
    const arrived = this.reads.arrived()
    this.reads.serve(readable)
    this.reads.flush()
    return arrived
  }
}

class Client {
  readonly wire = new Wire()
  readonly asker = new Asker(this.wire)
  readonly #world: World
  #last = 0

  constructor(world: World) {
    this.#world = world
  }

  asks(...ops: unknown[]): void {
    this.#ask(false, ops)
  }

  asksStale(...ops: unknown[]): void {
    this.#ask(true, ops)
  }

  get frames(): Answers[] {
    return this.wire.sent as Answers[]
  }

  /** What was answered, in order: the value, or the code of a rejection, or `busy`. */
  get answers(): unknown[] {
    return this.frames.flatMap(({ answers }) =>
      answers.map(({ status, value }) =>
        status === 'busy' ? 'busy' : status === 'rejected' ? readRejection(value).code : unpackValue(value),
      ),
    )
  }

  #ask(stale: boolean, ops: readonly unknown[]): void {
    this.#world.reads.take(this.asker, {
      type: 'read',
      stale,
      first: this.#last + 1,
      ops: ops.map((op) => packValue(op)),
    })
    this.#last += ops.length
  }
}

t.test(
  'a read waits until the core says that it may be answered, and is answered from the state as it is then',
  (t) => {
    const world = new World()
    const client = world.client()
    client.asks('a', 'b')
    t.equal(world.wakes, 1)
    t.equal(world.turn(0), 2, 'the core is told of both at once')
    t.equal(world.turn(0), 0, 'and not again')
    t.strictSame(client.frames, [])
    t.strictSame(world.reads.counts, { answered: 0, stale: 0, waiting: 2 })
    Object.assign(world, { state: 'full', slot: 7 })
    world.turn(2)
    t.match(client.frames, [{ slot: 7, answers: [{ number: 1, status: 'ok' }, { number: 2, status: 'ok' }] }]) // prettier-ignore
    t.equal(client.frames.length, 1, 'in one frame')
    t.strictSame(client.answers, ['a: full@7', 'b: full@7'])
    t.strictSame(world.reads.counts, { answered: 2, stale: 0, waiting: 0 })
    t.end()
  },
)

t.test('only as many as the core says are answered, the oldest first, whoever asked', (t) => {
  const world = new World()
  const [one, two] = [world.client(), world.client()]
  one.asks('a')
  two.asks('b')
  t.equal(world.turn(0), 2)
  one.asks('c')
  t.equal(world.turn(2), 1)
  t.strictSame(one.answers, ['a: empty@0'])
  t.strictSame(two.answers, ['b: empty@0'])
  world.slot = 1
  world.turn(3)
  t.strictSame(one.answers, ['a: empty@0', 'c: empty@1'])
  t.end()
})

t.test('a refusal of the service is an answer', (t) => {
  const world = new World()
  const client = world.client()
  client.asks('refuse')
  world.turn(1)
  t.match(client.frames, [{ answers: [{ status: 'refused' }] }])
  t.end()
})

t.test('a read whose connection is gone is dropped when its turn comes, and counts', (t) => {
  const world = new World()
  const [one, two] = [world.client(), world.client()]
  one.asks('a')
  two.asks('b')
  one.asker.isGone = true
  world.turn(2)
  t.strictSame(world.executed, ['b'])
  t.strictSame(one.frames, [])
  t.strictSame(two.answers, ['b: empty@0'])
  t.end()
})

t.test(
  'a stale read is answered in the turn in which it came, whatever the core says, and is not counted there',
  (t) => {
    const world = new World()
    const client = world.client()
    Object.assign(world, { state: 'old', slot: 3, takes: 'no' })
    client.asksStale('a')
    t.equal(world.turn(0), 0)
    t.match(client.frames, [{ slot: 3, answers: [{ number: 1 }] }])
    t.strictSame(client.answers, ['a: old@3'])
    t.end()
  },
)

t.test(
  'a server that takes nothing in answers no read but stale ones, and none at all while its state is not whole',
  (t) => {
    const world = new World()
    const client = world.client()
    world.takes = 'no'
    client.asks('a')
    t.match(client.frames, [{ answers: [{ number: 1, status: 'rejected' }] }], 'at once: there may be no turn')
    t.equal(world.turn(0), 0)
    world.isWhole = false
    client.asksStale('b')
    world.takes = 'busy'
    client.asks('c')
    world.turn(0)
    t.strictSame(client.answers, ['NOT_SERVING', 'NOT_SERVING', 'busy'])
    t.strictSame(world.executed, [])
    t.end()
  },
)

t.test('what may be answered waits while the state is not whole', (t) => {
  const world = new World()
  const client = world.client()
  client.asks('a')
  world.isWhole = false
  world.turn(1)
  t.strictSame(client.frames, [])
  Object.assign(world, { isWhole: true, state: 'installed', slot: 40 })
  world.turn(1)
  t.strictSame(client.answers, ['a: installed@40'])
  t.end()
})

t.test('an operation that does not only read is rejected, and the others of its frame are answered', (t) => {
  const world = new World()
  const client = world.client()
  client.asks('a', 'write', 'b')
  client.asksStale('write')
  t.equal(world.turn(2), 2)
  t.strictSame(client.answers, ['BAD_OPERATION', 'BAD_OPERATION', 'a: empty@0', 'b: empty@0'])
  t.strictSame(
    client.frames.flatMap(({ answers }) => answers.map(({ number }) => number)),
    [2, 4, 1, 3],
  )
  t.end()
})

t.test(
  'a read at which the service fails is told to its client, and once in a while to people; the next one goes on',
  (t) => {
    const world = new World()
    const client = world.client()
    client.asks('fail', 'fail', 'a')
    world.turn(3)
    t.strictSame(client.answers, ['READ_FAILED', 'READ_FAILED', 'a: empty@0'])
    t.strictSame(world.warnings, ['[0] the service failed at a read: oh'])
    world.now += 1_000
    client.asks('fail')
    world.turn(4)
    t.equal(world.warnings[1], '[0] the service failed at a read: oh (and 1 more since the last time)')
    t.end()
  },
)

t.test('past so many that wait, or so many bytes of them, reads are refused as busy', (t) => {
  const many = new World()
  const client = many.client()
  for (let frame = 0; frame < 5; frame++) client.asks(...Array<string>(4_000).fill('a'))
  client.asks('b')
  client.asksStale('c')
  t.equal(many.turn(0), 20_000)
  t.strictSame(client.answers, ['busy', 'busy'])
  many.turn(20_000)
  client.asks('d')
  many.turn(20_001)
  t.equal(client.answers.length, 20_003)
  t.equal(client.answers.at(-1), 'd: empty@0', 'there is room again')

  const large = new World()
  const other = large.client()
  for (let at = 0; at < 17; at++) other.asks('x'.repeat((4 << 20) - 10))
  t.equal(large.turn(0), 17)
  other.asks('a')
  large.turn(0)
  t.strictSame(other.answers, ['busy'])
  t.end()
})

t.test(
  'reads are answered for a while only in one turn, and the rest in the next ones, from the state as it is then',
  (t) => {
    const world = new World()
    const client = world.client()
    client.asks(...Array.from({ length: 20 }, (_, at) => at))
    client.asksStale('stale')
    world.during = () => (world.now += 5)
    world.wakes = 0
    world.turn(20)
    const first = world.executed.length
    t.ok(first > 0 && first < 21, `${first} in the first turn`)
    t.equal(world.wakes, 1, 'another turn is wanted')
    world.slot = 1
    for (let turn = 0; turn < 20 && world.executed.length < 21; turn++) world.turn(20)
    t.equal(client.answers.length, 21)
    t.equal(client.answers.at(-1), '19: empty@1')
    t.end()
  },
)

t.test('stale reads are refused if the state is not whole any more when their turn comes', (t) => {
  const world = new World()
  const client = world.client()
  client.asksStale('a')
  world.isWhole = false
  world.turn(0)
  t.strictSame(client.answers, ['NOT_SERVING'])
  t.end()
})

t.test('answers of two states leave in two frames', (t) => {
  const world = new World()
  const client = world.client()
  client.asks('a', 'b')
  world.reads.serve(1)
  world.slot = 1
  world.reads.serve(2)
  world.reads.flush()
  t.match(client.frames, [{ slot: 0, answers: [{ number: 1 }] }, { slot: 1, answers: [{ number: 2 }] }]) // prettier-ignore
  t.end()
})

t.test('much is sent in several frames, and a client that is behind is refused until it has read', (t) => {
  const world = new World()
  const client = world.client()
  client.wire.reads = false
  const page = new Uint8Array(3 << 20)
  client.asks(...Array<Uint8Array>(20).fill(page))
  world.turn(20)
  const busy = client.answers.filter((answer) => answer === 'busy').length
  t.ok(busy > 5 && busy < 15, `${busy} of 20 were refused`)
  t.ok(client.wire.buffered < 40 << 20, `${client.wire.buffered >> 20} MiB wait to leave`)
  client.asksStale('a')
  world.turn(20)
  t.equal(client.answers.at(-1), 'busy')
  client.wire.buffered = 0
  client.asks('b')
  world.turn(21)
  t.equal(client.answers.at(-1), 'b: empty@0')
  t.end()
})
