/**
 * Crashes of every kind at every moment: after any of them, what had resolved is there, in order; what is there is what
 * was appended, without a hole; and what a start gave back is never lost later. One seed says all of a run; to run a
 * single one: SEED=7 node tests/.out/paxos/storage/crash.test.js
 */
import t from 'tap'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import type { Opened, StoredRecord } from '@synod/paxos/internal/storage/storage'
import { StorageError } from '@synod/paxos/internal/storage/storage'
import { SimDisk } from '@synod/harness/internal/sim/disk'
import { baseAt, CLUSTER, HandClock, numbered, OWNER, recordsIn } from './fixtures.js'

const SEEDS = 250
const LIVES = 12

/** What must hold after the next start. */
interface Promised {
  /** Records that resolved, or that a start gave back. */
  kept: number
  /** Records that were ever appended. */
  appended: number
  /** The first so many of them may be collected. */
  collecting: number
  /** The highest batch number that was ever told. */
  batch: number
  formed: boolean
}

/** Does the disk's operations in any order, some of them together, until the crash. */
class Scheduler {
  readonly #prng: Prng
  #waiting: (() => void)[] = []
  done = 0

  constructor(prng: Prng) {
    this.#prng = prng
  }

  readonly delay = (call: () => void): void => {
    this.#waiting.push(call)
  }

  /** Lets operations happen, and the process go on after each, until the condition holds; false after so many. */
  async run(condition: () => boolean, most: number): Promise<boolean> {
    for (let i = 0; i < most; i++) {
      await settled()
      if (condition()) return true
      const call = this.#waiting.splice(this.#prng.below(this.#waiting.length), 1)[0]
      if (call !== undefined) call()
      this.done++
    }
    // The process may still have gone on after the last one, or not.
    if (this.#prng.chance(0.8)) await settled()
    return condition()
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function simulate(seed: number): Promise<{ torn: number; rotated: boolean; cutInRecovery: number }> {
  const prng = new Prng(seed)
  const scheduler = new Scheduler(prng)
  const disk = new SimDisk(prng, scheduler.delay)
  const promised: Promised = { kept: 0, appended: 0, collecting: 0, batch: 0, formed: false }
  const seen = { torn: 0, rotated: false, cutInRecovery: 0 }
  for (let life = 0; life < LIVES; life++) {
    const clock = new HandClock(prng.next())
    const storage = new FileStorage(disk, clock, { fileBytes: 8192, reserveBytes: 2048, sealAfter: 10 })
    const outcome: { opened?: Opened; records: StoredRecord[]; failed?: unknown } = { records: [] }
    const open = async (): Promise<void> => {
      const opened = await storage.open(OWNER)
      outcome.records = await recordsIn(opened)
      outcome.opened = opened
    }
    open().catch((error: unknown) => (outcome.failed = error))
    const most = prng.chance(0.3) ? prng.below(20) : Infinity
    if (await scheduler.run(() => 'opened' in outcome || 'failed' in outcome, most)) {
      if (outcome.opened === undefined) throw new Error('the directory was refused', { cause: outcome.failed })
      check(promised, outcome.opened, outcome.records, storage.batch)
      seen.torn += outcome.opened.notes.length
      // A disk that fails ends the process soon; what was promised before still holds.
      if (prng.chance(0.2)) disk.fail(prng.pick(['write', 'sync']), 'once')
      await live(prng, scheduler, clock, storage, promised)
      disk.heal()
    } else {
      seen.cutInRecovery++
    }
    clock.end()
    if (prng.chance(0.5)) disk.powerLoss()
    else disk.kill()
    if (prng.chance(0.2)) disk.powerLoss()
    seen.rotated ||= promised.batch > 40
  }
  return seen
}

/** A failed append promises nothing. */
function ignore(error: unknown): void {
  if (!(error instanceof StorageError) || error.code !== 'DISK_FAILED') throw error
}

/** Appends, until the crash. */
async function live(
  prng: Prng,
  scheduler: Scheduler,
  clock: HandClock,
  storage: FileStorage,
  promised: Promised,
): Promise<void> {
  const note = (): void => {
    promised.batch = Math.max(promised.batch, storage.batch)
  }
  const crashAt = scheduler.done + prng.below(120)
  const left = (): number => Math.max(0, crashAt - scheduler.done)
  if (!promised.formed) {
    let formed = false
    storage.form(CLUSTER).then(() => (formed = true), ignore)
    if (!(await scheduler.run(() => formed, left()))) return
    promised.formed = true
  }
  while (left() > 0) {
    if (prng.chance(0.05)) {
      clock.time += 20
      for (const timer of [...clock.timers]) timer()
    }
    if (prng.chance(0.02)) {
      let closed = false
      void storage.close().then(() => (closed = true))
      await scheduler.run(() => closed, left())
      note()
      return
    }
    const records: StoredRecord[] = Array.from({ length: prng.below(4) }, () =>
      numbered(promised.appended++, prng.pick([0, 10, 300, 1500])),
    )
    const end = promised.appended
    if (prng.chance(0.03) && promised.kept > 0) {
      promised.collecting = Math.max(promised.collecting, 1 + prng.below(promised.kept))
      records.push({ type: 'formed' }, baseAt(promised.collecting))
    }
    storage.append(records).then(() => {
      promised.kept = Math.max(promised.kept, end)
      note()
    }, ignore)
    await scheduler.run(() => false, Math.min(left(), prng.below(5)))
    note()
  }
}

function check(promised: Promised, opened: Opened, records: readonly StoredRecord[], batch: number): void {
  if (opened.formation === 'empty' && promised.formed) throw new Error('the formation is lost')
  if (opened.formation !== 'empty') promised.formed = true
  const votes = records.filter(({ type }) => type === 'accept')
  const first = votes[0]?.type === 'accept' ? votes[0].run.first - 1 : promised.kept
  if (first > promised.collecting) throw new Error(`record ${first} is the first`)
  let count = first
  for (const record of votes) {
    const command = record.type === 'accept' ? record.run.commands[0] : undefined
    if (command?.kind !== 'op' || command.localId !== count) throw new Error(`record ${count} is another`)
    if (command.op.some((byte) => byte !== count % 256)) throw new Error(`record ${count} is damaged`)
    count++
  }
  if (count < promised.kept) throw new Error(`${count} records are there, ${promised.kept} were durable`)
  if (count > promised.appended) throw new Error(`${count} records are there, ${promised.appended} were appended`)
  if (batch < promised.batch) throw new Error(`batch ${batch} after ${promised.batch}`)
  promised.kept = promised.appended = count
  promised.batch = batch
}

t.setTimeout(120_000)

t.test('nothing durable is lost, nothing else comes up, whenever a process or a machine fails', async (t) => {
  const only = process.env['SEED']
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(only)]
  const seen = { torn: 0, rotated: 0, cutInRecovery: 0 }
  for (const seed of seeds) {
    try {
      const { torn, rotated, cutInRecovery } = await simulate(seed)
      seen.torn += torn
      seen.rotated += rotated ? 1 : 0
      seen.cutInRecovery += cutInRecovery
    } catch (error) {
      t.error(error, `SEED=${seed}`)
    }
  }
  t.comment(JSON.stringify(seen))
  if (only === undefined) {
    t.ok(seen.torn > 20 && seen.rotated > 50 && seen.cutInRecovery > 50, 'what may happen did happen')
  }
})
