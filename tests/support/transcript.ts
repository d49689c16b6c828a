/**
 * A notation for what goes into and comes out of the core, one line a message, so that tests read as transcripts
 * (as those of etcd/raft do). `show…` writes it, `ballot`, `command` and `run` read parts of it:
 *
 *     0→1,2 p2a 1.0 slots 1–2: open n, x; decided<1
 *     1 logs accept 1.0 slots 1–2: open n, x
 *     1→0 p2b 1.0 slots 1–2; decided<1
 *     0 replies 1.n/1 ok x@2
 */
import type { Invariant } from '@synod/paxos/internal/protocol/assert'
import type { Ballot, ServerId } from '@synod/paxos/internal/protocol/ballot'
import type { Command, Reply, Result, Run, Slot } from '@synod/paxos/internal/protocol/command'
import type { Config, Limits, Timing } from '@synod/paxos/internal/protocol/config'
import { DEFAULT_LIMITS, DEFAULT_TIMING } from '@synod/paxos/internal/protocol/config'
import type { Message } from '@synod/paxos/internal/protocol/message'
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
 * `noop`, `open n` (nonce n), `end 1.n` (session 1.n), `1.n/2 x` (operation x, number 2 of session 1.n), `1.n/2^1 x`
 * (and 1 is acknowledged), or a word: the operation of that name, number 1 of a session of that name.
 */
export function command(text: string): Command {
  if (text === 'noop') return { kind: 'noop' }
  const open = /^open (\S+)$/.exec(text)
  if (open?.[1] !== undefined) return { kind: 'open', nonce: open[1] }
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
  if (command.kind === 'open') return `open ${command.nonce}`
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

export function showMessage(message: Message): string {
  const { type } = message
  switch (type) {
    case 'p1a':
      return `${type} ${showBallot(message.ballot)} from slot ${message.from}`
    case 'p1b': {
      const chunk = message.accepted.map((run) => `[${showRun(run)}]`).join(' ') || '[]'
      const next = message.next === null ? '' : `, next from slot ${message.next}`
      return `${type} ${showBallot(message.ballot)} from slot ${message.from}: ${chunk}${next}; decided<${message.decided}`
    }
    case 'p2a':
      return `${type} ${showRun(message.run)}; decided<${message.decided}`
    case 'p2b':
      return `${type} ${showBallot(message.ballot)} ${slots(message.first, message.last)}; decided<${message.decided}`
    case 'preempt':
    case 'stepDown':
      return `${type} ${showBallot(message.ballot)}`
    case 'decision':
      return `${type} ${showBallot(message.ballot)}; decided<${message.decided}`
    case 'heartbeat':
    case 'heartbeatReply':
      return `${type} ${showBallot(message.ballot)} #${message.sequence}; decided<${message.decided}`
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
  }
}

export function showRecord(record: LogRecord): string {
  if (record.type === 'promise') return `promise ${showBallot(record.ballot)}`
  if (record.type === 'accept') return `accept ${showRun(record.run)}`
  if (record.type === 'decide') return `decide ${showBallot(record.ballot)}; decided<${record.decided}`
  return `learn ${showBallot(record.ballot)} ${showCommands(record.first, record.commands)}`
}

export function showResult(result: Result): string {
  return result.value.length === 0 ? result.status : `${result.status} ${text(result.value)}`
}

export function showReply(reply: Reply): string {
  const kind = reply.clientId.includes('.') ? 'end' : 'open'
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
  ]
}

/** What a single role put into its outbox; its messages to its own server first. */
export function showOutbox(self: ServerId, out: Outbox): string {
  const local: string[] = []
  for (let message = out.takeLocal(); message !== undefined; message = out.takeLocal()) {
    local.push(`${self}→${self} ${showMessage(message)}`)
  }
  return [...local, ...showReady(self, out.drain())].join('\n')
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

  execute(slot: Slot, _clientId: string, op: Uint8Array, emit: Emit): Result {
    this.executed.push(`${text(op)}@${slot}`)
    if (text(op).startsWith('emit-')) emit(bytes(`${text(op).slice(5)}@${slot}`))
    return { status: 'ok', value: bytes(`${text(op)}@${slot}`) }
  }

  ended(slot: Slot, clientId: string, emit: Emit): void {
    this.ends.push(`${clientId}@${slot}`)
    emit(bytes(`-${clientId}@${slot}`))
  }
}

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
    timing: { ...DEFAULT_TIMING, ...options.timing },
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  }
}
