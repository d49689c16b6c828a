import type { CoreSnapshot } from '@synod/paxos/internal/protocol/snapshot'
import { SnapshotReader } from '@synod/paxos/internal/server/snapshot-codec'
import { Snapshotter } from '@synod/paxos/internal/server/snapshotter'
import type { SnapshotterHost } from '@synod/paxos/internal/server/snapshotter'
import type { SnapshotInfo } from '@synod/paxos/internal/storage/snapshots'
import type { StorageCode } from '@synod/paxos/internal/storage/storage'
import t from 'tap'
import {
  coreAt,
  fixed,
  laborious,
  LittleStorage,
  NumbersHolder,
  passing,
  running,
  WorkClock,
} from './snapshots-support.js'

/** A server that has executed slots up to `applied`; its state are numbers. */
class Rig implements SnapshotterHost {
  readonly clock = new WorkClock()
  readonly storage = new LittleStorage()
  readonly holder = new NumbersHolder()
  readonly snapshotter = new Snapshotter(this.storage, this.holder, this.clock, { minBytes: 1_000, multiple: 2 }, this)
  applied = 10
  readonly captured: number[] = []
  readonly durableSlots: number[] = []
  readonly warnings: string[] = []
  readonly failures: unknown[] = []

  constructor() {
    this.holder.entries = [1, 2, 3]
  }

  capture(): CoreSnapshot {
    this.captured.push(this.applied)
    return coreAt(this.applied)
  }

  durable(slot: number): void {
    this.durableSlots.push(slot)
  }

  warn(text: string): void {
    this.warnings.push(text)
  }

  failed(error: unknown): void {
    this.failures.push(error)
  }

  /** So many bytes more are in the log; time passes. */
  async grow(bytes: number): Promise<void> {
    this.storage.sinceBase += bytes
    this.snapshotter.consider()
    await this.pass(20)
  }

  pass(ms: number, until?: () => boolean): Promise<void> {
    return passing(this.clock.manual, ms, until)
  }

  running<T>(promise: Promise<T>): Promise<T> {
    return running(this.clock.manual, promise)
  }

  /** The base record of the last snapshot is in the log. */
  based(): void {
    this.storage.sinceBase = 0
  }

  /** The state in the newest snapshot. */
  async saved(): Promise<unknown[]> {
    const { newest } = this.storage.snapshots
    if (newest === null) return []
    const chunks = []
    for await (const chunk of this.storage.snapshots.read(newest)) chunks.push(chunk)
    const reader = new SnapshotReader()
    return chunks.flatMap((chunk) => reader.take(chunk) ?? [])
  }

  /** As many entries as fill more than so many chunks. */
  large(chunks: number): number[] {
    return Array.from({ length: chunks * 16_384 }, (_, at) => at)
  }
}

t.test('a snapshot is made once the log has grown by enough', async (t) => {
  const rig = new Rig()
  await rig.grow(1_000)
  t.strictSame(rig.durableSlots, [])
  await rig.grow(1)
  t.strictSame(rig.durableSlots, [10])
  t.strictSame(await rig.saved(), [1, 2, 3])
  t.equal(rig.storage.snapshots.newest?.slot, 10)

  rig.applied = 20
  await rig.grow(1_000)
  t.strictSame(rig.durableSlots, [10], 'not again while its base record is on its way')
  rig.based()
  await rig.grow(1_000)
  t.strictSame(rig.durableSlots, [10])
  await rig.grow(1)
  t.strictSame(rig.durableSlots, [10, 20])
})

t.test('a large snapshot waits for a multiple of its size', async (t) => {
  const rig = new Rig()
  rig.holder.entries = rig.large(1)
  await rig.grow(1_001)
  rig.based()
  rig.applied = 20
  const size = rig.storage.snapshots.newest?.size ?? 0
  t.ok(size > 1_000)
  rig.snapshotter.consider()
  await rig.grow(2 * size)
  t.strictSame(rig.durableSlots, [10])
  await rig.grow(1)
  t.strictSame(rig.durableSlots, [10, 20])
})

t.test('one that is wanted is made at once, and tells whoever asked', async (t) => {
  const rig = new Rig()
  rig.snapshotter.wanted()
  t.strictSame(rig.captured, [], 'but in a turn of its own')
  await rig.pass(20)
  t.strictSame(rig.durableSlots, [10])
  const info = await rig.running(rig.snapshotter.take())
  t.same(info, rig.storage.snapshots.newest, 'nothing is new: the newest one is the answer')
  t.equal(rig.storage.snapshots.added, 4)
  rig.applied = 11
  t.match(await rig.running(rig.snapshotter.take()), { slot: 11 })
})

t.test('another one takes the place of one that turned out damaged', async (t) => {
  const rig = new Rig()
  await rig.running(rig.snapshotter.take())
  await rig.grow(1)
  t.strictSame(rig.durableSlots, [10])
  if (rig.storage.snapshots.newest !== null) rig.storage.snapshots.forget(rig.storage.snapshots.newest)
  await rig.grow(1)
  await rig.grow(1)
  t.strictSame(rig.durableSlots, [10, 10], 'once')
  t.strictSame(await rig.saved(), [1, 2, 3])
})

t.test('who asks while one is made gets a later one', async (t) => {
  const rig = new Rig()
  const first = rig.snapshotter.take()
  await rig.pass(5, () => rig.captured.length > 0)
  rig.applied = 12
  const [second, third] = [rig.snapshotter.take(), rig.snapshotter.take()]
  t.equal((await rig.running(first)).slot, 10)
  t.equal((await rig.running(second)).slot, 12)
  t.same(await third, await second)
  t.strictSame(rig.captured, [10, 12])
})

t.test('no turn is held for long by a state in pieces, and the view is fixed', async (t) => {
  const rig = new Rig()
  const entries = rig.large(20)
  rig.holder.entries = [...entries]
  rig.holder.view = (all) => laborious(rig.clock, all)
  const taken = rig.snapshotter.take()
  await rig.pass(500, () => rig.storage.snapshots.added > 3)
  rig.holder.entries.length = 0
  rig.applied = 99
  await rig.running(taken)
  t.ok(rig.clock.turns > 10)
  // A chunk takes 16 ms by this clock.
  t.ok(rig.clock.longestTurn < 17, `${rig.clock.longestTurn} ms`)
  t.strictSame(await rig.saved(), entries)
  t.equal(rig.storage.snapshots.newest?.slot, 10)
})

t.test('between slices there is time for the rest', async (t) => {
  const rig = new Rig()
  rig.holder.entries = rig.large(20)
  rig.holder.view = (all) => laborious(rig.clock, all)
  const began = rig.clock.now()
  await rig.running(rig.snapshotter.take())
  const worked = 20 * 16.384
  t.ok(rig.clock.now() - began > 3.5 * worked, `${rig.clock.now() - began} ms for ${worked} ms of work`)
})

t.test('a state that is not in pieces is drained in the turn of its capture', async (t) => {
  const rig = new Rig()
  rig.holder.entries = rig.large(20)
  let done = false
  rig.holder.view = (all) => ({
    pieces: false,
    entries: (function* () {
      yield* all
      done = true
    })(),
  })
  const taken = rig.snapshotter.take()
  await rig.pass(5, () => rig.captured.length > 0)
  t.equal(done, true)
  rig.holder.entries.length = 0
  await rig.running(taken)
  t.equal((await rig.saved()).length, 20 * 16_384)
})

t.test('there is nothing to save before anything was executed', async (t) => {
  const rig = new Rig()
  rig.applied = 0
  await t.rejects(rig.running(rig.snapshotter.take()), { code: 'NOTHING_TO_SAVE' })
  t.strictSame(rig.failures, [])
  t.strictSame(rig.warnings, [])
})

t.test('a full disk is told once, and tried again after a while, or when the log has grown', async (t) => {
  const rig = new Rig()
  const fail = (call: 'create' | 'add' | 'finish'): void => void rig.storage.snapshots.fails.set(call, 'DISK_FULL')
  fail('add')
  await rig.grow(2_000)
  t.equal(rig.warnings.length, 1)
  t.match(rig.warnings[0], /no room/)
  await rig.grow(400)
  t.strictSame(rig.captured, [10])
  fail('finish')
  await rig.grow(100)
  t.strictSame(rig.captured, [10, 10])
  await rig.grow(100)
  t.strictSame(rig.captured, [10, 10])
  fail('create')
  await rig.pass(30_000)
  rig.snapshotter.consider()
  await rig.pass(20)
  t.strictSame(rig.captured, [10, 10, 10])
  t.equal(rig.warnings.length, 1)
  fail('create')
  await t.rejects(rig.running(rig.snapshotter.take()), { code: 'DISK_FULL' }, 'who asks is told')
  t.equal((await rig.running(rig.snapshotter.take())).slot, 10, 'and there is room again')
  rig.based()
  rig.applied = 20
  fail('create')
  await rig.grow(2_000)
  t.equal(rig.warnings.length, 2, 'what begins anew is told anew')
  t.strictSame(rig.failures, [])
})

t.test('a state that cannot be saved costs the snapshot, not the server', async (t) => {
  const rig = new Rig()
  rig.holder.view = () => ({ entries: [Symbol('no')], pieces: true })
  await rig.grow(2_000)
  rig.holder.view = () => {
    throw new Error('a bug')
  }
  await rig.grow(100)
  await rig.pass(100_000)
  rig.snapshotter.consider()
  t.strictSame(rig.captured, [10])
  await rig.grow(400)
  t.strictSame(rig.captured, [10, 10])
  t.equal(rig.warnings.length, 1)
  t.match(rig.warnings[0], /the log grows on: the state cannot be saved/)
  await t.rejects(rig.running(rig.snapshotter.take()), { code: 'STATE_UNSAVABLE', message: /a bug/ })
  t.equal(rig.storage.snapshots.abandoned, 1)
  t.strictSame(rig.failures, [])
  rig.holder.view = fixed
  t.match(await rig.running(rig.snapshotter.take()), { slot: 10 })
})

t.test('a disk that fails ends the server', async (t) => {
  for (const call of ['create', 'add', 'finish'] as const) {
    const rig = new Rig()
    rig.storage.snapshots.fails.set(call, 'DISK_FAILED' satisfies StorageCode)
    await t.rejects(rig.running(rig.snapshotter.take()), { code: 'DISK_FAILED' })
    t.match(rig.failures, [{ code: 'DISK_FAILED' }])
  }
})

t.test('while it is held none is made; who waits gets one after that', async (t) => {
  const rig = new Rig()
  rig.holder.entries = rig.large(20)
  rig.holder.view = (all) => laborious(rig.clock, all)
  let taken: SnapshotInfo | undefined
  const taking = rig.snapshotter.take().then((info) => (taken = info))
  await rig.pass(500, () => rig.storage.snapshots.added > 3)
  await rig.running(rig.snapshotter.hold())
  t.equal(rig.storage.snapshots.abandoned, 1)
  rig.snapshotter.wanted()
  await rig.grow(10_000)
  t.strictSame(rig.captured, [10])
  t.equal(taken, undefined)
  rig.applied = 30
  rig.snapshotter.release()
  t.equal((await rig.running(taking)).slot, 30)
})

t.test('when the server stops, what was begun is given up, and who waits is told', async (t) => {
  const rig = new Rig()
  rig.holder.entries = rig.large(20)
  rig.holder.view = (all) => laborious(rig.clock, all)
  const taking = t.rejects(rig.snapshotter.take(), { code: 'NOT_SERVING' })
  await rig.pass(500, () => rig.storage.snapshots.added > 3)
  const waiting = t.rejects(rig.snapshotter.take(), { code: 'NOT_SERVING' })
  await rig.running(rig.snapshotter.stop())
  await Promise.all([taking, waiting])
  t.equal(rig.storage.snapshots.abandoned, 1)
  t.equal(rig.storage.snapshots.newest, null)
  await t.rejects(rig.snapshotter.take(), { code: 'NOT_SERVING' })
  t.strictSame(rig.durableSlots, [])
})
