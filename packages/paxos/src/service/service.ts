/** What a user writes: one deterministic class, and a description of its operations. */
import type { z } from 'zod'
import { SynodError } from '../protocol/error.js'
import type { Slot } from '../protocol/command.js'

/** A decided operation on its way into the state. */
export interface Command<Op> {
  /**
   * The session that sent it: unguessable, the same on all servers. Empty if the operation is read without the log
   * ({@link Service.readOnly}): a read has no session.
   */
  readonly clientId: string
  /** The operation, as the service's schema parsed it. */
  readonly op: Op
}

/**
 * The replicated state. It must be deterministic: no clock, no chance, no I/O, nothing but its own fields and the
 * arguments; the same commands in the same order must lead to the same state and results on every server.
 */
export interface State<Op, Value, Event = never> {
  /**
   * Executes one operation, in slot order. The value is sent to the client (any structure of plain data).
   * To refuse an operation, throw a {@link Refusal} **before** changing anything: it is the operation's result, on every
   * server. Any other throw is taken for a bug and stops the server at this slot (docs/ARCHITECTURE.md).
   *
   * An operation that is {@link Service.readOnly} is executed by one server alone, between two slots: `slot` is the last
   * that was executed there. It must change nothing; `emit` throws; and whatever it throws, but for a refusal, is only told
   * to its client (`READ_FAILED`).
   *
   * @param emit tells all who {@link Client.subscribe} of an event (any structure of plain data); to be called before
   *   `execute` returns. What a refused operation emitted is dropped. An event that cannot be sent, or is too much (4 MiB for
   *   one operation, with 32 bytes for each event) is dropped, and the operation's result is a refusal `BAD_EVENT`.
   */
  execute(slot: Slot, command: Command<Op>, emit: (event: Event) => void): Value
  /**
   * A client has ended its session, or is gone for longer than a session lasts (`sessionTtl`), or there were too many
   * sessions: decided through the log, so it happens once, in the same slot on every server. There is nobody to be told of a
   * failure: anything that it throws, and an event that cannot be sent, stops the server.
   */
  ended?(slot: Slot, clientId: string, emit: (event: Event) => void): void
  /**
   * The whole state as any sequence of plain values. It is drained in one go, while nothing else is executed. A large state
   * gives {@link inPieces} instead: a view that is fixed when this returns, and drained little by little.
   */
  snapshot(): Iterable<unknown>
  /**
   * Fills a new, empty state with what {@link snapshot} yielded. Called once; or, if that was {@link inPieces}, once for each
   * piece, in order.
   */
  restore(entries: Iterable<unknown>): void
}

const fixed = new WeakSet<Iterable<unknown>>()

/**
 * Says of a snapshot's entries that they do not change, however the state goes on to change: they may be drained in pieces
 * while operations are executed, and be given back to `restore` in pieces. For states that are too large to be drained in
 * one go (100,000 entries take about 50 ms): keep them in a structure whose copies cost nothing, as `clone()` of a
 * [sorted-btree](https://www.npmjs.com/package/sorted-btree), and replace its values instead of changing them.
 */
export function inPieces<Entry>(entries: Iterable<Entry>): Iterable<Entry> {
  const view = { [Symbol.iterator]: () => entries[Symbol.iterator]() }
  fixed.add(view)
  return view
}

/** Whether these entries were marked by {@link inPieces}. */
export function isInPieces(entries: Iterable<unknown>): boolean {
  return fixed.has(entries)
}

/** A service's own, coded "no". It is part of the replicated result, and what `client.submit` throws. */
export class Refusal extends SynodError {
  /** @param code the service's own, for programs; @param message one sentence for people */
  constructor(code: string, message: string, data: Readonly<Record<string, unknown>> = {}) {
    super(code, message, data)
    this.name = 'Refusal'
  }
}

/** A session lasts at least so long (ms): its client must have the time to find another server. */
const MIN_SESSION_TTL = 1_000

/** A service's description; made by {@link defineService}, given to `serve` and `connect`. */
export interface Service<Schema extends z.ZodType, Value, Event = never> {
  /** Lower-case letters, digits and dashes. Part of the handshake: a client of another service is refused. */
  readonly name: string
  /**
   * Operations as they are sent; what does not fit is refused with `BAD_OPERATION` and never proposed. The server that takes
   * an operation in applies the schema, once; it must be synchronous.
   */
  readonly op: Schema
  /** A new, empty state. */
  readonly state: () => State<z.output<Schema>, Value, Event>
  /**
   * Whether an operation only reads: its execution changes nothing of the state, and emits no event. `client.submit` has
   * such an operation executed by one server, from the state that a majority has agreed on by then, without the log: as
   * linearizable as any other, and far cheaper. Only such an operation can be given to `client.readStale`. It must say the same
   * of equal operations, everywhere. By default none only reads.
   */
  readOnly?(op: z.output<Schema>): boolean
  /**
   * How long a session lasts at least (ms) after its client's connection was lost, if it does not come back; it ends within
   * a quarter of that time more, or later if the leader changes meanwhile. Default: 3,600,000. At least 1,000. A client comes
   * back by itself as long as it has a call under way, or a feed; one that is closed ends its session at once.
   */
  readonly sessionTtl?: number
}

/** Describes a service. Throws SynodError `BAD_SERVICE` for a name or a time that cannot be used. */
export function defineService<Schema extends z.ZodType, Value, Event = never>(
  service: Service<Schema, Value, Event>,
): Service<Schema, Value, Event> {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(service.name)) {
    throw new SynodError(
      'BAD_SERVICE',
      `a service's name is lower-case letters, digits and dashes, not "${service.name}"`,
    )
  }
  const { sessionTtl } = service
  if (sessionTtl !== undefined && !(sessionTtl >= MIN_SESSION_TTL && sessionTtl < Infinity)) {
    throw new SynodError('BAD_SERVICE', `sessionTtl is a number of ms from ${MIN_SESSION_TTL} on, not ${sessionTtl}`)
  }
  return service
}
