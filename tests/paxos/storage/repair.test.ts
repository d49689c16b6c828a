/** Directories that are opened to be repaired. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { MemoryStorage } from '@synod/paxos/internal/storage/memory-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import type { Storage } from '@synod/paxos/internal/storage/storage'
import {
  chunksOf,
  CLUSTER,
  HandClock,
  newDirectory,
  numbered,
  OWNER,
  promptDisk,
  recordsIn,
  SMALL,
  writeSnapshot,
} from './fixtures.js'

const REPAIR = { repair: true }

function storageIn(directory: string): FileStorage {
  return new FileStorage(new RealDisk(directory), new HandClock(), SMALL)
}

/** A formed directory with three files or more, and a snapshot. */
async function made(owner = OWNER): Promise<string> {
  const directory = newDirectory()
  const storage = storageIn(directory)
  await storage.open(owner)
  await storage.form(CLUSTER)
  await storage.append([{ type: 'formed' }])
  for (let i = 0; i < 40; i++) await storage.append([numbered(i, 400)])
  await writeSnapshot(storage.snapshots, 20, chunksOf(20))
  await storage.close()
  return directory
}

const storages: Record<string, () => () => Storage> = {
  FileStorage: () => {
    const disk = promptDisk()
    return () => new FileStorage(disk, new HandClock(), SMALL)
  },
  MemoryStorage: () => {
    const storage = new MemoryStorage()
    return () => storage
  },
}

for (const [name, make] of Object.entries(storages)) {
  t.test(`${name}: an empty directory joins as one that repairs, and is that until it is repaired`, async (t) => {
    const life = make()
    const first = life()
    t.equal((await first.open(OWNER, REPAIR)).formation, 'empty')
    await first.form(CLUSTER)
    await first.close()
    for (const options of [{ repair: false }, REPAIR]) {
      const second = life()
      const opened = await second.open(OWNER, options)
      t.strictSame([opened.formation, opened.clusterId], ['repairing', CLUSTER])
      t.strictSame(await recordsIn(opened), [{ type: 'repairing' }])
      await second.close()
    }
    const third = life()
    await third.open(OWNER)
    await third.append([{ type: 'repaired', life: 1 }])
    await third.close()
    const last = life()
    await t.rejects(last.open(OWNER, REPAIR), { code: 'NOT_DAMAGED', message: /is whole: start it without --repair/ })
    t.equal((await last.open(OWNER)).formation, 'formed')
    await last.close()
  })

  t.test(`${name}: a repair is only for what is damaged`, async (t) => {
    const life = make()
    const first = life()
    await first.open(OWNER)
    await first.form(CLUSTER)
    await first.close()
    await t.rejects(life().open(OWNER, REPAIR), { code: 'NOT_DAMAGED' })
    const second = life()
    t.equal((await second.open(OWNER)).formation, 'forming', 'nothing was changed')
    await second.close()
  })
}

const damages: Record<string, (directory: string) => void> = {
  'a flipped bit': (directory) => {
    const path = join(directory, '00000001.paxos')
    const bytes = readFileSync(path)
    bytes[1100] = (bytes[1100] ?? 0) ^ 1
    writeFileSync(path, bytes)
  },
  'a missing file': (directory) => {
    rmSync(join(directory, '00000002.paxos'))
  },
  'a file that is no log': (directory) => {
    writeFileSync(join(directory, '00000003.paxos'), 'no log')
  },
  'a log that is gone': (directory) => {
    for (const name of readdirSync(directory)) if (/^\d/.test(name)) rmSync(join(directory, name))
  },
}

for (const [what, damage] of Object.entries(damages)) {
  t.test(`${what}: refused, then set aside, and never taken for a new directory`, async (t) => {
    const directory = await made()
    damage(directory)
    const names = readdirSync(directory).filter((name) => name.endsWith('.paxos'))
    const refusal = { code: /^(CORRUPT|MISSING_FILE)$/, message: /start it with --repair/ }
    await t.rejects(storageIn(directory).open(OWNER), refusal)
    const first = storageIn(directory)
    const opened = await first.open(OWNER, REPAIR)
    t.strictSame([opened.formation, opened.clusterId, opened.notes.length], ['empty', null, 1])
    t.match(opened.notes[0], / \(set aside as .*snapshot-20\.paxos\.damaged\)$/)
    t.notMatch(opened.notes[0], /--repair/, 'it is being repaired')
    t.strictSame(
      readdirSync(directory),
      names.map((name) => `${name}.damaged`),
    )
    await first.close() // nobody formed it: the cluster was not there
    const gone = { code: 'MISSING_FILE', message: /holds .*\.damaged, but no log/ }
    await t.rejects(storageIn(directory).open(OWNER), gone)
    const second = storageIn(directory)
    t.equal((await second.open(OWNER, REPAIR)).formation, 'empty')
    await second.form(CLUSTER)
    await second.append([{ type: 'formed' }, { type: 'repaired', life: 4 }])
    await second.close()
    const third = storageIn(directory)
    const repaired = await third.open(OWNER)
    t.strictSame([repaired.formation, repaired.notes], ['formed', []])
    t.strictSame(await recordsIn(repaired), [{ type: 'repairing' }, { type: 'formed' }, { type: 'repaired', life: 4 }])
    await third.close()
  })
}

t.test('where a repair cannot work, none is recommended', async (t) => {
  for (const count of [1, 2]) {
    const owner = { ...OWNER, id: 0, count }
    for (const damage of Object.values(damages)) {
      const directory = await made(owner)
      damage(directory)
      const error: unknown = await storageIn(directory)
        .open(owner)
        .catch((error: unknown) => error)
      t.match(error, { message: /lost.*; (put the file back, or )?make a new cluster of a back-up, or of the newest/ })
      t.notMatch(error, { message: /--repair/ })
    }
  }
})

t.test('a directory that is damaged twice is set aside twice, the first over the second', async (t) => {
  const directory = await made()
  writeFileSync(join(directory, '00000001.paxos'), 'damaged')
  const first = storageIn(directory)
  await first.open(OWNER, REPAIR)
  await first.form(CLUSTER)
  await first.close()
  writeFileSync(join(directory, '00000001.paxos'), 'damaged again')
  const second = storageIn(directory)
  t.equal((await second.open(OWNER, REPAIR)).formation, 'empty')
  await second.close()
  t.equal(readFileSync(join(directory, '00000001.paxos.damaged'), 'latin1'), 'damaged again')
})

t.test('what is no damage is refused with --repair as without', async (t) => {
  const directory = await made()
  await t.rejects(storageIn(directory).open({ ...OWNER, id: 2 }, REPAIR), { code: 'WRONG_OWNER' })
  const held = storageIn(directory)
  await held.open(OWNER)
  await t.rejects(storageIn(directory).open(OWNER, REPAIR), { code: 'LOCKED' })
  await held.close()
  writeFileSync(join(directory, 'file'), '')
  await t.rejects(storageIn(join(directory, 'file')).open(OWNER, REPAIR), { code: 'UNUSABLE' })
})
