/** What FileStorage does about damage, foreign files, and disks that fail or are full. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checksum } from '@synod/paxos/internal/storage/checksum'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import type { LogLimits } from '@synod/paxos/internal/storage/log-writer'
import type { Storage } from '@synod/paxos/internal/storage/storage'
import { CLUSTER, HandClock, newDirectory, numbered, numbersIn, OWNER, promptDisk, SMALL, upTo } from './fixtures.js'

const FIRST = '00000001.paxos'

function storageIn(directory: string, limits: LogLimits = SMALL): FileStorage {
  return new FileStorage(new RealDisk(directory), new HandClock(), limits)
}

async function formed(storage: Storage): Promise<Storage> {
  await storage.open(OWNER)
  await storage.form(CLUSTER)
  return storage
}

/** Appends records of the numbers, each in a batch of its own, and says how long the log was after each. */
async function append(storage: Storage, numbers: readonly number[], bytes = 10): Promise<number[]> {
  const ends: number[] = []
  for (const number of numbers) {
    await storage.append([numbered(number, bytes)])
    ends.push(storage.statistics().logBytes)
  }
  return ends
}

/** The directory as a process that is killed now leaves it. */
function killed(directory: string): string {
  const copy = newDirectory()
  cpSync(directory, copy, { recursive: true })
  return copy
}

/** Changes a file; by the bytes that the function gives back, or those that it was given. */
function edit(directory: string, name: string, change: (bytes: Buffer) => Buffer | undefined): void {
  const path = join(directory, name)
  const bytes = readFileSync(path)
  writeFileSync(path, change(bytes) ?? bytes)
}

async function reopened(directory: string): Promise<{ numbers: number[]; notes: readonly string[]; batch: number }> {
  const storage = storageIn(directory)
  const opened = await storage.open(OWNER)
  const result = { numbers: await numbersIn(opened), notes: opened.notes, batch: storage.batch }
  await storage.close()
  return result
}

t.setTimeout(120_000)

t.test('a torn tail is cut off, wherever it was torn, and the log goes on with higher batch numbers', async (t) => {
  const directory = newDirectory()
  const storage = await formed(storageIn(directory))
  const ends = await append(storage, upTo(3), 50)
  const [start, end] = [ends[1] ?? 0, ends[2] ?? 0]
  const live = killed(directory)
  await storage.close()
  const used = start + 28 + 8 + readFileSync(join(live, FIRST)).readUInt32LE(start + 28 + 4)
  t.ok(used > end - 512 && used <= end)
  for (let cut = start; cut <= used; cut++) {
    const torn = killed(live)
    edit(torn, FIRST, (bytes) => void bytes.fill(0, cut))
    const whole = cut === used
    const { numbers, notes, batch } = await reopened(torn)
    if (numbers.length !== (whole ? 3 : 2) || notes.length !== (whole || cut === start ? 0 : 1) || batch < 3) {
      t.fail(`cut at ${cut}: ${numbers.join()} ${notes.join()} ${batch}`)
    }
    rmSync(torn, { recursive: true })
  }
  const torn = killed(live)
  edit(torn, FIRST, (bytes) => bytes.subarray(0, used - 1))
  const { notes, batch } = await reopened(torn)
  t.match(notes, [/00000001\.paxos: the last write was torn off \(byte \d+\).*cut off at byte \d+/])
  t.equal(batch, 4)
  const again = storageIn(torn)
  t.strictSame(await numbersIn(await again.open(OWNER)), [0, 1])
  await again.append([numbered(2)])
  await again.close()
  t.strictSame((await reopened(torn)).numbers, [0, 1, 2])
})

t.test('a file that is cut off within the zeros behind its last record has lost nothing', async (t) => {
  const directory = newDirectory()
  const storage = await formed(storageIn(directory))
  const [, end = 0] = await append(storage, upTo(2), 50)
  const live = killed(directory)
  await storage.close()
  const used = readFileSync(join(live, FIRST)).findLastIndex((byte) => byte !== 0) + 1
  t.ok(used < end)
  for (let size = used; size <= end; size += 41) {
    const cut = killed(live)
    edit(cut, FIRST, (bytes) => bytes.subarray(0, size))
    t.strictSame((await reopened(cut)).numbers, [0, 1])
    t.strictSame((await reopened(cut)).notes, [])
    rmSync(cut, { recursive: true })
  }
})

t.test('a flipped byte anywhere in what was sealed is refused, with file and offset', async (t) => {
  const directory = newDirectory()
  const storage = await formed(storageIn(directory))
  const ends = await append(storage, upTo(3), 700)
  await storage.close()
  const sealed = ends[2] ?? 0
  const places = {
    'the file header': 40,
    'the first batch header': 512 + 8,
    "a record's checksum": 512 + 28,
    "a record's length": 512 + 32,
    "a record's payload": 512 + 200,
    'the second batch header': (ends[0] ?? 0) + 9,
    'the last record before the seal': (ends[1] ?? 0) + 300,
  }
  for (const [place, offset] of Object.entries(places)) {
    const rotten = killed(directory)
    edit(rotten, FIRST, (bytes) => void (bytes[offset] = (bytes[offset] ?? 0) ^ 4))
    const refusal = storageIn(rotten).open(OWNER)
    const error = await refusal.then(
      () => null,
      (error: unknown) => error as Error & { code: string; data: { file: string; offset: number } },
    )
    t.match(error, { code: 'CORRUPT', data: { file: FIRST } }, place)
    const named = error?.data.offset ?? Infinity
    t.ok(named <= offset && offset - named < 700, `${place}: byte ${offset} is damaged, ${named} is named`)
    t.match(error?.message, /must not start as it is; start it with --repair/)
    const again = await storageIn(rotten)
      .open(OWNER)
      .catch((error: unknown) => error)
    t.match(again, { code: 'CORRUPT' }, 'and refused again: nothing was repaired in silence')
  }
  // Of the seal itself nothing can be lost.
  const unsealed = killed(directory)
  edit(unsealed, FIRST, (bytes) => void (bytes[sealed + 8] = 77))
  t.strictSame((await reopened(unsealed)).numbers, [0, 1, 2])
})

t.test('a flipped bit in any byte of a small sealed log is refused, or changes nothing', async (t) => {
  const outcomes = { refused: 0, unchanged: 0 }
  for (let offset = 0; offset < 4 * 512; offset++) {
    const disk = promptDisk(offset)
    const storage = await formed(new FileStorage(disk, new HandClock(), SMALL))
    await append(storage, upTo(2))
    await storage.close()
    disk.rot(FIRST, offset)
    try {
      const found = await numbersIn(await new FileStorage(disk, new HandClock(), SMALL).open(OWNER))
      if (found.join() !== '0,1') t.fail(`byte ${offset}: ${found.join()}`)
      outcomes.unchanged++
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'CORRUPT')) throw error
      outcomes.refused++
    }
  }
  // The whole header, two batches; neither the zeros behind them nor the seal.
  t.ok(outcomes.refused > 512 + 2 * 60 && outcomes.unchanged > 1000, JSON.stringify(outcomes))
})

t.test('a batch in the wrong place, or in the wrong file, is damage', async (t) => {
  const directory = newDirectory()
  const storage = await formed(storageIn(directory))
  await append(storage, upTo(4))
  await storage.close()
  const misplaced = killed(directory)
  edit(misplaced, FIRST, (bytes) => void bytes.copyWithin(1024, 512, 1024))
  await t.rejects(storageIn(misplaced).open(OWNER), { code: 'CORRUPT', data: { file: FIRST, offset: 1024 } })
  const other = newDirectory()
  const twin = await formed(new FileStorage(new RealDisk(other), new HandClock(2), SMALL))
  await append(twin, upTo(4))
  await twin.close()
  const foreign = killed(directory)
  edit(foreign, FIRST, (bytes) => void readFileSync(join(other, FIRST)).copy(bytes, 1024, 1024, 1536))
  await t.rejects(storageIn(foreign).open(OWNER), { code: 'CORRUPT', data: { file: FIRST, offset: 1024 } })
})

t.test('a batch of another history of the same file is damage', async (t) => {
  const directory = newDirectory()
  const storage = await formed(storageIn(directory))
  await append(storage, upTo(2))
  const copy = killed(directory)
  await append(storage, [2, 3, 4])
  const histories = [directory, copy]
  const other = storageIn(copy)
  await other.open(OWNER)
  await append(other, [2, 3, 4])
  await Promise.all([storage.close(), other.close()])
  const [one, two] = histories.map((directory) => readFileSync(join(directory, FIRST)))
  const offset = 512 * 5
  one?.copy(two ?? one, offset, offset, offset + 512)
  writeFileSync(join(copy, FIRST), two ?? '')
  await t.rejects(storageIn(copy).open(OWNER), { code: 'CORRUPT', data: { file: FIRST, offset } })
})

t.test('a lost write is damage, when a batch came after it', async (t) => {
  const directory = newDirectory()
  const storage = await formed(storageIn(directory))
  await append(storage, upTo(4))
  const lost = killed(directory)
  await storage.close()
  edit(lost, FIRST, (bytes) => void bytes.fill(0, 1024, 1536))
  await t.rejects(storageIn(lost).open(OWNER), { code: 'CORRUPT', data: { file: FIRST, offset: 1024 } })
})

t.test('the log goes on in new files, each named by the one before', async (t) => {
  const directory = newDirectory()
  const storage = await formed(storageIn(directory))
  await append(storage, upTo(80), 400)
  await storage.close()
  t.strictSame((await reopened(directory)).numbers, upTo(80))
  const names = readdirSync(directory).filter((name) => name.endsWith('.paxos'))
  t.ok(names.length >= 6, names.join(' '))

  for (const name of names.slice(0, -1)) {
    const missing = killed(directory)
    rmSync(join(missing, name))
    await t.rejects(storageIn(missing).open(OWNER), { code: 'MISSING_FILE', data: { file: name } })
  }
  const last = names.at(-1) ?? ''
  rmSync(join(directory, last))
  await t.rejects(storageIn(directory).open(OWNER), { code: 'MISSING_FILE', data: { file: last } })
})

t.test('a file of another life of the directory is refused', async (t) => {
  const [one, other] = [newDirectory(), newDirectory()]
  for (const [directory, seed] of [
    [one, 1],
    [other, 2],
  ] as const) {
    const storage = await formed(new FileStorage(new RealDisk(directory), new HandClock(seed), SMALL))
    await append(storage, upTo(40), 400)
    await storage.close()
  }
  cpSync(join(other, '00000002.paxos'), join(one, '00000002.paxos'))
  await t.rejects(storageIn(one).open(OWNER), {
    code: 'CORRUPT',
    message: /00000003\.paxos is not the file that 00000002\.paxos goes on in/,
  })
  cpSync(join(one, FIRST), join(one, '00000002.paxos'))
  await t.rejects(storageIn(one).open(OWNER), { code: 'CORRUPT', data: { file: '00000002.paxos', offset: 0 } })
})

t.test('damage at the end of a file that is not the last is corruption', async (t) => {
  const directory = newDirectory()
  const storage = await formed(storageIn(directory))
  const ends = await append(storage, upTo(40), 400)
  await storage.close()
  const end = ends.find((end) => end >= SMALL.fileBytes) ?? 0
  edit(directory, FIRST, (bytes) => void (bytes[end - 900] = (bytes[end - 900] ?? 0) ^ 1))
  await t.rejects(storageIn(directory).open(OWNER), { code: 'CORRUPT', data: { file: FIRST } })
})

t.test('a batch larger than a file is written whole', async (t) => {
  const directory = newDirectory()
  const storage = await formed(storageIn(directory))
  await storage.append(upTo(300).map((number) => numbered(number, 400)))
  await storage.append([numbered(300, 3_000_000)])
  await storage.append([numbered(301)])
  await storage.close()
  t.strictSame((await reopened(directory)).numbers, upTo(302))
})

t.test('a newer format is told apart from damage', async (t) => {
  const directory = newDirectory()
  await (await formed(storageIn(directory))).close()
  edit(directory, FIRST, (bytes) => {
    bytes.writeUInt32LE(3, 8)
    bytes.writeUInt32LE(0, 12)
    bytes.writeUInt32LE(checksum(bytes, 0, 512, 0), 12)
    return undefined
  })
  await t.rejects(storageIn(directory).open(OWNER), { code: 'NEWER_FORMAT', message: /start a newer release/ })
  edit(directory, FIRST, (bytes) => void bytes.writeUInt32LE(4, 8))
  await t.rejects(storageIn(directory).open(OWNER), { code: 'CORRUPT', data: { file: FIRST, offset: 0 } })
})

t.test('a file of the first format is read, and goes on', async (t) => {
  const directory = newDirectory()
  await (await formed(storageIn(directory))).close()
  edit(directory, FIRST, (bytes) => {
    bytes.writeUInt32LE(1, 8)
    bytes.writeUInt32LE(0, 12)
    bytes.writeUInt32LE(checksum(bytes, 0, 512, 0), 12)
    return bytes.subarray(0, 512)
  })
  const storage = storageIn(directory)
  t.equal((await storage.open(OWNER)).formation, 'forming')
  await append(storage, upTo(40), 400)
  await storage.close()
  t.strictSame((await reopened(directory)).numbers, upTo(40))
})

t.test('a first file that was torn while it was made leaves the directory empty', async (t) => {
  const directory = newDirectory()
  writeFileSync(join(directory, `${FIRST}.new`), 'synod')
  writeFileSync(join(directory, 'README'), 'not ours')
  const storage = storageIn(directory)
  t.equal((await storage.open(OWNER)).formation, 'empty')
  await storage.form(CLUSTER)
  await storage.append([numbered(0)])
  await storage.close()
  t.strictSame((await reopened(directory)).numbers, [0])
  t.strictSame(readdirSync(directory), [FIRST, 'README'])
})

t.test('what is no directory is unusable, in one sentence', async (t) => {
  const directory = newDirectory()
  writeFileSync(join(directory, 'file'), '')
  await t.rejects(storageIn(join(directory, 'file')).open(OWNER), {
    code: 'UNUSABLE',
    message: /file cannot be used as a data directory/,
  })
  await t.rejects(storageIn(join(directory, 'file', 'x')).open(OWNER), { code: 'UNUSABLE' })
})

t.test('a full disk refuses appends, in order and without a trace, and takes them once there is room', async (t) => {
  const disk = promptDisk()
  const storage = await formed(new FileStorage(disk, new HandClock(), SMALL))
  disk.capacity = 5000
  // One sector now, then two and one at a time: in the end, one is left, which the second append would fit into.
  await append(storage, [0])
  let count = 1
  let refused: unknown
  while (refused === undefined && count < 100) {
    const first = storage.append([numbered(count, 600)])
    await Promise.resolve()
    await Promise.resolve()
    const second = storage.append([numbered(count + 1, 10)])
    const [one, two] = await Promise.allSettled([first, second])
    if (one.status === 'fulfilled') count++
    else refused = one.reason
    t.equal(two.status, one.status, 'no later append gets in before')
    if (two.status === 'fulfilled') count++
  }
  t.match(refused, { code: 'DISK_FULL', message: /there is no room in disk .*: make some/ })
  t.ok(count > 2, `${count} were taken`)
  const batch = storage.batch
  await t.rejects(storage.append([numbered(count, 600)]), { code: 'DISK_FULL' })
  t.equal(storage.batch, batch)
  disk.capacity = 100_000
  await append(storage, upTo(count + 20).slice(count), 100)
  await storage.close()
  const again = new FileStorage(disk, new HandClock(), SMALL)
  t.strictSame(await numbersIn(await again.open(OWNER)), upTo(count + 20))
})

t.test('a directory without room for its recovery says so, is left as it was, and starts once there is', async (t) => {
  const disk = promptDisk()
  const storage = await formed(new FileStorage(disk, new HandClock(), SMALL))
  await append(storage, upTo(5))
  disk.capacity = 5000
  disk.kill()
  await t.rejects(new FileStorage(disk, new HandClock(), SMALL).open(OWNER), { code: 'DISK_FULL' })
  disk.capacity = Infinity
  const again = new FileStorage(disk, new HandClock(), SMALL)
  t.strictSame(await numbersIn(await again.open(OWNER)), upTo(5))
})

/** Long enough for anything on a prompt disk. */
