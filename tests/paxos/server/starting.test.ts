/** A server that still reads its directory: it listens, tells how far it is, and takes part in nothing. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { realClock } from '@synod/paxos/internal/clock'
import { Server } from '@synod/paxos/internal/server/server'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import type { FoundRecords, Opened } from '@synod/paxos/internal/storage/storage'
import { decodePeerFrame } from '@synod/paxos/internal/transport/codec'
import { WebSocketTransport } from '@synod/paxos/internal/transport/ws-transport'
import t from 'tap'
import { hello } from './formation-world.js'
import { adding, counter, freeAddresses, QUICK, RawClient, temporaryDirectory } from './support.js'

/** A storage that waits in the middle of its records until it is told to go on. */
class Slow extends FileStorage {
  goOn: () => void = () => undefined
  readonly #mayGoOn = new Promise<void>((resolve) => (this.goOn = resolve))

  override async open(...args: Parameters<FileStorage['open']>): Promise<Opened> {
    const opened = await super.open(...args)
    return { ...opened, records: this.#slowly(opened.records) }
  }

  async *#slowly(records: Opened['records']): AsyncGenerator<FoundRecords> {
    await this.#mayGoOn
    yield* records
  }
}

function serverAt(
  address: string,
  storage: FileStorage,
  warn: (line: string) => void = (line) => t.fail(line),
): Server<(typeof counter)['op'], number> {
  return new Server({
    service: counter,
    id: 0,
    addresses: [address],
    storage,
    transport: new WebSocketTransport({ port: Number(address.replace(/^.*:/, '')) }),
    clock: realClock,
    timing: QUICK,
    warn,
  })
}

t.test('while a server reads its directory it says so, and takes in neither commands nor peers', async (t) => {
  const [address = ''] = await freeAddresses(1)
  const disk = (): RealDisk => new RealDisk(directory)
  const directory = join(temporaryDirectory(t), '0')
  const connect = (): RawClient => {
    const client = new RawClient(address)
    t.teardown(() => client.end())
    return client
  }
  const before = serverAt(address, new FileStorage(disk(), realClock))
  await before.start()
  await before.serving
  const first = await connect().hello()
  const clientId = await first.session('0'.repeat(32))
  await first.submit(clientId, 1, adding(5))
  await before.close()

  const storage = new Slow(disk(), realClock)
  const server = serverAt(address, storage)
  const started = server.start()
  t.teardown(() => server.close())
  const client = await connect().hello()
  client.send({ type: 'status' })
  const { status } = await client.next('status')
  t.match(status, { role: 'starting', progress: 0, ready: false })
  t.match(status.reason, /^this server is starting: 0 % of its directory is read/)
  client.send({ type: 'submit', clientId, acked: 0, commands: [[2, adding(1)]] })
  t.match(await client.next('rejected'), { localId: 2, code: 'NOT_SERVING' })
  client.send({ type: 'dump' })
  t.equal(await client.goodbye(), 'NOT_SERVING')
  const peer = (await connect().open()).send(hello(0, 0, {}))
  t.equal(await peer.goodbye(), 'NOT_SERVING')
  t.match(decodePeerFrame(peer.raw[0] ?? new Uint8Array()), {
    type: 'goodbye',
    message: 'this server is still starting',
  })

  storage.goOn()
  await started
  await server.serving
  const later = await connect().hello()
  later.send({ type: 'status' })
  t.match(await later.next('status'), { status: { role: 'leader', progress: null, ready: true, reason: null } })
  later.send({ type: 'submit', clientId, acked: 0, commands: [[2, adding(1)]] })
  t.match(await later.outcome(clientId, 2), { status: 'ok' })
})

t.test('a server that is closed while it reads its directory ends', async (t) => {
  const [address = ''] = await freeAddresses(1)
  const directory = join(temporaryDirectory(t), '0')
  const storage = new Slow(new RealDisk(directory), realClock)
  const server = serverAt(address, storage)
  const outcome = server.start().catch((error: unknown) => error)
  const client = await new RawClient(address).hello()
  t.teardown(() => client.end())
  await client.next('welcome')
  const closed = server.close()
  storage.goOn()
  await closed
  t.match(await outcome, { code: 'NOT_SERVING' })
  t.equal(await server.stopped, null)
})

/** Files so short that a snapshot lets the first one go. */
const SHORT = { fileBytes: 1_024, reserveBytes: 512 }

/** A lone server counts up to 5, makes a snapshot if that is wanted, and ends. */
async function writeDirectory(address: string, directory: string, snapshot: boolean): Promise<void> {
  const server = serverAt(address, new FileStorage(new RealDisk(directory), realClock, SHORT))
  await server.start()
  await server.serving
  const client = await new RawClient(address).hello()
  await client.submit(await client.session('0'.repeat(32)), 1, adding(5))
  if (snapshot) await client.send({ type: 'snapshot' }).next('snapshot')
  await client.end()
  await server.close()
}

t.test(
  'a lone server that is closed while it reads its snapshot has lost nothing, and says no such thing',
  async (t) => {
    const [address = ''] = await freeAddresses(1)
    const directory = join(temporaryDirectory(t), '0')
    await writeDirectory(address, directory, true)
    t.notOk(existsSync(join(directory, '00000001.paxos')), 'the log alone does not bring the state back')
    const storage = new FileStorage(new RealDisk(directory), realClock)
    const { snapshots } = storage
    const read = snapshots.read.bind(snapshots)
    const server = serverAt(address, storage)
    let closed: Promise<void> | undefined
    snapshots.read = (info) => {
      closed = server.close()
      return read(info)
    }
    await t.rejects(server.start(), { code: 'NOT_SERVING' })
    t.ok(closed)
    await closed
    t.equal(await server.stopped, null)
  },
)

t.test('a snapshot that is whole and of no use is left out, and nothing of the log is deleted for it', async (t) => {
  const [address = ''] = await freeAddresses(1)
  const directory = join(temporaryDirectory(t), '0')
  await writeDirectory(address, directory, false)
  const storage = new FileStorage(new RealDisk(directory), realClock)
  await storage.open({ service: 'counter', id: 0, count: 1 })
  const writer = await storage.snapshots.create(1_000)
  await writer.add({ section: 'head', payload: Buffer.from([0xc1]) })
  await writer.finish()
  await storage.close()
  for (const start of ['the first start', 'the second']) {
    const warnings: string[] = []
    const server = serverAt(address, new FileStorage(new RealDisk(directory), realClock), (line) => warnings.push(line))
    await server.start()
    await server.serving
    t.match(warnings, [/the snapshot through slot 1000 is not used/], start)
    const client = await new RawClient(address).hello()
    // What was accepted last is proposed, and written, once more before it is executed.
    const dump = () => client.send({ type: 'dump' }).next('dump')
    let told = await dump()
    for (const end = performance.now() + 10_000; told.entries[0] !== 5 && performance.now() < end;) told = await dump()
    t.match(told, { entries: [5] }, start)
    await client.end()
    await server.close()
  }
})
