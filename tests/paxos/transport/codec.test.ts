import { SynodError } from '@synod/paxos'
import type { Command } from '@synod/paxos/internal/protocol/command'
import type { Message } from '@synod/paxos/internal/protocol/message'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import {
  decodeClientFrame,
  decodeHello,
  decodePeerFrame,
  decodeServerFrame,
  encodeFrame,
} from '@synod/paxos/internal/transport/codec'
import type { Frame } from '@synod/paxos/internal/transport/codec'
import t from 'tap'
import { statusOf } from '../../support/status.js'

const MAX = Number.MAX_SAFE_INTEGER
const nonce = '0123456789abcdef0123456789abcdef'
const clientId = `2s.${nonce}`
const ballot = { round: 7, server: 2, start: MAX }
const op = (localId: number, bytes: number): Command => ({
  kind: 'op',
  clientId,
  localId,
  acked: localId - 1,
  op: Buffer.alloc(bytes, 0xc1),
})
const commands: Command[] = [
  op(1, 0),
  op(2, 100),
  op(300, 255),
  op(70_000, 256),
  op(MAX, 70_000),
  { kind: 'open', nonce },
  { kind: 'end', clientId },
  { kind: 'noop' },
]
const run = { ballot, first: 1, commands }

/** One of each type: a type that is missing does not compile. */
const messages: { readonly [Type in Message['type']]: Extract<Message, { type: Type }> } = {
  p1a: { type: 'p1a', ballot, from: 0 },
  p1b: { type: 'p1b', ballot, from: 127, accepted: [run, { ...run, first: 100 }], next: 128, decided: 255 },
  p2a: { type: 'p2a', run, decided: 256 },
  p2b: { type: 'p2b', ballot, first: 65_535, last: 65_536, decided: 2 ** 32 - 1 },
  decision: { type: 'decision', ballot, decided: 2 ** 32 },
  heartbeat: { type: 'heartbeat', ballot, sequence: 3, decided: MAX },
  heartbeatReply: { type: 'heartbeatReply', ballot, sequence: 3, decided: 2 ** 40 + 17 },
  prescout: { type: 'prescout', attempt: 4 },
  prescoutReply: { type: 'prescoutReply', attempt: 4, granted: true, ballot },
  stepDown: { type: 'stepDown', ballot },
  preempt: { type: 'preempt', ballot },
  forward: { type: 'forward', commands },
  alive: { type: 'alive', clientIds: [clientId, '1.n'] },
  catchUp: { type: 'catchUp', from: 9 },
  decided: { type: 'decided', ballot, first: 3, commands, decided: 12 },
}
const moreMessages: Message[] = [
  { type: 'p1b', ballot, from: 1, accepted: [], next: null, decided: 0 },
  { type: 'prescoutReply', attempt: 4, granted: false, ballot },
  { type: 'forward', commands: [] },
  { type: 'alive', clientIds: [] },
]

const status = statusOf({
  role: 'forming',
  logBytes: 2 ** 40,
  uptimeMs: 17.25,
  connected: [0, 2],
  commandsPerSecond: 1234.5,
  latency: { p50Ms: 0.25, p99Ms: 3, count: 17 },
  elections: [{ agoMs: 12.5, leader: null, ballot: '3.1' }],
})
const value = Buffer.from([1, 2, 3])
const peer: Frame = {
  type: 'peer',
  version: 1,
  service: 'kvstore',
  from: 0,
  to: 2,
  count: 3,
  formation: 'formed',
  clusterId: nonce,
  batchSeen: MAX,
}
const hellos: Frame[] = [
  peer,
  { ...peer, formation: 'empty', clusterId: null, batchSeen: 0 },
  { type: 'client', version: 1, service: 'kvstore' },
  { type: 'client', version: 1, service: null },
]
const peerFrames: Frame[] = [
  { type: 'messages', batch: 17, messages: [...Object.values(messages), ...moreMessages] },
  { type: 'messages', batch: 0, messages: [] },
  peer,
  { type: 'goodbye', code: 'WRONG_SERVICE', message: 'Σ another service' },
]
const clientFrames: Frame[] = [
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
  { type: 'end', clientId },
  { type: 'subscribe', feed: 1, from: MAX },
  { type: 'subscribe', feed: MAX, from: null },
  { type: 'taken', feed: 1, through: 300 },
  { type: 'unsubscribe', feed: 1 },
  { type: 'status' },
  { type: 'dump' },
  { type: 'dumpMore' },
]
const serverFrames: Frame[] = [
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
  { type: 'rejected', clientId, localId: 4, code: 'BAD_OPERATION', message: 'key: must be a string' },
  { type: 'status', status },
  { type: 'dump', slot: 12, entries: [['a', 'b'], { c: [1, null, true] }, 'd', undefined], done: true },
  { type: 'welcome', server: 2, servers: ['127.0.0.1:10000', '[::1]:10001'] },
  { type: 'goodbye', code: 'WRONG_VERSION', message: 'another version' },
]

const decoders: { readonly name: string; readonly decode: (bytes: Uint8Array) => unknown; readonly frames: Frame[] }[] =
  [
    { name: 'a hello', decode: decodeHello, frames: hellos },
    { name: 'a frame between servers', decode: decodePeerFrame, frames: peerFrames },
    { name: "a client's frame", decode: decodeClientFrame, frames: clientFrames },
    { name: "a server's frame to a client", decode: decodeServerFrame, frames: serverFrames },
  ]

/** The code of what decoding threw; anything but a SynodError with one sentence is passed on. */
function codeOf(decode: () => unknown): string | null {
  try {
    decode()
    return null
  } catch (error) {
    if (!(error instanceof SynodError) || error.message.includes('\n') || error.message.length > 500) throw error
    return error.code
  }
}

t.test('every frame comes back as it was', (t) => {
  for (const { decode, frames } of decoders) {
    for (const frame of frames) t.strictSame(decode(encodeFrame(frame)), frame, frame.type)
  }
  t.end()
})

t.test('a frame of one kind is refused where another is expected', (t) => {
  for (const { name, decode, frames } of decoders) {
    const own = new Set(frames.map((frame) => encodeFrame(frame)[1]))
    for (const other of decoders.flatMap((decoder) => decoder.frames)) {
      const bytes = encodeFrame(other)
      if (!own.has(bytes[1]))
        t.equal(
          codeOf(() => decode(bytes)),
          'BAD_FRAME',
          `${other.type} is not ${name}`,
        )
    }
  }
  t.end()
})

t.test('a frame that is cut short, or has bytes after its end, is refused', (t) => {
  for (const { decode, frames } of decoders) {
    for (const frame of frames) {
      const bytes = encodeFrame(frame)
      let taken = 0
      const step = Math.ceil(bytes.length / 500)
      for (let length = 0; length < bytes.length; length += step) {
        if (codeOf(() => decode(bytes.subarray(0, length))) !== 'BAD_FRAME') taken++
      }
      t.equal(taken, 0, `${frame.type}, cut short`)
      t.equal(
        codeOf(() => decode(Buffer.concat([bytes, Buffer.from([0xc0])]))),
        'BAD_FRAME',
        `${frame.type}, and more`,
      )
    }
  }
  t.end()
})

t.test('random bytes only ever give BAD_FRAME', (t) => {
  const prng = new Prng(1)
  const counts = { taken: 0, refused: 0 }
  for (let i = 0; i < 20_000; i++) {
    const bytes = Buffer.from(Array.from({ length: prng.below(60) }, () => prng.below(256)))
    // Half of them begin like a frame.
    if (bytes.length > 2 && prng.chance(0.5)) bytes.set([0x91 + prng.below(7), prng.below(14)])
    const decoder = prng.pick(decoders)
    const code = codeOf(() => decoder.decode(bytes))
    if (code !== null && code !== 'BAD_FRAME') t.fail(`${code} for ${bytes.toString('hex')}`)
    counts[code === null ? 'taken' : 'refused']++
  }
  t.ok(counts.refused > 19_000, JSON.stringify(counts))
  t.end()
})

t.test('mutated frames are taken or give BAD_FRAME, and nothing else', (t) => {
  const prng = new Prng(2)
  const originals = decoders.flatMap(({ decode, frames }) =>
    frames.map((frame) => ({ decode, bytes: encodeFrame(frame) })),
  )
  const hostile = [0xc1, 0xc6, 0xc9, 0xd4, 0xdb, 0xdd, 0xdf, 0xff, 0xcf, 0x72, 0x00, 0x40]
  let refused = 0
  for (let i = 0; i < 20_000; i++) {
    const { decode, bytes } = prng.pick(originals)
    const mutated = Buffer.from(bytes)
    for (let changes = 1 + prng.below(4); changes > 0; changes--) {
      const at = prng.chance(0.7) ? prng.below(Math.min(mutated.length, 80)) : prng.below(mutated.length)
      mutated[at] = prng.chance(0.5) ? prng.pick(hostile) : prng.below(256)
    }
    const code = codeOf(() => decode(mutated))
    if (code !== null && code !== 'BAD_FRAME') t.fail(`${code} for ${mutated.toString('hex').slice(0, 200)}`)
    if (code !== null) refused++
  }
  t.ok(refused > 5_000, `${refused} of 20000 were refused`)
  t.end()
})

t.test('an array that claims four billion elements is refused before anything is made', (t) => {
  const huge = Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 1000; i++) {
    t.equal(
      codeOf(() => decodePeerFrame(Buffer.concat([Buffer.from([0x93, 4, 0]), huge]))),
      'BAD_FRAME',
    )
    t.equal(
      codeOf(() => decodeServerFrame(Buffer.concat([Buffer.from([0x94, 13, 0, 0xc3, 0xc4, 5]), huge]))),
      'BAD_FRAME',
    )
  }
  t.ok(process.memoryUsage().heapUsed - before < 100e6)
  t.end()
})

t.test('ballots, slots and servers out of range are refused', (t) => {
  const bad = (message: Message): string | null =>
    codeOf(() => decodePeerFrame(encodeFrame({ type: 'messages', batch: 0, messages: [message] })))
  const inRange: Message = { type: 'stepDown', ballot: { ...ballot, server: 999 } }
  t.equal(bad(inRange), null)
  t.equal(bad({ type: 'stepDown', ballot: { ...ballot, server: 1000 } }), 'BAD_FRAME')
  t.equal(bad({ type: 'p2b', ballot, first: 5, last: 4, decided: 1 }), 'BAD_FRAME')
  t.equal(bad({ type: 'p2a', run: { ballot, first: 1, commands: [] }, decided: 1 }), 'BAD_FRAME')
  t.equal(bad({ type: 'p2a', run: { ballot, first: MAX, commands }, decided: 1 }), 'BAD_FRAME')

  const bytes = Buffer.from(encodeFrame({ type: 'messages', batch: 2 ** 40, messages: [] }))
  const at = bytes.indexOf(0xcf)
  t.equal(
    codeOf(() => decodePeerFrame(bytes)),
    null,
  )
  bytes[at + 1] = 0x80
  t.equal(
    codeOf(() => decodePeerFrame(bytes)),
    'BAD_FRAME',
    'above 2^53',
  )
  bytes[at] = 0xcb
  t.equal(
    codeOf(() => decodePeerFrame(bytes)),
    'BAD_FRAME',
    'a float',
  )
  bytes[at] = 0xd3
  t.equal(
    codeOf(() => decodePeerFrame(bytes)),
    'BAD_FRAME',
    'a signed integer',
  )
  t.end()
})

t.test('a message is encoded once, however many peers get it', (t) => {
  const message: Message = { type: 'forward', commands: [op(1, 1 << 20)] }
  const first = encodeFrame({ type: 'messages', batch: 1, messages: [message] })
  const times: number[] = []
  Object.defineProperty(message, 'commands', { get: () => t.fail('it was encoded again') })
  const second = encodeFrame({ type: 'messages', batch: 1, messages: [message] })
  t.strictSame(times, [])
  t.ok(Buffer.from(first).equals(second))
  t.end()
})

t.test('what is decoded does not keep a larger buffer alive', (t) => {
  const bytes = encodeFrame({ type: 'submit', clientId, acked: 0, commands: [[1, value]] })
  const chunk = Buffer.alloc(1 << 16)
  chunk.set(bytes, 1000)
  const frame = decodeClientFrame(chunk.subarray(1000, 1000 + bytes.length))
  if (frame.type !== 'submit') throw new Error(frame.type)
  const decoded = frame.commands[0]?.[1]
  t.ok(decoded !== undefined && decoded.buffer.byteLength < 1000)
  chunk.fill(0)
  t.strictSame(decoded, value)
  t.end()
})

t.test('keys such as __proto__ are plain data', (t) => {
  const hostile = JSON.parse(
    '{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}, "a": [{"__proto__": 2}]}',
  ) as object
  const frame: Frame = { type: 'dump', slot: 1, entries: [hostile], done: true }
  const decoded = decodeServerFrame(encodeFrame(frame))
  if (!('entries' in decoded)) throw new Error(decoded.type)
  t.equal(JSON.stringify(decoded.entries), JSON.stringify([hostile]))
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
  t.end()
})

t.test('a hello of another version says so, even if it has other fields', (t) => {
  const bytes = encodeFrame({ type: 'client', version: 1, service: 'kvstore' })
  const text = Buffer.from(bytes).toString('latin1').replace('service', 'szrvice')
  const other = Buffer.from(text, 'latin1')
  t.throws(() => decodeHello(other), { code: 'BAD_FRAME', message: /service/ })
  const version = other.indexOf('version') + 'version'.length
  other[version] = 2
  t.throws(() => decodeHello(other), { code: 'BAD_FRAME', message: /version 2 .* version 1/ })
  t.end()
})

t.test('a hello says what it is for, or null, and nothing else', (t) => {
  for (const service of [undefined, 7, false, ['kvstore'], { name: 'kvstore' }, 'x'.repeat(64)]) {
    const bytes = encodeFrame({ type: 'client', version: 1, service } as unknown as Frame)
    t.equal(
      codeOf(() => decodeHello(bytes)),
      'BAD_FRAME',
      JSON.stringify(service),
    )
  }
  t.throws(() => decodeHello(encodeFrame({ ...peer, service: null } as unknown as Frame)), { code: 'BAD_FRAME' })
  t.end()
})

t.test('a frame that could not be encoded leaves nothing behind in the next', (t) => {
  t.throws(() => encodeFrame({ type: 'open', nonce: 'x'.repeat(300) }))
  t.strictSame(decodeClientFrame(encodeFrame({ type: 'open', nonce })), { type: 'open', nonce })
  t.end()
})
