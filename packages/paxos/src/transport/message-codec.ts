/** Messages between servers, as bytes: compact arrays, the type first. */
import type {
  AskAudit,
  AskLife,
  Compacted,
  Fetch,
  Message,
  Piece,
  Revive,
  Revived,
  TellAudit,
  TellLife,
} from '../protocol/message.js'
import { LONGEST_LEASE } from '../protocol/leader-lease.js'
import type { Reader, Writer } from '../codec/bytes.js'
import { writeBallot, writeCommands } from '../codec/runs.js'
import {
  HASH,
  readAccepted,
  readBallot,
  readCommands,
  readLives,
  readMark,
  readRange,
  readRow,
  readRun,
  writeAccepted,
  writeLives,
  writeMark,
  writeRun,
} from './message-parts.js'
import { MAX_LIFE, MAX_PIECE, MAX_SERVERS } from './wire.js'

/** The id of a snapshot; empty where there is none. */
const SNAPSHOT_ID = /^(?:[0-9a-f]{32})?$/

/** Each message's number, which begins it, and its fields, that one included; a ballot is three of them. */
const SHAPES: Readonly<Record<Message['type'], readonly [number: number, fields: number]>> = {
  p1a: [0, 5],
  p1b: [1, 10],
  p2a: [2, 7],
  p2b: [3, 8],
  decision: [4, 5],
  heartbeat: [5, 9],
  heartbeatReply: [6, 8],
  prescout: [7, 2],
  prescoutReply: [8, 6],
  stepDown: [9, 5],
  forward: [10, 2],
  catchUp: [11, 2],
  decided: [12, 7],
  preempt: [13, 4],
  alive: [14, 2],
  compacted: [15, 7],
  askLife: [16, 1],
  tellLife: [17, 2],
  revive: [18, 3],
  revived: [19, 10],
  askAudit: [20, 2],
  tellAudit: [21, 3],
  fetch: [22, 4],
  piece: [23, 7],
  askIndex: [24, 5],
  tellIndex: [25, 3],
  grant: [26, 6],
}
const TYPES = Object.keys(SHAPES) as Message['type'][]

export function writeMessage(to: Writer, message: Message): void {
  const [number, fields] = SHAPES[message.type]
  to.array(fields).uint(number)
  switch (message.type) {
    case 'p1a':
      return void writeBallot(to, message.ballot).uint(message.from)
    case 'p1b':
      writeAccepted(writeBallot(to, message.ballot).uint(message.from), message)
      return writeLives(to.uint(message.collected), message.lives)
    case 'p2a':
      return void writeRun(to, message.run).uint(message.decided)
    case 'p2b':
      writeBallot(to, message.ballot).uint(message.first).uint(message.last).uint(message.decided)
      return writeLives(to, message.lives)
    case 'decision':
      return void writeBallot(to, message.ballot).uint(message.decided)
    case 'heartbeat':
      writeBallot(to, message.ballot).uint(message.sequence).uint(message.decided)
      return void writeMark(to, message.audit).uint(message.lease)
    case 'heartbeatReply':
      writeBallot(to, message.ballot).uint(message.sequence).uint(message.decided)
      return void writeMark(to, message.audit)
    case 'grant':
      return void writeBallot(to, message.ballot).uint(message.sequence).uint(message.clock)
    case 'askIndex':
      return void writeBallot(to, message.ballot).uint(message.sequence)
    case 'tellIndex':
      return void to.uint(message.sequence).uint(message.index)
    case 'prescout':
      return void to.uint(message.attempt)
    case 'prescoutReply':
      return void writeBallot(to.uint(message.attempt).boolean(message.granted), message.ballot)
    case 'preempt':
      return void writeBallot(to, message.ballot)
    case 'stepDown':
      writeBallot(to, message.ballot)
      return void (message.successor === null ? to.nil() : to.uint(message.successor))
    case 'forward':
      return void writeCommands(to, message.commands)
    case 'alive':
      to.array(message.clientIds.length)
      for (const clientId of message.clientIds) to.name(clientId)
      return
    case 'catchUp':
      return void to.uint(message.from)
    case 'decided':
      return void writeCommands(writeBallot(to, message.ballot).uint(message.first), message.commands).uint(
        message.decided,
      )
    default:
      return writeCare(to, message)
  }
}

/** The messages that take care of servers that lag, were repaired, or differ. */
export type Care = Compacted | AskLife | TellLife | Revive | Revived | AskAudit | TellAudit | Fetch | Piece

function writeCare(to: Writer, message: Care): void {
  switch (message.type) {
    case 'compacted':
      return void writeBallot(to.uint(message.from).uint(message.snapshot), message.ballot).uint(message.decided)
    case 'askLife':
      return
    case 'tellLife':
      return void to.uint(message.life)
    case 'revive':
      return void to.uint(message.life).uint(message.from)
    case 'revived':
      writeAccepted(writeBallot(to.uint(message.life).uint(message.from), message.ballot), message)
      return writeLives(to, message.lives)
    case 'askAudit':
      return void to.uint(message.slot)
    case 'tellAudit':
      return void to.uint(message.slot).name(message.hash)
    case 'fetch':
      return void to.uint(message.slot).name(message.id).uint(message.offset)
    case 'piece':
      to.uint(message.slot).name(message.id).uint(message.maker).uint(message.size).uint(message.offset)
      return void to.bytes(message.bytes)
  }
}

/** Reads what {@link writeMessage} wrote; operations are views of the frame. Throws `BAD_FRAME` for anything else. */
export function readMessage(from: Reader): Message {
  const fields = from.array()
  const type = TYPES[from.uint()] ?? from.refuse('the number of a message')
  if (fields !== SHAPES[type][1]) from.refuse(`the ${SHAPES[type][1]} fields of a ${type}`)
  switch (type) {
    case 'p1a':
      return { type, ballot: readBallot(from), from: from.uint() }
    case 'p1b':
      return {
        type,
        ballot: readBallot(from),
        from: from.uint(),
        ...readAccepted(from),
        collected: from.uint(),
        lives: readLives(from),
      }
    case 'p2a':
      return { type, run: readRun(from), decided: from.uint() }
    case 'p2b':
      return { type, ballot: readBallot(from), ...readRange(from), decided: from.uint(), lives: readLives(from) }
    case 'decision':
      return { type, ballot: readBallot(from), decided: from.uint() }
    case 'heartbeat': {
      const told = { ballot: readBallot(from), sequence: from.uint(), decided: from.uint(), audit: readMark(from) }
      return { type, ...told, lease: from.uint(LONGEST_LEASE) }
    }
    case 'heartbeatReply': {
      const told = { ballot: readBallot(from), sequence: from.uint(), decided: from.uint(), audit: readMark(from) }
      return { type, ...told }
    }
    case 'grant':
      return { type, ballot: readBallot(from), sequence: from.uint(), clock: from.uint() }
    case 'askIndex':
      return { type, ballot: readBallot(from), sequence: from.uint() }
    case 'tellIndex':
      return { type, sequence: from.uint(), index: from.uint() }
    case 'prescout':
      return { type, attempt: from.uint() }
    case 'prescoutReply':
      return { type, attempt: from.uint(), granted: from.boolean(), ballot: readBallot(from) }
    case 'preempt':
      return { type, ballot: readBallot(from) }
    case 'stepDown':
      return { type, ballot: readBallot(from), successor: from.nil() ? null : from.uint(MAX_SERVERS - 1) }
    case 'forward':
      return { type, commands: readCommands(from) }
    case 'alive':
      return { type, clientIds: Array.from({ length: from.array() }, () => from.name()) }
    case 'catchUp':
      return { type, from: from.uint() }
    case 'decided':
      return { type, ballot: readBallot(from), ...readRow(from), decided: from.uint() }
    default:
      return readCare(type, from)
  }
}

function readCare(type: Care['type'], from: Reader): Care {
  switch (type) {
    case 'compacted':
      return { type, from: from.uint(), snapshot: from.uint(), ballot: readBallot(from), decided: from.uint() }
    case 'askLife':
      return { type }
    case 'tellLife':
      return { type, life: from.uint(MAX_LIFE) }
    case 'revive':
      return { type, life: from.uint(MAX_LIFE), from: from.uint() }
    case 'revived':
      return {
        type,
        life: from.uint(MAX_LIFE),
        from: from.uint(),
        ballot: readBallot(from),
        ...readAccepted(from),
        lives: readLives(from),
      }
    case 'askAudit':
      return { type, slot: from.uint() }
    case 'tellAudit':
      return { type, slot: from.uint(), hash: from.name(HASH) }
    case 'fetch':
      return { type, slot: from.uint(), id: from.name(SNAPSHOT_ID), offset: from.uint() }
    case 'piece':
      return readPiece(from)
  }
}

/** The bytes lie within the file that they are of. */
function readPiece(from: Reader): Piece {
  const head = { slot: from.uint(), id: from.name(SNAPSHOT_ID), maker: from.uint(MAX_SERVERS - 1), size: from.uint() }
  if ((head.id === '') !== (head.size === 0)) from.refuse('an id and a size, or neither')
  const offset = from.uint(head.size)
  return { type: 'piece', ...head, offset, bytes: from.bytes(Math.min(MAX_PIECE, head.size - offset)) }
}
