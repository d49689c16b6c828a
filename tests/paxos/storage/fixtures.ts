/** What the tests of storage share: directories, clocks, schedulers, records. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Clock } from '@synod/paxos/internal/clock'
import { realClock } from '@synod/paxos/internal/clock'
import type { LogLimits } from '@synod/paxos/internal/storage/log-writer'
import type { Section, SnapshotInfo, Snapshots } from '@synod/paxos/internal/storage/snapshots'
import type { Opened, StoredRecord } from '@synod/paxos/internal/storage/storage'
import { SimDisk } from '@synod/harness/internal/sim/disk'

export const CLUSTER = '0123456789abcdef0123456789abcdef'
export const OWNER = { service: 'test', id: 1, count: 3 }

/** Small files and reservations, and no seal but that of `close`. */
export const SMALL: LogLimits = { fileBytes: 8192, reserveBytes: 2048, sealAfter: 1e9 }

/** A clock that is turned by hand: time, and each timer that is set. */
export class HandClock implements Clock {
  readonly timers = new Set<() => void>()
  time = 0
  #over = false
  readonly #prng: Prng

  constructor(seed = 1) {
    this.#prng = new Prng(seed)
  }

  now(): number {
    return this.time
  }

  after(_ms: number, call: () => void): () => void {
    const timer = (): void => {
      this.timers.delete(timer)
      call()
    }
    this.timers.add(timer)
    return () => this.timers.delete(timer)
  }

  defer(call: () => void): void {
    realClock.defer(() => {
      if (!this.#over) call()
    })
  }

  /** The process that has it was killed: nothing is called any more. */
  end(): void {
    this.#over = true
    this.timers.clear()
  }

  random(bytes: number): Uint8Array {
    return Uint8Array.from({ length: bytes }, () => this.#prng.below(256))
  }
}

let root: string | null = null

/** A new directory, which is removed when the tests end. */
export function newDirectory(): string {
  if (root === null) {
    const made = mkdtempSync(join(tmpdir(), 'synod-storage-'))
    process.once('exit', () => {
      rmSync(made, { recursive: true, force: true })
    })
    root = made
  }
  return mkdtempSync(join(root, 'data-'))
}

/** A simulated disk whose operations happen soon, in the order in which they were asked for. */
export function promptDisk(seed = 1): SimDisk {
  return new SimDisk(new Prng(seed), (call) => setImmediate(call))
}

/** A record that says its number, of about so many bytes. Its slot is the number + 1. */
export function numbered(number: number, bytes = 10): Extract<StoredRecord, { type: 'accept' }> {
  const op = new Uint8Array(bytes).fill(number % 256)
  const commands = [{ kind: 'op' as const, clientId: 'c', localId: number, acked: 0, op }]
  return { type: 'accept', run: { ballot: { round: 1, server: 0, start: 5 }, first: number + 1, commands } }
}

/** Says that a snapshot through the slot is durable. */
export function baseAt(collected: number): Extract<StoredRecord, { type: 'base' }> {
  const ballot = { round: 1, server: 0, start: 5 }
  return { type: 'base', collected, ballot, decidedBallot: ballot, decided: collected + 1, lives: [0, 0, 1] }
}

/** All records that were found. */
export async function recordsIn(opened: Opened): Promise<StoredRecord[]> {
  const found: StoredRecord[] = []
  for await (const { records } of opened.records) found.push(...records)
  return found
}

/** The numbers of the records that were found, checked to be whole. */
export async function numbersIn(opened: Opened): Promise<number[]> {
  return (await recordsIn(opened)).map((record) => {
    if (record.type !== 'accept') throw new Error(`a record of type ${record.type}`)
    const command = record.run.commands[0]
    if (command?.kind !== 'op') throw new Error('a run without an operation')
    if (!command.op.every((byte) => byte === command.localId % 256))
      throw new Error(`record ${command.localId} is damaged`)
    return command.localId
  })
}

/** 0 … count − 1 */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number)
}

/** A chunk of a snapshot, with what a test can compare. */
export interface TestChunk {
  readonly section: Section
  readonly text: string
}

/** So many chunks of all sections, none like another one. */
export function chunksOf(slot: number, count = 6): TestChunk[] {
  const sections: readonly Section[] = ['head', 'sessions', 'events', 'state']
  return upTo(count).map((i) => {
    const section = sections[Math.min(i, 3)] ?? 'state'
    return { section, text: `${section} ${i} of ${slot} `.repeat(i === 2 ? 0 : 1 + (i % 7) * 5) }
  })
}

/** Writes a snapshot of these chunks. */
export async function writeSnapshot(
  snapshots: Snapshots,
  slot: number,
  chunks: readonly TestChunk[],
): Promise<SnapshotInfo> {
  const writer = await snapshots.create(slot)
  for (const { section, text } of chunks) await writer.add({ section, payload: Buffer.from(text) })
  return writer.finish()
}

/** All chunks of a snapshot. */
export async function chunksIn(snapshots: Snapshots, info: SnapshotInfo): Promise<TestChunk[]> {
  const chunks: TestChunk[] = []
  for await (const { section, payload } of snapshots.read(info)) {
    chunks.push({ section, text: Buffer.from(payload).toString() })
  }
  return chunks
}

/** Takes a snapshot over, in pieces, from where the receiver is. */
export async function copySnapshot(from: Snapshots, to: Snapshots, info: SnapshotInfo, piece: number): Promise<void> {
  let { received } = await to.receive(info)
  while (received < info.size) {
    const bytes = await from.bytes(info.slot, info.id, received, piece)
    if (bytes === null || bytes.length === 0) throw new Error(`no bytes at ${received}`)
    received = (await to.take(bytes)).received
  }
  await to.install()
}
