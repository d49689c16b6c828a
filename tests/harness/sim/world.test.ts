/** The simulated world: servers that start and stop, clients, and what breaks it. */
import { defineService } from '@synod/paxos'
import { SimWorld } from '@synod/harness/internal/sim/sim-world'
import { kvstore } from '@synod/kvstore'
import { chatroom } from '@synod/chatroom'
import t from 'tap'
import { z } from 'zod'
import { converged, fill, idsOf, inWorld, leading, serving, set, until } from './little-world.js'

t.test('a cluster forms, serves, and comes to one state, in its own time', async (t) => {
  const began = performance.now()
  const { world } = await inWorld({}, async (world) => {
    await serving(world)
    const client = world.client([0, 1, 2])
    t.strictSame(await set(client, 'a', '1'), { existed: false })
    t.strictSame(await client.submit({ type: 'get', key: 'a' }, 1_000), { value: '1' })
    await client.close()
    await until(world, 'the end of the session is decided', () => world.slots === 3) // the read has none
    await converged(world)
    for (const id of idsOf(world)) {
      t.strictSame((await world.dump(id))?.entries, [['a', '1']])
      t.match(await world.status(id), { id, applied: 3, sessions: 0 })
    }
    await world.sleep(60_000)
  })
  t.ok(world.now() > 60_000)
  t.ok(performance.now() - began < 30_000)
  t.equal(world.slots, 3)
  t.ok(world.events > 1_000)
})

t.test('it plays any service', async (t) => {
  await inWorld({ service: chatroom, servers: 5 }, async (world) => {
    await serving(world)
    const client = world.client([3])
    const post = { type: 'post', room: 'lobby', author: 'me', key: '0'.repeat(32), text: 'hello', at: 0 }
    t.match(await client.submit(post, 5_000), { number: 1 })
    t.match(await client.submit({ type: 'read', room: 'lobby', limit: 1 }, 5_000), { last: 1 })
  })
})

t.test('a server that is down or paused says nothing, and says why it cannot be told', async (t) => {
  await inWorld({}, async (world) => {
    const server = world.server(0)
    t.equal(world.standing(0), 'down')
    t.equal(await world.status(0), null)
    for (const refused of [server.stop(), server.crash({}), server.pause(), server.clockJump(5)])
      t.equal(await refused, 'server 0 is down')
    t.equal(await server.resume(), 'server 0 is not paused')
    t.equal(await server.corrupt({}), 'server 0 has no log')
    await serving(world)
    t.equal(world.standing(0), 'up')
    t.equal(await server.start(), 'server 0 is up already')
    t.match(await server.wipe(), /^server 0 runs/)
    t.equal(await server.pause(), null)
    t.equal(world.standing(0), 'paused')
    t.equal(await world.status(0), null)
    t.equal(await world.dump(0), null)
    t.equal(await server.start(), 'server 0 is paused already')
    t.equal(await server.resume(), null)
    t.equal(await server.crash({}), null)
    t.equal(world.standing(0), 'down')
    t.equal(await world.dump(0), null)
  })
})

t.test('a client that vanishes says nothing more: its calls and feeds fail, and its session lasts', async (t) => {
  const timing = { heartbeat: 20, election: 100, resend: 60, sessionTtl: 5_000, lease: 0, drift: 0 }
  await inWorld({ timing }, async (world) => {
    await serving(world)
    const client = world.client([0])
    const feed = client.subscribe('now')
    await set(client, 'a', '1')
    await world.server(0).pause() // so that the next one is under way
    const call = set(client, 'b', '2')
    const event = feed[Symbol.asyncIterator]()
    t.match(await event.next(), { value: { value: { type: 'set', key: 'a' } } })
    const next = event.next()
    await world.sleep(10)
    void client.vanish()
    await t.rejects(call, { code: 'CLOSED', mayHaveHappened: true })
    await t.rejects(next, { code: 'CLOSED' })
    await world.server(0).resume()
    await world.sleep(3_000)
    t.match(await world.status(1), { sessions: 1 }, 'nobody said farewell')
    await until(world, 'the session is given up', async () => (await world.status(1))?.sessions === 0)
    t.ok(world.now() > 5_000)
  })
})

t.test('a client that takes its leave ends its session at once', async (t) => {
  await inWorld({}, async (world) => {
    await serving(world)
    const client = world.client([0])
    await set(client, 'a', '1')
    t.match(await world.status(0), { sessions: 1 })
    await client.close()
    const began = world.now()
    await until(world, 'the session has ended', async () => (await world.status(0))?.sessions === 0)
    t.ok(world.now() - began < 1_000)
  })
})

t.test('a server that is asked to stop seals its log, and comes back with it', async (t) => {
  await inWorld({}, async (world) => {
    const leader = await serving(world)
    const client = world.client([0, 1, 2])
    await fill(client, 3)
    t.equal(await world.server(leader).stop(), null)
    t.equal(world.standing(leader), 'down')
    await fill(client, 3, 'w')
    t.equal(await world.server(leader).start(), null)
    await converged(world)
    t.equal(world.standing(leader), 'up')
    t.equal(world.output(leader), '')
  })
})

t.test('a client knows only the servers that it was told of', async (t) => {
  await inWorld({}, async (world) => {
    const leader = await serving(world)
    const pinned = world.client([(leader + 1) % 3])
    await set(pinned, 'a', '1')
    await world.server((leader + 1) % 3).crash({})
    await world.sleep(10) // the client finds its connection closed
    await t.rejects(set(pinned, 'a', '2', 5_000), { code: 'UNAVAILABLE' })
    const free = world.client([(leader + 1) % 3, leader])
    await set(free, 'a', '3')
  })
})

t.test('calls of a client that is closed fail', async (t) => {
  await inWorld({}, async (world) => {
    const client = world.client([0])
    const call = t.rejects(set(client, 'a', '1'), { code: 'CLOSED' })
    await world.sleep(100)
    await client.close()
    await call
  })
})

t.test('a run that does not end in time is ended, and so is one in which nothing happens any more', async (t) => {
  const world = new SimWorld({ service: kvstore, servers: 3, seed: 1 })
  await t.rejects(world.driveTo(world.sleep(1_000), 500), { message: 'not over after 500 ms of virtual time' })
  await t.rejects(world.driveTo(new Promise(() => undefined), Infinity), { message: /^not over/ })
  await world.close()
})

const op = z.object({ by: z.number() })
const state = (execute: (by: number, id: number) => number) => {
  let made = 0
  return () => {
    const id = made++
    return {
      execute: (_slot: number, command: { readonly op: { readonly by: number } }) => execute(command.op.by, id),
      *snapshot() {
        yield id
      },
      restore: () => undefined,
    }
  }
}

t.test('a server whose state comes to something else breaks the world', async (t) => {
  const fickle = defineService({ name: 'fickle', op, state: state((by, id) => by + (id === 2 ? 1 : 0)) })
  const played = inWorld({ service: fickle }, async (world) => {
    await serving(world)
    await world.client([0, 1, 2]).submit({ by: 1 }, 10_000)
    await world.sleep(10_000)
  })
  await t.rejects(played, { name: 'Violation', message: /^R3: the state of server 1 made something else of slot 2/ })
})

t.test('a service that fails breaks the world, and says where', async (t) => {
  const faulty = defineService({
    name: 'faulty',
    op,
    state: state((by) => {
      if (by > 1) throw new TypeError('a bug')
      return by
    }),
  })
  const played = inWorld({ service: faulty }, async (world) => {
    await serving(world)
    const client = world.client([0, 1, 2])
    await client.submit({ by: 1 }, 10_000)
    await client.submit({ by: 2 }, 10_000)
  })
  await t.rejects(played, { code: 'STATE_FAILED', message: /slot 3: a bug/ })
})

t.test('a server that was paused for long goes on as if nothing had been, and is told better', async (t) => {
  await inWorld({}, async (world) => {
    const leader = await serving(world)
    const client = world.client([0, 1, 2].filter((id) => id !== leader))
    await fill(client, 2)
    await world.server(leader).pause()
    t.equal(await world.status(leader), null)
    const other = await leading(world)
    t.not(other, leader)
    await fill(client, 5, 'w')
    await world.sleep(10_000)
    await world.server(leader).resume()
    await converged(world)
    t.equal(world.standing(leader), 'up')
  })
})

t.test('a server can be killed, and stopped, while it is paused', async (t) => {
  await inWorld({}, async (world) => {
    await serving(world)
    await world.server(0).pause()
    t.equal(await world.server(0).crash({ powerLoss: true }), null)
    t.equal(world.standing(0), 'down')
    await world.server(1).pause()
    t.equal(await world.server(1).stop(), null)
    t.equal(world.standing(1), 'down')
    for (const id of [0, 1]) await world.server(id).start()
    await converged(world)
    t.equal(world.crashes, 1)
  })
})

t.test('while a server is paused its disk finishes what it was given, and nothing of it is heard', async (t) => {
  let other = 0
  const { lines } = await inWorld({ diskDelay: 50 }, async (world) => {
    const leader = await serving(world)
    other = [0, 1, 2].find((id) => id !== leader) ?? 0
    const client = world.client([leader])
    await set(client, 'a', '1')
    const call = set(client, 'b', '2')
    await world.sleep(5) // the p2a is there, and is being written
    await world.server(other).pause()
    await world.sleep(2_000)
    await call
    await world.server(other).resume()
    await converged(world)
  })
  const from = lines.findIndex((line) => line.endsWith(` pause ${other}`))
  const to = lines.findIndex((line) => line.endsWith(` resume ${other}`))
  const sent = lines.map((line, place) => ({ place, isOthers: line.includes(` ${other}>`) && line.includes('p2b') }))
  t.strictSame(
    sent.filter(({ place, isOthers }) => isOthers && place > from && place < to),
    [],
  )
  t.ok(
    sent.some(({ place, isOthers }) => isOthers && place > to),
    'its vote left when it went on',
  )
})

for (const [what, ms] of [
  ['an hour ahead', 3_600_000],
  ['a second ahead', 1_000],
  ['a second back', -1_000],
] as const) {
  t.test(`a clock that jumps ${what}, of the leader's or another, changes nothing that was acknowledged`, async () => {
    await inWorld({}, async (world) => {
      const leader = await serving(world)
      const client = world.client([0, 1, 2])
      for (const id of [leader, (leader + 1) % 3]) {
        await fill(client, 3, `before ${id}`)
        await world.server(id).clockJump(ms)
        await fill(client, 3, `after ${id}`)
        await world.sleep(2_000)
      }
      await converged(world)
    })
  })
}

for (const rate of [0.1, 10]) {
  t.test(
    `a clock that runs ${rate} times as fast keeps nobody from serving, until it is healed and after`,
    async (t) => {
      const { lines } = await inWorld({}, async (world) => {
        const leader = await serving(world)
        const client = world.client([0, 1, 2])
        await world.server(leader).clockRate(rate)
        await fill(client, 5)
        const before = (await world.status(leader))?.uptimeMs ?? 0
        await world.sleep(1_000)
        const passed = ((await world.status(leader))?.uptimeMs ?? 0) - before
        t.equal(Math.round(passed), 1_000 * rate)
        await world.server(leader).crash({})
        await world.server(leader).start()
        await until(world, 'it is back', async () => (await world.status(leader)) !== null)
        await world.server(leader).heal()
        await fill(client, 5, 'w')
        await converged(world)
      })
      t.ok(lines.some((line) => line.includes(`clock runs ${rate} times as fast`)))
    },
  )
}
