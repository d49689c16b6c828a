/** A service whose states tell what they execute, and what comes of it. */
import type { Command, State } from '@synod/paxos'
import { Refusal } from '@synod/paxos'
import { packValue } from '@synod/paxos/internal/codec/values'
import type { Slot } from '@synod/paxos/internal/protocol/command'
import type { AnyService } from '../subject/subject.js'

/** Who hears of a service's states. */
export interface StateObserver {
  /** A new one was made, which is empty. */
  made?(state: State<unknown, unknown, unknown>): void
  /** It is about to execute something for the first time, and this is what is in it. */
  begins?(entries: readonly unknown[]): void
  /**
   * Each execution; `outcome`: bytes that are equal for equal values and events, and for equal refusals. The end of a session
   * is one, too, of the operation {@link ENDED}.
   */
  executed(slot: Slot, command: Command<unknown>, outcome: Uint8Array): void
}

/** What stands for the end of a session. No service has such an operation. */
export const ENDED = null

/** The same service; each state that it makes reports to the observer. */
export function observedService(service: AnyService, observer: StateObserver): AnyService {
  return {
    ...service,
    state: () => {
      const state = service.state()
      observer.made?.(state)
      return new ObservedState(state, observer)
    },
  }
}

class ObservedState implements State<unknown, unknown, unknown> {
  readonly #state: State<unknown, unknown, unknown>
  readonly #observer: StateObserver
  #begun = false

  constructor(state: State<unknown, unknown, unknown>, observer: StateObserver) {
    this.#state = state
    this.#observer = observer
  }

  execute(slot: Slot, command: Command<unknown>, emit: (event: unknown) => void): unknown {
    this.#begin()
    const events: unknown[] = []
    let value: unknown
    try {
      value = this.#state.execute(slot, command, noting(events, emit))
    } catch (error) {
      if (error instanceof Refusal)
        this.#observer.executed(slot, command, packed([error.code, error.message, error.data]))
      throw error
    }
    this.#observer.executed(slot, command, packed([value, events]))
    return value
  }

  ended(slot: Slot, clientId: string, emit: (event: unknown) => void): void {
    this.#begin()
    const events: unknown[] = []
    this.#state.ended?.(slot, clientId, noting(events, emit))
    this.#observer.executed(slot, { clientId, op: ENDED }, packed(events))
  }

  snapshot(): Iterable<unknown> {
    return this.#state.snapshot()
  }

  restore(entries: Iterable<unknown>): void {
    this.#state.restore(entries)
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    this.#observer.begins?.([...this.#state.snapshot()])
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
