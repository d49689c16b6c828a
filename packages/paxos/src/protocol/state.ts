/** The replicated state machine as the replica sees it: operations, results and events are bytes here. */
import type { Result, Slot } from './command.js'

/** Takes an event of the slot that is being executed. */
export type Emit = (event: Uint8Array) => void

/** Executes operations. Must be deterministic: the same operations in the same order give the same results and events. */
export interface StateMachine {
  /** Executes a decided operation, exactly once, in slot order. A throw stops the server. */
  execute(slot: Slot, clientId: string, op: Uint8Array, emit: Emit): Result
  /** A session has ended, by the command of this slot. A throw stops the server. */
  ended(slot: Slot, clientId: string, emit: Emit): void
  /** The slot is a mark: the state as it is now is to be compared with that of the others. `chain`: the chain's hash after it. */
  mark(slot: Slot, chain: string): void
}
