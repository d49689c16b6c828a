/** The replicated state machine as the replica sees it: operations and results are bytes here. */
import type { Result, Slot } from './command.js'

/** Executes operations. Must be deterministic: the same operations in the same order give the same results. */
export interface StateMachine {
  /** Executes a decided operation, exactly once, in slot order. A throw stops the server. */
  execute(slot: Slot, clientId: string, op: Uint8Array): Result
}
