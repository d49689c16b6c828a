/** `kvstore-client verify`, `snapshot` and `transfer` against real servers. */
import { statSync } from 'node:fs'
import t from 'tap'
import { Cluster } from '../support/cluster.js'
import { kvClient, type Outcome } from '../support/command.js'

// Each command is a process of its own.
t.setTimeout(120_000)
const cluster = await Cluster.start(t)
const kv = (args: readonly string[]): Promise<Outcome> => kvClient(['--servers', cluster.servers, ...args])
await kv(['set', 'colour', 'blue'])

await t.test('verify compares all servers, whichever are named, and ends with 1 if one is missing', async (t) => {
  const named = ['--servers', cluster.address(1)]
  const { code, stdout } = await kvClient([...named, 'verify'])
  t.equal(code, 0, stdout)
  t.match(stdout, /\nAll 3 servers agree at slot [\d,]+\.\n$/)
  for (const address of cluster.addresses)
    t.match(stdout, new RegExp(`${address}.*same.*[0-9a-f]{16}.*[0-9a-f]{16}.*1 `))
  const found = JSON.parse((await kvClient([...named, '--json', 'verify'])).stdout) as { servers: unknown[] }
  t.match(found, { agree: true, difference: null, parted: null, slot: Number })
  t.equal(found.servers.length, 3)
  t.match(found.servers[2], { server: 2, address: cluster.address(2), verdict: 'same', error: null, parted: null })
  await cluster.kill(2)
  const missing = await kv(['--timeout', '5000', 'verify'])
  t.equal(missing.code, 1)
  t.match(missing.stdout, /Those that answered agree at slot [\d,]+: 2 of 3 servers\.\n.*did not answer/)
  cluster.startServer(2)
  await cluster.caughtUp()
})

await t.test('snapshot has a server write one, and prints its slot and file', async (t) => {
  const { code, stdout, stderr } = await kv(['snapshot', '--server', cluster.address(1)])
  t.equal(code, 0, stderr)
  const [, slot = '', path = ''] = /^slot (\d+): (.*)\n$/.exec(stdout) ?? []
  t.ok(statSync(path).size > 0)
  t.match(path, new RegExp(`/snapshot-0*${slot}\\.paxos$`))
  await kv(['set', 'behind', 'the snapshot'])
  const told = JSON.parse((await kv(['--json', 'snapshot'])).stdout) as { server: string; slot: number; path: string }
  t.equal(told.server, cluster.address(0))
  t.ok(statSync(told.path).size > 0)
  const status = await kv(['--json', 'status'])
  t.match(JSON.parse(status.stdout), { servers: [{ status: { snapshot: { slot: told.slot, bytes: Number } } }] })
})

await t.test('transfer has another server lead, and says why if it does not', async (t) => {
  const next = ((await cluster.serving()) + 1) % 3
  t.strictSame(await kv(['transfer', String(next)]), { code: 0, stdout: `server ${next} leads\n`, stderr: '' })
  t.equal(await cluster.serving(), next)
  t.strictSame(await kv(['--json', 'transfer', String(next)]), { code: 0, stdout: `{"leader":${next}}\n`, stderr: '' })
  t.match(await kv(['transfer', '3']), {
    code: 1,
    stderr: /^kvstore-client: .*there is no server 3: the last one is 2\.\n$/,
  })
  t.match(await kv(['transfer', 'me']), { code: 2, stderr: /a server is named by its number/i })
  t.match(await kv(['--timeout', '500', 'get', 'colour']), { code: 0, stdout: 'blue\n' })
  const gone = (next + 1) % 3
  await cluster.kill(gone)
  const { code, stderr } = await kv(['transfer', String(gone)])
  t.equal(code, 1)
  t.match(stderr, new RegExp(`server ${gone} (has not answered the leader lately|was not ready in time)`))
  cluster.startServer(gone)
  await cluster.caughtUp()
})
