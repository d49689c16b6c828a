/** The files of a log together: what ties them to each other, what a server that runs does to them, and what is no damage. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { showDamage } from '@synod/paxos/internal/log-tool/damage'
import { surveyDirectory } from '@synod/paxos/internal/log-tool/directory'
import { readLog } from '@synod/paxos/internal/log-tool/log'
import { checksum } from '@synod/paxos/internal/storage/checksum'
import type { Disk, DiskReader } from '@synod/paxos/internal/storage/disk'
import { FORMAT_VERSION } from '@synod/paxos/internal/storage/file-header'
import type { FileRecord } from '@synod/paxos/internal/storage/record'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import { dataDirectory } from './data-directory.js'
import { accept, BALLOT, directoryOf, flipped, MadeFile, nextIs, OWNER } from './log-files.js'

interface Seen {
  readonly batches: readonly string[]
  readonly damages: readonly string[]
  readonly notes: readonly string[]
}

/** What comes of a log; `during` is called behind each step, as the server does things meanwhile. */
async function seen(disk: Disk, during: (file: string, type: string) => void = () => undefined): Promise<Seen> {
  const [batches, damages, notes]: [string[], string[], string[]] = [[], [], []]
  for await (const step of readLog(disk)) {
    if (step.type === 'batch') batches.push(`${Number(step.file.slice(0, 8))}/${step.number}`)
    if (step.type === 'damage') damages.push(`${step.code} ${showDamage(step)}`)
    if (step.type === 'note') notes.push(`${step.file} ${step.what}`)
    during(step.file, step.type)
  }
  return { batches, damages, notes }
}

const [one, two, three, four] = ['00000001.paxos', '00000002.paxos', '00000003.paxos', '00000004.paxos'] as const

/** Three files, and one that was made for later. */
function sample(): MadeFile[] {
  const first = new MadeFile(1).add({ type: 'formed' }).add(accept(1, 'a'), nextIs(2))
  const second = new MadeFile(2, 2).add(accept(2, 'b')).add(nextIs(3))
  const third = new MadeFile(3, 4).add(accept(3, 'c')).add()
  return [first, second, third, new MadeFile(4)]
}

function filesOf(made: readonly MadeFile[]): Record<string, Buffer> {
  return Object.fromEntries(made.map((file) => [file.name, file.bytes()]))
}

/** Writes the files as they are now. */
function directoryWith(directory: string, made: readonly MadeFile[]): void {
  for (const file of made) writeFileSync(join(directory, file.name), file.bytes())
}

/** The same file, as a later version would write it. */
function newer(bytes: Buffer): Buffer {
  const header = Buffer.from(bytes.subarray(0, 512))
  header.writeUInt32LE(FORMAT_VERSION + 1, 8)
  header.writeUInt32LE(0, 12)
  header.writeUInt32LE(checksum(header, 0, header.length, 0), 12)
  return Buffer.concat([header, bytes.subarray(512)])
}

function base(collected: number, firstFile: number): FileRecord {
  return {
    type: 'base',
    firstFile,
    collected,
    ballot: BALLOT,
    decidedBallot: BALLOT,
    decided: collected + 1,
    lives: [],
  }
}

t.test('a log of three files and a spare one is whole', async (t) => {
  const directory = directoryOf(t, filesOf(sample()))
  t.strictSame(await seen(new RealDisk(directory)), {
    batches: ['1/1', '1/2', '2/3', '2/4', '3/5', '3/6'],
    damages: [],
    notes: [],
  })
})

t.test(
  'a file that is missing: the first, one in the middle, several, the one that the last record names',
  async (t) => {
    const lost = async (...names: string[]): Promise<readonly string[]> => {
      const files = Object.entries(filesOf(sample())).filter(([name]) => !names.includes(name))
      return (await seen(new RealDisk(directoryOf(t, Object.fromEntries(files))))).damages
    }
    t.strictSame(await lost(one), [`MISSING_FILE ${one}: the file is missing`])
    t.strictSame(await lost(two), [`MISSING_FILE ${two}: the file is missing`])
    t.strictSame(await lost(one, two), [`MISSING_FILE ${one}: all files from it to ${two} are missing`])
    t.strictSame(await lost(three, four), [`MISSING_FILE ${three}: the file is missing`])
    t.strictSame(await lost(four), [])
  },
)

t.test('what would be a torn write at the end of the log is damage before its end', async (t) => {
  const [first, second, third] = sample()
  if (first === undefined || second === undefined || third === undefined) throw new Error('no files')
  const cut = first.records[1]?.batchAt ?? 0
  const torn = Buffer.from(first.bytes()).fill(0, cut + 50)
  const { damages, batches } = await seen(new RealDisk(directoryOf(t, { ...filesOf(sample()), [one]: torn })))
  t.match(damages, [/^CORRUPT 00000001.paxos, byte 1052: record 1 of 2 of batch 2 \(accept\) does not fit/])
  t.strictSame(batches, ['1/1', '2/3', '2/4', '3/5', '3/6'], 'the rest is read')
  const gone = Buffer.from(first.bytes()).fill(0, cut)
  t.match((await seen(new RealDisk(directoryOf(t, { ...filesOf(sample()), [one]: gone })))).damages, [
    `CORRUPT ${one}, byte ${cut}: the log ends behind batch 1, and goes on in ${two}`,
  ])
})

t.test('a torn write at the end is said, and no damage: behind it may be a file that was made for later', async (t) => {
  const made = sample()
  const [first, second, third] = made
  if (first === undefined || second === undefined || third === undefined) throw new Error('no files')
  third.add(accept(4, 'd'))
  const torn = { ...filesOf(made), [three]: flipped(third.bytes(), third.records.at(-1)?.at ?? 0) }
  const found = await seen(new RealDisk(directoryOf(t, torn)))
  t.strictSame(found.damages, [])
  t.match(found.notes, [`${three} ends in a write that was torn off, or is under way`])
})

t.test('a file of another time, server or cluster, or with another number', async (t) => {
  const put = async (name: string, bytes: Buffer): Promise<readonly string[]> => {
    return (await seen(new RealDisk(directoryOf(t, { ...filesOf(sample()), [name]: bytes })))).damages
  }
  const salt = new Uint8Array(16)
  const older = new MadeFile(2, 2, { salt }).add(accept(2, 'b')).add(nextIs(3))
  t.strictSame(await put(two, older.bytes()), [
    `CORRUPT ${two}, byte 0: the file is not the one that ${one} goes on in`,
  ])
  const early = new MadeFile(2, 1).add(accept(2, 'b')).add(nextIs(3))
  t.strictSame(await put(two, early.bytes()), [
    `CORRUPT ${two}, byte 512: the file begins with batch 2, and ${one} ends with batch 2`,
  ])
  const cluster = new MadeFile(2, 2, { clusterId: 'f'.repeat(32) }).add(nextIs(3))
  t.match(await put(two, cluster.bytes()), [/^CORRUPT 00000002.paxos, byte 0: the file is of cluster ffff/])
  const owner = new MadeFile(2, 2, { owner: { service: 'kvstore', id: 2, count: 3 } }).add(nextIs(3))
  t.match(await put(two, owner.bytes()), [/the file is of server 2 of 3 .*, and the log of server 1 of 3/])
  t.strictSame(await put(two, new MadeFile(7).bytes()), [
    `CORRUPT ${two}, byte 0: the file says that it is 00000007.paxos`,
  ])
})

t.test('a file with a header that cannot be read, or of a newer format: what is behind it is read', async (t) => {
  const second = sample()[1]?.bytes() ?? Buffer.alloc(0)
  const put = (bytes: Buffer): Promise<Seen> => {
    return seen(new RealDisk(directoryOf(t, { ...filesOf(sample()), [two]: bytes })))
  }
  const damaged = await put(flipped(second, 40))
  t.strictSame(damaged.damages, [`CORRUPT ${two}, byte 0: the file has a damaged header`])
  t.strictSame(damaged.batches, ['1/1', '1/2', '3/5', '3/6'])
  t.match((await put(Buffer.alloc(10))).damages, [/: the file is 10 bytes long, less than a header$/])
  t.match((await put(newer(second))).damages, [
    `NEWER_FORMAT ${two}, byte 0: the file has format version ${FORMAT_VERSION + 1}, which this release does not know`,
  ])
})

t.test(
  'a collected log begins with the file that its last base record names; files before it are left over',
  async (t) => {
    const third = new MadeFile(3, 4).add(base(1, 2)).add(base(2, 3)).add()
    const [first, second] = sample()
    if (first === undefined || second === undefined) throw new Error('no files')
    const collected = await seen(new RealDisk(directoryOf(t, filesOf([third]))))
    t.strictSame([collected.damages, collected.notes], [[], []])
    const left = await seen(new RealDisk(directoryOf(t, { ...filesOf([third]), [one]: Buffer.alloc(3) })))
    t.strictSame(left.damages, [], 'whatever is in it')
    t.match(left.notes, [`${one} is left over from a collection`])
    const needed = new MadeFile(3, 4).add(base(1, 2))
    const lost = await seen(new RealDisk(directoryOf(t, filesOf([needed]))))
    t.strictSame(lost.damages, [`MISSING_FILE ${two}: the file is missing`])
  },
)

t.test('what a collection removed is not missing because something else is damaged', async (t) => {
  const second = new MadeFile(2, 2).add(accept(2, 'b')).add(base(1, 2)).add(nextIs(3))
  const third = new MadeFile(3, 5).add(accept(3, 'c')).add()
  const damages = async (made: MadeFile, at = 40): Promise<readonly string[]> => {
    const files = { ...filesOf([second, third]), [made.name]: flipped(made.bytes(), at) }
    return (await seen(new RealDisk(directoryOf(t, files)))).damages
  }
  const [vote, collection, last] = second.records
  t.match(await damages(second, vote?.at), [/^CORRUPT 00000002.paxos, byte \d+: record 1 of 1 of batch 3/])
  t.match(await damages(second, collection?.at), [/: record 1 of 1 of batch 4 \(base\)/])
  t.match(await damages(second, last?.at), [/: record 1 of 1 of batch 5 \(next\)/])
  t.match(await damages(second), [`CORRUPT ${two}, byte 0: the file has a damaged header`])
  t.match(await damages(third, third.records[0]?.at), [/^CORRUPT 00000003.paxos.* of batch 6/])
  t.match(await damages(third), [`CORRUPT ${three}, byte 0: the file has a damaged header`])
})

t.test('a server that runs goes on in the next file while this one is read, and collects', async (t) => {
  const [first, second, third, spare] = sample()
  if (first === undefined || second === undefined || third === undefined || spare === undefined)
    throw new Error('no files')
  const growing = new MadeFile(1).add({ type: 'formed' })
  const directory = directoryOf(t, filesOf([growing, new MadeFile(2)]))
  // While the first is read, the second, which was made for later, gets batches: the first says so only from then on.
  const disk = new RealDisk(directory)
  const read = disk.read.bind(disk)
  disk.read = async (name: string) => {
    const bytes = await read(name)
    if (name === one) directoryWith(directory, [first, second, third, spare])
    return bytes
  }
  const found = await seen(disk)
  t.strictSame(found.damages, [])

  const collecting = directoryOf(t, filesOf(sample()))
  const removed = await seen(new RealDisk(collecting), (file, type) => {
    if (file === one && type === 'end') rmSync(join(collecting, two), { force: true })
  })
  t.strictSame(removed.damages, [])
  t.match(removed.notes, [`${two} was removed while this was read: by a collection, if the server runs`])

  const rotating = directoryOf(t, filesOf([new MadeFile(1).add({ type: 'formed' }).add(nextIs(2)), second].slice(0, 1)))
  const went = await seen(new RealDisk(rotating), (file, type) => {
    if (file === one && type === 'batch') directoryWith(rotating, [second, third])
  })
  t.strictSame(went, { batches: ['1/1', '1/2', '2/3', '2/4', '3/5', '3/6'], damages: [], notes: [] })
})

/** A disk that has gone bad in some files, and on which something happens when a directory was listed. */
class OddDisk extends RealDisk {
  listed: (times: number) => void = () => undefined
  #times = 0
  readonly #bad: readonly string[]

  constructor(directory: string, bad: readonly string[] = []) {
    super(directory)
    this.#bad = bad
  }

  override async list(): Promise<string[]> {
    const names = await super.list()
    this.listed(++this.#times)
    return names
  }

  override async read(name: string): Promise<Uint8Array> {
    if (this.#bad.includes(name)) throw badSector()
    return super.read(name)
  }

  override async openReader(name: string): Promise<DiskReader> {
    const reader = await super.openReader(name)
    return this.#bad.includes(name)
      ? { ...reader, size: reader.size, read: () => Promise.reject(badSector()), close: () => reader.close() }
      : reader
  }
}

function badSector(): Error {
  return Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
}

t.test('a file that the disk does not give is damaged, and named', async (t) => {
  for (const [bad, code, what] of [
    [two, 'CORRUPT', /the file cannot be read \(EIO: i\/o error, read\)/],
    [three, 'CORRUPT', /the file cannot be read/],
    [four, 'CORRUPT', /the file cannot be read/],
    ['snapshot-40.paxos', 'BAD_SNAPSHOT', /the snapshot cannot be read from here on \(EIO/],
  ] as const) {
    const isSnapshot = bad.startsWith('snapshot')
    const directory = isSnapshot ? await dataDirectory(t) : directoryOf(t, filesOf(sample()))
    const { damages } = await surveyDirectory(new OddDisk(directory, [bad]))
    t.match(damages, [{ file: bad, code, what }])
  }
})

t.test('a snapshot whose place a newer one takes between two looks is no damage', async (t) => {
  const directory = await dataDirectory(t)
  const other = await dataDirectory(t, OWNER, 44)
  const disk = new OddDisk(directory)
  // A server writes its next one, and collects, just when the directory was read.
  disk.listed = (times) => {
    if (times !== 2) return
    renameSync(join(other, 'snapshot-44.paxos'), join(directory, 'snapshot-44.paxos'))
    rmSync(join(directory, 'snapshot-40.paxos'))
  }
  const { snapshots, damages, notes } = await surveyDirectory(disk)
  t.strictSame(
    snapshots.map(({ file }) => file),
    ['snapshot-44.paxos'],
  )
  t.strictSame(damages, [])
  t.match(notes, [{ file: 'snapshot-40.paxos', what: /was removed while this was read/ }])
})

t.test('a snapshot under the name of another one is damage', async (t) => {
  const directory = await dataDirectory(t)
  renameSync(join(directory, 'snapshot-40.paxos'), join(directory, 'snapshot-41.paxos'))
  const { damages } = await surveyDirectory(new RealDisk(directory))
  t.match(damages, [
    { file: 'snapshot-41.paxos', code: 'BAD_SNAPSHOT', what: 'the snapshot says that it is snapshot-40.paxos' },
  ])
})
