/** Reads and their answers on the wire: what a stranger may send of them, and what one costs. */
import { SynodError } from '@synod/paxos'
import { packValue } from '@synod/paxos/internal/codec/values'
import { decodeClientFrame, decodeServerFrame, encodeFrame } from '@synod/paxos/internal/transport/codec'
import { readRejection, rejectionOf } from '@synod/paxos/internal/transport/read-frames'
import { MAX_READS } from '@synod/paxos/internal/transport/wire'
import t from 'tap'
import { codeOf, MAX } from './frames.js'

/** `read` and `answers`, as the first byte but one of their frames. */
const [READ, ANSWERS] = [28, 29]
const op = Buffer.from([0xc4, 1, 0xc0])

t.test('a frame has from one read to as many as a server takes in at once', (t) => {
  const reading = (count: number): string | null =>
    codeOf(() =>
      decodeClientFrame(
        encodeFrame({
          type: 'read',
          stale: false,
          first: 1,
          ops: Array.from({ length: count }, () => new Uint8Array(1)),
        }),
      ),
    )
  t.equal(reading(1), null)
  t.equal(reading(MAX_READS), null)
  t.equal(reading(0), 'BAD_FRAME')
  t.equal(reading(MAX_READS + 1), 'BAD_FRAME')
  t.end()
})

t.test('the numbers of reads are safe integers, the last one too', (t) => {
  const first = (number: number): string | null =>
    codeOf(() => decodeClientFrame(encodeFrame({ type: 'read', stale: true, first: number, ops: [op, op, op] })))
  t.equal(first(MAX - 2), null)
  t.equal(first(MAX - 1), 'BAD_FRAME')
  t.end()
})

t.test('what is no read, or no answer, is refused', (t) => {
  const reads = {
    'a stale that is neither true nor false': [0x94, READ, 0x01, 0x01, 0x91, ...op],
    'a negative number': [0x94, READ, 0xc2, 0xff, 0x91, ...op],
    'an operation that is no bytes': [0x94, READ, 0xc2, 0x01, 0x91, 0xa1, 0x78],
    'more operations than there are bytes': [0x94, READ, 0xc2, 0x01, 0xdc, 0x0f, 0xff, ...op],
    'a field too few': [0x93, READ, 0xc2, 0x91, ...op],
    'a field too many': [0x95, READ, 0xc2, 0x01, 0x91, ...op, 0xc0],
  }
  for (const [what, bytes] of Object.entries(reads))
    t.equal(
      codeOf(() => decodeClientFrame(Buffer.from(bytes))),
      'BAD_FRAME',
      what,
    )
  t.equal(
    codeOf(() => decodeClientFrame(Buffer.from([0x94, READ, 0xc2, 0x01, 0x91, ...op]))),
    null,
  )
  const answers = {
    'half an answer': [0x93, ANSWERS, 0x07, 0x92, 0x01, 0x00],
    'an unknown status': [0x93, ANSWERS, 0x07, 0x93, 0x01, 0x04, ...op],
    'a value that is no bytes': [0x93, ANSWERS, 0x07, 0x93, 0x01, 0x00, 0xc0],
    'a slot that is no number': [0x93, ANSWERS, 0xc0, 0x90],
    'more answers than there are bytes': [0x93, ANSWERS, 0x07, 0xdd, 0xff, 0xff, 0xff, 0xff],
  }
  for (const [what, bytes] of Object.entries(answers))
    t.equal(
      codeOf(() => decodeServerFrame(Buffer.from(bytes))),
      'BAD_FRAME',
      what,
    )
  t.equal(
    codeOf(() => decodeServerFrame(Buffer.from([0x93, ANSWERS, 0x07, 0x93, 0x01, 0x03, ...op]))),
    null,
  )
  t.end()
})

t.test('why a read was rejected is told whatever its words are, and nothing else is taken for it', (t) => {
  const error = new SynodError('READ_FAILED', `half a character \ud800`)
  t.strictSame(readRejection(rejectionOf(error)), { code: 'READ_FAILED', message: 'half a character \ufffd' })
  t.equal(readRejection(rejectionOf(new SynodError('X', 'x'.repeat(1 << 17)))).message.length, 1 << 16)
  for (const bytes of [Buffer.from([0xc1]), packValue({ code: 'X' }), packValue('X')])
    t.throws(() => readRejection(bytes))
  t.end()
})

t.test('a read of a small key costs few bytes', (t) => {
  const ops = Array.from({ length: 1_000 }, () => packValue({ type: 'get', key: 'key-000001' }))
  const opBytes = ops.reduce((sum, { length }) => sum + length, 0)
  const asked = encodeFrame({ type: 'read', stale: false, first: 1, ops }).length - opBytes
  t.ok(asked <= 2 * ops.length + 16, `${asked} bytes besides the operations`)
  const value = packValue({ value: 'x'.repeat(100) })
  const answers = ops.map((_, at) => ({ number: 1 + at, status: 'ok' as const, value }))
  const answered = encodeFrame({ type: 'answers', slot: 1_000_000, answers }).length - answers.length * value.length
  t.ok(answered <= 6 * ops.length + 16, `${answered} bytes besides the values`)
  t.end()
})
