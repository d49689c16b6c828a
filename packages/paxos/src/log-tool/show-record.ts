/** Records and commands of the log, for people and for programs. */
import type { Ballot } from '../protocol/ballot.js'
import { showBallot } from '../protocol/ballot.js'
import type { Command, Slot } from '../protocol/command.js'
import type { FileRecord } from '../storage/record.js'
import { showSlots } from './damage.js'
import type { SlotRange } from './damage.js'
import { plainOf, visible } from './plain.js'

/** Commands of contiguous slots. */
interface Commands {
  readonly ballot: Ballot
  readonly first: Slot
  readonly commands: readonly Command[]
}

/** The commands of an `accept` or a `learn`; null for other records. */
export function commandsOf(record: FileRecord): Commands | null {
  return record.type === 'accept' ? record.run : record.type === 'learn' ? record : null
}

/** What of a record concerns these slots; null if nothing does. */
export function within(record: FileRecord, [from, to]: SlotRange): FileRecord | null {
  const run = commandsOf(record)
  if (run === null) {
    const slot = record.type === 'decide' ? record.decided - 1 : record.type === 'base' ? record.collected : null
    return slot !== null && slot >= from && slot <= to ? record : null
  }
  const first = Math.max(run.first, from)
  const commands = run.commands.slice(first - run.first, Math.max(0, to - run.first + 1))
  if (commands.length === 0) return null
  const part = { ballot: run.ballot, first, commands }
  return record.type === 'accept' ? { type: 'accept', run: part } : { type: 'learn', ...part }
}

/** The record in one line, without its commands. */
export function describeRecord(record: FileRecord): string {
  switch (record.type) {
    case 'next':
      return `next: goes on in file ${record.file}, salt ${hex(record.salt)}`
    case 'formed':
    case 'repairing':
      return record.type
    case 'peers':
      return `peers: told of their batches ${record.batches.join(' ')}`
    case 'promise':
      return `promise ${showBallot(record.ballot)}`
    case 'accept':
    case 'learn': {
      const { ballot, first, commands } = record.type === 'accept' ? record.run : record
      return `${record.type} ${showBallot(ballot)} ${showSlots([first, first + commands.length - 1])}`
    }
    case 'decide':
      return `decide ${showBallot(record.ballot)} below slot ${record.decided}`
    case 'base':
      return (
        `base: collected through slot ${record.collected}, ballot ${showBallot(record.ballot)}, ` +
        `decided below slot ${record.decided} at ${showBallot(record.decidedBallot)}, ${describeLives(record.lives)}`
      )
    case 'lives':
      return `lives: ${describeLives(record.lives)}`
    case 'lease':
      return record.ms === 0 ? 'lease: none that was granted lasts' : `lease: grants up to ${record.ms} ms`
    case 'repaired':
      return `repaired: in life ${record.life}`
  }
}

/** `no repairs`, or who was repaired how often. */
export function describeLives(lives: readonly number[]): string {
  const repaired = [...lives.entries()].filter(([, life]) => life > 0)
  if (repaired.length === 0) return 'no repairs'
  return repaired.map(([server, life]) => `server ${server} in life ${life}`).join(', ')
}

/** A command in one line. */
export function describeCommand(slot: Slot, command: Command): string {
  switch (command.kind) {
    case 'op': {
      const { clientId, localId, acked, op } = command
      return `slot ${slot} op ${visible(clientId)} ${localId} (acked ${acked}) ${visible(JSON.stringify(plainOf(op)))}`
    }
    case 'open':
    case 'mark':
      return `slot ${slot} ${command.kind} ${visible(command.nonce)}`
    case 'end':
      return `slot ${slot} end ${visible(command.clientId)}`
    case 'noop':
      return `slot ${slot} noop`
  }
}

/** The record for programs: its own fields, bytes as hexadecimal digits, each command with its slot. */
export function recordToJson(record: FileRecord): Record<string, unknown> {
  if (record.type === 'next') return { ...record, salt: hex(record.salt) }
  const run = commandsOf(record)
  if (run === null) return { ...record }
  const { ballot, first, commands } = run
  return {
    type: record.type,
    ballot,
    first,
    commands: commands.map((command, at) => commandToJson(first + at, command)),
  }
}

function commandToJson(slot: Slot, command: Command): Record<string, unknown> {
  return command.kind === 'op' ? { slot, ...command, op: plainOf(command.op) } : { slot, ...command }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
