/** A data directory as a server of a small store leaves it: some of its log collected, a snapshot, and more log behind it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '@synod/paxos/internal/clock'
import { packValue } from '@synod/paxos/internal/codec/values'
import type { CoreSnapshot } from '@synod/paxos/internal/protocol/snapshot'
import { coreChunks, stateChunks } from '@synod/paxos/internal/server/snapshot-codec'
import { FileStorage } from '@synod/paxos/internal/storage/file-storage'
import { RealDisk } from '@synod/paxos/internal/storage/real-disk'
import type { Owner, StoredRecord } from '@synod/paxos/internal/storage/storage'
import { accept, BALLOT, CLUSTER, OWNER } from './log-files.js'

/** The last slot that is in the snapshot. */
export const SNAPSHOT_SLOT = 40
/** The last slot that the log tells of. */
export const LAST_SLOT = 45

/** The entries of the state, in the order of their keys. */
export const ENTRIES: readonly unknown[] = Array.from({ length: 3000 }, (_, index) => [
  `key-${String(index).padStart(4, '0')}`,
  `value ${'v'.repeat(50)} ${index}`,
])

const SESSION = '1.0123456789abcdef'

/** Makes it; it ends with the test. @param saved the slot of its snapshot */
export async function dataDirectory(
  owner: { teardown(work: () => void): void },
  identity: Owner = OWNER,
  saved = SNAPSHOT_SLOT,
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'synod-log-tool-'))
  owner.teardown(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  const storage = new FileStorage(new RealDisk(directory), realClock, { fileBytes: 16_384, reserveBytes: 4096 })
  await storage.open(identity)
  await storage.form(CLUSTER)
  await storage.append([{ type: 'formed' }, { type: 'promise', ballot: BALLOT }])
  for (let slot = 1; slot <= LAST_SLOT; slot++) {
    if (slot === saved + 1) await snapshot(storage, identity.count, saved)
    await storage.append([accept(slot, { type: 'set', key: `key-${slot}`, value: 'x'.repeat(1000) })])
  }
  await storage.append([{ type: 'lives', lives: [0, 0, 2] }])
  await storage.close()
  return directory
}

async function snapshot(storage: FileStorage, servers: number, slot: number): Promise<void> {
  const writer = await storage.snapshots.create(slot)
  for (const chunk of [...coreChunks(core(servers, slot), true), ...stateChunks(ENTRIES)]) await writer.add(chunk)
  await writer.finish()
  const base: StoredRecord = {
    type: 'base',
    collected: slot,
    ballot: BALLOT,
    decidedBallot: BALLOT,
    decided: slot + 1,
    lives: [],
  }
  await storage.append([{ type: 'formed' }, base])
}

function core(servers: number, slot: number): CoreSnapshot {
  const chain = { slot, hash: '0123456789abcdef' }
  return {
    head: { slot, ballot: BALLOT, chain, block: { slot: 0, hash: '0'.repeat(16) }, servers },
    sessions: [{ clientId: SESSION, acked: 38, results: [[39, 'ok', packValue({ existed: false })]] }],
    events: [38, { slot: 39, events: [packValue({ type: 'delete', key: '\u202ekey' })] }],
  }
}
