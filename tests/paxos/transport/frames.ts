/** One of each frame and message, and more of those that have several shapes. */
import { SynodError } from '@synod/paxos'
import type { Command } from '@synod/paxos/internal/protocol/command'
import type { Message } from '@synod/paxos/internal/protocol/message'
import type { Frame } from '@synod/paxos/internal/transport/codec'
import { WIRE_VERSION } from '@synod/paxos/internal/transport/wire'
import { statusOf } from '../../support/status.js'

export const MAX = Number.MAX_SAFE_INTEGER
export const nonce = '0123456789abcdef0123456789abcdef'
export const clientId = `2s.${nonce}`
export const hash = '0123456789abcdef'
export const ballot = { round: 7, server: 2, start: MAX }
export const op = (localId: number, bytes: number): Command => ({
  kind: 'op',
  clientId,
  localId,
  acked: localId - 1,
  op: Buffer.alloc(bytes, 0xc1),
})
export const commands: Command[] = [
  op(1, 0),
  op(2, 100),
  op(300, 255),
  op(70_000, 256),
  op(MAX, 70_000),
  { kind: 'open', nonce },
  { kind: 'end', clientId },
  { kind: 'mark', nonce },
  { kind: 'noop' },
]
const run = { ballot, first: 1, commands }

/** One of each type: a type that is missing does not compile. */
export const messages: { readonly [Type in Message['type']]: Extract<Message, { type: Type }> } = {
  p1a: { type: 'p1a', ballot, from: 0 },
  p1b: {
    type: 'p1b',
    ballot,
    from: 127,
    accepted: [run, { ...run, first: 100 }],
    next: 128,
    decided: 255,
    collected: 99,
    lives: [0, 2, 2 ** 32 - 1],
  },
  p2a: { type: 'p2a', run, decided: 256 },
  p2b: { type: 'p2b', ballot, first: 65_535, last: 65_536, decided: 2 ** 32 - 1, lives: [1] },
  decision: { type: 'decision', ballot, decided: 2 ** 32 },
  heartbeat: { type: 'heartbeat', ballot, sequence: 3, decided: MAX, audit: { slot: 256, hash }, lease: 2_000 },
  heartbeatReply: {
    type: 'heartbeatReply',
    ballot,
    sequence: 3,
    decided: 2 ** 40 + 17,
    audit: { slot: 0, hash },
  },
  grant: { type: 'grant', ballot, sequence: 3, clock: 2 ** 33 },
  prescout: { type: 'prescout', attempt: 4 },
  prescoutReply: { type: 'prescoutReply', attempt: 4, granted: true, ballot },
  stepDown: { type: 'stepDown', ballot, successor: 2 },
  preempt: { type: 'preempt', ballot },
  forward: { type: 'forward', commands },
  alive: { type: 'alive', clientIds: [clientId, '1.n'] },
  catchUp: { type: 'catchUp', from: 9 },
  decided: { type: 'decided', ballot, first: 3, commands, decided: 12 },
  compacted: { type: 'compacted', from: 3, snapshot: 2 ** 33, ballot, decided: MAX },
  askLife: { type: 'askLife' },
  tellLife: { type: 'tellLife', life: 3 },
  revive: { type: 'revive', life: 2 ** 32 - 1, from: 17 },
  revived: { type: 'revived', life: 4, from: 5, ballot, accepted: [run], next: 300, decided: 2, lives: [0, 4] },
  askAudit: { type: 'askAudit', slot: 512 },
  tellAudit: { type: 'tellAudit', slot: 512, hash },
  askIndex: { type: 'askIndex', ballot: { round: 3, server: 1, start: 77 }, sequence: 281474976710656 },
  tellIndex: { type: 'tellIndex', sequence: 281474976710656, index: 70_000 },
  fetch: { type: 'fetch', slot: 300, id: nonce, offset: MAX },
  piece: {
    type: 'piece',
    slot: 300,
    id: nonce,
    maker: 999,
    size: 2 ** 40,
    offset: 2 ** 40 - 3,
    bytes: Buffer.alloc(3),
  },
}
export const moreMessages: Message[] = [
  { type: 'p1b', ballot, from: 1, accepted: [], next: null, decided: 0, collected: 0, lives: [] },
  { type: 'prescoutReply', attempt: 4, granted: false, ballot },
  { type: 'forward', commands: [] },
  { type: 'alive', clientIds: [] },
  { type: 'p2b', ballot, first: 1, last: 1, decided: 1, lives: [] },
  { type: 'revived', life: 0, from: 1, ballot, accepted: [], next: null, decided: 1, lives: [] },
  { type: 'tellAudit', slot: 0, hash: '0'.repeat(16) },
  { type: 'fetch', slot: 0, id: '', offset: 0 },
  { type: 'piece', slot: 0, id: '', maker: 0, size: 0, offset: 0, bytes: Buffer.alloc(0) },
  { type: 'piece', slot: 1, id: nonce, maker: 2, size: 2 ** 21, offset: 2 ** 20, bytes: Buffer.alloc(1 << 20, 1) },
]

const status = statusOf({
  role: 'forming',
  logBytes: 2 ** 40,
  uptimeMs: 17.25,
  connected: [0, 2],
  commandsPerSecond: 1234.5,
  latency: { p50Ms: 0.25, p99Ms: 3, count: 17 },
  progress: 0.25,
  collected: 2 ** 40,
  snapshot: { slot: 17, bytes: 2 ** 40 },
  fetching: { from: 2, received: 0, bytes: 2 ** 33 },
  installed: 3,
  life: 2,
  audit: { slot: 256, hash },
  reached: [17, null, 0],
  elections: [{ agoMs: 12.5, leader: null, ballot: '3.1' }],
})
export const value = Buffer.from([1, 2, 3])
export const peer: Frame = {
  type: 'peer',
  version: WIRE_VERSION,
  service: 'kvstore',
  from: 0,
  to: 2,
  count: 3,
  formation: 'formed',
  repair: false,
  clusterId: nonce,
  life: 2 ** 32 - 1,
  lifeSeen: 3,
  batchSeen: MAX,
}
export const hellos: Frame[] = [
  peer,
  { ...peer, formation: 'empty', clusterId: null, batchSeen: 0, repair: true, life: 0, lifeSeen: 0 },
  { ...peer, formation: 'repairing', repair: true },
  { type: 'client', version: WIRE_VERSION, service: 'kvstore' },
  { type: 'client', version: WIRE_VERSION, service: null },
]
export const peerFrames: Frame[] = [
  { type: 'messages', batch: 17, messages: [...Object.values(messages), ...moreMessages] },
  { type: 'messages', batch: 0, messages: [] },
  peer,
  { type: 'goodbye', code: 'WRONG_SERVICE', message: 'Σ another service' },
]
export const clientFrames: Frame[] = [
  { type: 'open', nonce },
  {
    type: 'submit',
    clientId,
    acked: 0,
    commands: [
      [1, value],
      [2, Buffer.alloc(300)],
    ],
  },
  { type: 'submit', clientId, acked: 7, commands: [] },
  { type: 'read', stale: false, first: 0, ops: [value] },
  { type: 'read', stale: true, first: MAX - 2, ops: [value, Buffer.alloc(0), Buffer.alloc(300)] },
  { type: 'end', clientId },
  { type: 'subscribe', feed: 1, from: MAX },
  { type: 'subscribe', feed: MAX, from: null },
  { type: 'taken', feed: 1, through: 300 },
  { type: 'unsubscribe', feed: 1 },
  { type: 'status' },
  { type: 'dump' },
  { type: 'dumpMore' },
  { type: 'mark', nonce },
  { type: 'digest', slot: MAX },
  { type: 'chain' },
  { type: 'snapshot' },
  { type: 'leader' },
  { type: 'handOver', to: 999 },
]
export const serverFrames: Frame[] = [
  { type: 'subscribed', feed: 1, from: 0 },
  {
    type: 'events',
    feed: 2,
    slots: [
      { slot: 4, events: [value] },
      { slot: 300, events: [Buffer.alloc(0), value] },
    ],
  },
  { type: 'events', feed: 2, slots: [] },
  { type: 'compacted', feed: 1, oldest: 2 ** 40 },
  {
    type: 'replies',
    replies: (['ok', 'refused', 'expired', 'stale', 'busy'] as const).map((outcome, i) => ({
      clientId,
      localId: i,
      result: { status: outcome, value },
    })),
  },
  {
    type: 'answers',
    slot: 2 ** 40,
    answers: (['ok', 'refused', 'busy', 'rejected'] as const).map((status, i) => ({ number: MAX - i, status, value })),
  },
  { type: 'answers', slot: 0, answers: [] },
  { type: 'rejected', clientId, localId: 4, code: 'BAD_OPERATION', message: 'key: must be a string' },
  { type: 'status', status },
  { type: 'dump', slot: 12, entries: [['a', 'b'], { c: [1, null, true] }, 'd', undefined], done: true },
  { type: 'status', status: { ...status, role: 'repairing', progress: null, fetching: null } },
  { type: 'digest', slot: 300, digest: { chain: hash, state: hash, entries: 2 ** 33 } },
  { type: 'digest', slot: 300, digest: null },
  { type: 'chain', marks: [] },
  {
    type: 'chain',
    marks: [
      { slot: 256, hash },
      { slot: 512, hash },
      { slot: 512, hash: 'fedcba9876543210' },
    ],
  },
  { type: 'snapshot', slot: 300, path: '/data/snapshot-300.paxos', error: null },
  { type: 'snapshot', slot: 0, path: '', error: 'the disk is full' },
  { type: 'welcome', server: 2, servers: ['127.0.0.1:10000', '[::1]:10001'], leader: 1 },
  { type: 'goodbye', code: 'WRONG_VERSION', message: 'another version' },
  { type: 'leader', leader: 2 },
  { type: 'leader', leader: null },
  { type: 'handedOver', to: 2, error: null },
  { type: 'handedOver', to: 2, error: 'no leader is known' },
]

/** The code of what decoding threw; anything but a SynodError with one sentence is passed on. */
export function codeOf(decode: () => unknown): string | null {
  try {
    decode()
    return null
  } catch (error) {
    if (!(error instanceof SynodError) || error.message.includes('\n') || error.message.length > 500) throw error
    return error.code
  }
}
