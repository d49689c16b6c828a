/**
 * Log records as bytes: msgpack arrays, led by a number that says what follows. What is read back has a checksum that
 * fits, so only another version, or a mistake, could have made it wrong; it is checked all the same.
 */
import { Packr, Unpackr } from 'msgpackr'
import type { Ballot } from '../protocol/ballot.js'
import type { Command } from '../protocol/command.js'
import type { StoredRecord } from './storage.js'

/** The log goes on in the file of this number, which has this salt. Always the last record of its file. */
export interface NextFile {
  readonly type: 'next'
  readonly file: number
  readonly salt: Uint8Array
}

/** What stands in a log file. */
export type FileRecord = StoredRecord | NextFile

// The numbers are part of the file format: they may be added to, never changed.
const NEXT = 0
const FORMED = 1
const PEERS = 2
const PROMISE = 3
const ACCEPT = 4
const DECIDE = 5
const LEARN = 6

const OP = 0
const OPEN = 1
const NOOP = 3
const END = 4 // 2 was another kind, before the first release

const packr = new Packr({ useRecords: false })
// Without copies, one small operation would keep the whole file that it was read from in memory.
const unpackr = new Unpackr({ useRecords: false, copyBuffers: true })

/**
 * The record's bytes, which may share memory with others: to be copied at once. Throws RangeError for a number that could
 * not be read back: once it is in the log, it is too late.
 */
export function encodeRecord(record: FileRecord): Uint8Array {
  return packr.pack(toArray(record))
}

/** The record in the bytes; it shares no memory with them. Throws RangeError for whatever {@link encodeRecord} does not write. */
export function decodeRecord(bytes: Uint8Array): FileRecord {
  let value: unknown
  try {
    value = unpackr.unpack(bytes)
  } catch (error) {
    throw new RangeError(`no msgpack value: ${error instanceof Error ? error.message : String(error)}`)
  }
  return fromFields(new Fields(value, 'a record'))
}

/** Whether the bytes of a record say that it is the one that ends its file: told without decoding it. */
export function isNext(bytes: Uint8Array): boolean {
  return bytes[1] === NEXT
}

/** Whether the bytes of a record say that it is `formed`. */
export function isFormed(bytes: Uint8Array): boolean {
  return bytes[1] === FORMED
}

function toArray(record: FileRecord): readonly unknown[] {
  switch (record.type) {
    case 'next':
      return [NEXT, integer(record.file), record.salt]
    case 'formed':
      return [FORMED]
    case 'peers':
      return [PEERS, record.batches.map(integer)]
    case 'promise':
      return [PROMISE, ...ballotFields(record.ballot)]
    case 'accept':
      return [
        ACCEPT,
        ...ballotFields(record.run.ballot),
        integer(record.run.first),
        record.run.commands.map(commandToArray),
      ]
    case 'decide':
      return [DECIDE, ...ballotFields(record.ballot), integer(record.decided)]
    case 'learn':
      return [LEARN, ...ballotFields(record.ballot), integer(record.first), record.commands.map(commandToArray)]
  }
}

function ballotFields({ round, server, start }: Ballot): [number, number, number] {
  return [integer(round), integer(server), integer(start)]
}

function commandToArray(command: Command): readonly unknown[] {
  switch (command.kind) {
    case 'op':
      return [OP, command.clientId, integer(command.localId), integer(command.acked), command.op]
    case 'open':
      return [OPEN, command.nonce]
    case 'end':
      return [END, command.clientId]
    case 'noop':
      return [NOOP]
  }
}

function fromFields(fields: Fields): FileRecord {
  switch (fields.integer()) {
    case NEXT:
      return fields.end({ type: 'next', file: fields.integer(), salt: fields.bytes() })
    case FORMED:
      return fields.end({ type: 'formed' })
    case PEERS:
      return fields.end({ type: 'peers', batches: fields.array().map(integer) })
    case PROMISE:
      return fields.end({ type: 'promise', ballot: readBallot(fields) })
    case ACCEPT: {
      const ballot = readBallot(fields)
      return fields.end({ type: 'accept', run: { ballot, first: fields.integer(), commands: readCommands(fields) } })
    }
    case DECIDE:
      return fields.end({ type: 'decide', ballot: readBallot(fields), decided: fields.integer() })
    case LEARN: {
      const ballot = readBallot(fields)
      return fields.end({ type: 'learn', ballot, first: fields.integer(), commands: readCommands(fields) })
    }
    default:
      throw new RangeError('a record of an unknown kind')
  }
}

function readBallot(fields: Fields): Ballot {
  return { round: fields.integer(), server: fields.integer(), start: fields.integer() }
}

function readCommands(fields: Fields): Command[] {
  const commands = fields.array().map(readCommand)
  if (commands.length === 0) throw new RangeError('a run without commands')
  return commands
}

function readCommand(value: unknown): Command {
  const fields = new Fields(value, 'a command')
  switch (fields.integer()) {
    case OP:
      return fields.end({
        kind: 'op',
        clientId: fields.text(),
        localId: fields.integer(),
        acked: fields.integer(),
        op: fields.bytes(),
      })
    case OPEN:
      return fields.end({ kind: 'open', nonce: fields.text() })
    case END:
      return fields.end({ kind: 'end', clientId: fields.text() })
    case NOOP:
      return fields.end({ kind: 'noop' })
    default:
      throw new RangeError('a command of an unknown kind')
  }
}

/** The fields of an array, taken one after the other. */
class Fields {
  readonly #values: readonly unknown[]
  readonly #what: string
  #taken = 0

  constructor(value: unknown, what: string) {
    if (!Array.isArray(value)) throw new RangeError(`${what} that is no array`)
    this.#values = value
    this.#what = what
  }

  integer(): number {
    return integer(this.#take())
  }

  text(): string {
    const value = this.#take()
    if (typeof value !== 'string') throw this.#wrong('a text')
    return value
  }

  bytes(): Uint8Array {
    const value = this.#take()
    if (!(value instanceof Uint8Array)) throw this.#wrong('bytes')
    return value
  }

  array(): readonly unknown[] {
    const value = this.#take()
    if (!Array.isArray(value)) throw this.#wrong('an array')
    return value
  }

  /** All fields were taken: gives back what was made of them. */
  end<T>(made: T): T {
    if (this.#taken !== this.#values.length) throw this.#wrong('no more fields')
    return made
  }

  #take(): unknown {
    return this.#values[this.#taken++]
  }

  #wrong(expected: string): RangeError {
    return new RangeError(`${this.#what} whose field ${this.#taken} should have been ${expected}`)
  }
}

function integer(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new RangeError('something else where a non-negative integer should be')
  }
  return value
}
