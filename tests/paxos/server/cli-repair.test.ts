/** `--repair` as a user types it: real servers of a key-value store, whose directories are wiped or damaged. */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectKvstore } from '@synod/kvstore'
import type { KvClient } from '@synod/kvstore'
import t from 'tap'
import type { Test } from 'tap'
import { COMMANDS } from '../../support/cluster.js'
import { ended, run } from './processes.js'
import type { Run } from './processes.js'
import { freeAddresses, temporaryDirectory, until } from './support.js'

/** Whatever is waited for comes within this time (ms), also on a busy machine. */
const PATIENCE = 60_000

t.setTimeout(240_000)

/** Three servers, each with a directory of its own. */
class Cluster {
  readonly #t: Test
  readonly #directory: string
  readonly #runs: (Run | undefined)[] = []
  readonly addresses: readonly string[]

  private constructor(t: Test, addresses: readonly string[]) {
    this.#t = t
    this.#directory = temporaryDirectory(t)
    this.addresses = addresses
  }

  /** None of them runs yet. */
  static async prepare(t: Test): Promise<Cluster> {
    return new Cluster(t, await freeAddresses(3))
  }

  /** All of them serve. */
  static async start(t: Test): Promise<Cluster> {
    const cluster = await Cluster.prepare(t)
    const runs = [0, 1, 2].map((id) => cluster.start(id))
    for (const run of runs) await said(run, / serves; see /)
    return cluster
  }

  dataDir(id: number): string {
    return join(this.#directory, `server-${id}`)
  }

  start(id: number, ...flags: string[]): Run {
    const place = ['--id', String(id), '--peers', this.addresses.join(','), '--data-dir', this.dataDir(id)]
    const started = run(this.#t, [...place, ...flags], this.#directory, join(COMMANDS, 'kvstore-server.js'))
    this.#runs[id] = started
    return started
  }

  async end(id: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const running = this.#runs[id]
    if (running === undefined) throw new Error(`server ${id} was not started`)
    running.child.kill(signal)
    await ended(running, PATIENCE)
  }

  wipe(id: number): void {
    rmSync(this.dataDir(id), { recursive: true })
  }

  /** A client that knows these servers only. */
  client(...ids: number[]): KvClient {
    const client = connectKvstore({ servers: ids.map((id) => this.addresses[id] ?? '') })
    this.#t.teardown(() => client.close())
    return client
  }
}

/** Waits until a server says it, and gives all that it has said then. */
function said(run: Run, pattern: RegExp): Promise<string> {
  return until(
    `${pattern.source}, after ${run.child.spawnargs.join(' ')}`,
    () => pattern.test(run.out) && run.out,
    PATIENCE,
  )
}

const entries = Array.from({ length: 200 }, (_, i) => [`key ${i}`, `value ${i}`] as const)

async function fill(client: KvClient): Promise<void> {
  await Promise.all(entries.map(([key, value]) => client.set(key, value)))
}

async function isFilled(client: KvClient): Promise<boolean> {
  const values = await Promise.all(entries.map(([key]) => client.get(key)))
  return values.every((value, i) => value === entries[i]?.[1])
}

t.test('a wiped server is told to be repaired, and comes back with a vote', async (t) => {
  const cluster = await Cluster.start(t)
  const client = cluster.client(0, 1, 2)
  await fill(client)
  await cluster.end(2, 'SIGKILL')
  cluster.wipe(2)

  const refused = await ended(cluster.start(2), PATIENCE)
  t.equal(refused.code, 1)
  t.match(
    refused.err,
    /^kvstore-server: this directory is empty, but server [01] says that cluster [0-9a-f]{32} is formed/,
  )
  t.match(refused.err, / or have it rebuilt from the other servers with --repair\n$/)

  const repaired = cluster.start(2, '--repair')
  const out = await said(repaired, / serves; see /)
  t.match(out, /kvstore server 2 listens on \S+, data in \S+, to be repaired/)
  t.match(out, /\nkvstore server 2 is repaired, and votes again \(life 1\)\nkvstore server 2 serves; see /)
  t.equal(repaired.err, '')

  await cluster.end(0, 'SIGKILL') // now nothing is decided without the vote of 2
  await client.set('one more', 'yes')
  t.equal(await client.get('one more'), 'yes')
  t.ok(await isFilled(client))

  await cluster.end(2, 'SIGTERM')
  const whole = await ended(cluster.start(2, '--repair'), PATIENCE)
  t.equal(whole.code, 1)
  t.match(whole.err, /^kvstore-server: \S+ is whole: start it without --repair\n$/)
  await said(cluster.start(2), / serves; see /)
})

t.test(
  'a server with a flipped bit in its log refuses to start, and keeps what is damaged when it is repaired',
  async (t) => {
    const cluster = await Cluster.start(t)
    const client = cluster.client(0, 1, 2)
    await fill(client)
    await cluster.end(1, 'SIGTERM')
    const log = join(cluster.dataDir(1), '00000001.paxos')
    const bytes = readFileSync(log)
    const at = bytes.indexOf('key 100')
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
    writeFileSync(log, bytes)

    const refused = await ended(cluster.start(1), PATIENCE)
    t.equal(refused.code, 1)
    t.match(refused.err, /^kvstore-server: \S+\/00000001\.paxos .* \(byte \d+\).* start it with --repair, /)
    t.ok(refused.err.startsWith(`kvstore-server: ${log} `))

    const repaired = cluster.start(1, '--repair')
    await said(repaired, / serves; see /)
    t.match(repaired.err, /00000001\.paxos\.damaged/, 'it says what it has set aside')
    t.strictSame(
      readdirSync(cluster.dataDir(1)).filter((name) => name.startsWith('0')),
      ['00000001.paxos', '00000001.paxos.damaged'],
    )
    t.ok(readFileSync(`${log}.damaged`).equals(bytes))
    await cluster.end(2, 'SIGKILL')
    const other = cluster.client(1)
    t.ok(await isFilled(other))
    await other.set('one more', 'yes')
  },
)

t.test('a repair waits for a majority of the others, says so, and goes on by itself after a crash', async (t) => {
  const cluster = await Cluster.start(t)
  await fill(cluster.client(0, 1, 2))
  await cluster.end(2, 'SIGKILL')
  cluster.wipe(2)
  await cluster.end(1, 'SIGKILL')

  const stuck = / is being repaired: it needs 2 of the others, and waits for server 1\n/
  await said(cluster.start(2, '--repair'), stuck)
  await cluster.end(2, 'SIGKILL')
  const again = cluster.start(2) // not told to be repaired: it knows
  await said(again, stuck)
  t.notMatch(again.out, / serves; see /)

  await said(cluster.start(1), / serves; see /)
  await said(again, / is repaired, and votes again \(life \d\)\n[^]* serves; see /)
  await cluster.end(0, 'SIGKILL')
  t.ok(await isFilled(cluster.client(2)))
})

t.test(
  'what is left of a directory from before a repair is refused, and rebuilt once it is out of the way',
  async (t) => {
    const cluster = await Cluster.start(t)
    await fill(cluster.client(0, 1, 2))
    await cluster.end(2, 'SIGTERM')
    renameSync(cluster.dataDir(2), `${cluster.dataDir(2)}.old`)
    await said(cluster.start(2, '--repair'), / serves; see /)
    await cluster.end(2, 'SIGTERM')
    cluster.wipe(2)
    renameSync(`${cluster.dataDir(2)}.old`, cluster.dataDir(2))

    const refused = await ended(cluster.start(2), PATIENCE)
    t.equal(refused.code, 1)
    t.match(
      refused.err,
      /^kvstore-server: this directory is from before a repair of server 2 \(life 0\), but server [01] knows of that repair \(life 1\): /,
    )
    t.match(refused.err, / or empty the directory and have it rebuilt from the other servers with --repair\n$/)
    const whole = await ended(cluster.start(2, '--repair'), PATIENCE)
    t.match(whole.err, / is whole: start it without --repair\n$/, 'nothing of it is set aside')

    cluster.wipe(2)
    await said(cluster.start(2, '--repair'), / votes again \(life 2\)\n/)
    await cluster.end(1, 'SIGKILL')
    t.ok(await isFilled(cluster.client(2)))
  },
)

t.test('where no cluster is there is nothing to be repaired from', async (t) => {
  const cluster = await Cluster.prepare(t)
  const fresh = [cluster.start(0), cluster.start(1)]
  const refused = await ended(cluster.start(2, '--repair'), PATIENCE)
  t.equal(refused.code, 1)
  t.equal(refused.err, 'kvstore-server: no server of this cluster is formed: start without --repair\n')
  await said(cluster.start(2), / serves; see /)
  for (const run of fresh) await said(run, / serves; see /)
})
