/** What a peer or a server may say is in range, or the connection is closed. */
import type { Message } from '@synod/paxos/internal/protocol/message'
import { decodePeerFrame, decodeServerFrame, encodeFrame } from '@synod/paxos/internal/transport/codec'
import { MAX_PIECE } from '@synod/paxos/internal/transport/wire'
import t from 'tap'
import { ballot, codeOf, commands, hash, MAX, messages, nonce } from './frames.js'

t.test('ballots, slots and servers out of range are refused', (t) => {
  const bad = (message: Message): string | null =>
    codeOf(() => decodePeerFrame(encodeFrame({ type: 'messages', batch: 0, messages: [message] })))
  const inRange: Message = { type: 'stepDown', ballot: { ...ballot, server: 999 }, successor: null }
  t.equal(bad(inRange), null)
  t.equal(bad({ type: 'stepDown', ballot: { ...ballot, server: 1000 }, successor: null }), 'BAD_FRAME')
  t.equal(bad({ type: 'p2b', ballot, first: 5, last: 4, decided: 1, lives: [] }), 'BAD_FRAME')
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

t.test('lives, hashes and pieces out of range are refused', (t) => {
  const codeOfMessage = (message: Message): string | null =>
    codeOf(() => decodePeerFrame(encodeFrame({ type: 'messages', batch: 0, messages: [message] })))
  const { p2b, piece } = messages
  const lives = (count: number): Message => ({ ...p2b, lives: Array.from({ length: count }, () => 1) })
  t.equal(codeOfMessage(lives(1000)), null)
  const audit = { slot: 1, hash: hash.toUpperCase() }
  const wrong: Message[] = [
    lives(1001),
    { ...p2b, lives: [2 ** 32] },
    { type: 'tellLife', life: 2 ** 32 },
    { type: 'revive', life: 2 ** 32, from: 1 },
    { ...messages.revived, life: 2 ** 32 },
    { ...messages.heartbeat, audit },
    { ...messages.tellAudit, hash: '' },
    { ...messages.fetch, id: 'x'.repeat(32) },
    { ...messages.fetch, id: nonce.slice(1) },
    { ...piece, id: '' },
    { ...piece, size: 0, offset: 0, bytes: Buffer.alloc(0) },
    { ...piece, maker: 1000 },
    { ...piece, offset: piece.size + 1, bytes: Buffer.alloc(0) },
    { ...piece, offset: piece.size - 2 },
    { ...piece, offset: 0, bytes: Buffer.alloc(MAX_PIECE + 1) },
  ]
  for (const message of wrong) t.equal(codeOfMessage(message), 'BAD_FRAME', message.type)
  t.end()
})

t.test('a vote costs one byte more for lives, as long as nobody was repaired', (t) => {
  const vote = (lives: number[]): number =>
    encodeFrame({ type: 'messages', batch: 0, messages: [{ ...messages.p2b, lives }] }).length
  t.equal(vote([0]) - vote([]), 1)
  const read = [1, 2].map(() =>
    decodePeerFrame(encodeFrame({ type: 'messages', batch: 0, messages: [{ ...messages.p2b, lives: [] }] })),
  )
  const kept = read.map((frame) =>
    frame.type === 'messages' && frame.messages[0]?.type === 'p2b' ? frame.messages[0].lives : null,
  )
  t.strictSame(kept[0], [])
  t.equal(kept[0], kept[1], 'nothing is made for it')
  t.end()
})

t.test('the marks of a chain go up', (t) => {
  const chain = (slots: number[]): string | null =>
    codeOf(() => decodeServerFrame(encodeFrame({ type: 'chain', marks: slots.map((slot) => ({ slot, hash })) })))
  t.equal(chain([0, 256, 256, 300]), null)
  t.equal(chain([256, 255]), 'BAD_FRAME')
  t.end()
})
