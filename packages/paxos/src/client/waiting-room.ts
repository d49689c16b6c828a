/** Calls that have no place in the session yet, in the order in which they came. */
import type { Call } from './call.js'

/** So many calls, and bytes of their operations, wait at most. */
const MAX_CALLS = 16_384
const MAX_BYTES = 64 << 20

export class WaitingRoom {
  readonly #calls = new Set<Call>()
  #bytes = 0

  get size(): number {
    return this.#calls.size
  }

  get isFull(): boolean {
    return this.#calls.size >= MAX_CALLS || this.#bytes >= MAX_BYTES
  }

  add(call: Call): void {
    this.#calls.add(call)
    this.#bytes += call.op.length
  }

  delete(call: Call): void {
    if (this.#calls.delete(call)) this.#bytes -= call.op.length
  }

  [Symbol.iterator](): Iterator<Call> {
    return this.#calls.values()
  }
}
