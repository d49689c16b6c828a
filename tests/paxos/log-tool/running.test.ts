/** A directory on which a server writes, goes on in new files, makes snapshots and collects: whenever it is looked at, it is whole. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { realClock } from '@synod/paxos/internal/clock'
import { showDamage } from '@synod/paxos/internal/log-tool/damage'
import { surveyDirectory } from '@synod/paxos/internal/log-tool/directory'
import { coreChunks, stateChunks } from '@synod/paxos/internal/server/snapshot-codec'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import { accept, BALLOT, CLUSTER, OWNER } from './log-files.js'

const LOOKS = 150
/** It may take so long until there was something to look at, ms. */
const PATIENCE = 60_000
const SNAPSHOT_EVERY = 40

/** Writes as a server does, until it is told to stop. */
class Writer {
  readonly #storage: FileStorage
  #slot = 0
  #stopped = false

  constructor(directory: string) {
    this.#storage = new FileStorage(new RealDisk(directory), realClock, {
      fileBytes: 16_384,
      reserveBytes: 4096,
      sealAfter: 5,
    })
  }

  get slot(): number {
    return this.#slot
  }

  async run(): Promise<void> {
    await this.#storage.open(OWNER)
    await this.#storage.form(CLUSTER)
    await this.#storage.append([{ type: 'formed' }, { type: 'promise', ballot: BALLOT }])
    while (!this.#stopped) {
      this.#slot++
      await this.#storage.append([accept(this.#slot, 'x'.repeat(1 + ((this.#slot * 997) % 3000)))])
      if (this.#slot % SNAPSHOT_EVERY === 0) await this.#snapshot()
    }
    await this.#storage.close()
  }

  stop(): void {
    this.#stopped = true
  }

  async #snapshot(): Promise<void> {
    const slot = this.#slot
    const chain = { slot, hash: '0'.repeat(16) }
    const head = { slot, ballot: BALLOT, chain, block: { slot: 0, hash: '0'.repeat(16) }, servers: OWNER.count }
    const writer = await this.#storage.snapshots.create(slot)
    const core = { head, sessions: [], events: [slot] }
    for (const chunk of [...coreChunks(core, true), ...stateChunks(['y'.repeat(9000), slot])]) await writer.add(chunk)
    await writer.finish()
    const decided = { decidedBallot: BALLOT, decided: slot + 1 }
    await this.#storage.append([
      { type: 'formed' },
      { type: 'base', collected: slot, ballot: BALLOT, ...decided, lives: [] },
    ])
  }
}

t.setTimeout(120_000)

t.test('it is whole at every moment, though files come and go while it is read', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'synod-running-'))
  t.teardown(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  const writer = new Writer(directory)
  const running = writer.run()
  const seen = { notes: 0, snapshots: 0, files: 0 }
  const deadline = performance.now() + PATIENCE
  for (let look = 0; look < LOOKS || (writer.slot < 4 * SNAPSHOT_EVERY && performance.now() < deadline); look++) {
    const { damages, notes, snapshots, log } = await surveyDirectory(new RealDisk(directory))
    if (damages.length > 0) t.strictSame(damages.map(showDamage), [], `look ${look}, slot ${writer.slot}`)
    seen.notes += notes.length
    seen.snapshots = Math.max(seen.snapshots, snapshots.at(-1)?.slot ?? 0)
    seen.files = Math.max(seen.files, log.files.at(-1)?.number ?? 0)
  }
  writer.stop()
  await running
  t.comment(`${writer.slot} slots; ${JSON.stringify(seen)}`)
  t.ok(seen.snapshots > 2 * SNAPSHOT_EVERY && seen.files > 10, 'it had much to do meanwhile')
  const { damages, notes } = await surveyDirectory(new RealDisk(directory))
  t.strictSame([damages, notes], [[], []])
})
