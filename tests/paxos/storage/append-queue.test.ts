/** What FileStorage does while nobody waits for it, and once its disk has failed. */
import t from 'tap'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import type { Storage } from '@synod/paxos/internal/storage/storage'
import { CLUSTER, HandClock, numbered, numbersIn, OWNER, promptDisk, SMALL, upTo } from './fixtures.js'

async function formed(storage: Storage): Promise<Storage> {
  await storage.open(OWNER)
  await storage.form(CLUSTER)
  return storage
}

async function append(storage: Storage, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await storage.append([numbered(number)])
}

t.test('an idle log is sealed once', async (t) => {
  const clock = new HandClock()
  const disk = promptDisk()
  const storage = await formed(new FileStorage(disk, clock, { ...SMALL, sealAfter: 100 }))
  await append(storage, [0])
  clock.time += 60
  await append(storage, [1])
  t.equal(clock.timers.size, 1, 'one timer, however many appends')
  clock.time += 60
  for (const timer of [...clock.timers]) timer()
  await turns()
  t.strictSame([storage.batch, clock.timers.size], [2, 1], 'not idle for long enough: it looks again later')
  clock.time += 60
  for (const timer of [...clock.timers]) timer()
  await until(() => storage.batch === 3)
  t.equal(clock.timers.size, 0)
  await storage.close()
  t.equal(storage.batch, 3, 'close adds no second seal')
})

t.test('a seal that fails is told, though nobody appends', async (t) => {
  const clock = new HandClock()
  const disk = promptDisk()
  const storage = await formed(new FileStorage(disk, clock, { ...SMALL, sealAfter: 100 }))
  await append(storage, [0])
  t.equal(storage.failure, null)
  disk.fail('write', 'once')
  clock.time += 200
  for (const timer of [...clock.timers]) timer()
  await until(() => storage.failure !== null)
  t.match(storage.failure, { code: 'DISK_FAILED' })
  await storage.close()
})

for (const failing of ['write', 'sync'] as const) {
  t.test(`after a failed ${failing} nothing is appended any more, and nothing is tried again`, async (t) => {
    const disk = promptDisk()
    const storage = await formed(new FileStorage(disk, new HandClock(), SMALL))
    await append(storage, [0])
    disk.fail(failing, 'once')
    const [first, second] = [storage.append([numbered(1)]), storage.append([numbered(2)])]
    await t.rejects(first, { code: 'DISK_FAILED', message: /check it, then start again/ })
    await t.rejects(second, { code: 'DISK_FAILED' })
    await t.rejects(storage.append([numbered(3)]), { code: 'DISK_FAILED' })
    t.equal(storage.batch, 1)
    await storage.close()
    const found = await numbersIn(await new FileStorage(disk, new HandClock(), SMALL).open(OWNER))
    t.strictSame(found, upTo(found.length))
    t.ok(found.length >= 1 && found.length <= 3)
  })
}

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('this did not happen within 5 s')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
