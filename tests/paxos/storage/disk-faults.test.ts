/**
 * What is found at a start, and what comes of it (docs/ARCHITECTURE.md, "The log's files"), with real files: what
 * file-storage.test.ts, snapshots.test.ts and repair.test.ts do not show. A disk that is full is a small file system of its
 * own; one that fails is made to by strace. Where the machine does not allow that, the test is skipped and says why.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import t from 'tap'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import type { LogLimits } from '@synod/paxos/internal/storage/log-writer'
import type { StoredRecord } from '@synod/paxos/internal/storage/storage'
import { StorageError } from '@synod/paxos/internal/storage/storage'
import {
  baseAt,
  chunksIn,
  chunksOf,
  CLUSTER,
  HandClock,
  newDirectory,
  numbered,
  numbersIn,
  OWNER,
  recordsIn,
  SMALL,
  upTo,
  writeSnapshot,
} from './fixtures.js'

const FIRST = '00000001.paxos'

function storageIn(directory: string, limits: LogLimits = SMALL): FileStorage {
  return new FileStorage(new RealDisk(directory), new HandClock(), limits)
}

async function formed(directory: string, limits: LogLimits = SMALL): Promise<FileStorage> {
  const storage = storageIn(directory, limits)
  await storage.open(OWNER)
  await storage.form(CLUSTER)
  return storage
}

function flip(directory: string, name: string, offset: number): void {
  const bytes = readFileSync(join(directory, name))
  bytes[offset] = (bytes[offset] ?? 0) ^ (1 << (offset % 8))
  writeFileSync(join(directory, name), bytes)
}

const ballot = { round: 1, server: 0, start: 5 }

t.setTimeout(120_000)

t.test('a flipped bit in a record of any kind is refused, once something was written behind it', async (t) => {
  const kinds: readonly StoredRecord[] = [
    { type: 'formed' },
    { type: 'peers', batches: [1, 2, 3], lives: [0, 0, 1] },
    { type: 'promise', ballot },
    numbered(4),
    { type: 'decide', ballot, decided: 5 },
    { type: 'learn', ballot, first: 1, commands: [{ kind: 'noop' }, { kind: 'mark', nonce: 'n' }] },
    baseAt(3),
    { type: 'lives', lives: [1, 0, 0] },
    { type: 'repairing' },
    { type: 'repaired', life: 1 },
  ]
  for (const record of kinds) {
    const directory = newDirectory()
    const storage = await formed(directory)
    await storage.append([record])
    const end = storage.statistics().logBytes
    await storage.close()
    const content = readFileSync(join(directory, FIRST))
    const used = content.subarray(0, end).findLastIndex((byte) => byte !== 0) + 1
    for (const offset of [512 + 28, 512 + 33, 512 + 36, used - 1]) {
      writeFileSync(join(directory, FIRST), content)
      flip(directory, FIRST, offset)
      const refusal = storageIn(directory).open(OWNER)
      await t.rejects(refusal, { code: 'CORRUPT', data: { file: FIRST } }, `${record.type}, byte ${offset}`)
    }
  }
})

t.test('a record that names the next file is no torn write either', async (t) => {
  const directory = newDirectory()
  const storage = await formed(directory)
  for (let i = 0; i < 30; i++) await storage.append([numbered(i, 400)])
  await storage.close()
  t.ok(readdirSync(directory).length > 1)
  flip(
    directory,
    FIRST,
    readFileSync(join(directory, FIRST)).findLastIndex((byte) => byte !== 0),
  )
  await t.rejects(storageIn(directory).open(OWNER), { code: 'CORRUPT', data: { file: FIRST } })
})

t.test('an old copy of one file of the log is found out', async (t) => {
  const directory = newDirectory()
  const storage = await formed(directory)
  for (let i = 0; i < 5; i++) await storage.append([numbered(i, 400)])
  const old = newDirectory()
  cpSync(directory, old, { recursive: true })
  for (let i = 5; i < 40; i++) await storage.append([numbered(i, 400)])
  await storage.close()
  cpSync(join(old, FIRST), join(directory, FIRST))
  await t.rejects(storageIn(directory).open(OWNER), { code: 'CORRUPT', data: { file: FIRST } })
})

t.test('an old copy of the whole directory stands at a lower batch, which its peers know', async (t) => {
  const directory = newDirectory()
  const storage = await formed(directory)
  for (let i = 0; i < 5; i++) await storage.append([numbered(i)])
  const old = newDirectory()
  cpSync(directory, old, { recursive: true })
  for (let i = 5; i < 40; i++) await storage.append([numbered(i)])
  const told = storage.batch
  await storage.close()
  const copy = storageIn(old)
  t.strictSame(await numbersIn(await copy.open(OWNER)), upTo(5))
  t.ok(copy.batch < told, `${copy.batch} < ${told}`)
  await copy.close()
})

t.test('a full disk: nothing acknowledged is lost, and it goes on once there is room', async (t) => {
  const directory = fileSystem(t, 'size=3m')
  if (directory === null) return
  const storage = await formed(directory, { fileBytes: 256 << 10, reserveBytes: 64 << 10, sealAfter: 1e9 })
  const ballast = join(directory, 'ballast')
  writeFileSync(ballast, Buffer.alloc(1 << 20))
  let count = 0
  const fill = async (): Promise<unknown> => {
    for (;;) {
      try {
        await storage.append([numbered(count, 20_000)])
        count++
      } catch (error) {
        return error
      }
    }
  }
  t.match(await fill(), { code: 'DISK_FULL', message: /there is no room in .*: make some/ })
  const full = count
  t.ok(full > 20, `${full} records fit`)
  const snapshot = writeSnapshot(storage.snapshots, 5, chunksOf(5, 3000))
  await t.rejects(snapshot, { code: 'DISK_FULL' })
  t.strictSame(
    readdirSync(directory).filter((name) => name.startsWith('snapshot')),
    [],
    'nothing of the snapshot remains',
  )
  execFileSync('rm', [ballast])
  await storage.append([numbered(count++, 20_000)])
  const info = await writeSnapshot(storage.snapshots, 5, chunksOf(5, 3000))
  t.match(await fill(), { code: 'DISK_FULL' })
  t.ok(count > full + 5, `${count} records now`)
  await storage.append([baseAt(count)]) // small: the room for it was reserved
  const deadline = performance.now() + 10_000
  const more = numbered(count++, 20_000)
  while (!(await storage.append([more]).then(() => true, isFull))) {
    if (performance.now() > deadline) throw new Error('there is no room though files were deleted')
  }
  await storage.close()
  const again = storageIn(directory)
  const records = await recordsIn(await again.open(OWNER))
  const found = records.flatMap((record) => (record.type === 'accept' ? [record.run.first - 1] : []))
  t.ok(found.length > 0)
  t.strictSame(found, upTo(count).slice(found[0]), 'what is not collected is there')
  t.strictSame(await chunksIn(again.snapshots, info), chunksOf(5, 3000))
  await again.close()
})

t.test('a disk that fills up while a snapshot is written loses the snapshot, and nothing else', async (t) => {
  const directory = fileSystem(t, 'size=2m')
  if (directory === null) return
  const storage = await formed(directory)
  await storage.append([numbered(0)])
  const writer = await storage.snapshots.create(1)
  const chunk = { section: 'state' as const, payload: Buffer.alloc(200_000, 'x') }
  const filling = async (): Promise<void> => {
    for (;;) await writer.add(chunk)
  }
  await t.rejects(filling(), { code: 'DISK_FULL' })
  t.strictSame([storage.snapshots.newest, readdirSync(directory)], [null, [FIRST]])
  for (let i = 1; i < 30; i++) await storage.append([numbered(i, 500)])
  await storage.close()
  const again = storageIn(directory)
  t.strictSame(await numbersIn(await again.open(OWNER)), upTo(30))
  await again.close()
})

t.test('a snapshot that is given up and cannot be removed does not keep the next one from being begun', async (t) => {
  const disk = new RealDisk(newDirectory())
  const storage = new FileStorage(disk, new HandClock(), SMALL)
  await storage.open(OWNER)
  await storage.form(CLUSTER)
  const writer = await storage.snapshots.create(5)
  const remove = disk.remove.bind(disk)
  disk.remove = () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
  await t.rejects(writer.abandon(), { code: 'DISK_FAILED' })
  disk.remove = remove
  t.equal((await writeSnapshot(storage.snapshots, 5, chunksOf(5))).slot, 5)
  await storage.close()
})

t.test('a file system that is read-only is refused, whoever asks', async (t) => {
  const directory = fileSystem(t, 'size=2m')
  if (directory === null) return
  const storage = await formed(directory)
  await storage.append([numbered(0)])
  await storage.close()
  execFileSync('mount', ['-o', 'remount,ro', directory])
  await t.rejects(storageIn(directory).open(OWNER), { code: 'UNUSABLE', message: /cannot be used as a data directory/ })
  await t.rejects(storageIn(join(directory, 'new')).open(OWNER), { code: 'UNUSABLE' })
})

for (const [call, what] of [
  ['pwrite64', 'write'],
  ['fdatasync', 'sync'],
] as const) {
  t.test(
    `a ${what} that the system fails ends a server's appends; what was acknowledged is there`,
    async (t): Promise<void> => {
      if (spawnSync('strace', ['-V']).error !== undefined) {
        t.plan(0, 'strace is not installed')
        return
      }
      const directory = newDirectory()
      const { stdout, stderr } = await traced(call, directory)
      if (/ptrace|PTRACE/.test(stderr)) {
        t.plan(0, 'this machine does not let processes be traced')
        return
      }
      const acknowledged = [...stdout.matchAll(/^kept (\d+)$/gm)].map((match) => Number(match[1]))
      t.match(stdout, /refused DISK_FAILED .*EIO.*check it, then start again/)
      t.match(stdout, /refused again DISK_FAILED/)
      t.strictSame(acknowledged, upTo(acknowledged.length))
      const storage = storageIn(directory)
      const found = await numbersIn(await storage.open(OWNER))
      t.ok(
        found.length >= acknowledged.length && found.length > 0,
        `${found.length} of ${acknowledged.length} are there`,
      )
      t.strictSame(found, upTo(found.length))
      await storage.close()
    },
  )
}

/** False: it is to be tried again. */
function isFull(error: unknown): boolean {
  if (error instanceof StorageError && error.code === 'DISK_FULL') return false
  throw error
}

/** Runs a process that appends to the directory, in which a call of the system fails with EIO from some time on. */
async function traced(call: string, directory: string): Promise<{ stdout: string; stderr: string }> {
  const from = (name: string): string => import.meta.resolve(`@synod/paxos/internal/${name}`)
  const program = `
    import { FileStorage } from '${from('storage/file-storage')}'
    import { RealDisk } from '${from('storage/real-disk')}'
    import { realClock } from '${from('clock')}'
    const storage = new FileStorage(new RealDisk('${directory}'), realClock, { fileBytes: 65536, reserveBytes: 8192, sealAfter: 1e9 })
    await storage.open(${JSON.stringify(OWNER)})
    await storage.form('${CLUSTER}')
    const ballot = ${JSON.stringify(ballot)}
    const record = (number) => ({ type: 'accept', run: { ballot, first: number + 1, commands: [
      { kind: 'op', clientId: 'c', localId: number, acked: 0, op: new Uint8Array(2000).fill(number % 256) } ] } })
    let number = 0
    try {
      for (; number < 500; number++) {
        await storage.append([record(number)])
        console.log('kept ' + number)
      }
    } catch (error) {
      console.log('refused ' + error.code + ' ' + error.message)
    }
    await storage.append([record(number)]).catch((error) => console.log('refused again ' + error.code))
    process.exit(0)`
  const args = ['-f', '-qq', '-e', `trace=${call}`, '-e', `inject=${call}:error=EIO:when=8+`, '-o', '/dev/null']
  const child = spawn('strace', [...args, process.execPath, '--input-type=module', '--eval', program])
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()))
  await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return { stdout, stderr }
}

/** A small file system of its own; null, and the test is skipped, where none can be mounted. */
function fileSystem(t: Test, options: string): string | null {
  const directory = newDirectory()
  mkdirSync(directory, { recursive: true })
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory])
  if (status !== 0) {
    t.plan(0, 'this user may mount no file system')
    return null
  }
  t.teardown(() => {
    spawnSync('umount', ['-l', directory])
  })
  return directory
}
