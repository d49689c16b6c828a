/** What a disk can do to a server of a running cluster: each fault has its stated outcome. */
import { DEFAULT_LIMITS } from '@synod/paxos/internal/protocol/config'
import type { SimWorld } from '@synod/harness/internal/sim/sim-world'
import type { WorldClient } from '@synod/harness/internal/world/world'
import t from 'tap'
import { converged, fill, idsOf, inWorld, leading, serving, set, until } from './little-world.js'

/** A cluster that has something in it, and a follower of it. */
async function begun(world: SimWorld): Promise<{ victim: number; client: WorldClient }> {
  const leader = await serving(world)
  const victim = (leader + 1) % 3
  const client = world.client([0, 1, 2])
  await fill(client, 10)
  return { victim, client }
}

/** The others go on without the server that ended. */
async function endedAlone(world: SimWorld, victim: number, client: WorldClient): Promise<void> {
  await until(world, 'it has ended', () => world.standing(victim) === 'ended')
  await fill(client, 5, 'w')
  await converged(world)
}

for (const [what, place, says] of [
  ['a bit that flips in the middle of the log', { file: '00000001.paxos', offset: 520 }, /00000001.paxos is damaged/],
  ['a bit that flips in the header of a file', { file: 'first', offset: 3 }, /does not begin as a log file does/],
] as const) {
  t.test(`${what}: the server refuses to start, and says where`, async (t) => {
    await inWorld({}, async (world) => {
      const { victim, client } = await begun(world)
      await world.server(victim).stop()
      t.equal(await world.server(victim).corrupt(place), null)
      await world.server(victim).start()
      await endedAlone(world, victim, client)
      t.match(world.output(victim), says)
      t.equal(await world.server(victim).start(), null)
      await until(world, 'it has ended again', () => world.standing(victim) === 'ended')
    })
  })
}

t.test('a bit that flips under a server that runs: it is found at the next start', async (t) => {
  await inWorld({}, async (world) => {
    const { victim, client } = await begun(world)
    t.equal(await world.server(victim).corrupt({ file: 'first', offset: 530 }), null)
    await fill(client, 5)
    t.equal(world.standing(victim), 'up')
    await world.server(victim).crash({})
    await world.server(victim).start()
    await endedAlone(world, victim, client)
    t.match(world.output(victim), /is damaged \(byte \d+\), in what was durable once/)
  })
})

t.test('damage that looks like a torn write: no server could know, so the world keeps it down', async (t) => {
  const outcomes = { condemned: 0, whole: 0 }
  for (let seed = 1; seed <= 20; seed++) {
    await inWorld({ seed }, async (world) => {
      const { victim, client } = await begun(world)
      await set(client, 'last', 'x'.repeat(200))
      await world.server(victim).crash({}) // before the last write is sealed
      t.equal(await world.server(victim).corrupt({ tail: 1 }), null)
      await world.server(victim).start()
      await world.sleep(1_000)
      if (world.standing(victim) === 'ended') {
        outcomes.condemned++
        t.match(world.output(victim), /must stay down: damage that looks like a torn write took /)
        t.match(await world.server(victim).start(), /must stay down/)
      } else outcomes.whole++ // what was damaged had not been durable
      await fill(client, 2)
      await converged(world)
    })
  }
  t.ok(outcomes.condemned > 0, JSON.stringify(outcomes))
})

t.test('a log whose end is cut off behind the last seal is whole', async (t) => {
  await inWorld({}, async (world) => {
    const { victim, client } = await begun(world)
    await world.server(victim).stop()
    t.equal(await world.server(victim).truncate(undefined, 3), null)
    t.match(await world.server(victim).truncate(undefined, 1e9), /has only \d+ bytes written/)
    await world.server(victim).start()
    await fill(client, 2)
    await converged(world)
    t.equal(world.standing(victim), 'up')
    t.match(world.output(victim), /the last write was torn off/)
  })
})

t.test('a log that is cut off further up has lost votes: the server must not go on', async (t) => {
  await inWorld({}, async (world) => {
    const { victim, client } = await begun(world)
    await world.server(victim).stop()
    t.equal(await world.server(victim).truncate('last', 3_000), null)
    await world.server(victim).start()
    await endedAlone(world, victim, client)
    t.match(world.output(victim), /must stay down/)
  })
})

t.test('a write that goes astray is found at the next start', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    await inWorld({ seed }, async (world) => {
      const { victim, client } = await begun(world)
      t.equal(await world.server(victim).misdirect(), null)
      await fill(client, 10)
      t.equal(world.standing(victim), 'up', 'it was told that all is well')
      await world.server(victim).stop()
      await world.server(victim).start()
      await endedAlone(world, victim, client)
      t.match(world.output(victim), /is damaged|goes on with an older batch/)
    })
  }
})

t.test('a wiped server refuses to serve: it does not know what it voted for', async (t) => {
  await inWorld({}, async (world) => {
    const { victim, client } = await begun(world)
    await world.server(victim).crash({})
    t.equal(await world.server(victim).wipe(), null)
    await world.server(victim).start()
    await endedAlone(world, victim, client)
    t.match(world.output(victim), /is empty, but server \d says that cluster [0-9a-f]+ is formed/)
  })
})

t.test('a write or a sync that fails ends the server; with a sound disk it comes back', async (t) => {
  const said = new Set<string>()
  for (let seed = 1; seed <= 8; seed++) {
    await inWorld({ seed }, async (world) => {
      const { victim, client } = await begun(world)
      t.equal(await world.server(victim).fsyncError(false), null)
      await endedAlone(world, victim, client)
      t.match(world.output(victim), /failed \(EIO: (write|sync)/)
      said.add(/EIO: (\w+)/.exec(world.output(victim))?.[1] ?? '')
      await world.server(victim).start()
      await converged(world)
      t.equal(world.standing(victim), 'up')
    })
  }
  t.strictSame([...said].sort(), ['sync', 'write'])
})

t.test('while a disk fails for good, its server does not even start', async (t) => {
  await inWorld({}, async (world) => {
    const { victim, client } = await begun(world)
    await world.server(victim).fsyncError(true)
    await endedAlone(world, victim, client)
    await world.server(victim).start()
    await until(world, 'it has ended again', () => world.standing(victim) === 'ended')
    await world.server(victim).heal()
    await world.server(victim).start()
    await converged(world)
    t.equal(world.standing(victim), 'up')
  })
})

t.test('a leader with a full disk makes way, loses nothing, and goes on when there is room', async (t) => {
  await inWorld({}, async (world) => {
    const leader = await serving(world)
    const client = world.client([0, 1, 2])
    await fill(client, 5)
    t.equal(await world.server(leader).diskFull(0), null)
    await fill(client, 30, 'x'.repeat(500))
    t.match(world.output(leader), /the disk is full/)
    t.not(await leading(world), leader)
    t.equal(world.standing(leader), 'up')
    await world.server(leader).heal()
    await converged(world)
    t.match(world.output(leader), /the disk has room again/)
  })
})

t.test('a slow disk makes its cluster no slower than its majority; healed, it is as before', async (t) => {
  await inWorld({}, async (world) => {
    const { victim, client } = await begun(world)
    const time = async (): Promise<number> => {
      const before = world.now()
      await set(client, 'a', String(before))
      return world.now() - before
    }
    await world.server(victim).slowDisk(300)
    t.ok((await time()) < 100)
    const others = [0, 1, 2].filter((id) => id !== victim)
    for (const id of others) await world.server(id).slowDisk(300)
    t.ok((await time()) >= 300)
    for (const id of [0, 1, 2]) await world.server(id).heal()
    await world.sleep(1_000) // what is under way is slow still
    t.ok((await time()) < 100)
    await converged(world)
  })
})

t.test('whose snapshot is damaged may get an older one, and the rest slot by slot, and be started again', async (t) => {
  const log = { fileBytes: 4_096, reserveBytes: 1_024 } // what is collected goes
  await inWorld({ limits: { ...DEFAULT_LIMITS, tailCommands: 4 }, log }, async (world) => {
    const leader = await serving(world)
    const [last = -1, ...rest] = idsOf(world).filter((id) => id !== leader)
    const client = world.client([leader])
    await fill(client, 20)
    for (const id of [leader, ...rest]) t.equal(await world.server(id).snapshot(), null)
    await fill(client, 2)
    await converged(world)
    t.equal(await world.server(last).snapshot(), null)
    await world.server(last).stop()
    t.equal(await world.server(last).corrupt({ file: 'snapshot', offset: 46 }), null)
    await world.server(last).start()
    await until(world, 'it got another one', async () => (await world.status(last))?.installed === 1)
    await converged(world)
    const [own, peers] = await Promise.all([world.status(last), world.status(leader)])
    t.ok((own?.snapshot.slot ?? 0) === peers?.snapshot.slot && (own?.collected ?? 0) > (own?.snapshot.slot ?? 0))
    await world.server(last).crash({})
    await world.server(last).start()
    await converged(world)
  })
})
