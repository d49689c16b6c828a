// Real servers are killed while values are written and read: no read is older than what was acknowledged before it began.
import { connectKvstore, type KvClient } from '@synod/kvstore'
import t, { type Test } from 'tap'
import { Cluster, until } from '../support/cluster.js'
import { kvClient } from '../support/command.js'

t.setTimeout(240_000)

const SERVERS = [0, 1, 2]
/** An answer is waited for as long as the servers may need to find a leader on a busy machine; ms. */
const PATIENCE = 60_000

await t.test('a get sees the last acknowledged set from every server, while leaders are killed', async (t) => {
  const cluster = await Cluster.start(t)
  const writer = connect(t, cluster.addresses)
  const readers = SERVERS.map((id) => connect(t, [cluster.address(id), ...cluster.addresses]))
  let acknowledged = 0
  let isOver = false
  let problem: string | null = null
  const counts = { writes: 0, reads: 0, stale: 0 }
  const write = async (): Promise<void> => {
    while (!isOver) {
      await writer.set('n', String(acknowledged + 1))
      acknowledged++
      counts.writes++
    }
  }
  const read = async (reader: KvClient): Promise<void> => {
    while (!isOver) {
      const [before, between] = [acknowledged, counts.writes]
      const value = Number(await reader.get('n'))
      if (value < before) problem ??= `a read found ${value} after ${before} was acknowledged`
      if (between === counts.writes && value > before + 1) problem ??= `a read found ${value}, which nobody has written`
      counts.reads++
    }
  }
  const readStale = async (reader: KvClient): Promise<void> => {
    const bySlot = new Map<number, string | null>()
    while (!isOver) {
      const { slot, value } = await reader.getStale('n')
      if (!bySlot.has(slot)) bySlot.set(slot, value)
      if (bySlot.get(slot) !== value) problem ??= `after slot ${slot} there was both ${bySlot.get(slot)} and ${value}`
      if (Number(value) > acknowledged + 1) problem ??= `a stale read found ${value}, which nobody has written`
      counts.stale++
    }
  }
  const running = [write(), ...readers.map(read), ...readers.map(readStale)]
  for (let round = 0; round < 4; round++) {
    const goal = { ...counts }
    await until('writes and reads go on', () => counts.writes > goal.writes + 100 && counts.reads > goal.reads + 100, {
      patience: PATIENCE,
    })
    if (round === 3) break
    const leader = await cluster.serving()
    await cluster.kill(leader)
    const without = { ...counts }
    await until('the others go on', () => counts.writes > without.writes + 20 && counts.reads > without.reads + 20, {
      patience: PATIENCE,
    })
    cluster.startServer(leader)
  }
  isOver = true
  await Promise.all(running)
  t.equal(problem, null)
  t.comment(JSON.stringify(counts))
  t.ok(counts.stale > 100)
})

await t.test('a server without a majority gives no get, and a stale one with its slot', async (t) => {
  const cluster = await Cluster.start(t)
  const store = connect(t, cluster.addresses)
  await store.set('colour', 'blue')
  await cluster.caughtUp()
  const leader = await cluster.serving()
  const [left = -1, ...others] = [...SERVERS.filter((id) => id !== leader), leader].reverse()
  for (const id of others) await cluster.kill(id)
  const at = ['--servers', cluster.address(left)]
  const stale = await kvClient([...at, 'get', 'colour', '--stale'])
  t.match(stale, { code: 0, stdout: 'blue\n', stderr: /^as of slot \d+\n$/ })
  const slot = Number(/\d+/.exec(stale.stderr)?.[0])
  t.strictSame(await kvClient([...at, '--json', 'get', 'colour', '--stale']), {
    code: 0,
    stdout: `${JSON.stringify({ key: 'colour', value: 'blue', slot })}\n`,
    stderr: '',
  })
  t.match(await kvClient([...at, 'get', 'none', '--stale']), { code: 1, stderr: `There is no key none.\nas of slot ${slot}\n` }) // prettier-ignore
  t.match(await kvClient([...at, '--timeout', '1500', 'get', 'colour']), { code: 3, stdout: '' })
  for (const id of others) cluster.startServer(id)
  t.equal(await store.get('colour'), 'blue')
})

function connect(t: Test, servers: readonly string[]): KvClient {
  const store = connectKvstore({ servers, timeout: PATIENCE })
  t.teardown(() => store.close())
  return store
}
