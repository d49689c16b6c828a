/** The network of the simulated world, as `Links` orders it. */
import type { SimWorld } from '@synod/harness/internal/sim/sim-world'
import t from 'tap'
import { converged, fill, idsOf, inWorld, leading, serving, set, until } from './little-world.js'

/** How long an operation takes (ms). */
async function timed(world: SimWorld, leader: number): Promise<number> {
  const client = world.client([leader])
  await set(client, 'warm', 'up')
  const before = world.now()
  await set(client, 'a', String(before))
  const took = world.now() - before
  await client.close()
  return took
}

t.test('without faults an operation takes two trips between servers, and two to the client', async (t) => {
  await inWorld({ diskDelay: 0 }, async (world) => {
    const leader = await serving(world)
    t.equal(Math.round((await timed(world, leader)) * 10) / 10, 2)
  })
})

t.test('frames are delayed, one way or both', async (t) => {
  await inWorld({ diskDelay: 0 }, async (world) => {
    const leader = await serving(world)
    world.links.set(leader, undefined, { delay: 30 })
    t.equal(Math.round(await timed(world, leader)), 32)
    world.links.set(undefined, leader, { delay: 10 })
    t.equal(Math.round(await timed(world, leader)), 42)
    world.links.heal()
    t.equal(Math.round(await timed(world, leader)), 2)
  })
})

t.test('a leader whose frames reach nobody is replaced, although it hears the others', async (t) => {
  await inWorld({}, async (world) => {
    const leader = await serving(world)
    world.links.set(leader, undefined, { cut: true })
    await world.sleep(2_000)
    const other = await leading(world)
    t.not(other, leader)
    await fill(world.client([other]), 5)
    world.links.heal()
    await converged(world)
  })
})

t.test('in a minority nothing is decided; when it is healed, all are told', async (t) => {
  await inWorld({ servers: 5 }, async (world) => {
    const leader = await serving(world)
    const minority = [leader, (leader + 1) % 5]
    const majority = idsOf(world).filter((id) => !minority.includes(id))
    world.links.partition([minority, majority])
    await t.rejects(set(world.client([leader]), 'a', '1', 3_000), { code: 'TIMEOUT' })
    const other = await leading(world)
    t.ok(majority.includes(other))
    await fill(world.client(majority), 5)
    world.links.heal()
    await converged(world)
  })
})

t.test('new connections do not come about over a link that is cut', async (t) => {
  await inWorld({}, async (world) => {
    await serving(world)
    await world.server(0).crash({})
    world.links.set(1, 0, { cut: true })
    await world.server(0).start()
    await world.sleep(3_000)
    t.strictSame((await world.status(0))?.connected, [2])
    world.links.heal()
    await world.sleep(3_000)
    t.strictSame((await world.status(0))?.connected, [1, 2])
  })
})

t.test('frames that are lost, doubled and re-ordered change nothing', async (t) => {
  const { lines } = await inWorld({}, async (world) => {
    await serving(world)
    world.links.set(undefined, undefined, { drop: 0.2, duplicate: 0.3, reorder: 0.5, reorderBy: 80, jitter: 10 })
    await fill(world.client([0, 1, 2]), 30)
    world.links.heal()
    await converged(world)
    t.equal((await world.dump(0))?.entries.length, 30)
  })
  // Each line about messages ends with how many copies of the frame arrive.
  const copies = new Set(lines.filter((line) => / \d>\d .*p2/.test(line)).map((line) => line.split(' ').at(-1)))
  t.strictSame([...copies].sort(), ['0', '1', '2'])
})

t.test('a link that is clogged gives nothing out until it is free, and then all', async (t) => {
  await inWorld({}, async (world) => {
    const leader = await serving(world)
    const client = world.client([leader])
    await set(client, 'a', '1')
    world.links.set(leader, undefined, { cloggedUntil: world.now() + 60 })
    const before = world.now()
    await set(client, 'b', '2')
    const took = world.now() - before
    t.ok(took > 60 && took < 100, `${took} ms`)
  })
})

t.test('a link that is throttled takes its time for each byte', async (t) => {
  await inWorld({}, async (world) => {
    const leader = await serving(world)
    const client = world.client([leader])
    await set(client, 'a', '1')
    world.links.set(leader, undefined, { bytesPerSecond: 100_000 })
    const before = world.now()
    await set(client, 'b', 'x'.repeat(5_000))
    const took = world.now() - before
    t.ok(took > 50 && took < 70, `${took} ms`)
  })
})

t.test('when connections break, both ends ask at once who leads, are refused, and connect again', async (t) => {
  const { lines, result } = await inWorld({}, async (world) => {
    const leader = await serving(world)
    const client = world.client([leader])
    await set(client, 'a', '1')
    const other = (leader + 1) % 3
    const mark = world.now()
    world.sever(leader, other)
    await until(world, 'they are not connected', async () => !(await world.status(leader))?.connected.includes(other))
    await until(
      world,
      'they are connected',
      async () => (await world.status(leader))?.connected.includes(other) === true,
    )
    await set(client, 'a', '2')
    await world.sleep(500)
    t.equal(await leading(world), leader, 'nothing came of it')
    return { leader, other, mark }
  })
  const { leader, other, mark } = result
  const after = lines.filter((line) => Number.parseFloat(line) >= mark)
  t.ok(
    after.some((line) => new RegExp(`${other}>${leader} prescout|${other}>\\d prescout`).test(line)),
    'the follower asked',
  )
  t.notOk(
    after.some((line) => line.includes(' p1a')),
    'no ballot was raised',
  )
})

t.test('a leader that loses all connections at once is asked for, and leads on if it is there', async (t) => {
  await inWorld({}, async (world) => {
    const leader = await serving(world)
    for (const id of idsOf(world)) if (id !== leader) world.sever(leader, id)
    await set(world.client([leader]), 'a', '1')
    await converged(world)
    t.equal(typeof (await leading(world)), 'number')
  })
})
