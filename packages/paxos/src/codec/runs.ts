/**
 * Runs and their commands as bytes: the same in messages and in the log, so that a run's bytes are made once wherever it
 * is proposed, and taken over as they came wherever it is accepted.
 *
 * A run is five values in a row: the ballot's three, the first slot, and an array of commands. A command is an array:
 *
 * | number | kind | fields |
 * |---|---|---|
 * | 0 | `op` | client id, local id, acked, operation |
 * | 1 | `open` | nonce |
 * | 3 | `noop` | |
 * | 4 | `end` | client id |
 * | 5 | `mark` | nonce |
 */
import type { Ballot } from '../protocol/ballot.js'
import type { Command, Run } from '../protocol/command.js'
import { Writer } from './bytes.js'

// The numbers are part of the file format: they may be added to, never changed.
export const OP = 0
export const OPEN = 1
export const NOOP = 3
export const END = 4 // 2 was another kind, before the first release
export const MARK = 5

const writer = new Writer()
const known = new WeakMap<Run, Uint8Array>()

/** These are the bytes of that run: they were checked when it was made of them. They must not change. */
export function noteRun(run: Run, bytes: Uint8Array): void {
  known.set(run, bytes)
}

/** The five values of a run. Throws RangeError for a number that could not be read back. */
export function runBytes(run: Run): Uint8Array {
  const before = known.get(run)
  if (before !== undefined) return before
  writer.clear() // of what a throw may have left there
  writeBallot(writer, run.ballot).uint(run.first)
  writeCommands(writer, run.commands)
  const bytes = writer.take()
  known.set(run, bytes)
  return bytes
}

/** As three values. */
export function writeBallot(to: Writer, { round, server, start }: Ballot): Writer {
  return to.uint(round).uint(server).uint(start)
}

export function writeCommands(to: Writer, commands: readonly Command[]): Writer {
  to.array(commands.length)
  for (const command of commands) {
    switch (command.kind) {
      case 'op':
        to.array(5).uint(OP).name(command.clientId).uint(command.localId).uint(command.acked).bytes(command.op)
        break
      case 'open':
        to.array(2).uint(OPEN).name(command.nonce)
        break
      case 'noop':
        to.array(1).uint(NOOP)
        break
      case 'end':
        to.array(2).uint(END).name(command.clientId)
        break
      case 'mark':
        to.array(2).uint(MARK).name(command.nonce)
        break
    }
  }
  return to
}
