/** A service whose states tell what they execute, and what comes of it. */
import type { Command, State } from '@synod/paxos'
import { Refusal } from '@synod/paxos'
import { packValue } from '@synod/paxos/internal/codec/values'
import type { Slot } from '@synod/paxos/internal/protocol/command'
import type { AnyService } from '../subject/subject.js'

/**
 * Hears of each execution; `outcome`: bytes that are equal for equal values and events, and for equal refusals. The end of a
 * session is one, too, of the operation {@link ENDED}.
 */
export type Executed = (slot: Slot, command: Command<unknown>, outcome: Uint8Array) => void

/** What stands for the end of a session. No service has such an operation. */
export const ENDED = null

/** The same service; each state that it makes reports to `executed`, and is shown to `made`. */
export function observedService(
  service: AnyService,
  executed: Executed,
  made: (state: State<unknown, unknown, unknown>) => void = () => undefined,
): AnyService {
  return {
    ...service,
    state: () => {
      const state = service.state()
      made(state)
      return new ObservedState(state, executed)
    },
  }
}

class ObservedState implements State<unknown, unknown, unknown> {
  readonly #state: State<unknown, unknown, unknown>
  readonly #executed: Executed

  constructor(state: State<unknown, unknown, unknown>, executed: Executed) {
    this.#state = state
    this.#executed = executed
  }

  execute(slot: Slot, command: Command<unknown>, emit: (event: unknown) => void): unknown {
    const events: unknown[] = []
    let value: unknown
    try {
      value = this.#state.execute(slot, command, noting(events, emit))
    } catch (error) {
      if (error instanceof Refusal) this.#executed(slot, command, packed([error.code, error.message, error.data]))
      throw error
    }
    this.#executed(slot, command, packed([value, events]))
    return value
  }

  ended(slot: Slot, clientId: string, emit: (event: unknown) => void): void {
    const events: unknown[] = []
    this.#state.ended?.(slot, clientId, noting(events, emit))
    this.#executed(slot, { clientId, op: ENDED }, packed(events))
  }

  snapshot(): Iterable<unknown> {
    return this.#state.snapshot()
  }

  restore(entries: Iterable<unknown>): void {
    this.#state.restore(entries)
  }
}

function noting(events: unknown[], emit: (event: unknown) => void): (event: unknown) => void {
  return (event) => {
    events.push(event)
    emit(event)
  }
}

/** What cannot be sent has no bytes: the server makes a refusal of it. */
function packed(value: unknown): Uint8Array {
  try {
    return packValue(value)
  } catch {
    return new Uint8Array(0)
  }
}
