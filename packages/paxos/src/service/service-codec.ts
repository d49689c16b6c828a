/** A service's operations and results as bytes, and its state as the machine that the replica drives. */
import { Buffer } from 'node:buffer'
import { z } from 'zod'
import type { Result, Slot } from '../protocol/command.js'
import { SynodError } from '../protocol/error.js'
import { eventBytes } from '../protocol/event-ring.js'
import type { Emit, StateMachine } from '../protocol/state.js'
import { packLike, packValue, unpackValue } from '../codec/values.js'
import { Refusal } from './service.js'
import type { Service } from './service.js'
import { ServiceState } from './state-holder.js'
import type { StateHolder } from './state-holder.js'

/** Of a service, what concerns its operations. */
type Operations<Schema extends z.ZodType> = Pick<Service<Schema, unknown>, 'name' | 'op' | 'readOnly'>

/** Bytes of one operation, at most: it must fit into a frame, and into a batch of the log. */
export const MAX_OPERATION = 4 << 20

/** Bytes of one result, at most. */
const MAX_RESULT = 8 << 20

/** What the events of one operation, or of one session's end, count at most: they must fit into a frame. */
const MAX_EVENTS = 4 << 20

/** An operation as a client sends it. */
export interface EncodedOp {
  readonly bytes: Uint8Array
  /** By the service's own word: it needs no log. */
  readonly onlyReads: boolean
}

/** The client's side: an operation as bytes, if the schema takes it. Throws SynodError `BAD_OPERATION`, which names the field. */
export function encodeOp<Schema extends z.ZodType>(service: Operations<Schema>, op: z.input<Schema>): EncodedOp {
  const parsed = parse(service, op)
  return { bytes: packOp(service, op), onlyReads: onlyReads(service, parsed) }
}

/**
 * The server's side: what the schema makes of the operation in these bytes, as bytes again. These are what is proposed, and
 * executed on every server. Throws SynodError `BAD_OPERATION`.
 */
export function admitOp<Schema extends z.ZodType>(service: Operations<Schema>, bytes: Uint8Array): Uint8Array {
  const op = unpackOp(service, bytes)
  const parsed = parse(service, op)
  // What the schema leaves as it is need not be packed again. It is copied: it must not keep all that came with it.
  if (bytes.length <= MAX_OPERATION && isSame(op, parsed)) return Buffer.from(bytes)
  return packOp(service, parsed)
}

/** Whether two plain values are the same, the order of their keys included. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Array.isArray(one)) return Array.isArray(other) && haveSameItems(one, other)
  return isPlain(one) && isPlain(other) && haveSameItems(one, other)
}

function haveSameItems(one: object, other: object): boolean {
  const [keys, others] = [Object.keys(one), Object.keys(other)]
  if (keys.length !== others.length) return false
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as never // a name that both have
    if (key !== others[at] || !isSame(one[key], other[key])) return false
  }
  return true
}

function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype
}

/**
 * The server's side of a read: what the schema makes of the operation in these bytes, to be executed as it is. Throws
 * SynodError `BAD_OPERATION`, also if it is not one that only reads.
 */
export function admitRead<Schema extends z.ZodType>(service: Operations<Schema>, bytes: Uint8Array): z.output<Schema> {
  const op = parse(service, unpackOp(service, bytes))
  if (onlyReads(service, op)) return op
  throw badOperation(service, 'it may change the state, so it cannot be read without the log')
}

/** What `execute` returned, or emitted. Throws SynodError `BAD_FRAME`. */
export function decodeValue(bytes: Uint8Array): unknown {
  return unpackValue(bytes)
}

const refusal = z.object({ code: z.string(), message: z.string(), data: z.record(z.string(), z.unknown()) })

/** What `execute` threw as its result. Throws an Error if it is none. */
export function decodeRefusal(bytes: Uint8Array): Refusal {
  const { code, message, data } = refusal.parse(unpackValue(bytes))
  return new Refusal(code, message, data)
}

/**
 * A new state of the service, and the machine that executes operations on whichever state is held. A {@link Refusal} is a
 * result; anything else that `execute` throws becomes SynodError `STATE_FAILED`, and the server must stop.
 */
export function machineOf<Schema extends z.ZodType, Value, Event>(
  service: Service<Schema, Value, Event>,
): { readonly machine: StateMachine; readonly holder: StateHolder; readonly read: Read<z.output<Schema>> } {
  const holder = new ServiceState<z.output<Schema>, Value, Event>(service)
  /** Of the slot that is being executed: they count when all went well. */
  let events: Uint8Array[] = []
  let bytes = 0
  let badEvent: string | null = null
  /** Many results are like the one before: they are one thing. */
  let latest = NONE
  const collect = (event: Event): void => {
    const packed = packEvent(event, MAX_EVENTS - bytes)
    if (typeof packed === 'string') badEvent ??= packed
    else {
      events.push(packed)
      bytes += eventBytes(packed)
    }
  }
  const handOver = (emit: Emit): void => {
    for (const event of events) emit(event)
  }
  const begin = (): void => {
    if (events.length > 0) events = []
    bytes = 0
    badEvent = null
  }
  const execute = (slot: Slot, clientId: string, op: Uint8Array, emit: Emit): Result => {
    begin()
    let value: Value
    try {
      value = holder.state.execute(slot, { clientId, op: unpackValue(op) as z.output<Schema> }, collect)
    } catch (error) {
      if (error instanceof Refusal) return refused(error)
      throw failed(service.name, slot, error)
    }
    handOver(emit)
    if (badEvent !== null) return unsendable('BAD_EVENT', badEvent)
    return (latest = resultOf('ok', value, latest))
  }
  const ended = (slot: Slot, clientId: string, emit: Emit): void => {
    begin()
    try {
      holder.state.ended?.(slot, clientId, collect)
      if (badEvent !== null) throw new Error(badEvent)
    } catch (error) {
      throw failed(service.name, slot, error)
    }
    handOver(emit)
  }
  const mark = (slot: Slot, chain: string): void => holder.onMark?.(slot, chain)
  const read = (slot: Slot, op: z.output<Schema>): ReadResult => {
    try {
      return resultOf('ok', holder.state.execute(slot, { clientId: '', op }, emitNothing))
    } catch (error) {
      if (error instanceof Refusal) return refused(error)
      throw new SynodError('READ_FAILED', `the service "${service.name}" failed at a read: ${reasonOf(error)}`)
    }
  }
  return { machine: { execute, ended, mark }, holder, read }
}

/**
 * Executes an operation that only reads on the state that is held, whose last executed slot is given. Throws SynodError
 * `READ_FAILED` for whatever the service throws but a {@link Refusal}: nothing was changed, so the server can go on.
 */
export type Read<Op> = (slot: Slot, op: Op) => ReadResult

/** What a read, or any operation that was executed now, came to. */
export type ReadResult = Result & { readonly status: 'ok' | 'refused' }

function emitNothing(): never {
  throw new Error('an operation that only reads must not emit')
}

/** What no result is like. */
const NONE: ReadResult = { status: 'ok', value: new Uint8Array(0) }

function refused({ code, message, data }: Refusal): ReadResult {
  return resultOf('refused', { code, message, data })
}

/** The event's bytes, or why it cannot be sent. */
function packEvent(event: unknown, room: number): Uint8Array | string {
  let bytes: Uint8Array
  try {
    bytes = packValue(event)
  } catch {
    return 'an event of it cannot be sent: an event is plain data of well-formed text'
  }
  return eventBytes(bytes) <= room ? bytes : `its events have more than ${MAX_EVENTS} bytes, or are too many`
}

/**
 * An outcome that cannot be sent is the same refusal on every server: the operation was executed, and a user's input must
 * not stop the servers one after the other.
 */
function resultOf(status: 'ok' | 'refused', outcome: unknown, before = NONE): ReadResult {
  let value: Uint8Array
  try {
    value = packLike(outcome, before.value)
  } catch {
    return unsendable('BAD_RESULT', 'its result cannot be sent: a result is plain data of well-formed text')
  }
  if (value === before.value && status === before.status) return before
  if (value.length <= MAX_RESULT) return { status, value }
  return unsendable('RESULT_TOO_LARGE', `its result has ${value.length} bytes, and the limit is ${MAX_RESULT}`)
}

function unsendable(code: string, why: string): ReadResult {
  return { status: 'refused', value: packValue({ code, message: `the operation was executed, but ${why}`, data: {} }) }
}

function parse<Schema extends z.ZodType>(service: Operations<Schema>, op: unknown): z.output<Schema> {
  const parsed = safeParse(service, op)
  if (parsed.success) return parsed.data
  const { path, message } = firstIssue(parsed.error.issues)
  const field = path.map(String).join('.')
  throw badOperation(service, field === '' ? message : `${field}: ${message}`, field)
}

function onlyReads<Schema extends z.ZodType>(service: Operations<Schema>, op: z.output<Schema>): boolean {
  try {
    return service.readOnly?.(op) === true
  } catch (error) {
    throw badOperation(service, `whether it only reads cannot be told (${reasonOf(error)})`)
  }
}

/** A schema may run code of the service's (to transform, to refine): whatever that throws is the operation's fault. */
function safeParse<Schema extends z.ZodType>(
  service: Operations<Schema>,
  op: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  try {
    return service.op.safeParse(op)
  } catch (error) {
    throw badOperation(service, `its schema failed (${reasonOf(error)})`)
  }
}

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** The field that is wrong; in a union, that of the alternative that went furthest. */
function firstIssue(issues: readonly z.core.$ZodIssue[], above: readonly PropertyKey[] = []): Issue {
  const [issue] = issues
  if (issue === undefined) return { path: above, message: 'not as the schema wants it' }
  const here = { path: [...above, ...issue.path], message: issue.message }
  if (issue.code !== 'invalid_union') return here
  const alternatives = issue.errors.map((errors) => firstIssue(errors, here.path))
  return alternatives.reduce<Issue>((best, other) => (other.path.length > best.path.length ? other : best), here)
}

function packOp<Schema extends z.ZodType>(service: Operations<Schema>, op: unknown): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = packValue(op)
  } catch (error) {
    throw badOperation(service, `it holds something that cannot be sent (${reasonOf(error)})`)
  }
  if (bytes.length <= MAX_OPERATION) return bytes
  throw badOperation(service, `it has ${bytes.length} bytes, the limit is ${MAX_OPERATION}`)
}

function unpackOp<Schema extends z.ZodType>(service: Operations<Schema>, bytes: Uint8Array): unknown {
  try {
    return unpackValue(bytes)
  } catch (error) {
    throw badOperation(service, reasonOf(error))
  }
}

function badOperation(service: { readonly name: string }, what: string, path = ''): SynodError {
  return new SynodError('BAD_OPERATION', `not an operation of ${service.name}: ${what}`, {
    service: service.name,
    path,
  })
}

function failed(service: string, slot: Slot, error: unknown): SynodError {
  const sentence = `the state of service "${service}" failed at slot ${slot}: ${reasonOf(error)}`
  const failure = new SynodError('STATE_FAILED', sentence, { service, slot })
  failure.cause = error
  return failure
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
