/** Servers whose disks fail or fill up while they run. */
import { join } from 'node:path'
import { realClock } from '@synod/paxos/internal/clock'
import { Server } from '@synod/paxos/internal/server/server'
import { decodeValue } from '@synod/paxos/internal/service/service-codec'
import type { Disk, DiskFile } from '@synod/paxos/internal/storage/disk'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import { WebSocketTransport } from '@synod/paxos/internal/transport/ws-transport'
import t from 'tap'
import { adding, counter, freeAddresses, QUICK, RawClient, temporaryDirectory, until } from './support.js'

const NONCE = '0123456789abcdef0123456789abcdef'

/** A real disk that can be made to fill up, or to break. */
class FaultyDisk extends RealDisk {
  /** `full`: no room for more; `broken`: every write fails. */
  fault: 'none' | 'full' | 'broken' = 'none'

  override async create(name: string): Promise<DiskFile> {
    this.check('full')
    const file = await super.create(name)
    return {
      write: async (bytes, position) => {
        this.check('full')
        return file.write(bytes, position)
      },
      writeDurably: async (bytes, position) => {
        this.check('broken')
        return file.writeDurably(bytes, position)
      },
      sync: () => file.sync(),
      close: () => file.close(),
    }
  }

  /** Fails as the system would. `full` concerns only what needs more room. */
  check(what: 'full' | 'broken'): void {
    if (this.fault === 'broken') throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' })
    if (this.fault === what)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  }
}

type CounterServer = Server<(typeof counter)['op'], number>

/** What a test that starts servers is given. */
interface Test {
  teardown(call: () => void | Promise<void>): void
}

/** Servers with disks that can be made to fail, which serve when this resolves. */
async function serversOn(t: Test, disks: (id: number) => Disk, count: number) {
  const addresses = await freeAddresses(count)
  const warnings: string[] = []
  const servers = addresses.map((address, id): CounterServer => {
    const transport = new WebSocketTransport({ port: Number(address.replace(/^.*:/, '')) })
    // Little room is reserved at a time, so that a full disk is soon felt.
    const storage = new FileStorage(disks(id), realClock, { reserveBytes: 4096 })
    const warn = (line: string): unknown => warnings.push(line)
    return new Server({ service: counter, id, addresses, storage, transport, clock: realClock, timing: QUICK, warn })
  })
  t.teardown(async () => {
    await Promise.all(servers.map((server) => server.close()))
  })
  await Promise.all(servers.map((server) => server.start()))
  await Promise.all(servers.map((server) => server.serving))
  return { servers, addresses, warnings }
}

async function clientOf(t: Test, address: string | undefined): Promise<RawClient> {
  const client = new RawClient(address ?? '')
  t.teardown(() => client.end())
  return client.hello()
}

t.test(
  'after a failed write the server answers nothing more and ends; what it had acknowledged is there',
  async (t) => {
    const disk = new FaultyDisk(join(temporaryDirectory(t), '0'))
    const { servers, addresses } = await serversOn(t, () => disk, 1)
    const client = await clientOf(t, addresses[0])
    const session = await client.session(NONCE)
    await client.submit(session, 1, adding(5))
    disk.fault = 'broken'
    client.send({ type: 'submit', clientId: session, acked: 0, commands: [[2, adding(1)]] })
    const failure = await servers[0]?.stopped
    t.match(failure, { code: 'DISK_FAILED', message: /EIO/ })
    t.equal(await client.goodbye(), 'NOT_SERVING')
    const answered = client.frames.flatMap((frame) => (frame.type === 'replies' ? frame.replies : []))
    t.notOk(
      answered.find(({ localId }) => localId === 2),
      'what may not be durable was not acknowledged',
    )

    disk.fault = 'none'
    const after = await serversOn(t, () => disk, 1)
    const again = await clientOf(t, after.addresses[0])
    t.equal(decodeValue((await again.submit(session, 1, adding(5))).value), 5)
  },
)

t.test('while the disk is full clients are told BUSY; with room again it goes on, and nothing was lost', async (t) => {
  const disk = new FaultyDisk(join(temporaryDirectory(t), '0'))
  const { servers, addresses, warnings } = await serversOn(t, () => disk, 1)
  const client = await clientOf(t, addresses[0])
  const session = await client.session(NONCE)
  disk.fault = 'full'
  let sent = 0
  await until('the disk is felt to be full', () => {
    for (let more = 0; more < 10; more++)
      client.send({ type: 'submit', clientId: session, acked: 0, commands: [[++sent, adding(1)]] })
    return warnings.length > 0
  })
  t.match(warnings[0], /^\[0\] the disk is full: /)
  const busy = await client.submit(session, ++sent, adding(1))
  t.equal(busy.status, 'busy')
  client.send({ type: 'status' })
  t.match((await client.next('status')).status, { role: 'leader' }, 'it still answers')

  disk.fault = 'none'
  await until('it goes on', () => warnings.length > 1)
  t.match(warnings[1], /^\[0\] the disk has room again: /)
  const outcomes = new Map<number, string>()
  await until('each command has an outcome', () => {
    for (const frame of client.frames) {
      if (frame.type === 'replies')
        for (const { localId, result } of frame.replies) outcomes.set(localId, result.status)
    }
    return outcomes.size === sent + 1
  })
  const executed = [...outcomes].filter(([localId, status]) => localId > 0 && status === 'ok').length
  t.ok(executed > 0)
  const total = await client.submit(session, sent + 1, adding(0))
  t.equal(decodeValue(total.value), executed, 'exactly what was acknowledged was executed')
  await servers[0]?.close()
})

t.test('a leader with a full disk makes way for another, and catches up when there is room', async (t) => {
  const directory = temporaryDirectory(t)
  const disks = [0, 1, 2].map((id) => new FaultyDisk(join(directory, `${id}`)))
  const { servers, addresses, warnings } = await serversOn(t, (id) => disks[id] ?? new FaultyDisk(''), 3)
  const leader = servers[0]?.status().leader ?? 0
  const other = (leader + 1) % 3
  const client = await clientOf(t, addresses[other])
  const session = await client.session(NONCE)
  const disk = disks[leader]
  if (disk === undefined) throw new Error('no leader')
  disk.fault = 'full'
  let done = 0
  const add = async (): Promise<void> => {
    done++
    t.equal(decodeValue((await client.submit(session, done, adding(1))).value), done)
  }
  while (warnings.length === 0) await add()
  await until('another server leads', () =>
    servers.find((server) => server.status().role === 'leader' && server !== servers[leader]),
  )
  for (let more = 0; more < 20; more++) await add()
  t.ok((servers[leader]?.status().applied ?? 0) < (servers[other]?.status().applied ?? 0))
  disk.fault = 'none'
  await until('it has caught up', () => servers[leader]?.status().applied === servers[other]?.status().applied)
  await add()
})
