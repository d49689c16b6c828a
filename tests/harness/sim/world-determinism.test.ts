/** The same options and deeds give the same trace, byte for byte. */
import { createHash } from 'node:crypto'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { SimWorld } from '@synod/harness/internal/sim/sim-world'
import { drawLimits, drawTiming } from '@synod/harness/internal/sim/drawn'
import t from 'tap'
import { converged, fill, idsOf, inWorld, serving } from './little-world.js'

/** A bit of everything. */
async function manyFaults(world: SimWorld): Promise<void> {
  await serving(world)
  const work = Promise.all(idsOf(world).map((id) => fill(world.client([id, (id + 1) % world.servers]), 12, `v${id}`)))
  const { links } = world
  const [first, second, third] = [world.server(0), world.server(1), world.server(2)]
  links.set(undefined, undefined, { drop: 0.05, duplicate: 0.1, reorder: 0.2, jitter: 5 })
  await world.sleep(50)
  await first.crash({ on: 'io', powerLoss: true })
  await second.pause()
  await third.clockJump(500)
  await world.sleep(300)
  await second.resume()
  await first.start()
  await third.slowDisk(10)
  await world.sleep(300)
  await second.fsyncError(false)
  await third.crash({ on: 'p2a' })
  links.partition([
    [0, 1],
    [1, 2],
    [3, 4],
  ])
  await world.sleep(500)
  links.heal()
  await first.clockRate(1.5)
  links.set(0, 1, { cloggedUntil: world.now() + 200, bytesPerSecond: 20_000 })
  await world.server(3).stop()
  await world.server(3).corrupt({ file: 'first', offset: 800 })
  await world.server(4).misdirect()
  await world.sleep(1_000)
  links.heal()
  for (const id of idsOf(world)) {
    await world.server(id).heal()
    await world.server(id).start()
  }
  await work
  await converged(world)
}

t.test('a run with many faults is the same each time, and another one with another seed', async (t) => {
  const play = (seed: number) => inWorld({ seed, servers: 5 }, manyFaults)
  const [first, again, other] = [await play(3), await play(3), await play(4)]
  t.strictSame(again.lines, first.lines)
  t.equal(again.world.digest, first.world.digest)
  t.equal(again.world.events, first.world.events)
  t.equal(again.world.now(), first.world.now())
  t.not(other.world.digest, first.world.digest)
  t.ok(first.world.faults >= 9)
  t.ok(first.world.crashes >= 1)
})

t.test('the digest is that of the trace', async (t) => {
  const { world, lines } = await inWorld({}, async (world) => {
    await serving(world)
  })
  const hash = createHash('sha256')
  for (const line of lines) hash.update(`${line}\n`)
  t.equal(world.digest, hash.digest('hex'))
})

t.test('what is not given is drawn by the seed, and told in the first line', async (t) => {
  const play = async (seed: number): Promise<string | undefined> => {
    const { lines } = await inWorld(
      { seed, limits: drawLimits(new Prng(seed)), timing: drawTiming(new Prng(seed), 0) },
      async (world) => {
        await serving(world)
      },
    )
    return lines[0]
  }
  const drawn = new Set<string | undefined>()
  for (let seed = 1; seed <= 10; seed++) {
    const first = await play(seed)
    t.equal(await play(seed), first)
    drawn.add(first?.replace(/seed \d+/, ''))
  }
  t.ok(drawn.size > 5, `${drawn.size} kinds`)
})
