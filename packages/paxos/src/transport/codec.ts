/**
 * Frames as bytes, and back. A frame is one MessagePack array, its kind first. What comes in is checked field by field:
 * anything malformed, out of range or left over throws SynodError `BAD_FRAME` with one sentence, and nothing else.
 */
import type { AuditMark } from '../protocol/audit.js'
import { SESSION_WINDOW } from '../protocol/session.js'
import type { Reply, Result } from '../protocol/command.js'
import type { SlotEvents } from '../protocol/event-ring.js'
import type { Message } from '../protocol/message.js'
import { badFrame, owned, Reader, Writer } from '../codec/bytes.js'
import { readMessage, writeMessage } from './message-codec.js'
import { readMark, writeMark } from './message-parts.js'
import { packValue, unpackValue } from '../codec/values.js'
import { readAnswers, readRead, writeAnswers, writeRead } from './read-frames.js'
import { clientHello, digest, goodbye, handedOver, handOver, peerHello, sendable } from './schemas.js'
import { snapshot, status, unpackedAs, welcome } from './schemas.js'
import type { ClientFrame, ClientHello, Goodbye, PeerFrame, PeerHello, ServerFrame, Welcome } from './wire.js'
import { MAX_SERVERS } from './wire.js'

export { serverStatus } from './schemas.js'

/** Whatever is sent over a connection. */
export type Frame = PeerHello | ClientHello | Welcome | Goodbye | PeerFrame | ClientFrame | ServerFrame

const KIND = {
  peer: 0,
  client: 1,
  welcome: 2,
  goodbye: 3,
  messages: 4,
  open: 5,
  submit: 6,
  askStatus: 7,
  askDump: 8,
  dumpMore: 9,
  replies: 10,
  rejected: 11,
  status: 12,
  dump: 13,
  end: 14,
  subscribe: 15,
  taken: 16,
  unsubscribe: 17,
  subscribed: 18,
  events: 19,
  compacted: 20,
  mark: 21,
  askDigest: 22,
  askChain: 23,
  askSnapshot: 24,
  digest: 25,
  chain: 26,
  snapshot: 27,
  read: 28,
  answers: 29,
  askLeader: 30,
  leader: 31,
  handOver: 32,
  handedOver: 33,
} as const

const STATUSES: readonly Result['status'][] = ['ok', 'refused', 'expired', 'stale', 'busy']
const NONCE = /^[0-9a-f]{32}$/

const writer = new Writer()
/** A message goes to several peers: its bytes are made once. */
const messageBytes = new WeakMap<Message, Uint8Array>()
/** Likewise the events of a moment, which go to many feeds. */
const eventsBytes = new WeakMap<readonly SlotEvents[], Uint8Array>()

/** The bytes of a frame; they are not used again by the codec. A frame over MAX_FRAME is not refused here. */
export function encodeFrame(frame: Frame): Uint8Array {
  writer.clear() // of what a throw may have left there
  switch (frame.type) {
    case 'messages':
      return encodeMessages(frame)
    case 'open':
      return writer.array(2).uint(KIND.open).name(frame.nonce).take()
    case 'submit':
      writer.array(4).uint(KIND.submit).name(frame.clientId).uint(frame.acked).array(frame.commands.length)
      for (const [localId, op] of frame.commands) writer.array(2).uint(localId).bytes(op)
      return writer.take()
    case 'replies':
      return encodeReplies(frame.replies)
    case 'rejected':
      writer.array(5).uint(KIND.rejected).name(frame.clientId).uint(frame.localId)
      return writer.text(frame.code).text(frame.message).take()
    case 'dump':
      if (!('slot' in frame)) return writer.array(1).uint(KIND.askDump).take()
      writer.array(4).uint(KIND.dump).uint(frame.slot).boolean(frame.done)
      return writer.bytes(packValue(frame.entries)).take()
    case 'dumpMore':
      return writer.array(1).uint(KIND.dumpMore).take()
    case 'read':
      return writeRead(writer.array(4).uint(KIND.read), frame).take()
    case 'answers':
      return writeAnswers(writer.array(3).uint(KIND.answers), frame).take()
    case 'end':
      return writer.array(2).uint(KIND.end).name(frame.clientId).take()
    case 'subscribe':
      return optional(writer.array(3).uint(KIND.subscribe).uint(frame.feed), frame.from).take()
    case 'taken':
      return writer.array(3).uint(KIND.taken).uint(frame.feed).uint(frame.through).take()
    case 'unsubscribe':
      return writer.array(2).uint(KIND.unsubscribe).uint(frame.feed).take()
    case 'subscribed':
      return writer.array(3).uint(KIND.subscribed).uint(frame.feed).uint(frame.from).take()
    case 'events':
      return encodeEvents(frame.feed, frame.slots)
    case 'compacted':
      return writer.array(3).uint(KIND.compacted).uint(frame.feed).uint(frame.oldest).take()
    case 'status':
      return 'status' in frame ? packed(KIND.status, frame) : writer.array(1).uint(KIND.askStatus).take()
    case 'mark':
      return writer.array(2).uint(KIND.mark).name(frame.nonce).take()
    case 'digest':
      return 'digest' in frame
        ? packed(KIND.digest, frame)
        : writer.array(2).uint(KIND.askDigest).uint(frame.slot).take()
    case 'chain':
      if (!('marks' in frame)) return writer.array(1).uint(KIND.askChain).take()
      writer.array(2).uint(KIND.chain).array(frame.marks.length)
      for (const mark of frame.marks) writeMark(writer.array(2), mark)
      return writer.take()
    case 'snapshot':
      if (!('path' in frame)) return writer.array(1).uint(KIND.askSnapshot).take()
      return packed(KIND.snapshot, { ...frame, error: frame.error === null ? null : sendable(frame.error) })
    case 'leader':
      if (!('leader' in frame)) return writer.array(1).uint(KIND.askLeader).take()
      return optional(writer.array(2).uint(KIND.leader), frame.leader).take()
    case 'goodbye':
      return packed(KIND.goodbye, { ...frame, message: sendable(frame.message) })
    default:
      return packed(KIND[frame.type], frame)
  }
}

/** The first frame from whoever dials. Throws SynodError `BAD_FRAME`. */
export function decodeHello(bytes: Uint8Array): PeerHello | ClientHello {
  const { kind, from } = open(bytes)
  if (kind === KIND.peer) return unpackedAs(peerHello, from)
  if (kind === KIND.client) return unpackedAs(clientHello, from)
  return unexpected(kind, 'a hello')
}

/** What a server hears from a server. Throws SynodError `BAD_FRAME`. */
export function decodePeerFrame(bytes: Uint8Array): PeerHello | PeerFrame | Goodbye {
  const { kind, from } = open(bytes)
  switch (kind) {
    case KIND.messages: {
      const batch = from.uint()
      const messages: Message[] = []
      for (let left = from.array(); left > 0; left--) messages.push(readMessage(from))
      return ended(from, { type: 'messages', batch, messages })
    }
    case KIND.peer:
      return unpackedAs(peerHello, from)
    case KIND.goodbye:
      return unpackedAs(goodbye, from)
    default:
      return unexpected(kind, 'a frame between servers')
  }
}

/** What a server hears from a client after its hello. Throws SynodError `BAD_FRAME`. */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  const { kind, from } = open(bytes)
  switch (kind) {
    case KIND.submit: {
      const clientId = from.name()
      const acked = from.uint()
      const commands: [number, Uint8Array][] = []
      let last = acked
      for (let left = from.array(); left > 0; left--) {
        from.fields(2, 'a submitted command')
        const localId = from.uint()
        // What comes out of one frame is bounded: each command once, and no more of them than a session may have under way.
        if (localId <= last || localId > acked + SESSION_WINDOW)
          from.refuse('a local id above the one before, in the window')
        last = localId
        commands.push([localId, from.bytes()])
      }
      return ended(from, { type: 'submit', clientId, acked, commands })
    }
    case KIND.read:
      return ended(from, readRead(from))
    case KIND.open:
      return ended(from, { type: 'open', nonce: from.name(NONCE) })
    case KIND.askStatus:
      return ended(from, { type: 'status' })
    case KIND.askDump:
      return ended(from, { type: 'dump' })
    case KIND.dumpMore:
      return ended(from, { type: 'dumpMore' })
    case KIND.end:
      return ended(from, { type: 'end', clientId: from.name() })
    case KIND.subscribe:
      return ended(from, { type: 'subscribe', feed: from.uint(), from: from.nil() ? null : from.uint() })
    case KIND.taken:
      return ended(from, { type: 'taken', feed: from.uint(), through: from.uint() })
    case KIND.unsubscribe:
      return ended(from, { type: 'unsubscribe', feed: from.uint() })
    case KIND.mark:
      return ended(from, { type: 'mark', nonce: from.name(NONCE) })
    case KIND.askDigest:
      return ended(from, { type: 'digest', slot: from.uint() })
    case KIND.askChain:
      return ended(from, { type: 'chain' })
    case KIND.askSnapshot:
      return ended(from, { type: 'snapshot' })
    case KIND.handOver:
      return unpackedAs(handOver, from)
    case KIND.askLeader:
      return ended(from, { type: 'leader' })
    default:
      return unexpected(kind, 'a frame from a client')
  }
}

/** What a client hears from a server. Throws SynodError `BAD_FRAME`. */
export function decodeServerFrame(bytes: Uint8Array): Welcome | Goodbye | ServerFrame {
  const { kind, from } = open(bytes)
  switch (kind) {
    case KIND.replies: {
      return ended(from, { type: 'replies', replies: readReplies(from) })
    }
    case KIND.answers:
      return ended(from, readAnswers(from))
    case KIND.rejected: {
      const [clientId, localId] = [from.name(), from.uint()]
      return ended(from, { type: 'rejected', clientId, localId, code: from.text(256), message: from.text(1 << 16) })
    }
    case KIND.dump: {
      const [slot, done, entries] = [from.uint(), from.boolean(), unpackValue(from.bytes())]
      if (!Array.isArray(entries)) from.refuse('an array of entries')
      return ended(from, { type: 'dump', slot, done, entries: entries as unknown[] })
    }
    case KIND.subscribed:
      return ended(from, { type: 'subscribed', feed: from.uint(), from: from.uint() })
    case KIND.events:
      return ended(from, { type: 'events', feed: from.uint(), slots: readSlots(from) })
    case KIND.compacted:
      return ended(from, { type: 'compacted', feed: from.uint(), oldest: from.uint() })
    case KIND.status:
      return unpackedAs(status, from)
    case KIND.digest:
      return unpackedAs(digest, from)
    case KIND.chain:
      return ended(from, { type: 'chain', marks: readChain(from) })
    case KIND.snapshot:
      return unpackedAs(snapshot, from)
    case KIND.handedOver:
      return unpackedAs(handedOver, from)
    case KIND.leader:
      return ended(from, { type: 'leader', leader: from.nil() ? null : from.uint(MAX_SERVERS - 1) })
    case KIND.welcome:
      return unpackedAs(welcome, from)
    case KIND.goodbye:
      return unpackedAs(goodbye, from)
    default:
      return unexpected(kind, 'a frame from a server')
  }
}

function encodeMessages({ batch, messages }: PeerFrame): Uint8Array {
  const written = messages.map((message) => {
    const known = messageBytes.get(message)
    if (known !== undefined) return known
    writeMessage(writer, message)
    const bytes = writer.take()
    messageBytes.set(message, bytes)
    return bytes
  })
  writer.array(3).uint(KIND.messages).uint(batch).array(messages.length)
  for (const bytes of written) writer.written(bytes)
  return writer.take()
}

/** Those of one client that follow each other are one group: its id, then three fields for each of them. */
function encodeReplies(replies: readonly Reply[]): Uint8Array {
  let groups = 0
  for (const [at, { clientId }] of replies.entries()) if (clientId !== replies[at - 1]?.clientId) groups++
  writer.array(2).uint(KIND.replies).array(groups)
  for (let at = 0; at < replies.length;) {
    const clientId = replies[at]?.clientId ?? ''
    let end = at + 1
    while (replies[end]?.clientId === clientId) end++
    writer
      .array(2)
      .name(clientId)
      .array(3 * (end - at))
    for (; at < end; at++) {
      const reply = replies[at]
      if (reply === undefined) break
      writer.uint(reply.localId).uint(STATUSES.indexOf(reply.result.status)).bytes(reply.result.value)
    }
  }
  return writer.take()
}

function encodeEvents(feed: number, slots: readonly SlotEvents[]): Uint8Array {
  const known = eventsBytes.get(slots)
  if (known !== undefined) return writer.array(3).uint(KIND.events).uint(feed).written(known).take()
  writer.array(slots.length)
  for (const { slot, events } of slots) {
    writer.array(2).uint(slot).array(events.length)
    for (const event of events) writer.bytes(event)
  }
  eventsBytes.set(slots, writer.take())
  return encodeEvents(feed, slots)
}

function readReplies(from: Reader): Reply[] {
  const replies: Reply[] = []
  for (let groups = from.array(); groups > 0; groups--) {
    from.fields(2, 'the replies of a client')
    const clientId = from.name()
    const fields = from.array()
    if (fields === 0 || fields % 3 !== 0) from.refuse('three fields for each reply')
    for (let left = fields / 3; left > 0; left--) {
      const localId = from.uint()
      const status = STATUSES[from.uint()] ?? from.refuse('a status')
      replies.push({ clientId, localId, result: { status, value: from.bytes() } })
    }
  }
  return replies
}

/** Slots that have events, in order. */
function readSlots(from: Reader): SlotEvents[] {
  const slots: SlotEvents[] = []
  let last = -1
  for (let left = from.array(); left > 0; left--) {
    from.fields(2, 'the events of a slot')
    const slot = from.uint()
    if (slot <= last) from.refuse('a slot above the one before')
    last = slot
    const events: Uint8Array[] = []
    for (let more = from.array(); more > 0; more--) events.push(from.bytes())
    if (events.length === 0) from.refuse('a slot that has events')
    slots.push({ slot, events })
  }
  return slots
}

/** Marks of a chain, in order. */
function readChain(from: Reader): AuditMark[] {
  const marks: AuditMark[] = []
  let last = 0
  for (let left = from.array(); left > 0; left--) {
    from.fields(2, 'a mark')
    const mark = readMark(from)
    if (mark.slot < last) from.refuse('a mark that is not below the one before')
    last = mark.slot
    marks.push(mark)
  }
  return marks
}

/** Fields of a frame, by its kind. */
const FIELDS: readonly number[] = [
  2, 2, 2, 2, 3, 2, 4, 1, 1, 1, 2, 5, 2, 4, 2, 3, 3, 2, 3, 3, 3, 2, 2, 1, 1, 2, 2, 2, 4, 3, 1, 2, 2, 2,
]

/** Begins to read a frame. */
function open(bytes: Uint8Array): { kind: number; from: Reader } {
  const from = new Reader(owned(bytes))
  const fields = from.array()
  const kind = from.uint(FIELDS.length - 1)
  if (fields !== FIELDS[kind]) from.refuse(`the ${FIELDS[kind]} fields of a frame of kind ${kind}`)
  return { kind, from }
}

function ended<T>(from: Reader, frame: T): T {
  from.end()
  return frame
}

function optional(to: Writer, value: number | null): Writer {
  return value === null ? to.nil() : to.uint(value)
}

function unexpected(kind: number, what: string): never {
  throw badFrame(`${what} was expected, not one of kind ${kind}`)
}

function packed(kind: number, frame: Frame): Uint8Array {
  return writer.array(2).uint(kind).bytes(packValue(frame)).take()
}
