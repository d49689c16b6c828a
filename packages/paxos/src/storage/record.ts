/**
 * Log records as bytes: MessagePack arrays, led by a number that says what follows. What is read back has a checksum that
 * fits, so only another version, or a mistake, could have made it wrong; it is checked all the same.
 *
 * | number | kind | fields |
 * |---|---|---|
 * | 0 | `next` | number of the file in which the log goes on, its salt |
 * | 1 | `formed` | |
 * | 2 | `peers` | highest batch of each server, and the life of it in which that was, as arrays (of old: no lives) |
 * | 3 | `promise` | ballot |
 * | 4 | `accept` | ballot, first slot, commands |
 * | 5 | `decide` | ballot, decided |
 * | 6 | `learn` | ballot, first slot, commands |
 * | 7 | `base` | first file that is needed, collected, ballot, decided ballot, decided, lives |
 * | 8 | `lives` | lives |
 * | 9 | `repairing` | |
 * | 10 | `repaired` | life |
 * | 11 | `lease` | ms |
 *
 * A ballot is three integers: round, server, start. What a command is, codec/runs.ts says.
 */
import { Writer } from '../codec/bytes.js'
import { END, MARK, NOOP, OP, OPEN, runBytes, writeBallot, writeCommands } from '../codec/runs.js'
import type { Ballot } from '../protocol/ballot.js'
import type { Command } from '../protocol/command.js'
import { Fields } from './fields.js'
import type { StoredRecord } from './storage.js'

/** The log goes on in the file of this number, which has this salt. Always the last record of its file. */
export interface NextFile {
  readonly type: 'next'
  readonly file: number
  readonly salt: Uint8Array
}

type Base = Extract<StoredRecord, { type: 'base' }>

/** A `base` record as it stands in a file. Whatever files there are below `firstFile` are not needed: leftovers. */
export interface FileBase extends Base {
  readonly firstFile: number
}

/** What stands in a log file. */
export type FileRecord = Exclude<StoredRecord, Base> | FileBase | NextFile

/** What a record is. */
export type RecordKind = FileRecord['type']

// The numbers are part of the file format: they may be added to, never changed.
const KIND = {
  next: 0,
  formed: 1,
  peers: 2,
  promise: 3,
  accept: 4,
  decide: 5,
  learn: 6,
  base: 7,
  lives: 8,
  repairing: 9,
  repaired: 10,
  lease: 11,
} as const satisfies Record<RecordKind, number>
const KINDS = Object.keys(KIND) as readonly RecordKind[]

const writer = new Writer()

/** The record's bytes. Throws RangeError for a number that could not be read back: once it is in the log, it is too late. */
export function encodeRecord(record: FileRecord): Uint8Array {
  writer.clear() // of what a throw may have left there
  writeRecord(writer.array(FIELDS[record.type]).uint(KIND[record.type]), record)
  return writer.take()
}

/** The record in the bytes; it shares no memory with them. Throws RangeError for whatever {@link encodeRecord} does not write. */
export function decodeRecord(bytes: Uint8Array): FileRecord {
  return decodeShared(Buffer.from(bytes), 0, bytes.length)
}

/** The same for the bytes between `start` and `end`; what bytes are in the record are views of them. */
export function decodeShared(bytes: Buffer, start: number, end: number): FileRecord {
  return fromFields(new Fields(bytes, start, end))
}

/** What the bytes of a record say that it is, told without decoding it; null if nothing that is known. */
export function kindOf(bytes: Uint8Array, start = 0): RecordKind | null {
  return KINDS[bytes[start + 1] ?? KINDS.length] ?? null
}

function writeRecord(to: Writer, record: FileRecord): void {
  switch (record.type) {
    case 'next':
      return void to.uint(record.file).bytes(record.salt)
    case 'formed':
    case 'repairing':
      return
    case 'peers':
      return void writeIntegers(writeIntegers(to, record.batches), record.lives)
    case 'promise':
      return void writeBallot(to, record.ballot)
    case 'accept':
      return void to.written(runBytes(record.run))
    case 'decide':
      return void writeBallot(to, record.ballot).uint(record.decided)
    case 'learn':
      return void writeCommands(writeBallot(to, record.ballot).uint(record.first), record.commands)
    case 'base':
      writeBallot(writeBallot(to.uint(record.firstFile).uint(record.collected), record.ballot), record.decidedBallot)
      return void writeIntegers(to.uint(record.decided), record.lives)
    case 'lives':
      return void writeIntegers(to, record.lives)
    case 'repaired':
      return void to.uint(record.life)
    case 'lease':
      return void to.uint(record.ms)
  }
}

function writeIntegers(to: Writer, integers: readonly number[]): Writer {
  to.array(integers.length)
  for (const integer of integers) to.uint(integer)
  return to
}

function fromFields(fields: Fields): FileRecord {
  const count = fields.array()
  const kind = KINDS[fields.integer()]
  if (kind === undefined) throw new RangeError('a record of an unknown kind')
  const known = count === FIELDS[kind] || (kind === 'peers' && count === OLD_PEERS)
  if (!known) throw new RangeError(`a record ${kind} of ${count} fields`)
  return fields.end(READERS[kind](fields, count))
}

/** How many values a record is, the leading number included. */
const FIELDS: Readonly<Record<RecordKind, number>> = {
  next: 3,
  formed: 1,
  peers: 3,
  promise: 4,
  accept: 6,
  decide: 5,
  learn: 6,
  base: 11,
  lives: 2,
  repairing: 1,
  repaired: 2,
  lease: 2,
}

/** The first releases wrote no lives of the peers. */
const OLD_PEERS = 2

const READERS: Readonly<Record<RecordKind, (fields: Fields, count: number) => FileRecord>> = {
  next: (fields) => ({ type: 'next', file: fields.integer(), salt: fields.bytes() }),
  formed: () => ({ type: 'formed' }),
  peers: (fields, count) => {
    return { type: 'peers', batches: readIntegers(fields), lives: count === OLD_PEERS ? [] : readIntegers(fields) }
  },
  promise: (fields) => ({ type: 'promise', ballot: readBallot(fields) }),
  accept: (fields) => {
    const ballot = readBallot(fields)
    return { type: 'accept', run: { ballot, first: fields.integer(), commands: readCommands(fields) } }
  },
  decide: (fields) => ({ type: 'decide', ballot: readBallot(fields), decided: fields.integer() }),
  learn: (fields) => {
    const ballot = readBallot(fields)
    return { type: 'learn', ballot, first: fields.integer(), commands: readCommands(fields) }
  },
  base: (fields) => {
    const [firstFile, collected] = [fields.integer(), fields.integer()]
    const [ballot, decidedBallot] = [readBallot(fields), readBallot(fields)]
    const decided = fields.integer()
    return { type: 'base', firstFile, collected, ballot, decidedBallot, decided, lives: readIntegers(fields) }
  },
  lives: (fields) => ({ type: 'lives', lives: readIntegers(fields) }),
  repairing: () => ({ type: 'repairing' }),
  repaired: (fields) => ({ type: 'repaired', life: fields.integer() }),
  lease: (fields) => ({ type: 'lease', ms: fields.integer() }),
}

function readBallot(fields: Fields): Ballot {
  return { round: fields.integer(), server: fields.integer(), start: fields.integer() }
}

function readIntegers(fields: Fields): number[] {
  return Array.from({ length: fields.array() }, () => fields.integer())
}

function readCommands(fields: Fields): Command[] {
  const count = fields.array()
  if (count === 0) throw new RangeError('a run without commands')
  const commands: Command[] = []
  for (let i = 0; i < count; i++) commands.push(readCommand(fields))
  return commands
}

function readCommand(fields: Fields): Command {
  const count = fields.array()
  const kind = fields.integer()
  if (count !== (kind === OP ? 5 : kind === NOOP ? 1 : 2)) throw new RangeError(`a command of ${count} fields`)
  switch (kind) {
    case OP:
      return {
        kind: 'op',
        clientId: fields.text(),
        localId: fields.integer(),
        acked: fields.integer(),
        op: fields.bytes(),
      }
    case OPEN:
      return { kind: 'open', nonce: fields.text() }
    case END:
      return { kind: 'end', clientId: fields.text() }
    case MARK:
      return { kind: 'mark', nonce: fields.text() }
    case NOOP:
      return { kind: 'noop' }
    default:
      throw new RangeError('a command of an unknown kind')
  }
}
