/** A service whose states tell what they execute, and what comes of it. */
import type { Command, State } from '@synod/paxos'
import { Refusal } from '@synod/paxos'
import { packValue } from '@synod/paxos/internal/codec/values'
import type { Slot } from '@synod/paxos/internal/protocol/command'
import type { AnyService } from '../subject/subject.js'

/** Hears of each execution. `outcome`: bytes that are equal for equal values and refusals. */
export type Executed = (slot: Slot, command: Command<unknown>, outcome: Uint8Array) => void

/** The same service; each state that it makes reports to `executed`, and is shown to `made`. */
export function observedService(
  service: AnyService,
  executed: Executed,
  made: (state: State<unknown, unknown>) => void = () => undefined,
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

class ObservedState implements State<unknown, unknown> {
  readonly #state: State<unknown, unknown>
  readonly #executed: Executed

  constructor(state: State<unknown, unknown>, executed: Executed) {
    this.#state = state
    this.#executed = executed
  }

  execute(slot: Slot, command: Command<unknown>): unknown {
    let value: unknown
    try {
      value = this.#state.execute(slot, command)
    } catch (error) {
      if (error instanceof Refusal) this.#executed(slot, command, packed([error.code, error.message, error.data]))
      throw error
    }
    this.#executed(slot, command, packed(value))
    return value
  }

  snapshot(): Iterable<unknown> {
    return this.#state.snapshot()
  }

  restore(entries: Iterable<unknown>): void {
    this.#state.restore(entries)
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
