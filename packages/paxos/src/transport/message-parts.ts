/** What several messages have in common, as bytes. (Runs and commands: codec/runs.ts.) */
import type { AuditMark } from '../protocol/audit.js'
import type { Ballot } from '../protocol/ballot.js'
import type { Command, Run, Slot } from '../protocol/command.js'
import type { Lives } from '../protocol/message.js'
import type { Reader, Writer } from '../codec/bytes.js'
import { END, MARK, NOOP, noteRun, OP, OPEN, runBytes } from '../codec/runs.js'
import { MAX_LIFE, MAX_SERVERS } from './wire.js'

/** A hash of the chain, or of a state. */
export const HASH = /^[0-9a-f]{16}$/

/** The lives of a cluster in which nobody was repaired: what nearly every vote carries. */
const NO_LIVES: Lives = []

export function readBallot(from: Reader): Ballot {
  return { round: from.uint(), server: from.uint(MAX_SERVERS - 1), start: from.uint() }
}

/** As five fields. */
export function writeRun(to: Writer, run: Run): Writer {
  return to.written(runBytes(run))
}

export function readRun(from: Reader): Run {
  const start = from.at
  const run = { ballot: readBallot(from), ...readRow(from) }
  if (run.commands.length === 0) from.refuse('a run of at least one command')
  noteRun(run, from.since(start))
  return run
}

/** What a p1b and a revived tell of an acceptor: a chunk of its runs. */
export interface Accepted {
  readonly accepted: readonly Run[]
  readonly next: Slot | null
  readonly decided: Slot
}

export function writeAccepted(to: Writer, { accepted, next, decided }: Accepted): void {
  to.array(accepted.length)
  for (const run of accepted) writeRun(to.array(5), run)
  if (next === null) to.nil()
  else to.uint(next)
  to.uint(decided)
}

export function readAccepted(from: Reader): Accepted {
  return { accepted: readRuns(from), next: from.nil() ? null : from.uint(), decided: from.uint() }
}

export function writeLives(to: Writer, lives: Lives): void {
  to.array(lives.length)
  for (const life of lives) to.uint(life)
}

export function readLives(from: Reader): Lives {
  const count = from.array()
  if (count === 0) return NO_LIVES
  if (count > MAX_SERVERS) from.refuse(`the lives of at most ${MAX_SERVERS} servers`)
  return Array.from({ length: count }, () => from.uint(MAX_LIFE))
}

/** As two fields. */
export function writeMark(to: Writer, { slot, hash }: AuditMark): Writer {
  return to.uint(slot).name(hash)
}

/** Reads what {@link writeMark} wrote. Throws `BAD_FRAME`. */
export function readMark(from: Reader): AuditMark {
  return { slot: from.uint(), hash: from.name(HASH) }
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
export function readRow(from: Reader): { first: Slot; commands: Command[] } {
  const first = from.uint()
  const commands = readCommands(from)
  if (!Number.isSafeInteger(first + commands.length)) from.refuse('slots below 2^53')
  return { first, commands }
}

export function readRange(from: Reader): { first: Slot; last: Slot } {
  const first = from.uint()
  const last = from.uint()
  if (last < first) from.refuse(`a last slot of at least ${first}`)
  return { first, last }
}

export function readCommands(from: Reader): Command[] {
  const commands: Command[] = []
  for (let left = from.array(); left > 0; left--) commands.push(readCommand(from))
  return commands
}

function readCommand(from: Reader): Command {
  const fields = from.array()
  const kind = from.uint(MARK)
  if (kind === OP && fields === 5)
    return { kind: 'op', clientId: from.name(), localId: from.uint(), acked: from.uint(), op: from.bytes() }
  if (kind === OPEN && fields === 2) return { kind: 'open', nonce: from.name() }
  if (kind === END && fields === 2) return { kind: 'end', clientId: from.name() }
  if (kind === MARK && fields === 2) return { kind: 'mark', nonce: from.name() }
  if (kind === NOOP && fields === 1) return { kind: 'noop' }
  return from.refuse('a command')
}
