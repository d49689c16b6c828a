/** What clients may send: nothing that their server's peers would refuse, and only so much at a time. */
import { SynodError } from '@synod/paxos'
import type { Command } from '@synod/paxos/internal/protocol/command'
import type { Message } from '@synod/paxos/internal/protocol/message'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { SESSION_WINDOW } from '@synod/paxos/internal/protocol/session'
import {
  decodeClientFrame,
  decodePeerFrame,
  decodeServerFrame,
  encodeFrame,
} from '@synod/paxos/internal/transport/codec'
import type { Frame } from '@synod/paxos/internal/transport/codec'
import type { ClientFrame } from '@synod/paxos/internal/transport/wire'
import t from 'tap'

const MAX = Number.MAX_SAFE_INTEGER
const nonce = '0123456789abcdef0123456789abcdef'
const clientId = `2s.${nonce}`
const ballot = { round: 7, server: 2, start: MAX }
const value = Buffer.from([1, 2, 3])
const named: Command = { kind: 'op', clientId, localId: 1, acked: 0, op: value }

/** The code of the SynodError that decoding threw; anything else is passed on. */
function codeOf(decode: () => unknown): string | null {
  try {
    decode()
    return null
  } catch (error) {
    if (!(error instanceof SynodError)) throw error
    return error.code
  }
}

t.test('an empty name is refused, be it the first of a frame or a later one', (t) => {
  const nameless: Command = { kind: 'op', clientId: '', localId: 1, acked: 0, op: value }
  const codes = [
    codeOf(() => decodeClientFrame(encodeFrame({ type: 'open', nonce: '' }))),
    codeOf(() => decodeClientFrame(encodeFrame({ type: 'submit', clientId: '', acked: 0, commands: [[1, value]] }))),
    ...[[nameless], [named, nameless], [{ kind: 'open', nonce: '' } as const]].map((commands) =>
      codeOf(() =>
        decodePeerFrame(encodeFrame({ type: 'messages', batch: 0, messages: [{ type: 'forward', commands }] })),
      ),
    ),
    codeOf(() =>
      decodeServerFrame(
        encodeFrame({ type: 'replies', replies: [{ clientId: '', localId: 1, result: { status: 'ok', value } }] }),
      ),
    ),
  ]
  t.strictSame(codes, Array<string>(6).fill('BAD_FRAME'))
  t.end()
})

t.test('a nonce has its own form, also where it repeats a name', (t) => {
  for (const nonce of ['x', clientId, '0123456789ABCDEF0123456789ABCDEF', 'f'.repeat(31), 'f'.repeat(33)]) {
    t.equal(
      codeOf(() => decodeClientFrame(encodeFrame({ type: 'open', nonce }))),
      'BAD_FRAME',
      nonce,
    )
  }
  t.end()
})

/** The commands that a server proposes for a client's frame. */
function proposed(frame: ClientFrame): Command[] {
  if (frame.type === 'open') return [{ kind: 'open', nonce: frame.nonce }]
  if (frame.type !== 'submit') return []
  const { clientId, acked } = frame
  return frame.commands.map(([localId, op]) => ({ kind: 'op', clientId, localId, acked, op }))
}

t.test('whatever a client may send, the peers take in', (t) => {
  const prng = new Prng(3)
  const integers = [0, 1, 2, 127, 128, 255, 256, 4096, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, MAX - 1, MAX]
  const name = (): string =>
    String.fromCharCode(...Array.from({ length: prng.below(prng.chance(0.1) ? 70 : 4) }, () => 0x1f + prng.below(0x62)))
  const counts = { taken: 0, refused: 0 }
  const same: boolean[] = []
  const check = (bytes: Uint8Array): void => {
    let frame: ClientFrame | undefined
    const code = codeOf(() => (frame = decodeClientFrame(bytes)))
    counts[code === null ? 'taken' : 'refused']++
    if (frame === undefined) return
    const commands = proposed(frame)
    if (commands.length === 0) return
    // Between the commands of others: what a reader remembers of a name must not matter.
    const mixed = [...commands, named, ...commands]
    const messages: Message[] = [{ type: 'forward', commands: mixed }, { type: 'p2a', run: { ballot, first: 1, commands: mixed }, decided: 1 }] // prettier-ignore
    const sent: Frame = { type: 'messages', batch: 1, messages }
    const isSame = JSON.stringify(decodePeerFrame(encodeFrame(sent))) === JSON.stringify(sent)
    same.push(isSame)
    if (!isSame) t.fail(`changed on the way: ${Buffer.from(bytes).toString('hex')}`)
  }
  for (let i = 0; i < 20_000; i++) {
    const acked = prng.pick(integers)
    const ids = Array.from(
      { length: prng.below(4) },
      (_, index) => acked + 1 + index + prng.below(2) * prng.below(5000),
    )
    const frame: Frame = prng.chance(0.2)
      ? { type: 'open', nonce: prng.chance(0.5) ? nonce : name() }
      : { type: 'submit', clientId: name(), acked, commands: ids.map((id) => [Math.min(id, MAX), value]) }
    const bytes = Buffer.from(encodeFrame(frame))
    if (prng.chance(0.3)) bytes[prng.below(bytes.length)] = prng.below(256)
    check(bytes)
  }
  t.ok(same.length > 3_000, `${same.length} frames were proposed`)
  t.ok(counts.refused > 3_000, JSON.stringify(counts))
  t.end()
})

t.test(
  'a frame names each command once, in the order of the local ids, and no more of them than a session may have',
  (t) => {
    const submitting = (acked: number, ids: readonly number[]): string | null =>
      codeOf(() =>
        decodeClientFrame(
          encodeFrame({ type: 'submit', clientId, acked, commands: ids.map((localId) => [localId, value]) }),
        ),
      )
    const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, index) => first + index)
    t.equal(submitting(0, []), null)
    t.equal(submitting(0, [1, 3, SESSION_WINDOW]), null)
    t.equal(submitting(7, from(8, SESSION_WINDOW)), null, 'all that a session may have under way')
    t.equal(submitting(0, [1, 1]), 'BAD_FRAME', 'one twice')
    t.equal(submitting(0, [2, 1]), 'BAD_FRAME', 'another order')
    t.equal(submitting(0, [0]), 'BAD_FRAME')
    t.equal(submitting(7, [7]), 'BAD_FRAME', 'one that was acknowledged')
    t.equal(submitting(7, [8 + SESSION_WINDOW]), 'BAD_FRAME', 'one beyond the window')
    t.equal(submitting(7, from(8, SESSION_WINDOW + 1)), 'BAD_FRAME', 'more than the window holds')
    t.end()
  },
)
