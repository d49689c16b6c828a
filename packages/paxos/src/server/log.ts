/**
 * What a server tells people: warnings always, the rest when asked for by `-v`, `-vv`, `-vvv` or `DEBUG=synod:*`. Each
 * line is led by the server's id. What is not asked for costs one comparison.
 */
import debug from 'debug'
import { showBallot } from '../protocol/ballot.js'
import type { ServerId } from '../protocol/ballot.js'
import type { Message } from '../protocol/message.js'
import type { Care } from '../transport/message-codec.js'

/** Namespaces by how many `-v` it takes: lifecycle and elections; messages between the roles; everything. */
const BY_VERBOSITY = [
  'synod:server,synod:leader',
  'synod:acceptor,synod:scout,synod:commander,synod:replica,synod:peers',
  'synod:*',
]

/** Turns on the lines of `-v` (1), `-vv` (2) or `-vvv` (3), besides those that `DEBUG` asks for. */
export function setVerbosity(verbosity: number): void {
  const wanted = BY_VERBOSITY.slice(0, verbosity)
  const asked = process.env['DEBUG']
  if (asked !== undefined && asked !== '') wanted.push(asked)
  if (wanted.length > 0) debug.enable(wanted.join(','))
}

/** Characters of a line, at most. */
const LONGEST = 1_000

const channels = {
  /** The life of the server: storage, formation, connections that come and go. */
  server: debug('synod:server'),
  /** Elections. */
  leader: debug('synod:leader'),
  acceptor: debug('synod:acceptor'),
  scout: debug('synod:scout'),
  commander: debug('synod:commander'),
  replica: debug('synod:replica'),
  peers: debug('synod:peers'),
  clients: debug('synod:clients'),
}

export type Channel = keyof typeof channels

/** The role that a message goes to (heartbeats and pre-votes concern who leads, but are as frequent as messages). */
const RECEIVER: Readonly<Record<Message['type'], Channel>> = {
  p1a: 'acceptor',
  p1b: 'scout',
  p2a: 'acceptor',
  p2b: 'commander',
  preempt: 'commander',
  decision: 'replica',
  heartbeat: 'acceptor',
  heartbeatReply: 'commander',
  prescout: 'acceptor',
  prescoutReply: 'scout',
  stepDown: 'replica',
  forward: 'replica',
  alive: 'replica',
  catchUp: 'replica',
  decided: 'replica',
  compacted: 'replica',
  askLife: 'acceptor',
  tellLife: 'replica',
  revive: 'acceptor',
  revived: 'replica',
  askAudit: 'replica',
  tellAudit: 'replica',
  fetch: 'replica',
  piece: 'replica',
  askIndex: 'commander',
  grant: 'commander',
  tellIndex: 'replica',
}

/** One server's log. */
export class Log {
  readonly #id: ServerId
  readonly #warn: (line: string) => void

  /** @param warn takes each warning, a line without its end; other lines go to standard error */
  constructor(id: ServerId, warn: (line: string) => void) {
    this.#id = id
    this.#warn = warn
  }

  /** Something that a person should know. */
  warn(text: string): void {
    this.#warn(`[${this.#id}] ${oneLine(text)}`)
  }

  /** Whether lines of this channel are wanted: asked before a line is made up. */
  on(channel: Channel): boolean {
    return channels[channel].enabled
  }

  write(channel: Channel, text: string): void {
    const target = channels[channel]
    if (target.enabled)
      process.stderr.write(`[${this.#id}] ${new Date().toISOString()} ${target.namespace} ${oneLine(text)}\n`)
  }

  /** A message on its way out of, or into, this server. */
  message(from: ServerId, to: ServerId, message: Message): void {
    const channel = RECEIVER[message.type]
    if (channels[channel].enabled) this.write(channel, `${from} → ${to} ${showMessage(message)}`)
  }
}

/** Strangers have a say in some texts: none of them may look like another line, or be without end. */
function oneLine(text: string): string {
  const line = text.replace(/\p{Cc}+/gu, ' ')
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`
}

function showMessage(message: Message): string {
  switch (message.type) {
    case 'p1a':
      return `p1a ${showBallot(message.ballot)} from slot ${message.from}`
    case 'p1b':
      return `p1b ${showBallot(message.ballot)} from slot ${message.from}, ${message.accepted.length} runs, next ${message.next ?? 'none'}, decided below ${message.decided}`
    case 'p2a':
      return `p2a ${showBallot(message.run.ballot)} ${showSlots(message.run.first, message.run.commands.length)}, decided below ${message.decided}`
    case 'p2b':
      return `p2b ${showBallot(message.ballot)} ${showSlots(message.first, message.last - message.first + 1)}, decided below ${message.decided}`
    case 'decision':
      return `decision ${showBallot(message.ballot)} below slot ${message.decided}`
    case 'heartbeat':
    case 'heartbeatReply':
      return `${message.type} ${showBallot(message.ballot)} number ${message.sequence}, decided below ${message.decided}`
    case 'grant':
      return `grant ${showBallot(message.ballot)} number ${message.sequence}`
    case 'askIndex':
      return `askIndex number ${message.sequence}, at ${showBallot(message.ballot)}`
    case 'tellIndex':
      return `tellIndex number ${message.sequence}: slot ${message.index}`
    case 'prescout':
      return `prescout attempt ${message.attempt}`
    case 'prescoutReply':
      return `prescoutReply attempt ${message.attempt} ${message.granted ? 'granted' : 'denied'} at ${showBallot(message.ballot)}`
    case 'preempt':
      return `preempt ${showBallot(message.ballot)}`
    case 'stepDown':
      return `stepDown ${showBallot(message.ballot)}${message.successor === null ? '' : `, for server ${message.successor}`}`
    case 'forward':
      return `forward of ${message.commands.length} commands`
    case 'alive':
      return `alive: ${message.clientIds.length} sessions`
    case 'catchUp':
      return `catchUp from slot ${message.from}`
    case 'decided':
      return `decided ${showBallot(message.ballot)} ${showSlots(message.first, message.commands.length)}, decided below ${message.decided}`
    default:
      return showCare(message)
  }
}

function showCare(message: Care): string {
  switch (message.type) {
    case 'compacted':
      return `compacted: not from slot ${message.from}, a snapshot through ${message.snapshot}, decided ${showBallot(message.ballot)} below ${message.decided}`
    case 'askLife':
      return 'askLife'
    case 'tellLife':
      return `tellLife ${message.life}`
    case 'revive':
      return `revive in life ${message.life}, from slot ${message.from}`
    case 'revived':
      return `revived in life ${message.life} at ${showBallot(message.ballot)} from slot ${message.from}, ${message.accepted.length} runs, next ${message.next ?? 'none'}, decided below ${message.decided}`
    case 'askAudit':
      return `askAudit slot ${message.slot}`
    case 'tellAudit':
      return `tellAudit slot ${message.slot} ${message.hash}`
    case 'fetch':
      return `fetch ${showSnapshot(message)} from byte ${message.offset}`
    case 'piece':
      return `piece of ${showSnapshot(message)}, ${message.bytes.length} bytes from ${message.offset} of ${message.size}`
  }
}

function showSnapshot({ id, slot }: { readonly id: string; readonly slot: number }): string {
  return id === '' ? 'any snapshot' : `the snapshot ${id.slice(0, 8)} through slot ${slot}`
}

function showSlots(first: number, count: number): string {
  return count === 1 ? `slot ${first}` : `slots ${first}…${first + count - 1}`
}
