/** The contract of `Snapshots`, held by each storage; and how snapshots travel, survive, and are found to be damaged. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { realClock } from '@synod/paxos/internal/clock'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { MemoryStorage } from '@synod/paxos/internal/storage/memory-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import type { SnapshotInfo, Snapshots } from '@synod/paxos/internal/storage/snapshots'
import type { Owner, Storage } from '@synod/paxos/internal/storage/storage'
import type { TestChunk } from './fixtures.js'
import {
  baseAt,
  chunksIn,
  chunksOf,
  CLUSTER,
  copySnapshot,
  HandClock,
  newDirectory,
  OWNER,
  promptDisk,
  SMALL,
  writeSnapshot,
} from './fixtures.js'

const storages: Record<string, () => () => Storage> = {
  'FileStorage on the real disk': () => {
    const directory = newDirectory()
    return () => new FileStorage(new RealDisk(directory), realClock, SMALL)
  },
  'FileStorage on the simulated disk': () => {
    const disk = promptDisk()
    return () => new FileStorage(disk, realClock, SMALL)
  },
  MemoryStorage: () => {
    const storage = new MemoryStorage()
    return () => storage
  },
}

async function formed(storage: Storage, owner: Owner = OWNER, cluster = CLUSTER): Promise<Storage> {
  await storage.open(owner)
  await storage.form(cluster)
  await storage.append([{ type: 'formed' }])
  return storage
}

t.setTimeout(120_000)

for (const [name, make] of Object.entries(storages)) {
  t.test(`${name} keeps the contract of snapshots`, (t) => {
    t.test('there is none at first', async (t) => {
      const { snapshots, ...storage } = await opened(make())
      t.strictSame([snapshots.newest, snapshots.incoming], [null, null])
      t.equal(await snapshots.bytes(5, '0'.repeat(32), 0, 100), null)
      await storage.close()
    })

    t.test('what was written is read back, also by the next life', async (t) => {
      const life = make()
      const first = await opened(life)
      const chunks = chunksOf(7, 40)
      const info = await writeSnapshot(first.snapshots, 7, chunks)
      t.match(info, { slot: 7, id: /^[0-9a-f]{32}$/, maker: OWNER.id })
      t.strictSame(first.snapshots.newest, info)
      t.strictSame(await chunksIn(first.snapshots, info), chunks)
      t.match(first.snapshots.pathOf(info), /\/?snapshot-7\.paxos$/)
      await first.close()
      const second = life()
      t.strictSame((await second.open(OWNER)).notes, [])
      t.strictSame(second.snapshots.newest, info)
      t.strictSame(await chunksIn(second.snapshots, info), chunks)
      await second.close()
    })

    t.test('one that is given up is not there, and another one can be written', async (t) => {
      const storage = await opened(make())
      const writer = await storage.snapshots.create(5)
      await writer.add({ section: 'head', payload: Buffer.from('head') })
      await t.rejects(storage.snapshots.create(6), /being written already/)
      await writer.abandon()
      t.equal(storage.snapshots.newest, null)
      await t.rejects(writer.add({ section: 'head', payload: Buffer.from('head') }), /given up/)
      const info = await writeSnapshot(storage.snapshots, 5, chunksOf(5))
      await t.rejects(storage.snapshots.create(5), /no newer one/)
      t.strictSame(storage.snapshots.newest, info)
      await storage.close()
    })

    t.test('it travels to another server in pieces, as the same file', async (t) => {
      const [maker, taker] = [await opened(make()), await opened(make(), { ...OWNER, id: 2 })]
      const chunks = chunksOf(9, 30)
      const info = await writeSnapshot(maker.snapshots, 9, chunks)
      await copySnapshot(maker.snapshots, taker.snapshots, info, 1000)
      t.strictSame(taker.snapshots.newest, info, 'its maker and its id, too')
      t.strictSame(await chunksIn(taker.snapshots, info), chunks)
      t.equal(taker.snapshots.incoming, null)
      const sent = await maker.snapshots.bytes(9, info.id, 0, info.size)
      const again = await taker.snapshots.bytes(9, info.id, 0, info.size)
      t.ok(sent !== null && again !== null && Buffer.compare(sent, again) === 0, 'it can be passed on')
      await maker.close()
      await taker.close()
    })

    t.test('one that is being received goes on in the next life, from its last whole chunk', async (t) => {
      const maker = await opened(make())
      const chunks = chunksOf(9, 30)
      const info = await writeSnapshot(maker.snapshots, 9, chunks)
      const life = make()
      const first = await opened(life)
      await first.snapshots.receive(info)
      const part = await maker.snapshots.bytes(9, info.id, 0, 2000)
      t.equal((await first.snapshots.take(part ?? new Uint8Array(0))).received, 2000)
      await first.close()
      const second = life()
      await second.open(OWNER)
      const { incoming } = second.snapshots
      t.strictSame(incoming?.info, info)
      t.ok((incoming?.received ?? 0) > 512 && (incoming?.received ?? 0) <= 2000, `${incoming?.received} bytes`)
      t.equal((await second.snapshots.receive(info)).received, incoming?.received, 'the same one goes on')
      await copySnapshot(maker.snapshots, second.snapshots, info, 777)
      t.strictSame(await chunksIn(second.snapshots, info), chunks)
      await second.close()
      await maker.close()
    })

    t.test('another one takes the place of that which is being received', async (t) => {
      const maker = await opened(make())
      const old = await writeSnapshot(maker.snapshots, 9, chunksOf(9))
      const oldBytes = await maker.snapshots.bytes(9, old.id, 0, 1000)
      const info = await writeSnapshot(maker.snapshots, 10, chunksOf(10))
      const taker = await opened(make())
      await taker.snapshots.receive(old)
      await taker.snapshots.take(oldBytes ?? new Uint8Array(0))
      t.equal((await taker.snapshots.receive(info)).received, 0)
      await copySnapshot(maker.snapshots, taker.snapshots, info, 10_000)
      t.strictSame(taker.snapshots.newest, info)
      await taker.close()
      await maker.close()
    })

    t.test('a base record deletes older ones; who is fetching one gets it to its end all the same', async (t) => {
      const life = make()
      const storage = await opened(life)
      const { snapshots } = storage
      const old = await writeSnapshot(snapshots, 20, chunksOf(20, 30))
      const taker = await opened(make())
      await taker.snapshots.receive(old)
      await taker.snapshots.take((await snapshots.bytes(20, old.id, 0, 1500)) ?? new Uint8Array(0))
      const info = await writeSnapshot(snapshots, 30, chunksOf(30))
      t.strictSame(await chunksIn(snapshots, old), chunksOf(20, 30), 'not before it')
      await storage.append([{ type: 'formed' }, baseAt(30)])
      await copySnapshot(snapshots, taker.snapshots, old, 1500)
      t.strictSame(await chunksIn(taker.snapshots, old), chunksOf(20, 30))
      t.strictSame(snapshots.newest, info)
      await storage.close()
      const again = life()
      await again.open(OWNER)
      t.equal(await again.snapshots.bytes(20, old.id, 0, 100), null)
      t.strictSame(again.snapshots.newest, info)
      await again.close()
      await taker.close()
    })

    t.test('what is not of this cluster, or another one than was promised, is refused', async (t) => {
      const maker = await opened(make())
      const info = await writeSnapshot(maker.snapshots, 9, chunksOf(9))
      const others: readonly [string, Storage][] = [
        ['of another cluster', await formed(make()(), OWNER, 'f'.repeat(32))],
        ['of another service', await formed(make()(), { ...OWNER, service: 'other' })],
        ['of a cluster of 3 servers', await formed(make()(), { ...OWNER, count: 5 })],
      ]
      for (const [what, storage] of others) {
        const refusal = copySnapshot(maker.snapshots, storage.snapshots, info, 4000)
        await t.rejects(refusal, { code: 'BAD_SNAPSHOT', message: new RegExp(what) })
        t.strictSame([storage.snapshots.incoming, storage.snapshots.newest], [null, null])
        await storage.close()
      }
      const taker = await opened(make())
      const promised = { ...info, size: info.size + 1 }
      await taker.snapshots.receive(promised)
      const bytes = (await maker.snapshots.bytes(9, info.id, 0, info.size)) ?? new Uint8Array(0)
      await t.rejects(taker.snapshots.take(bytes), { code: 'BAD_SNAPSHOT', message: /another one than was promised/ })
      t.equal(taker.snapshots.incoming, null)
      await taker.close()
      await maker.close()
    })

    t.test('bytes that were changed on the way, too many of them, or too few are found', async (t) => {
      const maker = await opened(make())
      const info = await writeSnapshot(maker.snapshots, 9, chunksOf(9, 20))
      const bytes = Buffer.from((await maker.snapshots.bytes(9, info.id, 0, info.size)) ?? [])
      const taker = await opened(make())
      for (const offset of [3, 200, 515, 600, 2000, bytes.length - 3]) {
        await taker.snapshots.receive(info)
        const changed = Buffer.from(bytes)
        changed[offset] = (changed[offset] ?? 0) ^ 16
        await t.rejects(taker.snapshots.take(changed), { code: 'BAD_SNAPSHOT' }, `byte ${offset}`)
        t.equal(taker.snapshots.incoming, null)
      }
      await taker.snapshots.receive(info)
      await t.rejects(taker.snapshots.take(Buffer.concat([bytes, Buffer.of(0)])), { code: 'BAD_SNAPSHOT' })
      await taker.snapshots.receive(info)
      await taker.snapshots.take(bytes.subarray(0, 3000))
      await t.rejects(taker.snapshots.install(), { code: 'BAD_SNAPSHOT', message: /ends before its end mark/ })
      t.strictSame([taker.snapshots.newest, taker.snapshots.incoming], [null, null])
      await copySnapshot(maker.snapshots, taker.snapshots, info, 5000)
      t.strictSame(taker.snapshots.newest, info)
      await taker.close()
      await maker.close()
    })

    t.test('an empty storage takes none', async (t) => {
      const storage = make()()
      await storage.open(OWNER)
      t.equal(storage.snapshots.newest, null)
      await t.rejects(storage.snapshots.create(3), /open, formed storage/)
      await t.rejects(storage.snapshots.receive({ slot: 3, id: '0'.repeat(32), maker: 0, size: 1000 }))
      await storage.close()
    })

    t.end()
  })
}

/** A formed storage in its first life. */
async function opened(
  life: () => Storage,
  owner: Owner = OWNER,
): Promise<{ snapshots: Snapshots } & Pick<Storage, 'append' | 'close'>> {
  const storage = await formed(life(), owner)
  return { snapshots: storage.snapshots, append: (records) => storage.append(records), close: () => storage.close() }
}

/** A directory with a snapshot through slot 9 of these chunks, and no process. */
async function withSnapshot(chunks: readonly TestChunk[]): Promise<[string, SnapshotInfo]> {
  const directory = newDirectory()
  const storage = await formed(new FileStorage(new RealDisk(directory), new HandClock(), SMALL))
  const info = await writeSnapshot(storage.snapshots, 9, chunks)
  await storage.close()
  return [directory, info]
}

t.test(
  'a flipped bit in any part of a snapshot is found, at the start or when it is read; the log is there',
  async (t) => {
    const [directory, info] = await withSnapshot(chunksOf(9, 10))
    const path = join(directory, 'snapshot-9.paxos')
    const whole = readFileSync(path)
    for (let offset = 0; offset < whole.length; offset += offset < 600 || offset > whole.length - 60 ? 13 : 61) {
      const rotten = Buffer.from(whole)
      rotten[offset] = (rotten[offset] ?? 0) ^ (1 << (offset % 8))
      writeFileSync(path, rotten)
      const storage = new FileStorage(new RealDisk(directory), new HandClock(), SMALL)
      const { formation, notes } = await storage.open(OWNER)
      if (formation !== 'formed') t.fail(`byte ${offset}: the log is ${formation}`)
      const { newest } = storage.snapshots
      if (newest === null) {
        if (!/snapshot-9\.paxos .* \(byte \d+\): it is not used$/.test(notes.join()))
          t.fail(`byte ${offset}: ${notes.join()}`)
      } else {
        const error = await chunksIn(storage.snapshots, newest).catch((error: unknown) => error)
        t.match(error, { code: 'BAD_SNAPSHOT', data: { file: 'snapshot-9.paxos' } }, `byte ${offset}`)
        t.equal(storage.snapshots.newest, null, 'and not taken for whole again')
      }
      await storage.close()
    }
    writeFileSync(path, whole)
    const storage = new FileStorage(new RealDisk(directory), new HandClock(), SMALL)
    await storage.open(OWNER)
    t.strictSame(storage.snapshots.newest, info)
    await storage.close()
  },
)

t.test('a snapshot that is cut off is not used, wherever that is', async (t) => {
  const [directory] = await withSnapshot(chunksOf(9, 3))
  const path = join(directory, 'snapshot-9.paxos')
  const whole = readFileSync(path)
  for (let size = 0; size < whole.length; size += 101) {
    writeFileSync(path, whole.subarray(0, size))
    const storage = new FileStorage(new RealDisk(directory), new HandClock(), SMALL)
    const { notes } = await storage.open(OWNER)
    if (storage.snapshots.newest !== null || notes.length !== 1) t.fail(`cut at ${size}: ${notes.join()}`)
    await storage.close()
  }
})

t.test('a damaged snapshot is not sent to the end, and not offered again', async (t) => {
  const [directory, info] = await withSnapshot(chunksOf(9, 10))
  const path = join(directory, 'snapshot-9.paxos')
  const rotten = readFileSync(path)
  rotten[2000] = (rotten[2000] ?? 0) ^ 1
  writeFileSync(path, rotten)
  const storage = new FileStorage(new RealDisk(directory), new HandClock(), SMALL)
  await storage.open(OWNER)
  t.strictSame(storage.snapshots.newest, info, 'its ends are whole')
  t.not(await storage.snapshots.bytes(9, info.id, 0, 1000), null)
  let offset = 1000
  while (offset < info.size && (await storage.snapshots.bytes(9, info.id, offset, 500)) !== null) offset += 500
  t.ok(offset < info.size, `stopped at byte ${offset}`)
  t.equal(storage.snapshots.newest, null)
  t.equal(await storage.snapshots.bytes(9, info.id, 0, 1000), null)
  await storage.close()
})

t.test('when the newest one is damaged, an older one is used, if the log goes back so far', async (t) => {
  const directory = newDirectory()
  const first = await formed(new FileStorage(new RealDisk(directory), new HandClock(), SMALL))
  const old = await writeSnapshot(first.snapshots, 9, chunksOf(9))
  await first.append([{ type: 'formed' }, baseAt(9)])
  await writeSnapshot(first.snapshots, 12, chunksOf(12))
  await first.close()
  writeFileSync(join(directory, 'snapshot-12.paxos'), 'not what it was')
  const second = new FileStorage(new RealDisk(directory), new HandClock(), SMALL)
  t.match((await second.open(OWNER)).notes, [/snapshot-12\.paxos is 15 bytes long.*not used/])
  t.strictSame(second.snapshots.newest, old)
  await second.append([{ type: 'formed' }, baseAt(12)])
  await second.close()
  const third = new FileStorage(new RealDisk(directory), new HandClock(), SMALL)
  await third.open(OWNER)
  t.equal(third.snapshots.newest, null, 'the log begins behind it')
  const info = await writeSnapshot(third.snapshots, 12, chunksOf(12))
  await third.append([{ type: 'formed' }, baseAt(12)])
  await third.close()
  t.strictSame(third.snapshots.newest, info)
  t.strictSame(snapshotsIn(directory), ['snapshot-12.paxos'])
})

t.test('what is left over of a snapshot is removed at the next start', async (t) => {
  const [directory, info] = await withSnapshot(chunksOf(9, 10))
  for (const name of ['snapshot-11.paxos.new', 'snapshot-8.paxos.part', 'snapshot-13.paxos.part', 'snapshot-x.paxos']) {
    writeFileSync(join(directory, name), 'left over')
  }
  const whole = readFileSync(join(directory, 'snapshot-9.paxos'))
  writeFileSync(join(directory, 'snapshot-12.paxos.part'), whole.subarray(0, 900))
  const storage = new FileStorage(new RealDisk(directory), new HandClock(), SMALL)
  t.strictSame((await storage.open(OWNER)).notes, [])
  t.strictSame([storage.snapshots.newest, storage.snapshots.incoming], [info, null], 'no part of another slot')
  await storage.close()
  t.strictSame(snapshotsIn(directory), ['snapshot-9.paxos', 'snapshot-x.paxos'])
})

t.test('a part that is damaged goes on from before the damage', async (t) => {
  const [directory, info] = await withSnapshot(chunksOf(9, 10))
  const whole = readFileSync(join(directory, 'snapshot-9.paxos'))
  const taker = newDirectory()
  await (await formed(new FileStorage(new RealDisk(taker), new HandClock(), SMALL))).close()
  const part = Buffer.from(whole.subarray(0, 3000))
  part.fill(0, 1500)
  writeFileSync(join(taker, 'snapshot-9.paxos.part'), part)
  const storage = new FileStorage(new RealDisk(taker), new HandClock(), SMALL)
  await storage.open(OWNER)
  const { received } = await storage.snapshots.receive(info)
  t.ok(received > 512 && received <= 1500, `${received} bytes are good`)
  for (let at = received; at < info.size; at += 400) {
    await storage.snapshots.take(whole.subarray(at, Math.min(at + 400, info.size)))
  }
  t.strictSame(await storage.snapshots.install(), info)
  t.strictSame(await chunksIn(storage.snapshots, info), chunksOf(9, 10))
  await storage.close()
})

t.test('a file that was removed is kept for who fetches it, for a minute after the last of its bytes', async (t) => {
  const clock = new HandClock()
  const storage = await formed(new FileStorage(promptDisk(), clock, SMALL))
  const { snapshots } = storage
  const old = await writeSnapshot(snapshots, 20, chunksOf(20, 30))
  await snapshots.bytes(20, old.id, 0, 1500)
  const info = await writeSnapshot(snapshots, 30, chunksOf(30))
  await storage.append([{ type: 'formed' }, baseAt(30)])
  clock.time = 59_000
  t.equal((await snapshots.bytes(20, old.id, 1500, 500))?.length, 500)
  clock.time = 60_001
  for (const timer of [...clock.timers]) timer()
  t.equal((await snapshots.bytes(20, old.id, 2000, 500))?.length, 500, 'used a second ago')
  clock.time = 120_002
  for (const timer of [...clock.timers]) timer()
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(await snapshots.bytes(20, old.id, 2000, 500), null)
  t.strictSame(snapshots.newest, info)
  await storage.close()
})

function snapshotsIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('snapshot'))
}
