/** What the decisions come to, in slot order: sessions, the state machine, and its events. All of it is replicated state. */
import { Chain } from './audit.js'
import type { Command, Result, Slot } from './command.js'
import { EventRing } from './event-ring.js'
import { SessionTable } from './session.js'
import type { CoreSnapshot } from './snapshot.js'
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
  readonly chain = new Chain()
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
    this.chain.add(slot, command)
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
      case 'mark':
        this.#machine.mark(slot, this.chain.end.hash)
        return { status: 'ok', value: ascii(String(slot)) }
      case 'noop':
        return DONE
    }
  }

  /** What an operation came to that was executed already; undefined if it was not, or that is not known. */
  outcome(command: Command): Result | undefined {
    return command.kind === 'op' ? this.sessions.lookup(command) : undefined
  }

  /** The same for many commands, and for those that open sessions, too. */
  outcomes(): (command: Command) => Result | undefined {
    const byNonce = new Map<string, string>()
    for (const clientId of this.sessions.clientIds) byNonce.set(clientId.slice(clientId.indexOf('.') + 1), clientId)
    return (command) => {
      const clientId = command.kind === 'open' ? byNonce.get(command.nonce) : undefined
      return clientId === undefined ? this.outcome(command) : { status: 'ok', value: ascii(clientId) }
    }
  }

  /** As it is now, after that slot; see {@link CoreSnapshot}. */
  capture(): Pick<CoreSnapshot, 'sessions' | 'events'> {
    return { sessions: this.sessions.capture(), events: this.events.snapshot() }
  }

  /** Takes over what a snapshot holds; the state machine has its part already. */
  install({ head, sessions, events }: CoreSnapshot): void {
    this.#slot = head.slot
    this.sessions.restore(sessions)
    this.events.restore(events)
    this.chain.restore(head.chain, head.block)
  }

  readonly #emit = (event: Uint8Array): void => {
    this.events.add(this.#slot, event)
  }
}

/** Client ids are ASCII; the core has no TextEncoder. */
function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
