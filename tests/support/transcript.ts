/**
 * A notation for what goes into and comes out of the core, one line a message, so that tests read as transcripts
 * (as those of etcd/raft do). `show…` writes it, `ballot`, `command` and `run` read parts of it:
 *
 *     0→1,2 p2a 1.0 slots 1–2: open n, x; decided<1
 *     1 logs accept 1.0 slots 1–2: open n, x
 *     1→0 p2b 1.0 slots 1–2; decided<1
 *     0 replies 1.n/1 ok x@2
 */
import type { AuditMark } from '@synod/paxos/internal/protocol/audit'
import type { Invariant } from '@synod/paxos/internal/protocol/assert'
import type { Ballot, ServerId } from '@synod/paxos/internal/protocol/ballot'
import type { Command, Reply, Result, Run, Slot } from '@synod/paxos/internal/protocol/command'
import type { Config, Limits, Timing } from '@synod/paxos/internal/protocol/config'
import { DEFAULT_LIMITS, DEFAULT_TIMING } from '@synod/paxos/internal/protocol/config'
import type { Lives, Message } from '@synod/paxos/internal/protocol/message'
import type { Outbox } from '@synod/paxos/internal/protocol/outbox'
import type { Envelope, LogRecord, Ready } from '@synod/paxos/internal/protocol/ready'
import type { Emit, StateMachine } from '@synod/paxos/internal/protocol/state'

/** `2.1`: round 2 of server 1, in its first life (start 0); `2.1+3`: at start 3. */
export function ballot(text: string): Ballot {
  const match = /^(\d+)\.(\d+)(?:\+(\d+))?$/.exec(text)
  if (match === null) throw new SyntaxError(`not a ballot: ${text}`)
  const [round, server, start = 0] = match.slice(1).map((part: string | undefined) => Number(part ?? 0))
  return { round: round ?? 0, server: server ?? 0, start }
}

export function showBallot({ round, server, start }: Ballot): string {
  return start === 0 ? `${round}.${server}` : `${round}.${server}+${start}`
}

/**
 * `noop`, `open n` and `mark n` (nonce n), `end 1.n` (session 1.n), `1.n/2 x` (operation x, number 2 of session 1.n), `1.n/2^1 x`
 * (and 1 is acknowledged), or a word: the operation of that name, number 1 of a session of that name.
 */
export function command(text: string): Command {
  if (text === 'noop') return { kind: 'noop' }
  const open = /^open (\S+)$/.exec(text)
  if (open?.[1] !== undefined) return { kind: 'open', nonce: open[1] }
  const mark = /^mark (\S+)$/.exec(text)
  if (mark?.[1] !== undefined) return { kind: 'mark', nonce: mark[1] }
  const end = /^end (\S+)$/.exec(text)
  if (end?.[1] !== undefined) return { kind: 'end', clientId: end[1] }
  const [clientId = text, localId = '1', acked = '0', op = text] = operation(text)
  return { kind: 'op', clientId, localId: Number(localId), acked: Number(acked), op: bytes(op) }
}

function operation(text: string): (string | undefined)[] {
  return /^(\S+)\/(\d+)(?:\^(\d+))? (\S+)$/.exec(text)?.slice(1) ?? []
}

/** Commands, separated by commas. */
export function commands(text: string): Command[] {
  return text === '' ? [] : text.split(', ').map(command)
}

export function run(at: string, first: Slot, text: string): Run {
  return { ballot: ballot(at), first, commands: commands(text) }
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function text(value: Uint8Array): string {
  return new TextDecoder().decode(value)
}

export function showCommand(command: Command): string {
  if (command.kind === 'op') return text(command.op)
  if (command.kind === 'open' || command.kind === 'mark') return `${command.kind} ${command.nonce}`
  return command.kind === 'end' ? `end ${command.clientId}` : 'noop'
}

function slots(first: Slot, last: Slot): string {
  return first === last ? `slot ${first}` : `slots ${first}–${last}`
}

function showCommands(first: Slot, list: readonly Command[]): string {
  if (list.length === 0) return `nothing from slot ${first}`
  return `${slots(first, first + list.length - 1)}: ${list.map(showCommand).join(', ')}`
}

export function showRun(run: Run): string {
  return `${showBallot(run.ballot)} ${showCommands(run.first, run.commands)}`
}

/** What most messages need not say, because there is none of it yet. */
function unless(none: boolean, text: string): string {
  return none ? '' : `; ${text}`
}

function showLives(lives: Lives): string {
  return unless(
    lives.every((life) => life === 0),
    `lives ${lives.join(',')}`,
  )
}

function showAudit({ slot, hash }: AuditMark): string {
  return unless(slot === 0, `chain ${hash}@${slot}`)
}

function showChunk(accepted: readonly Run[], next: Slot | null): string {
  return (
    (accepted.map((run) => `[${showRun(run)}]`).join(' ') || '[]') + (next === null ? '' : `, next from slot ${next}`)
  )
}

export function showMessage(message: Message): string {
  const { type } = message
  switch (type) {
    case 'p1a':
      return `${type} ${showBallot(message.ballot)} from slot ${message.from}`
    case 'p1b': {
      const told = `${showChunk(message.accepted, message.next)}; decided<${message.decided}`
      const collected = unless(message.collected === 0, `collected ${message.collected}`)
      return `${type} ${showBallot(message.ballot)} from slot ${message.from}: ${told}${collected}${showLives(message.lives)}`
    }
    case 'p2a':
      return `${type} ${showRun(message.run)}; decided<${message.decided}`
    case 'p2b':
      return `${type} ${showBallot(message.ballot)} ${slots(message.first, message.last)}; decided<${message.decided}${showLives(message.lives)}`
    case 'preempt':
      return `${type} ${showBallot(message.ballot)}`
    case 'stepDown':
      return `${type} ${showBallot(message.ballot)}${message.successor === null ? '' : ` for ${message.successor}`}`
    case 'decision':
      return `${type} ${showBallot(message.ballot)}; decided<${message.decided}`
    case 'heartbeat':
    case 'heartbeatReply': {
      const told = `${showBallot(message.ballot)} #${message.sequence}; decided<${message.decided}${showAudit(message.audit)}`
      const lease = type === 'heartbeat' ? message.lease : 0
      return `${type} ${told}${unless(lease === 0, `lease ${lease}`)}`
    }
    case 'grant':
      return `${type} ${showBallot(message.ballot)} #${message.sequence}`
    case 'prescout':
      return `${type} #${message.attempt}`
    case 'prescoutReply':
      return `${type} #${message.attempt} ${message.granted ? 'granted' : 'denied'} ${showBallot(message.ballot)}`
    case 'forward':
      return `${type} ${message.commands.map(showCommand).join(', ')}`
    case 'alive':
      return `${type} ${message.clientIds.join(', ')}`
    case 'catchUp':
      return `${type} from slot ${message.from}`
    case 'decided':
      return `${type} ${showBallot(message.ballot)} ${showCommands(message.first, message.commands)}; decided<${message.decided}`
    case 'compacted':
      return `${type} from slot ${message.from}, snapshot ${message.snapshot}; ${showBallot(message.ballot)} decided<${message.decided}`
    case 'askLife':
      return type
    case 'tellLife':
      return `${type} ${message.life}`
    case 'revive':
      return `${type} ${message.life} from slot ${message.from}`
    case 'revived': {
      const told = `${showChunk(message.accepted, message.next)}; decided<${message.decided}`
      return `${type} ${message.life} from slot ${message.from}: ${showBallot(message.ballot)} ${told}${showLives(message.lives)}`
    }
    case 'askIndex':
      return `${type} #${message.sequence} ${showBallot(message.ballot)}`
    case 'tellIndex':
      return `${type} #${message.sequence}: ${message.index}`
    case 'askAudit':
      return `${type} slot ${message.slot}`
    case 'tellAudit':
      return `${type} slot ${message.slot}: ${message.hash}`
    case 'fetch':
      return `${type} snapshot ${message.slot} from byte ${message.offset}`
    case 'piece':
      return `${type} of snapshot ${message.slot}: ${message.bytes.length} bytes from byte ${message.offset}`
  }
}

export function showRecord(record: LogRecord): string {
  switch (record.type) {
    case 'promise':
      return `promise ${showBallot(record.ballot)}`
    case 'accept':
      return `accept ${showRun(record.run)}`
    case 'decide':
      return `decide ${showBallot(record.ballot)}; decided<${record.decided}`
    case 'learn':
      return `learn ${showBallot(record.ballot)} ${showCommands(record.first, record.commands)}`
    case 'base': {
      const { collected, ballot, decidedBallot, decided, lives } = record
      const told = `${showBallot(decidedBallot)} decided<${decided}`
      return `base ${collected}: promise ${showBallot(ballot)}; ${told}${showLives(lives)}`
    }
    case 'lives':
      return `lives ${record.lives.join(',')}`
    case 'repairing':
      return 'repairing'
    case 'lease':
      return `lease ${record.ms}`
    case 'repaired':
      return `repaired ${record.life}`
  }
}

export function showResult(result: Result): string {
  return result.value.length === 0 ? result.status : `${result.status} ${text(result.value)}`
}

export function showReply(reply: Reply): string {
  const answer = text(reply.result.value)
  const kind = reply.clientId.includes('.') ? 'end' : /^\d+$/.test(answer) ? 'mark' : 'open'
  const command = reply.localId === 0 ? `${kind} ${reply.clientId}` : `${reply.clientId}/${reply.localId}`
  return `${command} ${showResult(reply.result)}`
}

export function showEnvelope(from: ServerId, { to, message }: Envelope): string {
  return `${from}→${to.join(',')} ${showMessage(message)}`
}

/** All that a Ready asks for: what may leave at once, what is logged, and what waits for that. */
export function showReady(self: ServerId, ready: Ready): string[] {
  return [
    ...ready.messages.map((envelope) => showEnvelope(self, envelope)),
    ...ready.records.map((record) => `${self} logs ${showRecord(record)}`),
    ...ready.messagesAfterSync.map((envelope) => `${showEnvelope(self, envelope)} (after sync)`),
    ...ready.replies.map((reply) => `${self} replies ${showReply(reply)}`),
    ...showWishes(self, ready),
  ]
}

/** What a Ready asks of the host for whole states. */
export function showWishes(
  self: ServerId,
  { snapshotWanted, fetch }: Pick<Ready, 'snapshotWanted' | 'fetch'>,
): string[] {
  const wishes = snapshotWanted ? [`${self} wants a snapshot`] : []
  return fetch === null ? wishes : [...wishes, `${self} fetches the snapshot of ${fetch}`]
}

/** What a single role put into its outbox; its messages to its own server first. */
export function showOutbox(self: ServerId, out: Outbox): string {
  const local: string[] = []
  for (let message = out.takeLocal(); message !== undefined; message = out.takeLocal()) {
    local.push(`${self}→${self} ${showMessage(message)}`)
  }
  return [...local, ...showReady(self, out.drain(0))].join('\n')
}

/** Lines without their indentation, nor empty ones: how an expected transcript is written in a test. */
export function lines(expected: string): string {
  const list = expected.split('\n').map((line) => line.trim())
  return list.filter((line) => line !== '').join('\n')
}

/** The lines of a transcript that match. */
export function only(pattern: RegExp, transcript: string): string[] {
  return transcript.split('\n').filter((line) => pattern.test(line))
}

/** What a test expects to be thrown when this invariant is broken. */
export function broken(invariant: Invariant): { code: string; invariant: Invariant } {
  return { code: 'INVARIANT', invariant }
}

/**
 * Remembers what it executed, and answers `x@3` for x in slot 3: so a repeated execution shows. An operation `emit-x` emits
 * the event `x@3`, and the end of a session `-1.n@3`.
 */
export class Journal implements StateMachine {
  readonly executed: string[] = []
  /** The sessions that ended. */
  readonly ends: string[] = []
  /** The marks: the chain's hash, and the slot. */
  readonly marks: string[] = []

  execute(slot: Slot, _clientId: string, op: Uint8Array, emit: Emit): Result {
    this.executed.push(`${text(op)}@${slot}`)
    if (text(op).startsWith('emit-')) emit(bytes(`${text(op).slice(5)}@${slot}`))
    return { status: 'ok', value: bytes(`${text(op)}@${slot}`) }
  }

  ended(slot: Slot, clientId: string, emit: Emit): void {
    this.ends.push(`${clientId}@${slot}`)
    emit(bytes(`-${clientId}@${slot}`))
  }

  mark(slot: Slot, chain: string): void {
    this.marks.push(`${chain}@${slot}`)
  }

  copy(): Journal {
    const copy = new Journal()
    copy.replace(this)
    return copy
  }

  /** Becomes what another one is. */
  replace({ executed, ends, marks }: Journal): void {
    this.executed.splice(0, Infinity, ...executed)
    this.ends.splice(0, Infinity, ...ends)
    this.marks.splice(0, Infinity, ...marks)
  }
}

/** Round figures, so that transcripts are easy to follow; they are not the ones that servers use by themselves. */
const TIMING: Timing = { ...DEFAULT_TIMING, heartbeat: 100, election: 500, resend: 500 }

/** The configuration of server `id` of `count`. */
export function config(
  id: ServerId,
  count: number,
  options: { limits?: Partial<Limits>; timing?: Partial<Timing>; start?: number; seed?: number } = {},
): Config {
  return {
    id,
    configuration: { servers: Array.from({ length: count }, (_, server) => server) },
    start: options.start ?? 0,
    seed: options.seed ?? id + 1,
    timing: { ...TIMING, ...options.timing },
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  }
}
