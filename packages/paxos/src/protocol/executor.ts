/** What the decisions come to, in slot order: sessions, the state machine, and its events. All of it is replicated state. */
import type { Command, Result, Slot } from './command.js'
import { EventRing } from './event-ring.js'
import { SessionTable } from './session.js'
import type { StateMachine } from './state.js'

const DONE: Result = { status: 'ok', value: new Uint8Array(0) }

/** Hears which sessions there are. */
export interface SessionWatch {
  opened(clientId: string): void
  ended(clientId: string): void
}

export class Executor {
  readonly sessions: SessionTable
  readonly events = new EventRing()
  /** How many operations were executed. */
  executed = 0
  readonly #machine: StateMachine
  readonly #watch: SessionWatch
  /** The slot that is being executed. */
  #slot: Slot = 0

  constructor(machine: StateMachine, watch: SessionWatch) {
    this.#machine = machine
    this.#watch = watch
    this.sessions = new SessionTable((clientId) => {
      machine.ended(this.#slot, clientId, this.#emit)
      watch.ended(clientId)
    })
  }

  /** Executes the decision of the next slot (R3). */
  execute(slot: Slot, command: Command): Result {
    this.#slot = slot
    switch (command.kind) {
      case 'op':
        this.executed++
        return this.sessions.execute(slot, command, this.#machine, this.#emit)
      case 'open': {
        const clientId = this.sessions.open(slot, command.nonce)
        this.#watch.opened(clientId)
        return { status: 'ok', value: ascii(clientId) }
      }
      case 'end':
        this.sessions.end(command.clientId)
        return DONE
      case 'noop':
        return DONE
    }
  }

  readonly #emit = (event: Uint8Array): void => {
    this.events.add(this.#slot, event)
  }
}

/** Client ids are ASCII; the core has no TextEncoder. */
function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
