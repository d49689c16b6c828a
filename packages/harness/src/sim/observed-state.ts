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
  /** Each read without the log, after the slot; `changed`: the state is not what it was before. */
  read(slot: Slot, op: unknown, outcome: Uint8Array, changed: boolean): void
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
    if (command.clientId === '') return this.#read(slot, command, emit)
    const events: unknown[] = []
    const tell = (outcome: Uint8Array): void => this.#observer.executed(slot, command, outcome)
    return this.#told(() => this.#state.execute(slot, command, noting(events, emit)), events, tell)
  }

  #read(slot: Slot, command: Command<unknown>, emit: (event: unknown) => void): unknown {
    const before = this.#entries()
    const hasChanged = (): boolean => Buffer.compare(before, this.#entries()) !== 0
    const tell = (outcome: Uint8Array): void => this.#observer.read(slot, command.op, outcome, hasChanged())
    try {
      return this.#told(() => this.#state.execute(slot, command, emit), [], tell)
    } catch (error) {
      if (hasChanged()) tell(new Uint8Array(0)) // whatever it failed of
      throw error
    }
  }

  /** Has what comes of an execution told. */
  #told(execute: () => unknown, events: readonly unknown[], tell: (outcome: Uint8Array) => void): unknown {
    let value: unknown
    try {
      value = execute()
    } catch (error) {
      if (error instanceof Refusal) tell(packed([error.code, error.message, error.data]))
      throw error
    }
    tell(packed([value, events]))
    return value
  }

  #entries(): Uint8Array {
    return packed([...this.#state.snapshot()])
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
