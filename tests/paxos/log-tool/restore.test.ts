/** A snapshot of one cluster becomes another cluster: real servers, real clients, and all that can be wrong with it. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ProcessCluster } from '@synod/harness/internal/process'
import { connectKvstore } from '@synod/kvstore'
import { realClock } from '@synod/paxos/internal/clock'
import { coreChunks, stateChunks } from '@synod/paxos/internal/server/snapshot-codec'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import t from 'tap'
import { Cluster } from '../../support/cluster.js'
import { run } from '../../support/command.js'
import { dataDirectory } from './data-directory.js'
import { BALLOT, CLUSTER, flipped, OWNER } from './log-files.js'

t.setTimeout(240_000)

const TOOL = fileURLToPath(new URL('../bin/synod-log.js', import.meta.resolve('@synod/paxos')))

function synodLog(...args: string[]): ReturnType<typeof run> {
  return run(TOOL, args)
}

interface Owner {
  teardown(work: () => Promise<void> | void): void
}

function scratch(owner: Owner): string {
  const directory = mkdtempSync(join(tmpdir(), 'synod-restore-'))
  owner.teardown(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

/** Servers that do not run yet, whose directories are to be restored. */
async function newCluster(owner: Owner, count: number): Promise<ProcessCluster> {
  const cluster = await ProcessCluster.prepare({ directory: scratch(owner), count })
  owner.teardown(() => cluster.stop('SIGKILL'))
  return cluster
}

function directoriesOf(cluster: ProcessCluster): string[] {
  return cluster.addresses.map((_, id) => cluster.dataDir(id))
}

await t.test(
  'a back-up of three servers becomes clusters of three, five and one, which know what it knew',
  async (t) => {
    const old = await Cluster.start(t)
    const fresh = await newCluster(t, 3)
    // A client of the old cluster that will find the new one, as if that had the old one's addresses.
    const everywhere = { servers: [...old.addresses, ...fresh.addresses], timeout: 10_000 }
    const before = connectKvstore(everywhere)
    const after = connectKvstore(everywhere)
    t.teardown(() => before.close())
    t.teardown(() => after.close())
    for (let index = 0; index < 300; index++) await before.set(`key-${index}`, `value ${index}`)
    const { slot, path } = await before.connection.snapshot(old.address(1))
    await after.set('too-late', 'for the back-up')
    const backup = join(scratch(t), 'backup.paxos')
    copyFileSync(path, backup)
    t.match(await synodLog('verify', backup), { code: 0, stdout: `whole: a snapshot through slot ${slot}` })
    await old.stop()

    const restored = await synodLog('restore', backup, ...directoriesOf(fresh))
    t.strictSame([restored.code, restored.stderr], [0, ''])
    t.match(restored.stdout, `Restored all through slot ${slot} into a new cluster of 3 servers, `)
    t.match(restored.stdout, `  server 2: ${fresh.dataDir(2)}\n`)
    await fresh.startAll()
    t.equal(await before.get('key-299'), 'value 299')
    t.equal(await before.get('too-late'), null)
    t.equal((await before.set('key-0', 'changed')).existed, true, 'a session of the snapshot goes on')
    // The new cluster has never heard of this client's session: what it sends in it is not executed, but in a new one.
    t.equal((await after.set('key-1', 'changed')).existed, true)
    t.equal(await before.get('key-1'), 'changed')

    for (const count of [5, 1]) {
      const other = await newCluster(t, count)
      const { code, stdout } = await synodLog('restore', backup, ...directoriesOf(other), '--json')
      t.equal(code, 0)
      const { directories, ...told } = JSON.parse(stdout) as { directories: unknown[] }
      t.match(told, { service: 'kvstore', slot, clusterId: /^[0-9a-f]{32}$/ })
      t.equal(directories.length, count)
      await other.startAll()
      const store = connectKvstore({ servers: other.addresses })
      t.equal(await store.count(), 300)
      await store.set('new', 'value')
      await store.close()
      await other.caughtUp()
      await other.stop()
      t.match(await synodLog('verify', ...directoriesOf(other)), { code: 0, stderr: '' })
    }
  },
)

await t.test('a directory of the old cluster and one of the restored never work together', async (t) => {
  const directory = scratch(t)
  const source = await dataDirectory(t)
  const backup = join(source, 'snapshot-40.paxos')
  const cluster = await ProcessCluster.prepare({ directory, count: 3 })
  t.teardown(() => cluster.stop('SIGKILL'))
  t.equal((await synodLog('restore', backup, ...directoriesOf(cluster))).code, 0)
  const other = join(directory, 'other')
  t.equal((await synodLog('restore', backup, other, join(directory, 'a'), join(directory, 'b'))).code, 0)
  rmSync(cluster.dataDir(0), { recursive: true })
  mkdirSync(cluster.dataDir(0))
  for (const name of readdirSync(other)) copyFileSync(join(other, name), join(cluster.dataDir(0), name))
  const child = cluster.startServer(0)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  cluster.startServer(1)
  cluster.startServer(2)
  t.equal(await ended, 1)
  t.match(cluster.log(0), /belongs to cluster [0-9a-f]{32}, this server's directory to [0-9a-f]{32}/)
})

await t.test('it is made wholly or not at all', async (t) => {
  const source = await dataDirectory(t)
  const backup = join(source, 'snapshot-40.paxos')
  const work = scratch(t)
  const [one, there] = [join(work, 'deep/er/one'), join(work, 'there')]
  mkdirSync(there)
  const { code, stdout, stderr } = await synodLog('restore', backup, one, there, '/proc/no-such-place')
  t.strictSame([code, stdout], [1, ''])
  t.match(stderr, '/proc/no-such-place')
  t.notOk(existsSync(join(work, 'deep')), 'what was made is gone')
  t.strictSame(readdirSync(there), [], 'what was there is as it was')

  const damaged = join(work, 'damaged.paxos')
  writeFileSync(damaged, flipped(readFileSync(backup), 3000))
  t.match(await synodLog('restore', damaged, one), {
    code: 1,
    stderr: /^synod-log: damaged\.paxos, byte \d+: the snapshot is damaged.*; take another copy\n$/,
  })
  t.notOk(existsSync(one))
})

/** A snapshot that takes a while to be looked through. */
async function largeSnapshot(directory: string): Promise<string> {
  const storage = new FileStorage(new RealDisk(directory), realClock)
  await storage.open(OWNER)
  await storage.form(CLUSTER)
  const chain = { slot: 9, hash: '0123456789abcdef' }
  const head = { slot: 9, ballot: BALLOT, chain, block: { slot: 0, hash: '0'.repeat(16) }, servers: OWNER.count }
  const writer = await storage.snapshots.create(9)
  const core = { head, sessions: [], events: [9] }
  const entries = Array.from({ length: 600_000 }, (_, index) => [`key-${index}`, 'v'.repeat(90)])
  for (const chunk of [...coreChunks(core, true), ...stateChunks(entries)]) await writer.add(chunk)
  await writer.finish()
  await storage.close()
  return join(directory, 'snapshot-9.paxos')
}

await t.test('what somebody else has put into a directory meanwhile stays there', async (t) => {
  const small = join(await dataDirectory(t), 'snapshot-40.paxos')
  const large = await largeSnapshot(scratch(t))
  const place = join(scratch(t), 'server-0')
  mkdirSync(place)
  // Both see an empty directory. When one has looked through its large snapshot, the other one has filled it.
  const ended = await Promise.all([synodLog('restore', large, place), synodLog('restore', small, place)])
  t.equal(ended.filter(({ code }) => code === 0).length, 1, ended.map(({ stderr }) => stderr).join(''))
  t.match(await synodLog('verify', place), { code: 0 })
})

await t.test('places that cannot be used are refused before anything is made', async (t) => {
  const source = await dataDirectory(t)
  const backup = join(source, 'snapshot-40.paxos')
  const work = scratch(t)
  const one = join(work, 'one')
  const log = readdirSync(source).find((name) => /^\d/.test(name)) ?? ''
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [[backup, one, source], /is not empty: a new cluster needs new directories\n$/],
    [[backup, one, join(work, '.', 'one')], /is named twice\n$/],
    [[backup, join(one, 'inner'), one], /inner lies in .*one: each needs one of its own\n$/],
    [[backup, one, backup], /snapshot-40\.paxos cannot be used \(ENOTDIR\)\n$/],
    [[join(work, 'nothing'), one], /^synod-log: there is no .*nothing\n$/],
    [[source, one], /is no snapshot file: name one, such as snapshot-4711\.paxos\n$/],
    [[join(source, log), one], /is no snapshot file/],
    [[backup], /^synod-log: missing required argument 'directory'\n$/],
  ]
  for (const [args, sentence] of refusals) {
    const { code, stdout, stderr } = await synodLog('restore', ...args)
    t.strictSame([code, stdout], [2, ''])
    t.match(stderr, sentence)
  }
  t.notOk(existsSync(one))
})
