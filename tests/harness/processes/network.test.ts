/** Faults of the network between real servers. */
import { performance } from 'node:perf_hooks'
import t from 'tap'
import { until } from '../../support/cluster.js'
import { converged, get, ids, leaderOf, set, start } from './worlds.js'

t.setTimeout(120_000)

const world = await start(t)
const all = ids(world)
const client = world.client(all)

t.test(
  'a leader that is cut off is replaced by the others, and follows them when the partition is healed',
  async (t) => {
    const leader = await leaderOf(world, all)
    const others = all.filter((id) => id !== leader)
    const [pinned, free] = [world.client([leader]), world.client(others)]
    await set(pinned, 'a', 'before')
    world.links.partition([[leader], others])
    await t.rejects(set(pinned, 'a', 'lost?', 1_500), { name: 'ClientError', mayHaveHappened: true })
    await leaderOf(world, others)
    await set(free, 'a', 'after')
    world.links.heal()
    await leaderOf(world, all)
    await set(free, 'b', 'after')
    t.equal(await get(pinned, 'b'), 'after')
    const [first, ...rest] = await converged(world)
    for (const state of rest) t.strictSame(state, first)
  },
)

t.test('a leader that hears nobody makes way, though all hear it', async (t) => {
  const leader = await leaderOf(world, all)
  const others = all.filter((id) => id !== leader)
  world.links.set(undefined, leader, { cut: true })
  const next = await leaderOf(world, others)
  t.not(next, leader)
  await set(world.client(others), 'c', 'one way')
  world.links.heal()
  await leaderOf(world, all)
  t.equal(await get(client, 'c'), 'one way')
})

t.test('with every fifth frame lost, doubled or late, commands go on, and all converge', async (t) => {
  world.links.set(undefined, undefined, { drop: 0.2, duplicate: 0.2, reorder: 0.2, reorderBy: 20, jitter: 3 })
  await Promise.all(Array.from({ length: 50 }, (_, number) => set(client, `key ${number}`, 'there')))
  world.links.heal()
  const [first, ...rest] = await converged(world)
  t.equal((first as unknown[]).length, 53)
  for (const state of rest) t.strictSame(state, first)
})

t.test('a throttled network is slow, and works', async (t) => {
  world.links.set(undefined, undefined, { bytesPerSecond: 300_000 })
  const began = performance.now()
  await set(client, 'large', 'x'.repeat(30_000))
  t.ok(performance.now() - began >= 99, 'the way to one follower takes so long')
  world.links.heal()
  t.equal(((await get(client, 'large')) as string).length, 30_000)
  await converged(world)
})

t.test('connections that are broken are made again, and clients keep theirs', async (t) => {
  const leader = await leaderOf(world, all)
  const other = (leader + 1) % all.length
  const pinned = world.client([leader])
  await set(pinned, 'd', '1')
  const connected = async (): Promise<boolean> =>
    (await world.status(leader, 1_000))?.connected.includes(other) === true
  t.ok(await connected())
  world.links.set(leader, other, { cut: true }) // so that they cannot dial at once
  world.sever(leader, other)
  await until('they are not connected', async () => !(await connected()), { patience: 2_000 })
  await set(pinned, 'd', '2', 1_500)
  world.links.heal()
  await until('they are connected', connected)
  const [first, ...rest] = await converged(world)
  for (const state of rest) t.strictSame(state, first)
})
