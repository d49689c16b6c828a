/** Disks that lie, fill up and fail, under real servers: what they say, how they end, and that nothing acknowledged is lost. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectKvstore, type KvClient } from '@synod/kvstore'
import t from 'tap'
import { Cluster, COMMANDS, until } from './support/cluster.js'
import type { Owner } from './support/cluster.js'
import { dataDirectory, ENTRIES, SNAPSHOT_SLOT } from './paxos/log-tool/data-directory.js'
import { run } from './support/command.js'

t.setTimeout(300_000)

const TOOL = fileURLToPath(new URL('../bin/synod-log.js', import.meta.resolve('@synod/paxos')))

const SERVERS = [0, 1, 2]

function connect(owner: Owner, cluster: Cluster, timeout = 10_000): KvClient {
  const store = connectKvstore({ servers: cluster.addresses, timeout })
  owner.teardown(() => store.close())
  return store
}

/** Sets so many keys, with values of so many bytes. */
async function fill(store: KvClient, prefix: string, count: number, bytes = 100): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, index) => store.set(`${prefix}-${index}`, `${'v'.repeat(bytes)} ${index}`)),
  )
}

/** Starts a server that is to end by itself; its exit code. */
async function ends(cluster: Cluster, id: number): Promise<number | null> {
  const child = cluster.child(id) ?? cluster.startServer(id)
  if (child.exitCode !== null) return child.exitCode
  const [code] = (await once(child, 'exit', { signal: AbortSignal.timeout(60_000) })) as [number | null]
  return code
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at)
  writeFileSync(path, bytes)
}

await t.test(
  'a flipped bit in the log: the server does not start, says where, and is repaired by the others',
  async (t) => {
    const cluster = await Cluster.start(t)
    const store = connect(t, cluster)
    await fill(store, 'before', 200)
    await cluster.caughtUp()
    await cluster.kill(2, 'SIGTERM')
    const file = join(cluster.dataDir(2), '00000001.paxos')
    const whole = await run(TOOL, ['dump', cluster.dataDir(2), '--json'])
    const records = whole.stdout.trimEnd().split('\n')
    const { offset, batch } = JSON.parse(records.find((line) => line.includes('"type":"accept"')) ?? '') as {
      offset: number
      batch: number
    }
    flip(file, offset + 8 + 40)
    t.equal(await ends(cluster, 2), 1)
    t.match(cluster.log(2), `kvstore-server: ${file} is damaged (byte ${offset}), in what was durable once`)
    t.match(cluster.log(2), 'start it with --repair')
    t.match(await run(TOOL, ['verify', cluster.dataDir(2)]), {
      code: 1,
      stdout: new RegExp(
        `byte ${offset}: record 1 of \\d+ of batch ${batch} \\(accept, slots? .* does not fit its checksum`,
      ),
    })
    await fill(store, 'meanwhile', 50)

    cluster.startServer(2, ['--repair'])
    await until('the server is repaired', async () => {
      const status = await store.connection.status(cluster.address(2)).catch(() => null)
      return status?.role === 'follower' && status.life === 1
    })
    await cluster.caughtUp()
    await fill(store, 'after', 50)
    await cluster.kill(0, 'SIGTERM')
    t.equal(await store.count(), 300, 'with the repaired server as one of a majority')
    await cluster.stop()
    const { code, stdout } = await run(TOOL, ['verify', cluster.dataDir(2)])
    t.equal(code, 0)
    t.match(stdout, ': whole: ')
    t.ok(readdirSync(cluster.dataDir(2)).includes('00000001.paxos.damaged'), 'what was damaged is kept')
  },
)

await t.test('a damaged snapshot: the server starts, says so, and gets one from another server', async (t) => {
  // Of a restored cluster, no server has the log of what is in its snapshot.
  const backup = await dataDirectory(t)
  const cluster = await Cluster.prepare(t)
  const directories = SERVERS.map((id) => cluster.dataDir(id))
  const name = `snapshot-${SNAPSHOT_SLOT}.paxos`
  t.equal((await run(TOOL, ['restore', join(backup, name), ...directories])).code, 0)
  const path = join(cluster.dataDir(1), name)
  flip(path, Math.floor(readFileSync(path).length / 2))
  t.match(await run(TOOL, ['verify', cluster.dataDir(1)]), {
    code: 1,
    stdout: /To do: nothing, while the other servers run/,
  })
  await cluster.startAll()
  await cluster.caughtUp()
  t.match(cluster.log(1), /the snapshot through slot 40 is not used: .* is damaged \(byte \d+\)/)
  const store = connect(t, cluster)
  t.equal((await store.connection.status(cluster.address(1))).installed, 1)
  t.match(await run(TOOL, ['verify', cluster.dataDir(1)]), { code: 0 })
  await cluster.kill(0, 'SIGTERM')
  t.equal(await store.count(), ENTRIES.length)
})

await t.test(
  'full disks: writes are refused until there is room again, and nothing acknowledged is lost',
  async (t) => {
    const cluster = await Cluster.prepare(t)
    for (const id of SERVERS) {
      const directory = cluster.dataDir(id)
      mkdirSync(directory)
      const reason = mount(directory, '-o', 'size=6m')
      if (reason !== null) {
        t.pass(`not tried here: a small file system cannot be mounted (${reason})`)
        return
      }
      t.teardown(async () => {
        await cluster.stop('SIGKILL')
        execFileSync('umount', [directory])
      })
    }
    await cluster.startAll()
    const store = connect(t, cluster, 3_000)
    const acknowledged: string[] = []
    const value = 'v'.repeat(100_000)
    let refused: unknown
    while (refused === undefined) {
      const key = `key-${acknowledged.length}`
      await store.set(key, value).then(
        () => acknowledged.push(key),
        (error: unknown) => (refused = error),
      )
      if (acknowledged.length > 60) throw new Error('6 MiB hold more than 6 MB')
    }
    t.ok(acknowledged.length > 5)
    t.ok(
      SERVERS.every((id) => cluster.child(id) !== undefined),
      'all servers live',
    )
    const full = SERVERS.filter((id) =>
      cluster.log(id).includes('the disk is full: this server takes nothing in until there is room'),
    )
    t.ok(full.length >= 2, 'the servers say what is wrong')
    const status = await store.connection.status(cluster.address(full[0] ?? 0))
    t.match(status, { ready: false, reason: 'the disk is full' })
    for (const id of SERVERS) t.equal(mount(cluster.dataDir(id), '-o', 'remount,size=64m'), null)
    const patient = connect(t, cluster, 60_000)
    await patient.set('room', 'again')
    await Promise.all(SERVERS.map((id) => cluster.kill(id)))
    await cluster.startAll()
    for (const key of acknowledged) t.equal(await patient.get(key), value)
    t.equal(await patient.get('room'), 'again')
    await cluster.stop()
    t.match(await run(TOOL, ['verify', ...SERVERS.map((id) => cluster.dataDir(id))]), { code: 0 })
  },
)

/** Mounts a file system in memory; why it could not, or null. */
function mount(directory: string, ...options: readonly string[]): string | null {
  try {
    execFileSync('mount', ['-t', 'tmpfs', ...options, 'tmpfs', directory], { stdio: ['ignore', 'ignore', 'pipe'] })
    return null
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error)
  }
}

for (const [call, what] of [
  ['pwrite64', 'a write to the log'],
  ['fdatasync', 'the sync of what is reserved'],
] as const) {
  await t.test(`${what} fails: the server ends, the others go on, and it comes back`, async (t) => {
    const cluster = await Cluster.prepare(t)
    cluster.startServer(0)
    cluster.startServer(1)
    // Not the first one: the server is to be formed, and in use.
    const inject = `inject=${call}:error=EIO:when=${call === 'pwrite64' ? 60 : 4}+`
    const traced = underStrace(['-e', `trace=${call}`, '-e', inject], cluster, 2)
    t.teardown(() => void traced.child.kill('SIGKILL'))
    const store = connect(t, cluster)
    let sets = 0
    while (traced.child.exitCode === null && sets < 300) {
      await store.set(`key-${sets % 10}`, `${'v'.repeat(100_000)} ${sets}`)
      sets++
    }
    t.equal(traced.child.exitCode, 1, `after ${sets} values: ${traced.printed()}`)
    t.match(
      traced.printed(),
      /kvstore-server: .* in .* failed \(EIO: i\/o error, .*\): the disk may have lost what was written/,
    )
    await store.set('without', 'it')
    t.equal(cluster.child(0) !== undefined && cluster.child(1) !== undefined, true)
    cluster.startServer(2)
    await cluster.caughtUp()
    await cluster.kill(0, 'SIGTERM')
    t.equal(await store.get('without'), 'it')
    t.equal(await store.count(), Math.min(sets, 10) + 1)
    await cluster.stop()
    t.match(await run(TOOL, ['verify', cluster.dataDir(2)]), { code: 0 })
  })
}

/** Starts one server of the cluster under strace, which makes system calls of it fail. */
function underStrace(
  flags: readonly string[],
  cluster: Cluster,
  id: number,
): { child: ReturnType<typeof spawn>; printed: () => string } {
  const place = ['--id', String(id), '--peers', cluster.servers, '--data-dir', cluster.dataDir(id)]
  mkdirSync(cluster.directory, { recursive: true })
  const server = [process.execPath, join(COMMANDS, 'kvstore-server.js'), ...place]
  const child = spawn('strace', ['-f', '--seccomp-bpf', '-qqq', '-o', '/dev/null', ...flags, ...server], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.once('error', (error) => {
    throw new Error('strace is needed: install it (Debian: apt-get install strace)', { cause: error })
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => void (printed += text))
  }
  return { child, printed: () => printed }
}
