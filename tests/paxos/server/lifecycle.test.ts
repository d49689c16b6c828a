/** The beginning and the end of a server, and both at once. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { defineService } from '@synod/paxos'
import { realClock } from '@synod/paxos/internal/clock'
import { serve } from '@synod/paxos/internal/server/serve'
import { Server } from '@synod/paxos/internal/server/server'
import { packValue } from '@synod/paxos/internal/codec/values'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import { StorageError } from '@synod/paxos/internal/storage/storage'
import type { Storage, StoredRecord } from '@synod/paxos/internal/storage/storage'
import { WIRE_VERSION } from '@synod/paxos/internal/transport/wire'
import { WebSocketTransport } from '@synod/paxos/internal/transport/ws-transport'
import t from 'tap'
import type { Test } from 'tap'
import { z } from 'zod'
import { adding, counter, freeAddresses, QUICK, RawClient, temporaryDirectory } from './support.js'

const portOf = (address: string): number => Number(address.replace(/^.*:/, ''))

/** A server that was not started: alone in its cluster, unless that is changed. */
function serverAt(
  address: string,
  directory: string,
  changes: { id?: number; addresses?: readonly string[]; storage?: Storage } = {},
): Server<(typeof counter)['op'], number> {
  return new Server({
    service: counter,
    id: 0,
    addresses: [address],
    storage: new FileStorage(new RealDisk(directory), realClock),
    transport: new WebSocketTransport({ port: portOf(address) }),
    clock: realClock,
    timing: QUICK,
    warn: () => undefined,
    ...changes,
  })
}

/** What becomes of a start: `started`, or the code that it failed with. */
function outcome(start: Promise<void>): Promise<string> {
  return start.then(
    () => 'started',
    (error: unknown) => String((error as { code?: unknown }).code),
  )
}

t.test('a server that is closed at any moment of its start leaves directory and port free', async (t) => {
  const [address = ''] = await freeAddresses(1)
  const directory = join(temporaryDirectory(t), '0')
  const seen = new Set<string>()
  for (let turns = 0; turns < 60; turns++) {
    const server = serverAt(address, directory)
    const started = outcome(server.start())
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
    await Promise.all([server.close(), server.close()])
    const found = await started
    if (!['started', 'NOT_SERVING'].includes(found)) t.fail(`after ${turns} turns: ${found}`)
    seen.add(found)
    t.equal(await server.stopped, null)
  }
  t.ok(seen.has('NOT_SERVING'), 'some were closed while they started')
  const last = serverAt(address, directory)
  await last.start()
  await last.serving
  await last.close()
})

t.test('a server that was closed cannot be started', async (t) => {
  const [address = ''] = await freeAddresses(1)
  const directory = join(temporaryDirectory(t), '0')
  const server = serverAt(address, directory)
  await server.close()
  t.equal(await outcome(server.start()), 'NOT_SERVING')
  const other = serverAt(address, directory)
  await other.start()
  await other.close()
})

t.test('a server that cannot start may be closed, and has ended for one reason', async (t) => {
  const [address = ''] = await freeAddresses(1)
  const directory = join(temporaryDirectory(t), '0')
  const other = createServer()
  await new Promise<void>((resolve) => {
    other.listen(portOf(address), '127.0.0.1', resolve)
  })
  t.teardown(() => other.close())
  const server = serverAt(address, directory)
  t.equal(await outcome(server.start()), 'ADDRESS_IN_USE')
  await server.close()
  t.match(await server.stopped, { code: 'ADDRESS_IN_USE' })
})

/** A storage that refuses what a server writes down of its peers, once it is told how. */
class Refusing extends FileStorage {
  refusal: StorageError | null = null
  refused = 0

  override append(records: readonly StoredRecord[]): Promise<void> {
    if (this.refusal === null || !records.some(({ type }) => type === 'peers')) return super.append(records)
    this.refused++
    return Promise.reject(this.refusal)
  }
}

/** Closes two servers that cannot write down what they heard of each other; gives the reasons of those that tried. */
async function refusing(t: Test, refusal: StorageError): Promise<(string | null)[]> {
  const addresses = await freeAddresses(2)
  const directory = temporaryDirectory(t)
  const storages = addresses.map((_, id) => new Refusing(new RealDisk(join(directory, `${id}`)), realClock))
  const servers = storages.map((storage, id) => serverAt(addresses[id] ?? '', '', { storage, id, addresses }))
  t.teardown(async () => {
    await Promise.all(servers.map((server) => server.close()))
  })
  await Promise.all(servers.map((server) => server.start()))
  await Promise.all(servers.map((server) => server.serving))
  const client = new RawClient(addresses[0] ?? '')
  t.teardown(() => client.end())
  await client.hello()
  const session = await client.session('f'.repeat(32))
  // Each command tells the leader, whichever server that is, of a newer batch.
  for (let localId = 1; localId <= 3; localId++) await client.submit(session, localId, adding(1))
  for (const storage of storages) storage.refusal = refusal
  await Promise.all(servers.map((server) => server.close()))
  const reasons: (string | null)[] = []
  for (const [id, server] of servers.entries()) {
    if (storages[id]?.refused === 0) continue
    reasons.push((await server.stopped)?.code ?? null)
    const again = serverAt(addresses[id] ?? '', join(directory, `${id}`), { id, addresses })
    t.equal(await outcome(again.start()), 'started', 'the directory is free')
    await again.close()
  }
  t.not(reasons.length, 0)
  return reasons
}

t.test('a server whose last record cannot be written says so, and frees its directory all the same', async (t) => {
  const broken = await refusing(t, new StorageError('DISK_FAILED', 'refused'))
  t.ok(broken.every((code) => code === 'DISK_FAILED'))
  const full = await refusing(t, new StorageError('DISK_FULL', 'refused'))
  t.ok(
    full.every((code) => code === null),
    'a full disk can do without it',
  )
})

t.test('an operation that makes the schema throw, and a state that cannot be dumped, stop nobody', async (t) => {
  const parsing = defineService({
    name: 'parsing',
    op: z.string().transform((text): unknown => JSON.parse(text)),
    state: () => ({ execute: () => 'done', snapshot: () => ['\ud800'], restore: () => undefined }),
  })
  const [address = ''] = await freeAddresses(1)
  const dataDir = join(temporaryDirectory(t), '0')
  const server = await serve(parsing, { id: 0, peers: [address], dataDir, timing: QUICK, onWarning: () => undefined })
  t.teardown(() => server.close())
  await server.serving
  const connect = async (): Promise<RawClient> => {
    const client = new RawClient(address)
    t.teardown(() => client.end())
    await client.open()
    return client.send({ type: 'client', version: WIRE_VERSION, service: 'parsing' })
  }
  const client = await connect()
  const session = await client.session('f'.repeat(32))
  client.send({ type: 'submit', clientId: session, acked: 0, commands: [[1, packValue('{')]] })
  t.match(await client.next('rejected'), { localId: 1, code: 'BAD_OPERATION' })
  t.equal(await (await connect()).send({ type: 'dump' }).goodbye(), 'DUMP_FAILED')
  t.match(await client.submit(session, 2, packValue('{}')), { status: 'ok' })
})
