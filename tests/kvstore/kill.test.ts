// Servers are killed with SIGKILL while a real load goes on: it notices nothing, and nothing is lost.
import { connectKvstore, type KvClient } from '@synod/kvstore'
import t, { type Test } from 'tap'
import { Cluster, until } from '../support/cluster.js'
import { kvClient } from '../support/command.js'
import { CLIENT_PATIENCE, Counters, Load } from '../support/load.js'
import { jsonLine, textPairs, type TextPair } from '../support/text.js'

t.setTimeout(240_000)

const SERVERS = [0, 1, 2]

const allPairs = textPairs(100_000)

await t.test('a load of 100,000 pairs goes on while each server is killed in turn, the leader first', async (t) => {
  const cluster = await startCluster(t)
  const store = connect(t, cluster)
  const load = new Load(t, cluster.servers, allPairs)
  const counters = new Counters(store)

  const marks = [20_000, 45_000, 70_000]
  const victims: number[] = []
  for (const [turn, mark] of marks.entries()) {
    // The load cannot reach its end before the last server is back, however fast the machine is.
    load.allow(marks[turn + 1] ?? 90_000)
    await until(
      `the load has come to slot ${mark}`,
      async () => {
        load.assertRunning()
        return (await appliedAnywhere(store, cluster)) >= mark
      },
      { patience: CLIENT_PATIENCE },
    )
    const leader = await cluster.serving()
    const victim = turn === 0 ? leader : (SERVERS.find((id) => !victims.includes(id)) ?? -1)
    victims.push(victim)
    const killed = performance.now()
    await cluster.kill(victim)
    const decided = await appliedAnywhere(store, cluster)
    startServer(t, cluster, victim)
    await caughtUp(store, cluster, victim, decided)
    const back = performance.now()
    t.comment(
      `server ${victim}${victim === leader ? ', the leader,' : ''} was killed at slot ${decided}, and was back and had caught up` +
        ` after ${Math.round(back - killed)} ms; longest time between two answers: ${counters.longestGap(killed, back)} ms`,
    )
  }
  load.allow(allPairs.length)
  const { code, stdout, stderr } = await load.ended
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.match(JSON.parse(stdout), { loaded: allPairs.length, bad: 0 })
  t.comment(`the load: ${stdout.trim()}`)
  const counted = await counters.stop()
  t.comment(`the counters: ${counted.reduce((sum, [, count]) => sum + Number(count), 0)} steps`)
  t.strictSame(victims.toSorted(), SERVERS, 'each server was killed once')
  await checkDumps(t, cluster, [...allPairs, ...counted])
})

await t.test('when all servers are killed at once, nothing acknowledged is lost, and the load goes on', async (t) => {
  // What was acknowledged is not sent again: if the servers lost it, it would be missing in the end.
  const pairs = allPairs.filter((_, index) => index % 20 === 0)
  const cluster = await startCluster(t)
  const store = connect(t, cluster)
  const counters = new Counters(store)
  const load = new Load(t, cluster.servers, pairs)
  load.allow(4_000)
  await until('the load has come to slot 1500', async () => {
    load.assertRunning()
    return (await appliedAnywhere(store, cluster)) >= 1_500
  })
  const killed = performance.now()
  await Promise.all(SERVERS.map((id) => cluster.kill(id)))
  load.assertRunning()
  for (const id of SERVERS) startServer(t, cluster, id)
  await cluster.serving()
  const served = performance.now()
  load.allow(pairs.length)
  const { code, stdout, stderr } = await load.ended
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  t.match(JSON.parse(stdout), { loaded: pairs.length, bad: 0 })
  const counted = await counters.stop()
  t.comment(
    `the servers served again after ${Math.round(served - killed)} ms; longest time between two answers: ` +
      `${counters.longestGap(killed, performance.now())} ms; the load: ${stdout.trim()}`,
  )
  await checkDumps(t, cluster, [...pairs, ...counted])
})

await t.test('clients that know one server each read what the others wrote', async (t) => {
  const cluster = await startCluster(t)
  const key = (id: number): string => `written through ${id}`
  const value = (id: number): string => allPairs.at(-1 - id)?.[1] ?? ''
  const through = (id: number, ...command: string[]): ReturnType<typeof kvClient> =>
    kvClient(['--servers', cluster.address(id), ...command])
  const written = await Promise.all(SERVERS.map((id) => through(id, 'set', '--', key(id), value(id))))
  for (const outcome of written) t.strictSame(outcome, { code: 0, stdout: 'created\n', stderr: '' })
  for (const reader of SERVERS) {
    const writers = SERVERS.filter((id) => id !== reader)
    const read = await Promise.all(writers.map((id) => through(reader, 'get', key(id))))
    t.strictSame(
      read,
      writers.map((id) => ({ code: 0, stdout: `${value(id)}\n`, stderr: '' })),
    )
  }
})

/** Three servers that serve; they end with the test, however it ends. */
async function startCluster(t: Test): Promise<Cluster> {
  const cluster = await Cluster.prepare(t, { count: SERVERS.length })
  const killAll = (): void => {
    for (const id of SERVERS) cluster.child(id)?.kill('SIGKILL')
  }
  process.once('exit', killAll)
  t.teardown(() => {
    process.off('exit', killAll)
  })
  for (const id of SERVERS) startServer(t, cluster, id)
  await cluster.serving()
  return cluster
}

function connect(t: Test, cluster: Cluster): KvClient {
  const store = connectKvstore({ servers: cluster.addresses, timeout: CLIENT_PATIENCE })
  t.teardown(() => store.close())
  return store
}

/** Starts a server, which is to run until it is killed. */
function startServer(t: Test, cluster: Cluster, id: number): void {
  cluster.startServer(id).once('exit', (code) => {
    if (code !== null) t.fail(`server ${id} ended by itself, with code ${code}:\n${cluster.log(id).slice(-4_000)}`)
  })
}

/** The slot that the foremost server stands at; -1 if none answers. */
async function appliedAnywhere(store: KvClient, cluster: Cluster): Promise<number> {
  const running = SERVERS.filter((id) => cluster.child(id) !== undefined)
  const answers = await Promise.allSettled(running.map((id) => store.connection.status(cluster.address(id))))
  return Math.max(-1, ...answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.applied : -1)))
}

/** Waits until the server has a leader, and has applied the slot. */
async function caughtUp(store: KvClient, cluster: Cluster, id: number, slot: number): Promise<void> {
  await until(
    `server ${id} follows, and has applied slot ${slot}`,
    async () => {
      if (cluster.child(id) === undefined) throw new Error(`server ${id} ended:\n${cluster.log(id)}`)
      // It does not listen yet when it is asked first.
      const status = await store.connection.status(cluster.address(id), { timeout: 2_000 }).catch(() => null)
      return status !== null && status.leader !== null && status.applied >= slot
    },
    { describe: () => cluster.log(id).slice(-4_000) },
  )
}

/** Compares what the servers dump once all have applied the same slot: with each other, and with the pairs. */
async function checkDumps(t: Test, cluster: Cluster, pairs: readonly TextPair[]): Promise<void> {
  await cluster.caughtUp()
  const inOrder = pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))
  const expected = inOrder.map(jsonLine).join('')
  for (const id of SERVERS) {
    const dump = await kvClient(['--servers', cluster.servers, 'dump', '--server', cluster.address(id)])
    t.equal(dump.code, 0)
    t.equal(firstDifference(dump.stdout, expected), null, `server ${id} has every pair exactly, and nothing else`)
  }
}

/** Texts of this size are not to be shown whole. */
function firstDifference(found: string, wanted: string): object | null {
  if (found === wanted) return null
  const lines = found.split('\n')
  const other = wanted.split('\n')
  const line = lines.findIndex((content, index) => content !== other[index])
  return { line: line + 1, found: lines[line], wanted: other[line], lines: lines.length, wantedLines: other.length }
}
