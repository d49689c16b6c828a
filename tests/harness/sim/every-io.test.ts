/**
 * One small run with all of the log's life in it: snapshots, collection, a server that lags until it installs one, a repair.
 * Each server is killed at each operation of its disk, and must come back by itself. (A part of them, unless EVERY_IO is set.)
 */
import { DEFAULT_LIMITS } from '@synod/paxos/internal/protocol/config'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { SimWorld } from '@synod/harness/internal/sim/sim-world'
import t from 'tap'
import { converged, fill, inWorld, serving, until } from './little-world.js'

t.setTimeout(600_000)

const [MAKER, REPAIRED, LAGGING] = [0, 1, 2]
const ALL = [MAKER, REPAIRED, LAGGING]
/** So many of all crashes are tried. */
const SAMPLE = process.env['EVERY_IO'] === undefined ? 120 : Infinity
const OPTIONS = {
  limits: { ...DEFAULT_LIMITS, tailCommands: 4, runCommands: 3 },
  log: { fileBytes: 4 << 10, reserveBytes: 4 << 10 },
  snapshots: { minBytes: 1 << 30, multiple: 1 },
}

interface Crash {
  readonly id: number
  readonly operation: number
  readonly powerLoss: boolean
}

/** Starts again whoever is down and should not be. */
class Nurse {
  readonly #world: SimWorld
  readonly #wanted = new Set(ALL)
  /** Whose directory is not one of a repair yet: they have to be told again. */
  readonly #lost = new Set<number>()
  #over = false

  constructor(world: SimWorld) {
    this.#world = world
  }

  async watch(): Promise<void> {
    while (!this.#over) {
      for (const id of this.#wanted) {
        const standing = this.#world.standing(id)
        if (standing === 'ended' && !this.#lost.has(id))
          throw new Error(`server ${id} did not come back by itself: ${this.#world.output(id)}`)
        if (standing !== 'up') await this.#world.server(id).start({ repair: standing === 'ended' })
      }
      await this.#world.sleep(5)
    }
  }

  end(): void {
    this.#over = true
  }

  async down(id: number): Promise<void> {
    this.#wanted.delete(id)
    await this.#world.server(id).crash({})
  }

  up(id: number): void {
    this.#wanted.add(id)
  }

  async repair(id: number): Promise<void> {
    await this.down(id)
    const refused = await this.#world.server(id).wipe()
    if (refused !== null) throw new Error(refused)
    this.#lost.add(id)
    await this.#world.server(id).start({ repair: true })
    this.up(id)
    await until(this.#world, `server ${id} votes again`, async () => {
      const status = await this.#world.status(id)
      return status !== null && status.life > 0 && ['follower', 'candidate', 'leader'].includes(status.role)
    })
    this.#lost.delete(id)
  }
}

/** Gives how many operations each disk had. */
async function play(crash?: Crash): Promise<number[]> {
  const { result } = await inWorld(OPTIONS, async (world) => {
    if (crash !== undefined) world.crashAt(crash.id, crash.operation, crash.powerLoss)
    const nurse = new Nurse(world)
    const nursing = nurse.watch()
    await Promise.race([nursing, script(world, nurse)])
    nurse.end()
    await nursing
    return ALL.map((id) => world.operations(id))
  })
  return result
}

async function script(world: SimWorld, nurse: Nurse): Promise<void> {
  const snapshot = (id: number): Promise<void> =>
    until(world, `server ${id} has a snapshot`, async () => (await world.server(id).snapshot()) === null)
  await serving(world)
  const client = world.client(ALL)
  await fill(client, 8)
  for (const id of ALL) await snapshot(id)
  await nurse.down(LAGGING)
  await fill(client, 12, 'w')
  await snapshot(MAKER)
  await snapshot(REPAIRED)
  nurse.up(LAGGING)
  await converged(world)
  await nurse.repair(REPAIRED)
  await fill(client, 4, 'x')
  await converged(world)
  await until(world, 'all are up', () => ALL.every((id) => world.standing(id) === 'up'))
  const entries = (await world.dump(REPAIRED))?.entries.length
  if (entries !== 12) throw new Error(`${entries} keys are there, not 12`)
}

t.test('the run has all in it that it should', async (t) => {
  const { lines } = await inWorld(OPTIONS, async (world) => {
    const nurse = new Nurse(world)
    const nursing = nurse.watch()
    await script(world, nurse)
    const [lagging, repaired] = [await world.status(LAGGING), await world.status(REPAIRED)]
    t.ok((lagging?.installed ?? 0) > 0, 'a snapshot was installed')
    t.ok((lagging?.collected ?? 0) > 0, 'the log was collected')
    t.equal(repaired?.life, 1)
    nurse.end()
    await nursing
  })
  for (const type of ['compacted', 'fetch', 'piece', 'askLife', 'tellLife', 'revive', 'revived'])
    t.ok(
      lines.some((line) => line.includes(` ${type} `)),
      type,
    )
})

t.test(
  'whichever operation of a disk a server is killed at, it comes back by itself, and has lost nothing',
  async (t) => {
    const operations = await play()
    const crashes = operations.flatMap((count, id) =>
      Array.from({ length: count }, (_, operation) =>
        [false, true].map((powerLoss): Crash => ({ id, operation, powerLoss })),
      ).flat(),
    )
    t.ok(crashes.length > 500, `${operations.join(', ')} operations`)
    const prng = new Prng(1)
    const chosen = crashes.filter(() => prng.float() * crashes.length < SAMPLE)
    for (const crash of chosen) {
      try {
        await play(crash)
      } catch (error) {
        t.fail(`${JSON.stringify(crash)}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    t.pass(`${chosen.length} of ${crashes.length} crashes were tried`)
  },
)
