/** What the tests of storage share: directories, clocks, schedulers, records. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Clock } from '@synod/paxos/internal/clock'
import { realClock } from '@synod/paxos/internal/clock'
import type { LogLimits } from '@synod/paxos/internal/storage/log-writer'
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
    realClock.defer(call)
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

/** A record that says its number, of about so many bytes. */
export function numbered(number: number, bytes = 10): StoredRecord {
  const op = new Uint8Array(bytes).fill(number % 256)
  const commands = [{ kind: 'op' as const, clientId: 'c', localId: number, acked: 0, op }]
  return { type: 'accept', run: { ballot: { round: 1, server: 0, start: 5 }, first: number + 1, commands } }
}

/** The numbers of the records that were found, checked to be whole. */
export function numbersIn(opened: Opened): number[] {
  return [...opened.records].map((record) => {
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
