/** Crashes in the simulated world: at once, and at the worst moment. */
import t from 'tap'
import { converged, fill, inWorld, leading, serving, set, until } from './little-world.js'

t.test('a server that crashes loses nothing that it voted for, with its power or without', async () => {
  for (const powerLoss of [false, true]) {
    await inWorld({}, async (world) => {
      const client = world.client([0, 1, 2])
      await serving(world)
      for (let round = 0; round < 4; round++) {
        await fill(client, 3, `round ${round}`)
        const leader = await leading(world)
        await world.server(leader).crash({ powerLoss })
        await fill(client, 2, `without ${leader}`)
        await world.server(leader).start()
        await converged(world)
      }
    })
  }
})

t.test('all servers may lose their power at once, also when they are down already', async (t) => {
  await inWorld({ diskDelay: 5 }, async (world) => {
    await serving(world)
    const client = world.client([0, 1, 2])
    await fill(client, 5)
    const call = set(client, 'late', 'w')
    await world.sleep(3)
    await world.server(0).crash({})
    t.equal(await world.server(0).crash({}), 'server 0 is down')
    t.equal(await world.server(0).crash({ powerLoss: true }), null)
    for (const id of [1, 2]) await world.server(id).crash({ powerLoss: true })
    for (const id of [0, 1, 2]) await world.server(id).start()
    await call
    await converged(world)
    t.equal(world.crashes, 3)
    t.equal((await world.dump(0))?.entries.length, 6)
  })
})

for (const on of ['p1a', 'p1b', 'p2a', 'p2b'] as const) {
  t.test(`a server crashes just after it sent a ${on}, and not before`, async (t) => {
    let victims: number[] = []
    const { lines } = await inWorld({ diskDelay: 5 }, async (world) => {
      const leader = await serving(world)
      const client = world.client([0, 1, 2])
      await fill(client, 2)
      await world.sleep(100) // what is under way arrives
      victims = on === 'p2a' ? [leader] : [0, 1, 2].filter((id) => id !== leader)
      for (const id of victims) t.equal(await world.server(id).crash({ on }), null)
      await world.sleep(500)
      for (const id of victims) t.equal(world.standing(id), 'up', 'an idle cluster sends no such thing')
      if (on === 'p1a' || on === 'p1b') await world.server(leader).crash({})
      const call = set(client, 'a', '1')
      await until(world, 'one has crashed', () => victims.some((id) => world.standing(id) === 'down'))
      for (const id of [0, 1, 2]) await world.server(id).heal()
      for (const id of [0, 1, 2]) await world.server(id).start()
      await call
      await converged(world)
    })
    const isCrash = (line: string): boolean => victims.some((id) => line.endsWith(` crash ${id}`))
    const crash = lines.findIndex(isCrash)
    const victim = lines[crash]?.at(-1) ?? ''
    const sent = lines.slice(0, crash).findLast((line) => line.includes(` ${victim}>`) && line.includes(` ${on}`))
    const passed = Number(lines[crash]?.split(' ')[0]) - Number(sent?.split(' ')[0])
    t.ok(passed >= 0 && passed <= 20, `${passed} ms later`)
  })
}

t.test('a server crashes at its next disk operation, whatever that leaves behind; a heal calls it off', async (t) => {
  const outputs = new Set<string>()
  for (let seed = 1; seed <= 30; seed++) {
    await inWorld({ seed }, async (world) => {
      const leader = await serving(world)
      const client = world.client([0, 1, 2])
      await fill(client, 3)
      const other = (leader + 1) % 3
      await world.server(other).crash({ on: 'io' })
      await world.server(other).heal()
      await fill(client, 1)
      t.equal(world.standing(other), 'up')
      await world.server(leader).crash({ on: 'io', powerLoss: seed % 2 === 0 })
      await fill(client, 2, 'w')
      t.equal(world.standing(leader), 'down')
      await world.server(leader).start()
      await converged(world)
      outputs.add(world.output(leader).replace(/\d+/g, 'N'))
    })
  }
  const torn = [...outputs].find((output) => output.includes('the last write was torn off'))
  t.ok(torn !== undefined, 'some of them tear a write, which is said and cut off')
})
