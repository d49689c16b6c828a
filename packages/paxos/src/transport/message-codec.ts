/** Messages between servers, as bytes: compact arrays, the type first. Commands are tuples, operations bytes. */
import type { Ballot } from '../protocol/ballot.js'
import type { Command, Run, Slot } from '../protocol/command.js'
import type { Message } from '../protocol/message.js'
import type { Reader, Writer } from '../codec/bytes.js'

/** Server ids are below it. */
export const MAX_SERVERS = 1000

/** Each message's number, which begins it, and its fields, that one included; a ballot is three of them. */
const SHAPES: Readonly<Record<Message['type'], readonly [number: number, fields: number]>> = {
  p1a: [0, 5],
  p1b: [1, 8],
  p2a: [2, 7],
  p2b: [3, 7],
  decision: [4, 5],
  heartbeat: [5, 6],
  heartbeatReply: [6, 6],
  prescout: [7, 2],
  prescoutReply: [8, 6],
  stepDown: [9, 4],
  forward: [10, 2],
  catchUp: [11, 2],
  decided: [12, 7],
  preempt: [13, 4],
  alive: [14, 2],
}
const TYPES = Object.keys(SHAPES) as Message['type'][]

export function writeMessage(to: Writer, message: Message): void {
  const [number, fields] = SHAPES[message.type]
  to.array(fields).uint(number)
  switch (message.type) {
    case 'p1a':
      return void ballot(to, message.ballot).uint(message.from)
    case 'p1b':
      ballot(to, message.ballot).uint(message.from).array(message.accepted.length)
      for (const run of message.accepted) {
        to.array(5)
        writeRun(to, run)
      }
      if (message.next === null) to.nil()
      else to.uint(message.next)
      return void to.uint(message.decided)
    case 'p2a':
      writeRun(to, message.run)
      return void to.uint(message.decided)
    case 'p2b':
      return void ballot(to, message.ballot).uint(message.first).uint(message.last).uint(message.decided)
    case 'decision':
      return void ballot(to, message.ballot).uint(message.decided)
    case 'heartbeat':
    case 'heartbeatReply':
      return void ballot(to, message.ballot).uint(message.sequence).uint(message.decided)
    case 'prescout':
      return void to.uint(message.attempt)
    case 'prescoutReply':
      return void ballot(to.uint(message.attempt).boolean(message.granted), message.ballot)
    case 'stepDown':
    case 'preempt':
      return void ballot(to, message.ballot)
    case 'forward':
      return writeCommands(to, message.commands)
    case 'alive':
      to.array(message.clientIds.length)
      for (const clientId of message.clientIds) to.name(clientId)
      return
    case 'catchUp':
      return void to.uint(message.from)
    case 'decided':
      ballot(to, message.ballot).uint(message.first)
      writeCommands(to, message.commands)
      return void to.uint(message.decided)
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
        accepted: readRuns(from),
        next: from.nil() ? null : from.uint(),
        decided: from.uint(),
      }
    case 'p2a':
      return { type, run: readRun(from), decided: from.uint() }
    case 'p2b':
      return { type, ballot: readBallot(from), ...readRange(from), decided: from.uint() }
    case 'decision':
      return { type, ballot: readBallot(from), decided: from.uint() }
    case 'heartbeat':
    case 'heartbeatReply':
      return { type, ballot: readBallot(from), sequence: from.uint(), decided: from.uint() }
    case 'prescout':
      return { type, attempt: from.uint() }
    case 'prescoutReply':
      return { type, attempt: from.uint(), granted: from.boolean(), ballot: readBallot(from) }
    case 'stepDown':
    case 'preempt':
      return { type, ballot: readBallot(from) }
    case 'forward':
      return { type, commands: readCommands(from) }
    case 'alive':
      return { type, clientIds: Array.from({ length: from.array() }, () => from.name()) }
    case 'catchUp':
      return { type, from: from.uint() }
    case 'decided':
      return { type, ballot: readBallot(from), ...readRow(from), decided: from.uint() }
  }
}

function ballot(to: Writer, { round, server, start }: Ballot): Writer {
  return to.uint(round).uint(server).uint(start)
}

function readBallot(from: Reader): Ballot {
  return { round: from.uint(), server: from.uint(MAX_SERVERS - 1), start: from.uint() }
}

function writeRun(to: Writer, run: Run): void {
  ballot(to, run.ballot).uint(run.first)
  writeCommands(to, run.commands)
}

function readRun(from: Reader): Run {
  const run = { ballot: readBallot(from), ...readRow(from) }
  if (run.commands.length === 0) from.refuse('a run of at least one command')
  return run
}

function readRuns(from: Reader): Run[] {
  const runs: Run[] = []
  for (let left = from.array(); left > 0; left--) {
    from.fields(5, 'a run')
    runs.push(readRun(from))
  }
  return runs
}

/** Commands in a row from a slot; the last one's slot is in range too. */
function readRow(from: Reader): { first: Slot; commands: Command[] } {
  const first = from.uint()
  const commands = readCommands(from)
  if (!Number.isSafeInteger(first + commands.length)) from.refuse('slots below 2^53')
  return { first, commands }
}

function readRange(from: Reader): { first: Slot; last: Slot } {
  const first = from.uint()
  const last = from.uint()
  if (last < first) from.refuse(`a last slot of at least ${first}`)
  return { first, last }
}

const OPEN = 0
const END = 1
const NOOP = 2

function writeCommands(to: Writer, commands: readonly Command[]): void {
  to.array(commands.length)
  for (const command of commands) {
    switch (command.kind) {
      case 'op':
        to.array(4).name(command.clientId).uint(command.localId).uint(command.acked).bytes(command.op)
        break
      case 'open':
        to.array(2).uint(OPEN).name(command.nonce)
        break
      case 'end':
        to.array(2).uint(END).name(command.clientId)
        break
      case 'noop':
        to.array(1).uint(NOOP)
        break
    }
  }
}

function readCommands(from: Reader): Command[] {
  const commands: Command[] = []
  for (let left = from.array(); left > 0; left--) commands.push(readCommand(from))
  return commands
}

function readCommand(from: Reader): Command {
  const fields = from.array()
  if (fields === 4) {
    return { kind: 'op', clientId: from.name(), localId: from.uint(), acked: from.uint(), op: from.bytes() }
  }
  const kind = from.uint(NOOP)
  if (kind === OPEN && fields === 2) return { kind: 'open', nonce: from.name() }
  if (kind === END && fields === 2) return { kind: 'end', clientId: from.name() }
  if (kind === NOOP && fields === 1) return { kind: 'noop' }
  return from.refuse('a command')
}
