import type { Message } from '@synod/paxos/internal/protocol/message'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { decodeRecord, encodeRecord } from '@synod/paxos/internal/storage/record'
import {
  decodeClientFrame,
  decodeHello,
  decodePeerFrame,
  decodeServerFrame,
  encodeFrame,
} from '@synod/paxos/internal/transport/codec'
import type { Frame } from '@synod/paxos/internal/transport/codec'
import { WIRE_VERSION } from '@synod/paxos/internal/transport/wire'
import t from 'tap'
import { clientFrames, clientId, codeOf, hellos, nonce, op, peer, peerFrames, serverFrames, value } from './frames.js'

const decoders: { readonly name: string; readonly decode: (bytes: Uint8Array) => unknown; readonly frames: Frame[] }[] =
  [
    { name: 'a hello', decode: decodeHello, frames: hellos },
    { name: 'a frame between servers', decode: decodePeerFrame, frames: peerFrames },
    { name: "a client's frame", decode: decodeClientFrame, frames: clientFrames },
    { name: "a server's frame to a client", decode: decodeServerFrame, frames: serverFrames },
  ]

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
    if (bytes.length > 2 && prng.chance(0.5)) bytes.set([0x91 + prng.below(7), prng.below(30)])
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

t.test('the commands of a run are encoded once, for its messages and for the log of whoever accepts it', (t) => {
  const run = { ballot: { round: 3, server: 1, start: 7 }, first: 9, commands: [op(1, 100), op(2, 100)] }
  const message: Message = { type: 'p2a', run, decided: 5 }
  const frame = encodeFrame({ type: 'messages', batch: 1, messages: [message] })
  const received = decodePeerFrame(frame)
  const [p2a] = received.type === 'messages' ? received.messages : []
  if (p2a?.type !== 'p2a') throw new Error('a p2a was expected')
  t.strictSame(p2a.run, run)
  for (const known of [run, p2a.run])
    Object.defineProperty(known, 'commands', { get: () => t.fail('they were encoded again') })
  const record = encodeRecord({ type: 'accept', run })
  t.ok(Buffer.from(record).equals(encodeRecord({ type: 'accept', run: p2a.run })))
  const read = decodeRecord(record)
  t.match(read, { type: 'accept', run: { first: 9, commands: [op(1, 100), op(2, 100)] } })
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
  const bytes = encodeFrame({ type: 'client', version: WIRE_VERSION, service: 'kvstore' })
  const text = Buffer.from(bytes).toString('latin1').replace('service', 'szrvice')
  const other = Buffer.from(text, 'latin1')
  t.throws(() => decodeHello(other), { code: 'BAD_FRAME', message: /service/ })
  const version = other.indexOf('version') + 'version'.length
  other[version] = 1
  t.throws(() => decodeHello(other), { code: 'BAD_FRAME', message: new RegExp(`version 1 .* version ${WIRE_VERSION}`) })
  t.end()
})

t.test('a hello says what it is for, or null, and nothing else', (t) => {
  for (const service of [undefined, 7, false, ['kvstore'], { name: 'kvstore' }, 'x'.repeat(64)]) {
    const bytes = encodeFrame({ type: 'client', version: WIRE_VERSION, service } as unknown as Frame)
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
  t.throws(() => encodeFrame({ type: 'taken', feed: 1, through: -1 }), RangeError)
  t.strictSame(decodeClientFrame(encodeFrame({ type: 'open', nonce })), { type: 'open', nonce })
  t.end()
})

t.test('whatever words a service has put into a sentence, it can be told', (t) => {
  const message = `no key \ud83d ${'x'.repeat(100_000)}\udc00`
  const goodbye = decodeServerFrame(encodeFrame({ type: 'goodbye', code: 'DUMP_FAILED', message }))
  t.match(goodbye, { type: 'goodbye', code: 'DUMP_FAILED', message: /^no key \ufffd x{60000}/ })
  const snapshot = decodeServerFrame(encodeFrame({ type: 'snapshot', slot: 0, path: '', error: message }))
  t.match(snapshot, { type: 'snapshot', error: /^no key \ufffd x{60000}/ })
  t.end()
})
