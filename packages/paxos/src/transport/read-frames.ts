/** Reads and their answers as fields of frames, and back: as few bytes for each as may be. */
import type { Reader, Writer } from '../codec/bytes.js'
import { packValue, unpackValue } from '../codec/values.js'
import type { SynodError } from '../protocol/error.js'
import { rejection, sendable } from './schemas.js'
import { MAX_READS } from './wire.js'
import type { Answer, ClientFrame, ServerFrame } from './wire.js'

type Read = Extract<ClientFrame, { type: 'read' }>
type Answers = Extract<ServerFrame, { type: 'answers' }>

const STATUSES: readonly Answer['status'][] = ['ok', 'refused', 'busy', 'rejected']

/** Fields of one answer: they stand in one array with those of all others. */
const FIELDS = 3

export function writeRead(to: Writer, { stale, first, ops }: Read): Writer {
  to.boolean(stale).uint(first).array(ops.length)
  for (const op of ops) to.bytes(op)
  return to
}

/** Throws SynodError `BAD_FRAME`. */
export function readRead(from: Reader): Read {
  const stale = from.boolean()
  const first = from.uint()
  const count = from.array()
  // What comes out of one frame is bounded.
  if (count === 0 || count > MAX_READS) from.refuse(`from 1 to ${MAX_READS} reads`)
  if (first > Number.MAX_SAFE_INTEGER - (count - 1)) from.refuse('numbers that are safe integers')
  const ops: Uint8Array[] = []
  for (let left = count; left > 0; left--) ops.push(from.bytes())
  return { type: 'read', stale, first, ops }
}

export function writeAnswers(to: Writer, { slot, answers }: Answers): Writer {
  to.uint(slot).array(answers.length * FIELDS)
  for (const { number, status, value } of answers) to.uint(number).uint(STATUSES.indexOf(status)).bytes(value)
  return to
}

/** Throws SynodError `BAD_FRAME`. */
export function readAnswers(from: Reader): Answers {
  const slot = from.uint()
  const fields = from.array()
  if (fields % FIELDS !== 0) from.refuse('whole answers')
  const answers: Answer[] = []
  for (let left = fields / FIELDS; left > 0; left--) {
    const number = from.uint()
    const status = STATUSES[from.uint()] ?? from.refuse('a status')
    answers.push({ number, status, value: from.bytes() })
  }
  return { type: 'answers', slot, answers }
}

/** The value of an answer that is `rejected`. */
export function rejectionOf({ code, message }: SynodError): Uint8Array {
  return packValue({ code, message: sendable(message) })
}

/** What such a value tells. Throws an Error if it is none. */
export function readRejection(value: Uint8Array): { readonly code: string; readonly message: string } {
  return rejection.parse(unpackValue(value))
}
