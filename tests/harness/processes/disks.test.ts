/** Disks and clocks of real servers that fail, fill up, lag, rot and jump. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClientError } from '@synod/paxos'
import t from 'tap'
import type { ProcessWorld } from '@synod/harness/internal/processes/process-world'
import type { Place, WorldClient } from '@synod/harness/internal/world/world'
import { until } from '../../support/cluster.js'
import type { Owner } from '../../support/cluster.js'
import { converged, ended, get, leaderOf, prepare, set, start } from './worlds.js'

t.setTimeout(120_000)

const ALL = [0, 1, 2]

/** A value that fills the room which a log has reserved, sooner or later. */
const LARGE = 'x'.repeat(100_000)

t.test(
  'a failed fsync ends the server, with a sentence; the others go on, and so does it after a new start',
  async (t) => {
    const world = await start(t)
    const client = world.client(ALL)
    for (const always of [false, true]) {
      t.equal(await world.server(1).fsyncError(always), null)
      await set(client, 'a', `${always}`)
      await ended(world, 1)
      t.match(world.output(1), /kvstore-server: writing 00000001\.paxos in \S+ failed \(EIO: [^\n]+start again\n/)
      t.match(world.output(1), /ended by itself \(exit code 1\)/)
      if (always) {
        t.equal(await world.server(1).start(), null)
        await ended(world, 1)
        t.equal(await world.server(1).heal(), null, 'the disk is bad until it is healed, whoever uses it')
      }
      t.equal(await world.server(1).start(), null)
      await converged(world)
    }
    t.equal(await get(world.client([1]), 'a'), 'true')
  },
)

/** Writes until the server says that its disk is full; gives the keys whose values were acknowledged. */
async function fill(world: ProcessWorld, client: WorldClient): Promise<string[]> {
  const acknowledged: string[] = []
  for (let number = 0; !world.output(0).includes('the disk is full'); number++) {
    if (number === 100) throw new Error('10 MB found room')
    await set(client, `key ${number}`, LARGE, 1_500).then(
      () => acknowledged.push(`key ${number}`),
      () => undefined, // it waits for room
    )
  }
  return acknowledged
}

t.test('a full disk is BUSY, and the server goes on in the same life when there is room', async (t) => {
  const world = await start(t, { servers: 1 })
  const client = world.client([0])
  t.equal(await world.server(0).diskFull(1 << 20), null)
  const acknowledged = await fill(world, client)
  t.ok(acknowledged.length > 10, `${acknowledged.length} values found room that was reserved, or left`)
  // Not at once, perhaps: one that was just sent again when its time was over may be taken in, for all that the client knows.
  await until('a command is told to be BUSY', async () => {
    const error: unknown = await set(client, 'last', 'there', 1_000).catch((error: unknown) => error)
    return error instanceof ClientError && error.code === 'BUSY' && !error.mayHaveHappened
  })
  t.equal(world.standing(0), 'up')
  t.equal(await world.server(0).heal(), null)
  await set(client, 'last', 'there')
  t.match(world.output(0), /the disk has room again/)
  for (const key of acknowledged) t.equal(await get(client, key), LARGE)
})

t.test('a disk stays full over a restart, until it is healed; nothing acknowledged is lost', async (t) => {
  const world = await start(t, { servers: 1 })
  const client = world.client([0])
  await world.server(0).diskFull(0)
  const acknowledged = await fill(world, client)
  await world.server(0).crash({})
  t.equal(await world.server(0).start(), null)
  await ended(world, 0)
  t.match(world.output(0), /there is no room in .* to start, a copy of the last file/)
  t.equal(await world.server(0).heal(), null)
  await world.server(0).start()
  for (const key of acknowledged) t.equal(await get(client, key), LARGE)
})

t.test('a slow disk makes a server slow, and a majority need not wait for it', async (t) => {
  const world = await start(t)
  const leader = await leaderOf(world, ALL)
  const client = world.client([leader])
  await set(client, 'a', '0')
  const timed = async (): Promise<number> => {
    const began = performance.now()
    await set(client, 'a', '1')
    return performance.now() - began
  }
  const [first = 0, second = 0] = ALL.filter((id) => id !== leader)
  await world.server(first).slowDisk(1_000)
  t.ok((await timed()) < 900)
  await world.server(second).slowDisk(1_000)
  t.ok((await timed()) >= 999, 'now it must')
  await world.server(first).heal()
  await until('it does not any more', async () => (await timed()) < 900)
})

t.test('a server that is paused meets what was ordered when it goes on', async (t) => {
  const world = await start(t, { servers: 1 })
  await world.server(0).pause()
  t.equal(await world.server(0).fsyncError(false), null)
  await world.server(0).resume()
  await set(world.client([0]), 'a', '1', 2_000).catch(() => undefined)
  await ended(world, 0)
})

t.test('a server whose clock jumped back by more than it has run still says how it stands', async (t) => {
  const world = await start(t)
  t.equal(await world.server(0).clockJump(-3_600_000), null)
  t.match(await world.status(0, 5_000), { id: 0, uptimeMs: 0 })
})

t.test('clocks that jump do no harm', async (t) => {
  const world = await start(t)
  const client = world.client(ALL)
  for (const [id, ms] of [
    [0, 60_000],
    [1, 3_600_000],
    [2, 5_000],
    [0, -50_000],
  ] as const) {
    // prettier-ignore
    const before = (await world.status(id, 1_000))?.uptimeMs ?? NaN
    t.equal(await world.server(id).clockJump(ms), null)
    const after = (await world.status(id, 1_000))?.uptimeMs ?? NaN
    t.ok(Math.abs(after - before - ms) < 2_000, 'it did jump')
    await set(client, `${id} ${ms}`, 'there')
  }
  await leaderOf(world, ALL)
  const [first, ...rest] = await converged(world)
  t.equal((first as unknown[]).length, 4)
  for (const state of rest) t.strictSame(state, first)
  await world.server(0).crash({})
  t.equal(await world.server(0).clockJump(1), 'server 0 does not run')
})

/** A server alone that has some values in its log, and is down; and where its files are. */
async function written(t: Owner): Promise<{ world: ProcessWorld; files: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'synod-disks-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const world = await start(t, { servers: 1, directory })
  const client = world.client([0])
  for (let number = 0; number < 20; number++) await set(client, `key ${number}`, 'there')
  await client.close()
  await world.server(0).crash({})
  return { world, files: join(directory, 'server-0') }
}

t.test(
  'what is damaged in the middle of a log keeps its server from starting; at its very end it may be torn',
  async (t) => {
    const { world, files } = await written(t)
    const whole = readdirSync(files).map((name) => [join(files, name), readFileSync(join(files, name))] as const)
    const restore = (): void => whole.forEach(([path, bytes]) => writeFileSync(path, bytes))
    const log = whole[0]?.[1] ?? Buffer.alloc(0)
    const end = log.findLastIndex((byte) => byte !== 0) + 1
    // Between batches are zeros, which nobody reads.
    const middle = log.findIndex((byte, at) => byte !== 0 && at > end / 2)

    for (const place of [
      { offset: middle },
      { tail: end - middle, file: 'last' },
      { offset: 20, file: '00000001.paxos' },
    ]) {
      t.equal(await world.server(0).corrupt(place), null)
      t.equal(await world.server(0).start(), null)
      await ended(world, 0)
      t.match(
        world.output(0),
        /00000001\.paxos [^\n]*must not start[^\n]*\n\[harness\][^\n]*\n$/,
        JSON.stringify(place),
      )
      restore()
    }
    t.equal(await world.server(0).truncate(undefined, 3), null)
    await world.server(0).start()
    await leaderOf(world, [0])
    t.equal(await get(world.client([0]), 'key 0'), 'there')
  },
)

/** Where two contents differ, and in how many bits. */
function differences(before: Uint8Array, after: Uint8Array): { at: number; bits: number }[] {
  return [...before.entries()].flatMap(([at, byte]) => {
    const changed = byte ^ (after[at] ?? 0)
    return changed === 0 ? [] : [{ at, bits: changed.toString(2).replaceAll('0', '').length }]
  })
}

t.test('one bit is damaged where it was ordered, or where the seed says; what is not there is said', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'synod-disks-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const content = Buffer.concat([Buffer.alloc(5_000, 'x'), Buffer.alloc(5_000)])
  const drawn: number[] = []
  for (const [run, seed] of [7, 7, 8].entries()) {
    const world = await prepare(t, { servers: 1, seed, directory: join(directory, `${run}`) })
    const files = join(directory, `${run}`, 'server-0')
    const path = join(files, '00000002.paxos')
    const damage = async (place: Place): Promise<{ at: number; bits: number }[]> => {
      writeFileSync(path, content)
      t.equal(await world.server(0).corrupt(place), null)
      return differences(content, readFileSync(path))
    }
    t.match(await world.server(0).corrupt({}), /there is no log/)
    mkdirSync(files)
    writeFileSync(join(files, '00000001.paxos'), content)
    const [change] = await damage({})
    t.equal(change?.bits, 1)
    t.ok((change?.at ?? Infinity) < 5_000)
    drawn.push(change?.at ?? -1)
    t.strictSame(await damage({ offset: 9_000 }), [{ at: 9_000, bits: 1 }])
    t.strictSame(await damage({ tail: 1 }), [{ at: 4_999, bits: 1 }])
    t.match(await world.server(0).corrupt({ offset: 10_000 }), /no byte 10000: 5000 are written, of 10000/)
    t.match(await world.server(0).corrupt({ tail: 5_001 }), /no byte -1/)
    t.match(await world.server(0).corrupt({ file: '../server-0.log' }), /there is no file/)
    t.equal(await world.server(0).truncate('first', 1_000), null)
    t.equal(readFileSync(join(files, '00000001.paxos')).length, 4_000)
    t.match(await world.server(0).truncate(undefined, 5_001), /has only 5000 bytes written/)
    await world.close()
  }
  t.equal(drawn[0], drawn[1])
  t.not(drawn[0], drawn[2])
})
