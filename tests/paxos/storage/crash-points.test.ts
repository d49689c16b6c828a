/**
 * A crash at every single operation of the disk, before it or behind it, with the process alone or with the power: the next
 * start finds all that was acknowledged, and nothing else.
 */
import t from 'tap'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import type { Snapshots } from '@synod/paxos/internal/storage/snapshots'
import type { Opened, StoredRecord } from '@synod/paxos/internal/storage/storage'
import { SimDisk } from '@synod/harness/internal/sim/disk'
import {
  baseAt,
  chunksIn,
  chunksOf,
  CLUSTER,
  copySnapshot,
  HandClock,
  numbered,
  OWNER,
  promptDisk,
  recordsIn,
  writeSnapshot,
} from './fixtures.js'

const LIMITS = { fileBytes: 4096, reserveBytes: 1024, sealAfter: 1e9 }
/** Large enough for a piece to be made durable by itself, in a part of the runs. */
const PIECE = 700

interface Strike {
  /** The number of the operation, from 1. */
  readonly at: number
  readonly moment: 'before' | 'behind'
  readonly power: boolean
  readonly seed: number
}

/** A disk whose process, or whose machine, ends at one of its operations. */
class FragileDisk {
  readonly disk: SimDisk
  /** Of the process that has it open, until the strike. */
  readonly clock = new HandClock()
  /** Operations so far. */
  operations = 0
  /** Resolves with the strike. */
  readonly struck: Promise<void>
  #strike: Strike | null = null
  #telling = true
  #tell: () => void = () => undefined

  constructor(seed = 1) {
    this.struck = new Promise((resolve) => (this.#tell = resolve))
    this.disk = new SimDisk(new Prng(seed), {
      delay: (call) => queueMicrotask(() => this.#operate(call)),
      complete: (call) => {
        if (this.#telling) call()
      },
    })
  }

  /** From now on operations are counted, and one of them is struck at. */
  arm(strike: Strike | null): void {
    this.operations = 0
    this.#strike = strike
  }

  #operate(call: () => void): void {
    this.operations++
    const strike = this.#strike
    if (this.operations !== strike?.at) return call()
    this.#strike = null
    if (strike.moment === 'behind') {
      this.#telling = false
      call()
      this.#telling = true
    }
    this.clock.end()
    if (strike.power) this.disk.powerLoss()
    else this.disk.kill()
    this.#tell()
  }
}

/** What must hold after the next start. */
class Promised {
  formed = false
  /** Records that were acknowledged, and that were ever appended: their numbers are 0 … count − 1. */
  kept = 0
  appended = 0
  /** The slot that the highest base record names, if it was acknowledged, and if it may be there. */
  collected = 0
  collecting = 0
  /** The highest snapshot that was acknowledged. */
  snapshot = 0
  batch = 0
}

/** A snapshot that another server has made. */
async function peersSnapshots(): Promise<Snapshots> {
  const storage = new FileStorage(promptDisk(), new HandClock(77), LIMITS)
  await storage.open({ ...OWNER, id: 2 })
  await storage.form(CLUSTER)
  await writeSnapshot(storage.snapshots, 33, chunksOf(33, 25))
  return storage.snapshots
}

const peer = await peersSnapshots()

/** Appends records with the next numbers, one by one, and notes what is promised. */
async function append(storage: FileStorage, promised: Promised, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const appended = storage.append([numbered(promised.appended++, 350)])
    await appended
    promised.kept = promised.appended
    promised.batch = storage.batch
  }
}

async function base(storage: FileStorage, promised: Promised, slot: number): Promise<void> {
  promised.collecting = slot
  await storage.append([{ type: 'formed' }, baseAt(slot)])
  promised.collected = slot
}

async function snapshot(storage: FileStorage, promised: Promised, slot: number): Promise<void> {
  await writeSnapshot(storage.snapshots, slot, chunksOf(slot))
  promised.snapshot = slot
}

/** Two lives of a server in which everything happens. */
async function live({ disk, clock }: FragileDisk, promised: Promised): Promise<void> {
  const first = new FileStorage(disk, clock, LIMITS)
  await recordsIn(await first.open(OWNER))
  await first.form(CLUSTER)
  promised.formed = true
  await append(first, promised, 12)
  await snapshot(first, promised, 8)
  await base(first, promised, 8)
  await append(first, promised, 10)
  await snapshot(first, promised, 20)
  await base(first, promised, 20)
  await append(first, promised, 3)
  const given = await first.snapshots.create(24)
  await given.add({ section: 'head', payload: Buffer.alloc(100) })
  await given.abandon()
  const info = peer.newest
  if (info === null) throw new Error('the peer has no snapshot')
  await first.snapshots.receive(info)
  await first.snapshots.take((await peer.bytes(33, info.id, 0, 2 * PIECE)) ?? new Uint8Array(0))
  await first.close()

  const second = new FileStorage(disk, clock, LIMITS)
  await recordsIn(await second.open(OWNER))
  await append(second, promised, 12)
  await copySnapshot(peer, second.snapshots, info, PIECE)
  promised.snapshot = 33
  await base(second, promised, 33)
  await append(second, promised, 2)
  await second.close()
}

/** What is wrong with what a start found; null if nothing. */
function wrong(promised: Promised, opened: Opened, records: readonly StoredRecord[]): string | null {
  if (opened.formation === 'empty') return promised.formed ? 'the formation is lost' : null
  const numbers = records.flatMap((record) => (record.type === 'accept' ? [record.run.first - 1] : []))
  const [first, last] = [numbers[0] ?? promised.kept, numbers.at(-1) ?? -1]
  if (numbers.some((number, i) => number !== first + i)) return `holes in ${numbers.join()}`
  if (promised.collecting === 0 && numbers.length > 0 && first > 0) return `${first} records are gone`
  if (first > promised.collecting) return `record ${first} is the first, collected were at most ${promised.collecting}`
  if (promised.kept > promised.collecting && last < promised.kept - 1) return `${last} is the last of ${promised.kept}`
  if (last >= promised.appended) return `${last} is the last of ${promised.appended} that were appended`
  if (opened.collected < promised.collected) return `collected ${opened.collected} of ${promised.collected}`
  if (promised.collected > 0 && opened.formation !== 'formed') return `it is ${opened.formation}`
  return null
}

/** What is wrong with the snapshots that a start found; null if nothing. */
async function wrongSnapshots(promised: Promised, opened: Opened, snapshots: Snapshots): Promise<string | null> {
  const { newest, incoming } = snapshots
  const slot = newest?.slot ?? 0
  if (slot < Math.max(promised.snapshot, opened.collected)) return `the newest is ${slot}, not ${promised.snapshot}`
  if (newest !== null) {
    const chunks = JSON.stringify(await chunksIn(snapshots, newest))
    const whole = [chunksOf(slot), chunksOf(slot, 25)].some((expected) => JSON.stringify(expected) === chunks)
    if (!whole) return `snapshot ${slot} is another one`
  }
  if (incoming !== null) {
    await copySnapshot(peer, snapshots, incoming.info, 5000)
    if ((await chunksIn(snapshots, incoming.info)).length !== 25) return 'what came is not whole'
  }
  return null
}

/** Runs a life into a crash, and judges the start after it. Gives back how many operations there were. */
async function run(strike: Strike | null): Promise<number> {
  const promised = new Promised()
  const fragile = new FragileDisk(strike?.seed)
  fragile.arm(strike)
  const { disk } = fragile
  const lived = live(fragile, promised)
  await Promise.race([lived, fragile.struck])
  const { operations } = fragile
  const clock = new HandClock(3)
  for (let life = 0; life < 2; life++) {
    const storage = new FileStorage(disk, clock, LIMITS)
    const opened = await storage.open(OWNER)
    const records = await recordsIn(opened)
    const complaint = wrong(promised, opened, records)
    if (complaint !== null) throw new Error(complaint)
    if (storage.batch < promised.batch) throw new Error(`batch ${storage.batch} after ${promised.batch}`)
    const about = await wrongSnapshots(promised, opened, storage.snapshots)
    if (about !== null) throw new Error(about)
    const left = disk.files().filter(({ name }) => name.startsWith('snapshot') && name.endsWith('.new'))
    if (opened.formation !== 'empty' && left.length > 0) throw new Error(`${left[0]?.name} was left over`)
    await storage.close()
    disk.powerLoss() // what a start gave back is durable
  }
  return operations
}

/** All of them, those with a loss of power so many times: what is lost is drawn. */
function* strikes(operations: number, losses = 1): Generator<Strike> {
  for (let at = 1; at <= operations; at++) {
    for (const moment of ['before', 'behind'] as const) {
      yield { at, moment, power: false, seed: at }
      for (let seed = 0; seed < losses; seed++) yield { at, moment, power: true, seed: at + 1000 * seed }
    }
  }
}

t.setTimeout(120_000)

t.test('whatever operation a crash strikes at, all that was acknowledged is found', async (t) => {
  const operations = await run(null)
  t.comment(`${operations} operations`)
  t.ok(operations > 200)
  for (const strike of strikes(operations)) {
    try {
      await run(strike)
    } catch (error) {
      t.error(error, JSON.stringify(strike))
    }
  }
})

/** A directory whose log is all there, and a snapshot. */
async function uncollected(): Promise<FragileDisk> {
  const fragile = new FragileDisk()
  const storage = new FileStorage(fragile.disk, fragile.clock, LIMITS)
  await storage.open(OWNER)
  await storage.form(CLUSTER)
  await storage.append([{ type: 'formed' }])
  await append(storage, new Promised(), 20)
  await snapshot(storage, new Promised(), 8)
  await storage.close()
  return fragile
}

/** A server's directory that is damaged: its disk, on which the next crash strikes. */
async function damaged(whole: SimDisk, strike: Strike | null): Promise<FragileDisk> {
  const fragile = new FragileDisk(strike?.seed)
  await fragile.disk.open()
  for (const { name, written } of whole.files()) {
    if (written <= 512) continue // a file that was made for later
    const file = await fragile.disk.create(name)
    await file.write(whole.content(name), 0)
    await file.sync()
  }
  await fragile.disk.syncDirectory()
  await fragile.disk.close()
  // Where the log goes on in its last file: without that one, the damage would look like a torn write.
  const logs = fragile.disk.files().filter(({ name }) => /^\d+\.paxos$/.test(name))
  fragile.disk.rot(logs.at(-2)?.name ?? '', (logs.at(-2)?.written ?? 0) - 1)
  fragile.arm(strike)
  return fragile
}

/** A repair, as the server does it. */
async function repair({ disk, clock }: FragileDisk, done: { repaired: boolean }): Promise<void> {
  const storage = new FileStorage(disk, clock, LIMITS)
  const opened = await storage.open(OWNER, { repair: true })
  if (opened.formation !== 'empty') throw new Error(`it is ${opened.formation}`)
  await storage.form(CLUSTER)
  await storage.append([{ type: 'formed' }])
  await storage.append([numbered(0)])
  await storage.append([{ type: 'repaired', life: 1 }])
  done.repaired = true
  await storage.close()
}

/** How a directory is found: its formation, or the code of the refusal. */
async function found(disk: SimDisk, withRepair: boolean): Promise<string> {
  const storage = new FileStorage(disk, new HandClock(9), LIMITS)
  try {
    const opened = await storage.open(OWNER, { repair: withRepair })
    const records = await recordsIn(opened)
    const formation = records.some(({ type }) => type === 'repaired') ? 'repaired' : opened.formation
    await storage.close()
    return formation
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

t.test('whatever operation a crash strikes a repair at, the server never votes without having ended it', async (t) => {
  const seen = new Set<string>()
  const { disk: whole } = await uncollected()
  const repairing = async (strike: Strike | null): Promise<number> => {
    const fragile = await damaged(whole, strike)
    const done = { repaired: false }
    await Promise.race([repair(fragile, done), fragile.struck])
    const { operations } = fragile
    const plain = await found(fragile.disk, false)
    const again = await found(fragile.disk, true)
    seen.add(`${plain} ${again}`)
    const expected = done.repaired
      ? ['repaired NOT_DAMAGED']
      : ['CORRUPT empty', 'MISSING_FILE empty', 'repairing repairing', 'repaired NOT_DAMAGED']
    if (!expected.includes(`${plain} ${again}`)) throw new Error(`${plain}, with --repair ${again}`)
    return operations
  }
  const operations = await repairing(null)
  for (const strike of strikes(operations, 12)) {
    try {
      await repairing(strike)
    } catch (error) {
      t.error(error, JSON.stringify(strike))
    }
  }
  t.strictSame([...seen].sort(), ['CORRUPT empty', 'MISSING_FILE empty', 'repaired NOT_DAMAGED', 'repairing repairing'])
})

/** A disk as a killed process leaves it, whose last write, a base record, is in the cache only; what it lets go is there yet. */
async function unsyncedBase(strike: Strike | null): Promise<FragileDisk> {
  const old = promptDisk()
  const storage = new FileStorage(old, new HandClock(1), LIMITS)
  const promised = new Promised()
  await storage.open(OWNER)
  await storage.form(CLUSTER)
  await append(storage, promised, 20)
  await snapshot(storage, promised, 15)
  await base(storage, promised, 15) // what it deletes is not deleted in this turn
  const fragile = new FragileDisk(strike?.seed)
  await fragile.disk.open()
  const last = old.files().findLast(({ name, written }) => /^\d+\.paxos$/.test(name) && written > 512)
  for (const { name, written } of old.files()) {
    const file = await fragile.disk.create(name)
    const content = old.content(name)
    const start = name === last?.name ? Math.floor((written - 1) / 512) * 512 : content.length
    await file.write(content.subarray(0, start), 0)
    await file.sync()
    if (start < content.length) await file.write(content.subarray(start), start)
  }
  await fragile.disk.syncDirectory()
  fragile.disk.kill()
  fragile.arm(strike)
  return fragile
}

t.test('no file is deleted because of a base record that is in the cache only', async (t) => {
  const start = async (strike: Strike | null): Promise<[operations: number, files: string[]]> => {
    const fragile = await unsyncedBase(strike)
    const open = async (clock: HandClock): Promise<void> => {
      const storage = new FileStorage(fragile.disk, clock, LIMITS)
      await recordsIn(await storage.open(OWNER))
    }
    await Promise.race([open(fragile.clock), fragile.struck])
    fragile.disk.powerLoss()
    const { operations } = fragile
    await open(new HandClock(2))
    return [operations, fragile.disk.files().map(({ name }) => name)]
  }
  const [operations, files] = await start(null)
  t.notOk(files.includes('00000001.paxos'), 'in the end it is')
  for (const strike of strikes(operations)) {
    try {
      await start(strike)
    } catch (error) {
      t.error(error, JSON.stringify(strike))
    }
  }
})
