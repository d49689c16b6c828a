/** Which servers a client goes to: those it was given, and unless it is told otherwise, those that it hears of. */
import { connect } from '@synod/paxos'
import t from 'tap'
import { ScriptedCluster, sums } from './scripted-cluster.js'
import type { ScriptedServer } from './scripted-cluster.js'
import { watch } from './watch.js'

/** Two servers, each of which tells of both. */
async function pair(cluster: ScriptedCluster): Promise<ScriptedServer[]> {
  const servers = [await cluster.server('a:1'), await cluster.server('b:1')]
  for (const server of servers) server.greeting = { type: 'welcome', server: 0, servers: ['a:1', 'b:1'], leader: null }
  return servers
}

t.test('a client goes on with a server that it was only told of', async (t) => {
  const cluster = new ScriptedCluster()
  const [, b] = await pair(cluster)
  const client = cluster.client(['a:1'])
  const before = watch(client.submit({ add: 1 }))
  await cluster.clock.pass(1)
  cluster.network.crash('a:1')
  const after = watch(client.submit({ add: 2 }))
  await cluster.clock.pass(5_000)
  t.strictSame([before.outcome, after.outcome], ['value 1', 'value 3'])
  t.strictSame(b?.submitted, [[2]])
})

t.test('one that does not discover keeps to its addresses, fails with them, and comes back with them', async (t) => {
  const cluster = new ScriptedCluster()
  const [, b] = await pair(cluster)
  const client = cluster.client(['a:1'], 3_000, false)
  const before = watch(client.submit({ add: 1 }))
  await cluster.clock.pass(1)
  cluster.network.crash('a:1')
  const pinned = watch(client.submit({ add: 2 }))
  await cluster.clock.pass(3_001)
  t.strictSame([before.outcome, pinned.outcome], ['value 1', 'UNAVAILABLE no'])
  await cluster.server('a:1')
  const again = watch(client.submit({ add: 4 }))
  await cluster.clock.pass(3_000)
  t.equal(again.outcome, 'value 5')
  t.strictSame(b?.frames, [], 'the other server was left alone')
})

t.test('what is not a yes or no is refused', (t) => {
  const options = { servers: ['127.0.0.1:1'], discover: 'no' as unknown as boolean }
  t.throws(() => connect(sums, options), { code: 'BAD_OPTION', message: /discover/ })
  t.end()
})
