/**
 * No command is acknowledged before a majority of the servers has it on the disk: counted on real servers, real disks and real
 * connections, once inside one process and once by the system's calls of three.
 */
import './counted-disk.js'
import { spawnSync } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import { connectKvstore, kvstore } from '@synod/kvstore'
import { realClock } from '@synod/paxos/internal/clock'
import { Server } from '@synod/paxos/internal/server/server'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import type { Connection, ConnectionHandlers } from '@synod/paxos/internal/transport/transport'
import { WebSocketTransport } from '@synod/paxos/internal/transport/ws-transport'
import t from 'tap'
import { freeAddresses, temporaryDirectory } from '../paxos/server/support.js'
import { Cluster } from '../support/cluster.js'
import { whenDurable } from './counted-disk.js'
import { Ledger } from './ledger.js'
import { putThrough } from './load.js'
import { readTrace, startTraced } from './traced-cluster.js'

t.setTimeout(180_000)

const SERVERS = 3
const MAJORITY = 2
const NONE = { count: 0, example: 'none' }

/** Hands each frame that is sent over an accepted connection to the ledger first. */
class WatchedTransport extends WebSocketTransport {
  readonly #ledger: Ledger

  constructor(port: number, ledger: Ledger) {
    super({ port })
    this.#ledger = ledger
  }

  override listen(accept: (connection: Connection) => ConnectionHandlers): Promise<void> {
    return super.listen((connection) => {
      const send = connection.send.bind(connection)
      connection.send = (frame) => {
        this.#ledger.leaves(frame)
        send(frame)
      }
      return accept(connection)
    })
  }
}

await t.test('counted at the calls of this process: a reply leaves when a majority of the disks has it', async (t) => {
  const addresses = await freeAddresses(SERVERS)
  const directory = temporaryDirectory(t)
  const ledger = new Ledger()
  whenDurable((path, bytes) => {
    ledger.durable(Number(basename(dirname(path))), bytes)
  })
  const servers = addresses.map((address, id) => {
    const storage = new FileStorage(new RealDisk(join(directory, `${id}`)), realClock)
    const transport = new WatchedTransport(Number(address.split(':')[1]), ledger)
    return new Server({
      service: kvstore,
      id,
      addresses,
      storage,
      transport,
      clock: realClock,
      warn: (line) => t.fail(line),
    })
  })
  t.teardown(async () => void (await Promise.all(servers.map((server) => server.close()))))
  await Promise.all(servers.map((server) => server.start()))
  await Promise.all(servers.map(({ serving }) => serving))
  const puts = await putThrough(t, addresses, ledger)
  t.equal(ledger.acknowledged, puts)
  t.strictSame(ledger.tooEarly(MAJORITY), NONE)
})

await t.test('counted by strace: a reply leaves when a majority of the servers has written it durably', async (t) => {
  if (spawnSync('strace', ['-f', '--seccomp-bpf', '-o', '/dev/null', 'true']).status !== 0) {
    t.pass('not tried here: processes cannot be traced (strace is missing, or not allowed to)')
    return
  }
  const cluster = await Cluster.prepare(t, { count: SERVERS })
  const file = join(cluster.directory, 'trace')
  const traced = startTraced(t, cluster, file)
  const store = connectKvstore({ servers: cluster.addresses, timeout: 60_000 })
  t.teardown(() => store.close())
  await store.set('ready', 'yes')
  const ledger = new Ledger()
  const puts = await putThrough(t, cluster.addresses, ledger)
  await traced.end()
  await readTrace(file, cluster.directory, ledger)
  t.equal(ledger.acknowledged, puts, 'every put was acknowledged before the eyes of strace')
  t.strictSame(ledger.tooEarly(MAJORITY), NONE)
})
