/** What a `base` record lets go: which files of the log are deleted, which never, and what the next start needs. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import {
  baseAt,
  chunksOf,
  CLUSTER,
  HandClock,
  newDirectory,
  numbered,
  OWNER,
  recordsIn,
  SMALL,
  upTo,
  writeSnapshot,
} from './fixtures.js'

/** Files of 8 KiB, a file after each quarter of that. */
function storageIn(directory: string): FileStorage {
  return new FileStorage(new RealDisk(directory), new HandClock(), SMALL)
}

async function formed(directory: string): Promise<FileStorage> {
  const storage = storageIn(directory)
  await storage.open(OWNER)
  await storage.form(CLUSTER)
  await storage.append([{ type: 'formed' }])
  return storage
}

/** Appends records of the numbers, 400 bytes each; their slots are one higher. */
async function append(storage: FileStorage, from: number, to: number): Promise<void> {
  for (let number = from; number < to; number++) await storage.append([numbered(number, 400)])
}

/** As a server does when a snapshot is durable. */
async function collect(storage: FileStorage, slot: number): Promise<void> {
  await writeSnapshot(storage.snapshots, slot, chunksOf(slot))
  await storage.append([{ type: 'formed' }, { type: 'peers', batches: [1, 2, 3], lives: [] }, baseAt(slot)])
}

function logFiles(directory: string): number[] {
  return readdirSync(directory)
    .filter((name) => /^\d{8}\.paxos$/.test(name))
    .map((name) => Number(name.slice(0, 8)))
}

function slotsOf(records: readonly StoredRecord[]): number[] {
  return records.flatMap((record) => (record.type === 'accept' ? [record.run.first] : []))
}

async function reopened(directory: string): Promise<{ records: StoredRecord[]; formation: string; collected: number }> {
  const storage = storageIn(directory)
  const opened = await storage.open(OWNER)
  const records = await recordsIn(opened)
  await storage.close()
  return { records, formation: opened.formation, collected: opened.collected }
}

t.test('files that hold nothing above the collected slot go; the others stay, in a row', async (t) => {
  const directory = newDirectory()
  const storage = await formed(directory)
  await append(storage, 0, 80)
  const before = logFiles(directory)
  t.ok(before.length >= 6, before.join())
  await collect(storage, 40)
  await storage.close()
  const left = logFiles(directory)
  t.ok((left[0] ?? 0) >= 3 && left.length < before.length, left.join())
  const { records, formation, collected } = await reopened(directory)
  t.strictSame([formation, collected], ['formed', 40])
  const slots = slotsOf(records)
  t.ok((slots[0] ?? 0) > 20 && (slots[0] ?? Infinity) <= 41, `the first is slot ${slots[0]}`)
  t.strictSame(slots, upTo(81).slice(slots[0]), 'nothing above is gone')
  t.strictSame(
    records.filter(({ type }) => type === 'base'),
    [baseAt(40)],
    'the base record comes back as it was',
  )
})

t.test('nothing goes that tells of a higher slot, wherever it stands', async (t) => {
  const directory = newDirectory()
  const storage = await formed(directory)
  const ballot = { round: 1, server: 0, start: 5 }
  const noops = Array.from({ length: 90 }, () => ({ kind: 'noop' as const }))
  await storage.append([{ type: 'learn', ballot, first: 1, commands: noops }])
  await append(storage, 0, 60)
  await collect(storage, 89)
  await storage.close()
  t.equal(logFiles(directory)[0], 1, 'the first file tells of slot 90')
  const again = storageIn(directory)
  await recordsIn(await again.open(OWNER))
  await collect(again, 90)
  await again.close()
  t.ok((logFiles(directory)[0] ?? 0) > 1)
})

t.test('the file that is written on never goes; the log goes on in another one, if that is there', async (t) => {
  const directory = newDirectory()
  const storage = new FileStorage(new RealDisk(directory), new HandClock(), { ...SMALL, fileBytes: 64 << 10 })
  await storage.open(OWNER)
  await storage.form(CLUSTER)
  await append(storage, 0, 20)
  await collect(storage, 20)
  await append(storage, 20, 21)
  await collect(storage, 21)
  t.strictSame(logFiles(directory), [1], 'less than a quarter full')
  await append(storage, 21, 40)
  while (logFiles(directory).length < 2) await new Promise((resolve) => setImmediate(resolve))
  await collect(storage, 40) // the last record of its file
  await append(storage, 40, 41)
  t.strictSame(logFiles(directory), [1, 2])
  await collect(storage, 41)
  await storage.close()
  t.strictSame(logFiles(directory), [2])
  t.strictSame(slotsOf((await reopened(directory)).records), [41])
})

t.test('what a start found is needed until it was read', async (t) => {
  const directory = newDirectory()
  const first = await formed(directory)
  await append(first, 0, 60)
  await first.close()
  const files = logFiles(directory)
  const second = storageIn(directory)
  await second.open(OWNER)
  await collect(second, 30)
  await second.close()
  t.strictSame(logFiles(directory).slice(0, files.length), files, 'nobody knows what is in them')
  const third = storageIn(directory)
  await recordsIn(await third.open(OWNER))
  await collect(third, 40)
  await third.close()
  t.ok((logFiles(directory)[0] ?? 0) > 2)
})

t.test('bytes since the last base record are told, in the next life, too', async (t) => {
  const directory = newDirectory()
  const storage = await formed(directory)
  await append(storage, 0, 30)
  const { sinceBase, logBytes } = storage.statistics()
  t.ok(sinceBase > 30 * 400 && sinceBase <= logBytes, `${sinceBase} of ${logBytes}`)
  await collect(storage, 20)
  t.equal(storage.statistics().sinceBase, 0)
  await append(storage, 30, 50)
  const after = storage.statistics().sinceBase
  t.ok(after > 20 * 400 && after < 20 * 1200, String(after))
  await storage.close()
  const again = storageIn(directory)
  await again.open(OWNER)
  const found = again.statistics().sinceBase
  t.ok(Math.abs(found - after) <= 4096, `${found} after ${after}`)
  t.ok(again.statistics().logBytes < logBytes + after)
  await again.close()
})

t.test('what is left of files that are not needed is removed at the start, whatever it is', async (t) => {
  const directory = newDirectory()
  const storage = await formed(directory)
  await append(storage, 0, 80)
  const copies = logFiles(directory).map(
    (file) => [pathOf(directory, file), readFileSync(pathOf(directory, file))] as const,
  )
  await collect(storage, 60)
  await storage.close()
  const needed = logFiles(directory)
  const gone = copies.filter(([path]) => !needed.some((file) => pathOf(directory, file) === path))
  t.ok(gone.length >= 4)
  // One that is missing, one whole, one damaged, one torn, one of no log at all.
  const left: readonly ((bytes: Buffer) => Buffer | null)[] = [
    () => null,
    (bytes) => bytes,
    (bytes) => bytes.fill(7, 700, 800),
    (bytes) => bytes.subarray(0, 100),
  ]
  gone.forEach(([path, bytes], i) => {
    const content = (left[i] ?? (() => Buffer.from('no log')))(bytes)
    if (content !== null) writeFileSync(path, content)
  })
  const { records } = await reopened(directory)
  t.strictSame(logFiles(directory).slice(0, 1), needed.slice(0, 1))
  t.equal(slotsOf(records).at(-1), 80)
})

t.test('a file that is needed and is not there, or damaged, is refused though the log was collected', async (t) => {
  const make = async (): Promise<[string, number[]]> => {
    const directory = newDirectory()
    const storage = await formed(directory)
    await append(storage, 0, 40)
    await collect(storage, 15)
    await append(storage, 40, 60)
    await storage.close()
    return [directory, logFiles(directory)]
  }
  const [missing, files] = await make()
  const first = files[0] ?? 0
  t.ok(first > 1 && files.length > 2, files.join())
  rmSync(pathOf(missing, first))
  const name = `0000000${first}.paxos`
  await t.rejects(storageIn(missing).open(OWNER), { code: 'MISSING_FILE', data: { file: name } })
  const [damaged] = await make()
  const bytes = readFileSync(pathOf(damaged, first))
  bytes[600] = (bytes[600] ?? 0) ^ 1
  writeFileSync(pathOf(damaged, first), bytes)
  await t.rejects(storageIn(damaged).open(OWNER), { code: 'CORRUPT', data: { file: name } })
  const [headless] = await make()
  writeFileSync(pathOf(headless, first), 'no log')
  await t.rejects(storageIn(headless).open(OWNER), { code: 'CORRUPT', data: { file: name, offset: 0 } })
})

t.test('a repair that is under way keeps the whole log', async (t) => {
  const directory = newDirectory()
  const storage = await formed(directory)
  await storage.append([{ type: 'repairing' }])
  await append(storage, 0, 40)
  await collect(storage, 30)
  await storage.close()
  t.equal(logFiles(directory)[0], 1)
  const again = storageIn(directory)
  const opened = await again.open(OWNER)
  t.equal(opened.formation, 'repairing')
  await recordsIn(opened)
  await collect(again, 31)
  t.equal(logFiles(directory)[0], 1)
  await again.append([{ type: 'repaired', life: 1 }])
  await collect(again, 32)
  await again.close()
  t.ok((logFiles(directory)[0] ?? 0) > 1)
  t.equal((await reopened(directory)).formation, 'formed')
})

function pathOf(directory: string, file: number): string {
  return join(directory, `${String(file).padStart(8, '0')}.paxos`)
}
