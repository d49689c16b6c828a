/** The contract of `Storage`, held by each implementation. */
import t from 'tap'
import { realClock } from '@synod/paxos/internal/clock'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { MemoryStorage } from '@synod/paxos/internal/storage/memory-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import type { Storage, StoredRecord } from '@synod/paxos/internal/storage/storage'
import {
  baseAt,
  CLUSTER,
  newDirectory,
  numbered,
  numbersIn,
  OWNER,
  promptDisk,
  recordsIn,
  SMALL,
  upTo,
} from './fixtures.js'

/** Each gives a function that starts a new life over the same directory. */
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

/** One of each kind, with numbers that need all their bits. */
const everyKind: readonly StoredRecord[] = [
  { type: 'formed' },
  { type: 'peers', batches: [0, 2 ** 40, 7], lives: [0, 3] },
  { type: 'promise', ballot: { round: 3, server: 2, start: Number.MAX_SAFE_INTEGER } },
  {
    type: 'accept',
    run: {
      ballot: { round: 2 ** 33, server: 0, start: 0 },
      first: 2 ** 35,
      commands: [
        { kind: 'op', clientId: '17-00ff', localId: 1, acked: 0, op: Uint8Array.from([0, 255, 1]) },
        { kind: 'op', clientId: 'é', localId: 2 ** 50, acked: 2 ** 49, op: new Uint8Array(0) },
        { kind: 'open', nonce: '00112233445566778899aabbccddeeff' },
        { kind: 'end', clientId: '17-00ff' },
        { kind: 'mark', nonce: 'ffeeddccbbaa99887766554433221100' },
        { kind: 'noop' },
      ],
    },
  },
  { type: 'decide', ballot: { round: 1, server: 1, start: 9 }, decided: 12 },
  { type: 'learn', ballot: { round: 1, server: 1, start: 9 }, first: 1, commands: [{ kind: 'noop' }] },
  { type: 'lives', lives: [0, 2 ** 33, 1] },
  { type: 'repairing' },
  { type: 'repaired', life: 2 ** 40 },
]

for (const [name, make] of Object.entries(storages)) {
  t.test(`${name} keeps the contract`, (t) => {
    t.test('an empty directory is empty, however often it is opened', async (t) => {
      const life = make()
      for (let i = 0; i < 2; i++) {
        const storage = life()
        const opened = await storage.open(OWNER)
        t.strictSame(
          [opened.formation, opened.clusterId, await recordsIn(opened), opened.notes, storage.batch],
          ['empty', null, [], [], 0],
        )
        await storage.close()
      }
    })

    t.test('it goes from empty over forming to formed', async (t) => {
      const life = make()
      const first = life()
      await first.open(OWNER)
      await first.form(CLUSTER)
      await first.close()
      const second = life()
      const forming = await second.open(OWNER)
      t.strictSame([forming.formation, forming.clusterId, await recordsIn(forming)], ['forming', CLUSTER, []])
      await second.append([{ type: 'formed' }])
      await second.close()
      const third = life()
      const formed = await third.open(OWNER)
      t.strictSame(
        [formed.formation, formed.clusterId, await recordsIn(formed)],
        ['formed', CLUSTER, [{ type: 'formed' }]],
      )
      await third.close()
    })

    t.test('records of every kind come back as they were', async (t) => {
      const life = make()
      const first = life()
      await first.open(OWNER)
      await first.form(CLUSTER)
      await first.append(everyKind)
      await first.close()
      const second = life()
      const found = await recordsIn(await second.open(OWNER))
      t.equal(found.length, everyKind.length)
      found.forEach((record, i) => t.strictSame(plain(record), plain(everyKind[i])))
      await second.close()
    })

    t.test('appends of many lives come back in order, and batch numbers only grow', async (t) => {
      const life = make()
      let count = 0
      let batch = -1
      for (let i = 0; i < 4; i++) {
        const storage = life()
        const opened = await storage.open(OWNER)
        t.strictSame(await numbersIn(opened), upTo(count))
        t.ok(storage.batch > batch, `batch ${storage.batch} after ${batch}`)
        if (i === 0) await storage.form(CLUSTER)
        for (let j = 0; j < 40; j++) {
          batch = storage.batch
          await storage.append([numbered(count++, j * 10), numbered(count++)])
          t.ok(storage.batch > batch, 'an append that resolved has a number')
        }
        const last = storage.batch
        await storage.close()
        batch = last - 1
      }
    })

    t.test('appends that wait together resolve in order, with fewer writes', async (t) => {
      const storage = make()()
      await storage.open(OWNER)
      await storage.form(CLUSTER)
      const resolved: number[] = []
      await Promise.all(upTo(100).map((i) => storage.append([numbered(i)]).then(() => resolved.push(i))))
      t.strictSame(resolved, upTo(100))
      t.ok(storage.statistics().syncs < 10, `${storage.statistics().syncs} writes`)
      await storage.close()
    })

    t.test('an append of nothing resolves after those before it', async (t) => {
      const storage = make()()
      await storage.open(OWNER)
      await storage.form(CLUSTER)
      const resolved: string[] = []
      const before = storage.append([numbered(0)]).then(() => resolved.push('something'))
      await storage.append([]).then(() => resolved.push('nothing'))
      t.strictSame(resolved, ['something', 'nothing'])
      await before
      await storage.close()
    })

    t.test('what is appended while a base record is kept comes behind it, and resolves after it', async (t) => {
      const life = make()
      const storage = life()
      await storage.open(OWNER)
      await storage.form(CLUSTER)
      const resolved: number[] = []
      const note = (i: number) => () => void resolved.push(i)
      for (let i = 0; i < 20; i += 2) {
        const first = storage.append([baseAt(0), numbered(i)]).then(note(i))
        for (let turns = 0; turns < i / 2; turns++) await Promise.resolve()
        await Promise.all([first, storage.append([numbered(i + 1)]).then(note(i + 1))])
      }
      t.strictSame(resolved, upTo(20))
      await storage.close()
      const second = life()
      const found = (await recordsIn(await second.open(OWNER))).filter(({ type }) => type === 'accept')
      t.strictSame(
        found.map(plain),
        upTo(20).map((i) => plain(numbered(i))),
      )
      await second.close()
    })

    t.test('close waits for the appends that are under way', async (t) => {
      const life = make()
      const storage = life()
      await storage.open(OWNER)
      await storage.form(CLUSTER)
      const appended = storage.append([numbered(0)])
      await storage.close()
      await appended
      const second = life()
      t.strictSame(await numbersIn(await second.open(OWNER)), [0])
      await second.close()
    })

    t.test(
      "another server's directory, or another number of servers, is refused, until it is opened as its own",
      async (t) => {
        const life = make()
        const storage = life()
        await storage.open(OWNER)
        await storage.form(CLUSTER)
        await storage.close()
        for (const other of [{ id: 2 }, { count: 5 }, { service: 'another' }]) {
          const refusal = life().open({ ...OWNER, ...other })
          await t.rejects(refusal, { code: 'WRONG_OWNER', message: /server 1 of 3 of the service "test"/ })
        }
        const again = life()
        t.equal((await again.open(OWNER)).clusterId, CLUSTER)
        await again.close()
      },
    )

    t.test('an open directory is locked', async (t) => {
      const life = make()
      const storage = life()
      await storage.open(OWNER)
      await t.rejects(life().open(OWNER), { code: 'LOCKED' })
      await storage.close()
    })

    t.end()
  })
}

/** Without the kind of the byte arrays. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}
