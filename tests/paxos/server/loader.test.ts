import type { CoreSnapshot } from '@synod/paxos/internal/protocol/snapshot'
import { SynodError } from '@synod/paxos/internal/protocol/error'
import { AT_START, Loader } from '@synod/paxos/internal/server/loader'
import { coreChunks, stateChunks } from '@synod/paxos/internal/server/snapshot-codec'
import type { SnapshotInfo } from '@synod/paxos/internal/storage/snapshots'
import t from 'tap'
import { coreAt, Directory, MemorySnapshots, NumbersHolder, running, WorkClock } from './snapshots-support.js'

/** A directory with a snapshot through slot 10, and a server that loads it. */
class Rig {
  readonly directory = new Directory()
  readonly snapshots = new MemorySnapshots(this.directory)
  readonly clock = new WorkClock()
  readonly holder = new NumbersHolder()
  /** What became of the core, in order. */
  readonly core: (string | CoreSnapshot)[] = []
  readonly warnings: string[] = []
  readonly loader = new Loader(
    this.snapshots,
    this.holder,
    this.clock,
    {
      suspend: () => this.core.push('suspended'),
      install: (snapshot) => this.core.push(snapshot),
    },
    (text) => this.warnings.push(text),
    AT_START,
  )

  async save(entries: readonly unknown[], pieces: boolean, slot = 10, head = slot): Promise<SnapshotInfo> {
    const writer = await this.snapshots.create(slot)
    for (const chunk of [...coreChunks(coreAt(head), pieces), ...stateChunks(entries)]) await writer.add(chunk)
    return writer.finish()
  }

  running<T>(promise: Promise<T>): Promise<T> {
    return running(this.clock.manual, promise)
  }
}

const NUMBERS = Array.from({ length: 100_000 }, (_, at) => at)

t.test('a snapshot becomes the state, and the core', async (t) => {
  const rig = new Rig()
  rig.holder.entries = [7, 7, 7]
  t.equal(await rig.running(rig.loader.load(await rig.save(NUMBERS, false))), true)
  t.strictSame(rig.holder.restored, [NUMBERS.length], 'all at once')
  t.equal(rig.holder.resets, 1)
  t.equal(rig.holder.entries.join(), NUMBERS.join())
  const [suspended, installed] = rig.core
  t.equal(suspended, 'suspended')
  t.match(installed, { head: coreAt(10).head })
  t.strictSame(rig.warnings, [])
})

t.test('a state in pieces is restored as they come', async (t) => {
  const rig = new Rig()
  await rig.running(rig.loader.load(await rig.save(NUMBERS, true)))
  t.ok(rig.holder.restored.length > 5)
  t.equal(rig.holder.entries.join(), NUMBERS.join())
})

t.test('an empty state is restored from nothing, too', async (t) => {
  const rig = new Rig()
  t.equal(await rig.running(rig.loader.load(await rig.save([], false))), true)
  t.strictSame(rig.holder.restored, [0])
})

t.test('loading leaves turns to others, and tells how far it is', async (t) => {
  const rig = new Rig()
  const info = await rig.save(NUMBERS, true)
  const restore = rig.holder.restore.bind(rig.holder)
  const seen: number[] = []
  rig.holder.restore = (entries) => {
    seen.push(rig.loader.progress)
    rig.clock.work(3)
    restore(entries)
  }
  const loading = rig.loader.load(info)
  t.equal(rig.loader.loading, true)
  await rig.running(loading)
  t.equal(rig.loader.loading, false)
  t.ok(rig.clock.turns > 1)
  t.ok(rig.clock.longestTurn <= 12, `${rig.clock.longestTurn} ms`)
  t.strictSame(seen, [...seen].sort(), 'progress only grows')
  t.ok(rig.loader.progress > 0.9 && rig.loader.progress <= 1)
})

t.test('one that turns out damaged half-way leaves an empty state', async (t) => {
  const rig = new Rig()
  const info = await rig.save(NUMBERS, true)
  const bytes = rig.directory.newest?.bytes ?? Buffer.alloc(0)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 100) ^ 1, bytes.length - 100)
  t.equal(await rig.running(rig.loader.load(info)), false)
  t.strictSame(rig.holder.entries, [])
  t.strictSame(rig.core, ['suspended'])
  t.match(rig.warnings, [/^the snapshot through slot 10 is not used: /])
})

t.test('one that is not what it is called is not used', async (t) => {
  const rig = new Rig()
  t.equal(await rig.running(rig.loader.load(await rig.save([1], true, 10, 9))), false)
  t.match(rig.warnings, [/its name says slot 10, its head slot 9/])
  t.equal(rig.snapshots.newest, null, 'nobody takes it for one any more')
  t.strictSame(rig.holder.entries, [])
})

t.test('a state that does not take its snapshot is a mistake of the service', async (t) => {
  const rig = new Rig()
  rig.holder.restore = () => {
    throw new SynodError('STATE_FAILED', 'no')
  }
  await t.rejects(rig.running(rig.loader.load(await rig.save([1], true))), { code: 'STATE_FAILED' })
  t.strictSame(rig.core, ['suspended'])
  t.equal(rig.loader.loading, false)
})

t.test('when the server stops, nothing is installed', async (t) => {
  const rig = new Rig()
  let stopped: Promise<void> | undefined
  rig.holder.restore = () => void (stopped ??= rig.loader.stop())
  t.equal(await rig.running(rig.loader.load(await rig.save(NUMBERS, true))), false)
  await stopped
  t.strictSame(rig.core, ['suspended'])
})
