/** What a user writes: one deterministic class, and a description of its operations. */
import type { z } from 'zod'
import { SynodError } from '../protocol/error.js'
import type { Slot } from '../protocol/command.js'

/** A decided operation on its way into the state. */
export interface Command<Op> {
  /** The session that sent it: unguessable, the same on all servers. */
  readonly clientId: string
  /** The operation, as the service's schema parsed it. */
  readonly op: Op
}

/**
 * The replicated state. It must be deterministic: no clock, no chance, no I/O, nothing but its own fields and the
 * arguments; the same commands in the same order must lead to the same state and results on every server.
 */
export interface State<Op, Value> {
  /**
   * Executes one operation, in slot order. The value is sent to the client (any structure of plain data).
   * To refuse an operation, throw a {@link Refusal} **before** changing anything: it is the operation's result, on every
   * server. Any other throw is taken for a bug and stops the server at this slot (docs/ARCHITECTURE.md).
   */
  execute(slot: Slot, command: Command<Op>): Value
  /** The whole state as any sequence of plain values; drained in one go. */
  snapshot(): Iterable<unknown>
  /** Replaces the state by what {@link snapshot} yielded. */
  restore(entries: Iterable<unknown>): void
}

/** A service's own, coded "no". It is part of the replicated result, and what `client.submit` throws. */
export class Refusal extends SynodError {
  /** @param code the service's own, for programs; @param message one sentence for people */
  constructor(code: string, message: string, data: Readonly<Record<string, unknown>> = {}) {
    super(code, message, data)
    this.name = 'Refusal'
  }
}

/** A service's description; made by {@link defineService}, given to `serve` and `connect`. */
export interface Service<Schema extends z.ZodType, Value> {
  /** Lower-case letters, digits and dashes. Part of the handshake: a client of another service is refused. */
  readonly name: string
  /**
   * Operations as they are sent; what does not fit is refused with `BAD_OPERATION` and never proposed. The server that takes
   * an operation in applies the schema, once; it must be synchronous.
   */
  readonly op: Schema
  /** A new, empty state. */
  readonly state: () => State<z.output<Schema>, Value>
}

/** Describes a service. Throws SynodError `BAD_SERVICE` for a name that cannot be used. */
export function defineService<Schema extends z.ZodType, Value>(
  service: Service<Schema, Value>,
): Service<Schema, Value> {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(service.name)) {
    throw new SynodError(
      'BAD_SERVICE',
      `a service's name is lower-case letters, digits and dashes, not "${service.name}"`,
    )
  }
  return service
}
