/** The contract of `Disk`, held by the real one and the simulator's; and what the simulator's does beyond it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { SimDisk } from '@synod/harness/internal/sim/disk'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Disk } from '@synod/paxos/internal/storage/disk'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import { newDirectory, promptDisk } from './fixtures.js'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const bytes = (content: string): Uint8Array => Buffer.from(content, 'latin1')

/** Two handles of one new directory, as two processes would have them. */
const disks: Record<string, () => readonly [Disk, Disk]> = {
  'the real disk': () => {
    const directory = join(newDirectory(), 'new', 'directory')
    return [new RealDisk(directory), new RealDisk(join(directory, '..', 'directory'))]
  },
  'the simulated disk': () => {
    const disk = promptDisk()
    return [disk, disk]
  },
}

for (const [name, make] of Object.entries(disks)) {
  t.test(`${name} keeps the contract`, (t) => {
    t.test('a new directory is made, and empty', async (t) => {
      const [disk] = make()
      await disk.open()
      t.strictSame(await disk.list(), [])
      await disk.close()
    })

    t.test('it is locked against a second process until it is closed', async (t) => {
      const [disk, second] = make()
      await disk.open()
      await t.rejects(second.open(), { code: 'EADDRINUSE' })
      await disk.close()
      await second.open()
      await second.close()
    })

    t.test('one that is closed can be closed again', async () => {
      const [disk] = make()
      await disk.open()
      await disk.close()
      await disk.close()
    })

    t.test('what is written at positions is read back, with zeros between', async (t) => {
      const [disk] = make()
      await disk.open()
      const file = await disk.create('a')
      await file.write(bytes('hello'), 0)
      await file.writeDurably(bytes('world'), 1000)
      await file.write(bytes('J'), 0)
      await file.sync()
      const read = await disk.read('a')
      t.equal(read.length, 1005)
      t.equal(text(read.subarray(0, 6)), 'Jello\0')
      t.equal(text(read.subarray(999)), '\0world')
      await file.close()
      await disk.close()
    })

    t.test('files are listed in order, made once, renamed over others, and removed', async (t) => {
      const [disk] = make()
      await disk.open()
      for (const name of ['b', 'c', 'a']) {
        const file = await disk.create(name)
        await file.write(bytes(`I am ${name}`), 0)
        await file.close()
      }
      await t.rejects(disk.create('a'), { code: 'EEXIST' })
      await disk.rename('a', 'b')
      t.strictSame(await disk.list(), ['b', 'c'])
      t.equal(text(await disk.read('b')), 'I am a')
      await disk.remove('c')
      await disk.syncDirectory()
      t.strictSame(await disk.list(), ['b'])
      await t.rejects(disk.read('c'), { code: 'ENOENT' })
      await t.rejects(disk.remove('c'), { code: 'ENOENT' })
      await t.rejects(disk.rename('c', 'd'), { code: 'ENOENT' })
      await disk.close()
    })

    t.test('a file that is renamed while it is open is written on', async (t) => {
      const [disk] = make()
      await disk.open()
      const file = await disk.create('new')
      await file.write(bytes('one'), 0)
      await disk.rename('new', 'old')
      await file.writeDurably(bytes('two'), 3)
      t.equal(text(await disk.read('old')), 'onetwo')
      await file.close()
      await disk.close()
    })

    t.test('a reader gives what there is at a position, and no more', async (t) => {
      const [disk] = make()
      await disk.open()
      const file = await disk.create('a', 'bulk')
      await file.write(bytes('hello world'), 0)
      const reader = await disk.openReader('a')
      t.equal(reader.size, 11)
      t.equal(text(await reader.read(6, 3)), 'wor')
      t.equal(text(await reader.read(6, 100)), 'world')
      t.equal(text(await reader.read(0, 11)), 'hello world')
      t.equal((await reader.read(11, 5)).length, 0)
      t.equal((await reader.read(50, 5)).length, 0)
      await file.write(bytes(' and more'), 11)
      t.equal(text(await reader.read(6, 100)), 'world', 'its size is that of the file when it was opened')
      await reader.close()
      await t.rejects(disk.openReader('b'), { code: 'ENOENT' })
      await file.close()
      await disk.close()
    })

    t.test('a reader keeps its file, though it is removed, or another one takes its name', async (t) => {
      const [disk] = make()
      await disk.open()
      for (const name of ['a', 'b', 'c']) {
        const file = await disk.create(name)
        await file.write(bytes(`I am ${name}`), 0)
        await file.close()
      }
      const readers = [await disk.openReader('a'), await disk.openReader('b')]
      await disk.remove('a')
      await disk.rename('c', 'b')
      const read = await Promise.all(readers.map(async (reader) => text(await reader.read(0, 100))))
      t.strictSame(read, ['I am a', 'I am b'])
      for (const reader of readers) await reader.close()
      t.equal(text(await disk.read('b')), 'I am c')
      await disk.close()
    })

    t.test('an existing file is opened to be written on', async (t) => {
      const [disk] = make()
      await disk.open()
      const made = await disk.create('a')
      await made.write(bytes('hello world'), 0)
      await made.close()
      const file = await disk.openWriter('a')
      await file.write(bytes('J'), 0)
      await file.writeDurably(bytes('W'), 6)
      await file.write(bytes('!'), 11)
      await file.sync()
      await file.close()
      t.equal(text(await disk.read('a')), 'Jello World!')
      await t.rejects(disk.openWriter('b'), { code: 'ENOENT' })
      await disk.close()
    })

    t.end()
  })
}

t.test('the lock of a process that is killed is free', async (t) => {
  const directory = newDirectory()
  const program = `import { RealDisk } from '${import.meta.resolve('@synod/paxos/internal/storage/real-disk')}'
    await new RealDisk('${directory}').open()
    console.log('open')
    process.stdin.resume()`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const disk = new RealDisk(directory)
  await t.rejects(disk.open(), { code: 'EADDRINUSE' })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await disk.open()
  await disk.close()
})

t.test('after a kill, the page cache has what was written; after a power loss, what was synced', async (t) => {
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 60; seed++) {
    const disk = promptDisk(seed)
    await disk.open()
    const file = await disk.create('a')
    await file.write(bytes('s'.repeat(1024)), 0)
    await file.sync()
    await disk.syncDirectory()
    await file.write(bytes('c'.repeat(1024)), 512)
    disk.kill()
    await disk.open()
    t.equal(text(await disk.read('a')), 's'.repeat(512) + 'c'.repeat(1024))
    disk.powerLoss()
    await disk.open()
    const sectors = text(await disk.read('a')).replace(/(.)\1{511}/g, '$1')
    t.match(sectors, /^s[sc][c\0]?$/)
    outcomes.add(sectors)
  }
  t.ok(outcomes.has('ss') && outcomes.has('scc') && outcomes.has('ssc') && outcomes.has('sc'), [...outcomes].join(' '))
})

t.test('unsynced names may be lost by a power failure, and synced ones are not', async (t) => {
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 60; seed++) {
    const disk = promptDisk(seed)
    await disk.open()
    await disk.create('kept')
    await disk.syncDirectory()
    await disk.create('new')
    await disk.rename('kept', 'renamed')
    disk.powerLoss()
    await disk.open()
    outcomes.add((await disk.list()).join(' '))
  }
  t.strictSame([...outcomes].sort(), ['kept', 'kept new', 'new renamed', 'renamed'])
})

t.test('an operation of a process that was killed never completes, nor touches the disk later', async (t) => {
  const disk = promptDisk(4)
  await disk.open()
  const file = await disk.create('a')
  let completed = false
  void file.write(bytes('old'), 0).then(() => (completed = true))
  disk.kill()
  void file.write(bytes('older'), 0).then(() => (completed = true))
  void disk.remove('a').then(() => (completed = true))
  await disk.open()
  const before = text(await disk.read('a'))
  void file.write(bytes('oldest'), 0).then(() => (completed = true))
  await disk.list()
  t.equal(text(await disk.read('a')), before)
  t.match(before, /^(|o|ol|old)$/)
  t.notOk(completed)
})

t.test('readers and writers of a process that was killed do nothing any more', async (t) => {
  const disk = promptDisk(4)
  await disk.open()
  const file = await disk.create('a')
  await file.writeDurably(bytes('old'), 0)
  await disk.syncDirectory()
  const [reader, writer] = [await disk.openReader('a'), await disk.openWriter('a')]
  let completed = false
  void reader.read(0, 3).then(() => (completed = true))
  disk.kill()
  void reader.read(0, 3).then(() => (completed = true))
  void writer.write(bytes('new'), 0).then(() => (completed = true))
  void disk.openReader('a').then(() => (completed = true))
  await disk.open()
  void writer.write(bytes('new'), 0).then(() => (completed = true))
  t.equal(text(await (await disk.openReader('a')).read(0, 10)), 'old')
  t.notOk(completed)
})

t.test('a full simulated disk takes what fits, and more once there is room', async (t) => {
  const disk = promptDisk()
  await disk.open()
  const file = await disk.create('a')
  disk.capacity = 1000
  await file.write(new Uint8Array(900), 0)
  await t.rejects(file.write(new Uint8Array(200), 900), { code: 'ENOSPC' })
  await file.write(new Uint8Array(100), 100)
  disk.capacity = 1100
  await file.write(new Uint8Array(200), 900)
})

t.test('after a failed sync nothing is dirty, and nothing was made durable', async (t) => {
  const disk = promptDisk()
  await disk.open()
  const file = await disk.create('a')
  await disk.syncDirectory()
  disk.fail('sync', 'once')
  await t.rejects(file.writeDurably(bytes('lost'), 0), { code: 'EIO' })
  await file.sync()
  disk.powerLoss()
  await disk.open()
  t.equal(text(await disk.read('a')), '')
})

t.test('a write that goes astray is reported as done, and stands in another place', async (t) => {
  const places = new Set<number>()
  for (let seed = 0; seed < 40; seed++) {
    const disk = promptDisk(seed)
    await disk.open()
    const file = await disk.create('a')
    await file.write(bytes('.'.repeat(2048)), 0)
    disk.misdirect()
    t.equal(disk.damage, null)
    await file.writeDurably(bytes('w'.repeat(512)), 1024)
    t.equal(disk.damage, 'damaged')
    await file.writeDurably(bytes('x'.repeat(512)), 1536)
    places.add(text(await disk.read('a')).indexOf('w'))
    t.equal(text(await disk.read('a')).slice(1024, 1536), '.'.repeat(512))
  }
  places.delete(-1) // where the write after it overwrote it
  t.strictSame([...places].sort(), [0, 512])
})

t.test('a file that is cut off ends where what was written would, less so many bytes', async (t) => {
  const disk = promptDisk()
  await disk.open()
  const file = await disk.create('a')
  await file.write(bytes('w'.repeat(1000)), 0)
  await file.write(new Uint8Array(2000), 1000)
  await file.sync()
  await disk.syncDirectory()
  t.strictSame(disk.files(), [{ name: 'a', size: 3000, written: 1000 }])
  disk.truncate('a', 300)
  t.strictSame(disk.files(), [{ name: 'a', size: 700, written: 700 }])
  await file.write(bytes('x'), 800)
  t.equal(text(await disk.read('a')), `${'w'.repeat(700)}${'\0'.repeat(100)}x`)
  disk.powerLoss()
  t.equal(disk.files()[0]?.written, 700)
  t.equal(disk.damage, 'damaged')
})

t.test('of a disk that is wiped nothing comes back', async (t) => {
  const disk = promptDisk()
  await disk.open()
  const file = await disk.create('a')
  await file.writeDurably(bytes('w'), 0)
  await disk.syncDirectory()
  await disk.close()
  disk.wipe()
  disk.powerLoss()
  t.strictSame(disk.files(), [])
  t.equal(disk.damage, 'wiped')
})

t.test('a process that is killed amid a write leaves nothing of it, a part, or all', async (t) => {
  const left = new Set<string>()
  for (let seed = 0; seed < 60; seed++) {
    const disk = promptDisk(seed)
    await disk.open()
    const file = await disk.create('a')
    let completed = false
    const struck = new Promise<void>((resolve) => {
      disk.ambush(() => {
        disk.kill()
        resolve()
      })
    })
    void file.writeDurably(bytes('w'.repeat(100)), 0).then(() => (completed = true))
    await struck
    await new Promise((resolve) => setImmediate(resolve))
    t.notOk(completed)
    const size = disk.files()[0]?.size ?? 0
    left.add(size === 0 ? 'nothing' : size === 100 ? 'all' : 'a part')
  }
  t.strictSame([...left].sort(), ['a part', 'all', 'nothing'])
})

t.test('an operation is done in its time, and its process hears of it when it may', async (t) => {
  const held: (() => void)[] = []
  const disk = new SimDisk(new Prng(1), { delay: (call) => setImmediate(call), complete: (call) => held.push(call) })
  let open = false
  void disk.open().then(() => (open = true))
  await new Promise((resolve) => setImmediate(resolve))
  t.notOk(open)
  await t.rejects(promptRejection(disk, held), { code: 'EADDRINUSE' }, 'the lock is taken already')
  t.ok(open)
})

/** What a second `open` rejects with, once its process hears of it. */
async function promptRejection(disk: SimDisk, held: (() => void)[]): Promise<void> {
  const second = disk.open()
  await new Promise((resolve) => setImmediate(resolve))
  for (const call of held) call()
  return second
}

t.test('several directories below one that is missing are made at the same time', async (t) => {
  const above = join(newDirectory(), 'missing', 'too')
  const disks = [0, 1, 2, 3].map((id) => new RealDisk(join(above, String(id))))
  await Promise.all(disks.map((disk) => disk.open()))
  t.strictSame(await Promise.all(disks.map((disk) => disk.list())), [[], [], [], []])
  await Promise.all(disks.map((disk) => disk.close()))
})
