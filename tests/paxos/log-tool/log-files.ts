/** Log files that are made by hand, batch by batch: so that a test knows where each byte of them is. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from '@synod/paxos/internal/protocol/command'
import { packValue } from '@synod/paxos/internal/codec/values'
import { BatchBuilder } from '@synod/paxos/internal/storage/batch'
import { encodeHeader, fileName, fileSeed, SECTOR } from '@synod/paxos/internal/storage/file-header'
import type { FileHeader } from '@synod/paxos/internal/storage/file-header'
import { headerChecksum } from '@synod/paxos/internal/storage/log-file'
import type { FileRecord } from '@synod/paxos/internal/storage/record'
import { encodeRecord } from '@synod/paxos/internal/storage/record'

export const CLUSTER = '0123456789abcdef0123456789abcdef'
export const OWNER = { service: 'kvstore', id: 1, count: 3 }
export const BALLOT = { round: 2, server: 1, start: 77 }

/** Where a record of a made file is. */
export interface MadeRecord {
  readonly record: FileRecord
  readonly batch: number
  /** The batch's offset, and that of the record, and of the byte behind it. */
  readonly batchAt: number
  readonly at: number
  readonly end: number
}

/** A file of the log, in memory. */
export class MadeFile {
  readonly header: FileHeader
  readonly records: MadeRecord[] = []
  #bytes: Buffer
  #previous: number
  #batch: number

  /** @param batch the number of the last batch before */
  constructor(number: number, batch = 0, header: Partial<FileHeader> = {}) {
    this.header = { clusterId: CLUSTER, owner: OWNER, file: number, salt: saltOf(number), ...header }
    this.#bytes = encodeHeader(this.header)
    this.#previous = headerChecksum(this.#bytes)
    this.#batch = batch
  }

  get name(): string {
    return fileName(this.header.file)
  }

  /** The last batch's number. */
  get batch(): number {
    return this.#batch
  }

  /** Where the next batch goes. */
  get end(): number {
    return this.#bytes.length
  }

  /** Adds a batch; without records it is a seal. */
  add(...records: FileRecord[]): this {
    const builder = new BatchBuilder()
    const batchAt = this.#bytes.length
    this.#batch++
    let at = batchAt + 28
    for (const record of records) {
      const payload = encodeRecord(record)
      const end = at + 8 + payload.length
      this.records.push({ record, batch: this.#batch, batchAt, at, end })
      builder.add(payload)
      at = end
    }
    const { bytes, header } = builder.finish(this.#batch, this.#previous, fileSeed(this.header), batchAt)
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    this.#previous = header
    return this
  }

  /** The file's bytes, with room reserved behind them. */
  bytes(reserved = 4 * SECTOR): Buffer {
    return Buffer.concat([this.#bytes, Buffer.alloc(reserved)])
  }
}

export function saltOf(number: number): Uint8Array {
  return new Uint8Array(16).fill(number)
}

/** The record that ends a file. */
export function nextIs(number: number): FileRecord {
  return { type: 'next', file: number, salt: saltOf(number) }
}

/** Operations for these slots. */
export function accept(first: number, ...ops: unknown[]): Extract<FileRecord, { type: 'accept' }> {
  return { type: 'accept', run: { ballot: BALLOT, first, commands: ops.map(command) } }
}

function command(op: unknown, at: number): Command {
  return { kind: 'op', clientId: '1-abc', localId: at + 1, acked: 0, op: packValue(op) }
}

/** A directory with these files, which ends with the test. */
export function directoryOf(
  owner: { teardown(work: () => void): void },
  files: Readonly<Record<string, Uint8Array>>,
): string {
  const directory = mkdtempSync(join(tmpdir(), 'synod-log-tool-'))
  owner.teardown(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes)
  return directory
}

/** The bytes with one bit of one of them flipped. */
export function flipped(bytes: Buffer, at: number, bit = 0): Buffer {
  const changed = Buffer.from(bytes)
  changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at)
  return changed
}
