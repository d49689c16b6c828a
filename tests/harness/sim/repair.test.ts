/** A server that lost its memory is repaired; and what it had said before it lost it must not count beside what it says later. */
import type { SimWorld } from '@synod/harness/internal/sim/sim-world'
import type { WorldClient } from '@synod/harness/internal/world/world'
import t from 'tap'
import type { Test } from 'tap'
import { converged, fill, idsOf, inWorld, leaderOf, serving, set, until } from './little-world.js'

/** Patient enough that a server can be held up for a second. */
const TIMING = { heartbeat: 20, election: 300, resend: 60, sessionTtl: 3_600_000, lease: 0, drift: 0 }

async function isRepaired(world: SimWorld, id: number, life = 1): Promise<void> {
  await until(world, `server ${id} is repaired`, async () => {
    const status = await world.status(id)
    return status?.life === life && status.role !== 'repairing'
  })
}

for (const powerLoss of [false, true]) {
  t.test(
    `a server that was wiped ${powerLoss ? 'with its power' : ''} is repaired, and takes part again`,
    async (t) => {
      await inWorld({}, async (world) => {
        const leader = await serving(world)
        const client = world.client([0, 1, 2])
        await fill(client, 10)
        const [victim = 0, other = 0] = [0, 1, 2].filter((id) => id !== leader)
        await world.server(victim).crash({ powerLoss })
        t.equal(await world.server(victim).wipe(), null)
        t.match(await world.server(other).wipe(), /server \d runs|more than a minority .* server \d is damaged already/)
        t.equal(await world.server(victim).start({ repair: true }), null)
        await isRepaired(world, victim)
        await world.server(leader).crash({})
        await fill(client, 5, 'w')
        await world.server(leader).start()
        await converged(world)
        t.equal((await world.dump(victim))?.entries.length, 10)
      })
    },
  )
}

t.test('all servers are wiped and repaired, one after the other; no two at a time', async (t) => {
  await inWorld({ snapshots: { minBytes: 4_000, multiple: 1 } }, async (world) => {
    await serving(world)
    const client = world.client([0, 1, 2])
    for (const id of idsOf(world)) {
      await fill(client, 10, `before ${id}`)
      await world.server(id).crash({})
      t.equal(await world.server(id).wipe(), null)
      await world.server((id + 1) % 3).crash({})
      t.match(await world.server((id + 1) % 3).wipe(), /more than a minority .*: server \d is damaged already/)
      await world.server((id + 1) % 3).start()
      await world.server(id).start({ repair: true })
      await isRepaired(world, id)
    }
    await converged(world)
    t.equal((await world.dump(0))?.entries.length, 10)
  })
})

t.test('a repair that is interrupted goes on by itself, and takes no life twice', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    await inWorld({ seed }, async (world) => {
      const leader = await serving(world)
      const client = world.client([0, 1, 2])
      await fill(client, 5)
      const victim = (leader + 1) % 3
      await world.server(victim).crash({})
      await world.server(victim).wipe()
      for (let time = 0; time < 3; time++) {
        const repair = (await world.server(victim).start({ repair: true })) === null
        await world.server(victim).crash({ on: time % 2 === 0 ? 'io' : 'revive', powerLoss: seed % 2 === 0 })
        await world.sleep(100 + seed)
        await world.server(victim).crash({})
        t.ok(repair)
      }
      await world.server(victim).heal()
      await world.server(victim).start({ repair: true })
      await world.sleep(500)
      // It had been repaired by then: its directory is whole.
      if (world.standing(victim) === 'ended') await world.server(victim).start()
      await until(world, 'it votes', async () => ((await world.status(victim))?.life ?? 0) > 0)
      await converged(world)
    })
  }
})

t.test('a wiped server that is started without --repair refuses; with it, it is repaired all the same', async (t) => {
  await inWorld({}, async (world) => {
    await serving(world)
    await fill(world.client([0, 1, 2]), 5)
    await world.server(2).crash({})
    await world.server(2).wipe()
    await world.server(2).start()
    await until(world, 'it has ended', () => world.standing(2) === 'ended')
    await world.server(2).start({ repair: true })
    await isRepaired(world, 2)
    await converged(world)
    await world.server(2).stop()
    await world.server(2).start({ repair: true })
    await until(world, 'it has ended', () => world.standing(2) === 'ended')
    t.match(world.output(2), /whole: start it without --repair/)
    await world.server(2).start()
    await converged(world)
  })
})

/** Five servers; 4 has the highest ballots of a round, and 0 is the one that is wiped. */
const [WIPED, RIVAL] = [0, 4]
const OTHERS = [1, 2, 3]

interface Play {
  readonly world: SimWorld
  readonly client: WorldClient
  /** Calls as soon as such a line is traced. */
  readonly when: (pattern: RegExp, call: () => void) => void
}

async function inPlay(body: (play: Play) => Promise<void>): Promise<void> {
  const waiting = new Set<{ pattern: RegExp; call: () => void }>()
  const trace = (line: string): void => {
    for (const each of [...waiting]) {
      if (!each.pattern.test(line) || !waiting.delete(each)) continue
      each.call()
    }
  }
  await inWorld({ servers: 5, timing: TIMING, seed: 3, trace }, async (world) => {
    const client = world.client(idsOf(world))
    const when = (pattern: RegExp, call: () => void): void => void waiting.add({ pattern, call })
    await body({ world, client, when })
  })
}

/** What 4 sends reaches 0 alone. */
function onlyToTheWiped(world: SimWorld): void {
  for (const id of OTHERS) world.links.set(RIVAL, id, { cut: true })
}

/** 4 stands still, with the answer of 0 unread. Its clock is slow, so that it is not impatient afterwards. */
function holdUp(world: SimWorld): void {
  void world.server(RIVAL).clockRate(0.01)
  void world.server(RIVAL).pause()
}

/** 0 is wiped and repaired by 1, 2 and 3; then these decide something with 0, and without 3. */
async function forgetAndDecide({ world, client }: Play): Promise<void> {
  await world.server(WIPED).crash({})
  await world.server(WIPED).wipe()
  for (const id of OTHERS) if (world.standing(id) === 'down') await world.server(id).start()
  await world.server(WIPED).start({ repair: true })
  await isRepaired(world, WIPED)
  world.links.partition([[0, 1, 2], [3], [4]])
  await until(world, 'one of 0, 1 and 2 leads', async () => {
    const all = await Promise.all([0, 1, 2].map((id) => world.status(id)))
    return all.some((status) => status?.role === 'leader' && all.every((other) => other?.leader === status.id))
  })
  await set(client, 'key', 'of 0, 1 and 2')
  world.links.partition([
    [0, 1, 2],
    [3, 4],
  ])
}

/** 4 goes on, and reaches 3, which knows that 0 was repaired. It must not take that for a majority. */
async function goOn(t: Test, { world, client }: Play): Promise<void> {
  const pinned = world.client([RIVAL])
  void set(pinned, 'key', 'of 4').catch(() => undefined)
  await world.server(RIVAL).resume()
  await world.sleep(150)
  await world.server(RIVAL).clockRate(1)
  await world.sleep(1_000)
  t.not((await world.status(RIVAL))?.role, 'leader')
  t.strictSame(await client.submit({ type: 'get', key: 'key' }, 30_000), { value: 'of 0, 1 and 2' })
  world.links.heal()
  await converged(world)
}

t.test('a promise of a former life does not count beside those that know of the new one', async (t) => {
  await inPlay(async (play) => {
    const { world, when, client } = play
    for (const id of idsOf(world)) await world.server(id).start()
    await until(world, 'one of 1, 2 and 3 leads', async () => {
      const leader = await leaderOf(world)
      if (leader === WIPED || leader === RIVAL) await world.server(leader).crash({})
      if (leader === WIPED || leader === RIVAL) await world.server(leader).start()
      return leader !== null && OTHERS.includes(leader)
    })
    await fill(client, 3)
    const leader = (await leaderOf(world)) ?? 1
    // 4 is the first to find out that nobody leads; its scout reaches 0 alone.
    when(/ [0-3]>4 .*prescoutReply/, () => onlyToTheWiped(world))
    when(/ 0>4 .*p1b/, () => holdUp(world))
    await world.server(leader).pause() // whose connections break would be missed by all at once
    await world.sleep(305)
    await world.server(RIVAL).clockJump(400)
    await until(world, 'server 4 is held up', () => world.standing(RIVAL) === 'paused')
    await world.server(leader).crash({})
    await forgetAndDecide(play)
    await goOn(t, play)
  })
})

t.test('a vote of a former life does not count beside those that know of the new one', async (t) => {
  await inPlay(async (play) => {
    const { world, when, client } = play
    for (const id of idsOf(world)) await world.server(id).start()
    await until(world, 'server 4 leads', async () => {
      const leader = await leaderOf(world)
      if (leader !== null && leader !== RIVAL) await world.server(leader).crash({})
      if (leader !== null && leader !== RIVAL) await world.server(leader).start()
      return leader === RIVAL
    })
    await fill(client, 3)
    // It proposes something that only 0 hears of.
    onlyToTheWiped(world)
    when(/ 0>4 .*p2b/, () => holdUp(world))
    const pinned = world.client([RIVAL])
    void set(pinned, 'key', 'of 4, at first').catch(() => undefined)
    await until(world, 'server 4 is held up', () => world.standing(RIVAL) === 'paused')
    await forgetAndDecide(play)
    await goOn(t, play)
  })
})
