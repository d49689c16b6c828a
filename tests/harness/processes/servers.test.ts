/** The life of real servers in a ProcessWorld. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProcessWorld } from '@synod/harness/internal/processes/process-world'
import t from 'tap'
import { converged, ended, get, ids, leaderOf, prepare, set, start } from './worlds.js'

t.setTimeout(120_000)

const COUNTER = fileURLToPath(new URL('../../paxos/server/counter-server.js', import.meta.url))

function temporaryDirectory(t: { teardown(call: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'synod-worlds-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A command that is no Node, and does not end when it is told to. It takes some seconds to find out: beside the other tests. */
const stubborn = (async () => {
  const command = join(temporaryDirectory(t), 'stubborn')
  writeFileSync(command, "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n")
  chmodSync(command, 0o755)
  const world = await prepare(t, { command, service: undefined, servers: 1 })
  await world.server(0).start()
  const fault = await world.server(0).fsyncError(true)
  const broken = await world.broken.catch((error: unknown) => (error as Error).message)
  const stopped = await world.server(0).stop()
  return { fault, broken, stopped, standing: world.standing(0) }
})()

t.test('servers are killed, stopped and started again; what was acknowledged is there', async (t) => {
  const world = await start(t)
  const client = world.client([0, 1, 2])
  await set(client, 'a', '1')
  t.equal(await world.server(1).start(), 'server 1 runs already')
  t.equal(await world.server(1).crash({}), null)
  t.equal(world.standing(1), 'down')
  t.equal(await world.server(1).crash({}), 'server 1 does not run')
  t.equal(await world.status(1, 1_000), null)
  t.equal(await world.dump(1, 1_000), null)
  await set(client, 'b', '2')
  t.equal(await world.server(1).start(), null)
  t.equal(world.standing(1), 'up')
  t.equal(await get(world.client([1]), 'b'), '2')

  t.equal(await world.server(2).stop(), null)
  t.match(world.output(2), /kvstore server 2 has stopped\n$/)
  t.equal(await world.server(2).stop(), 'server 2 does not run')
  t.equal(await world.server(2).start(), null)
  const states = await converged(world)
  t.strictSame(states, Array(3).fill([['a', '1'], ['b', '2']])) // prettier-ignore
})

t.test('a client that is pinned to a server fails with it, and comes back with it', async (t) => {
  const world = await start(t)
  const pinned = world.client([0])
  await set(pinned, 'a', '1')
  await world.server(0).crash({})
  // The first one may be sent before this process hears that the connection is broken.
  await t.rejects(set(pinned, 'b', '2', 500))
  await t.rejects(set(pinned, 'a', '2', 1_000), { code: 'UNAVAILABLE', mayHaveHappened: false })
  await world.server(0).start()
  t.equal(await get(pinned, 'a'), '1')
})

t.test('a leader that is paused is replaced, and follows when it goes on', async (t) => {
  const world = await start(t)
  const leader = await leaderOf(world, [0, 1, 2])
  const others = [0, 1, 2].filter((id) => id !== leader)
  t.equal(await world.server(leader).pause(), null)
  t.equal(world.standing(leader), 'paused')
  t.equal(await world.server(leader).pause(), `server ${leader} is paused already`)
  t.equal(await world.status(leader, 200), null)
  await leaderOf(world, others)
  await set(world.client(others), 'a', '1')
  t.equal(await world.server(leader).resume(), null)
  t.equal(await world.server(leader).resume(), `server ${leader} is not paused`)
  t.equal(await get(world.client([leader]), 'a'), '1')
  const [next = 0] = others
  await world.server(next).pause()
  t.equal(await world.server(next).stop(), null, 'one that is paused can be stopped')
  await world.server(leader).pause()
  t.equal(await world.server(leader).crash({}), null, 'or killed')
})

t.test('a server that somebody else ends has ended by itself', async (t) => {
  const world = await start(t)
  await world.server(1).crash({})
  t.equal(await world.server(1).wipe(), null)
  t.equal(await world.server(1).wipe(), null, 'what is not there cannot be lost')
  await world.server(1).start()
  await ended(world, 1)
  t.match(world.output(1), /kvstore-server: .*empty/, 'a wiped server says why')
  t.match(world.output(1), /\[harness\] server 1 ended by itself \(exit code 1\)\n$/)
  t.match(await world.server(0).wipe(), /runs/)
  t.equal(await get(world.client([0]), 'a'), null, 'the others go on')
})

t.test('a server command that the harness knows nothing of', async (t) => {
  const directory = temporaryDirectory(t)
  const wrapper = join(directory, 'a wrapper')
  writeFileSync(wrapper, `#!/bin/sh\n'${process.execPath}' '${COUNTER}' "$@"\nexit $?\n`)
  chmodSync(wrapper, 0o755)
  for (const command of [COUNTER, wrapper]) {
    const world = await start(t, { command, service: undefined, servers: 1 })
    const client = world.client([0])
    t.strictSame(await Promise.all([client.submit({ by: 2 }, 5_000), client.submit({ by: 3 }, 5_000)]), [2, 5])
    await t.rejects(client.submit({ by: 'two' }, 5_000), { code: 'BAD_OPERATION' })
    await t.rejects(client.submit({ by: -9 }, 5_000), { name: 'Refusal', code: 'BELOW_ZERO' })
    t.match(await world.dump(0, 5_000), { entries: [5] })
    t.equal(await world.server(0).clockJump(1_000), null)
    t.equal(await world.server(0).crash({}), null)
    await t.rejects(client.submit({ by: 0 }, 300), { name: 'ClientError' })
    await world.server(0).start()
    t.equal(await world.client([0]).submit({ by: 1 }, 10_000), 6)
    await world.close()
  }
})

t.test('a command that cannot be run, or ends at once, is told of', async (t) => {
  const directory = temporaryDirectory(t)
  for (const command of [join(directory, 'nothing'), directory, join(directory, 'nothing.js')]) {
    await t.rejects(prepare(t, { command }), { code: 'BAD_OPTION', message: /neither "kvstore" nor "chatroom" nor/ })
  }
  const world = await prepare(t, { command: '/bin/sleep', servers: 1, service: undefined })
  t.equal(await world.server(0).start(), null)
  await ended(world, 0)
  t.match(world.output(0), /ended by itself/)
  await t.rejects(world.client([0]).submit({}, 200), { code: 'UNAVAILABLE', mayHaveHappened: false })

  const broken = join(directory, 'broken')
  writeFileSync(broken, '#!/nowhere\n')
  chmodSync(broken, 0o755)
  const another = await prepare(t, { command: broken, servers: 1 })
  t.match(await another.server(0).start(), /^server 0 cannot be started: /)
  t.equal(another.standing(0), 'down')
})

t.test('what real processes cannot do is said', async (t) => {
  const world = await prepare(t)
  const server = world.server(0)
  const answers = [
    server.crash({ powerLoss: true }),
    server.crash({ on: 'p2a' }),
    server.misdirect(),
    server.clockRate(),
  ]
  for (const answer of await Promise.all(answers)) t.match(answer, /only the simulator can do this/)
})

t.test('the servers’ data and logs are kept in a directory that was named, and only there', async (t) => {
  const directory = join(temporaryDirectory(t), 'new')
  const world = await start(t, { directory, servers: 1, verbosity: 1 })
  await world.close()
  t.strictSame(readdirSync(directory).sort(), ['server-0', 'server-0.log'])
  t.match(world.output(0), /synod:leader leads/)
  t.equal(await world.server(0).start(), 'the run is over')
  await t.rejects(prepare(t, { directory }), { code: 'BAD_OPTION', message: /another run/ })
})

t.test('the clock goes on with the world, and nothing breaks by itself', async (t) => {
  const world: ProcessWorld = await prepare(t, { servers: 10 })
  const before = world.now()
  await world.sleep(20)
  t.ok(world.now() - before >= 19)
  t.strictSame(
    ids(world).map((id) => world.standing(id)),
    Array(10).fill('down'),
  )
  t.throws(() => world.server(10), /no server 10/)
  let broken: unknown
  world.broken.catch((error: unknown) => (broken = error))
  await world.close()
  await world.close()
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(broken, undefined)
})

t.test('a command that is no Node has no faults of disk and clock; one that does not stop is killed', async (t) => {
  t.strictSame(await stubborn, {
    fault: 'server 0 is not run by Node: its disk and its clock cannot be changed',
    broken: 'server 0 is not run by Node: its disk and its clock cannot be changed',
    stopped: 'server 0 did not end within 5000 ms of SIGTERM, and was killed',
    standing: 'down',
  })
})

t.test('a disk gets slow also while its server is paused that has only just been started', async (t) => {
  const world = await prepare(t, { servers: 1 })
  await world.server(0).start()
  await world.server(0).pause()
  t.equal(await world.server(0).slowDisk(200), null)
  await world.server(0).resume()
  const client = world.client([0])
  await set(client, 'a', '1')
  const began = world.now()
  await set(client, 'a', '2')
  t.ok(world.now() - began >= 200)
})

t.test('nothing that sleeps in a world goes on when that is closed', async (t) => {
  const world = await prepare(t, { servers: 1 })
  let woke = false
  const sleep = (): unknown => world.sleep(1).then(() => (woke = true))
  sleep()
  await world.close()
  sleep()
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(woke, false)
})
