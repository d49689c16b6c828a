import { Backlog } from '@synod/paxos/internal/server/backlog'
import type { PaxosStatus } from '@synod/paxos/internal/protocol/ready'
import t from 'tap'
import { passing, WorkClock } from './snapshots-support.js'

/** What a helping takes (ms), and how many commands it is. */
const TAKES = 1
const HELPING = 64

/** A server that is behind by so many slots, while so many new ones are decided each ms. */
class Behind {
  readonly clock = new WorkClock()
  leads: Pick<PaxosStatus, 'role' | 'leader'> = { role: 'follower', leader: 1 }
  running = true
  applied = 0
  /** It was level for the first time so long after the beginning (ms); null: it never was. */
  took: number | null = null
  readonly #began = this.clock.now()
  readonly #from: number
  readonly #perMs: number
  readonly backlog = new Backlog(this.clock, {
    status: () => ({ applied: this.applied, decided: this.applied + this.left, ...this.leads }),
    isBehind: () => !this.#isLevel,
    running: () => this.running,
    step: ({ type }) => {
      if (type !== 'goOn') throw new Error(`unexpected: ${type}`)
      this.applied += Math.min(HELPING, this.left)
      this.clock.work(TAKES)
      if (this.#isLevel) this.took ??= this.#passed
    },
  })

  constructor(from: number, perMs: number) {
    this.#from = from
    this.#perMs = perMs
  }

  get left(): number {
    return Math.max(0, this.#from + Math.floor(this.#passed * this.#perMs) - this.applied)
  }

  get #passed(): number {
    return this.clock.now() - this.#began
  }

  /** What is left is not worth a helping. */
  get #isLevel(): boolean {
    return this.left < HELPING
  }

  /** Lets it work until it is level; how long it took (ms). */
  async work(): Promise<number> {
    this.backlog.begin()
    while (this.took === null && this.#passed < 60_000) await passing(this.clock.manual, 500, () => this.took !== null)
    return this.took ?? Infinity
  }
}

t.test('four fifths of the time it rests, and no turn is long', async (t) => {
  const server = new Behind(100 * 8 * HELPING, 0)
  const took = await server.work()
  t.ok(took > 3_900 && took <= 4_100, `${took} ms`)
  t.ok(server.clock.longestTurn <= 9, `${server.clock.longestTurn} ms`)
})

t.test('it rests less, or not at all, where it would not get on', async (t) => {
  for (const share of [0.1, 0.2, 0.3, 0.45, 0.55, 0.7, 0.9]) {
    const server = new Behind(100 * 8 * HELPING, (share * HELPING) / TAKES)
    const took = await server.work()
    // At least half of what it executes brings it nearer; where more than half comes, it never rests.
    const most = (1.1 * 800) / Math.min(share, 1 - share)
    t.ok(took <= most, `told of ${share} of what it could execute: ${took} ms`)
  }
})

t.test('it does not rest while nobody else leads', async (t) => {
  for (const leads of [
    { role: 'leader', leader: 0 },
    { role: 'candidate', leader: null },
    { role: 'follower', leader: null },
  ] as const) {
    const server = new Behind(100 * 8 * HELPING, 0)
    server.leads = leads
    const took = await server.work()
    t.ok(took <= 910, `${took} ms`)
  }
})

t.test('it begins once, ends with its server, and begins again', async (t) => {
  const server = new Behind(10 * HELPING, 0)
  server.backlog.begin()
  t.equal(server.applied, 0, 'not within the turn that found it')
  server.backlog.begin()
  await passing(server.clock.manual, 2, () => server.applied > 0)
  server.running = false
  const { applied } = server
  await passing(server.clock.manual, 100, () => false)
  t.ok(server.applied <= applied + 8 * HELPING)
  const ended = server.applied
  await passing(server.clock.manual, 100, () => false)
  t.equal(server.applied, ended)
  server.running = true
  t.ok((await server.work()) < 1_000)
})
