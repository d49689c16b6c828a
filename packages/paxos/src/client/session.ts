/** One session of a client's, as the client keeps it: the numbers of its commands, and those without an outcome. */
import { ByNumber } from '../protocol/by-number.js'
import { SESSION_WINDOW } from '../protocol/session.js'
import type { Call } from './call.js'

/** Bytes of operations that one session has under way at most; one operation may be larger. */
const BYTES_IN_FLIGHT = 16 << 20

export class Session {
  /** 32 hexadecimal digits. */
  readonly nonce: string
  /** What the cluster calls it; undefined until that is known. */
  clientId: string | undefined
  /** Calls without an outcome, by their local ids. */
  readonly pending = new ByNumber<Call>()
  #last = 0
  #acked = 0
  #bytes = 0

  constructor(nonce: string) {
    this.nonce = nonce
  }

  /** The outcomes of all commands up to this one are known, or not wanted any more. */
  get acked(): number {
    return this.#acked
  }

  /** Whether one more call may be numbered: the replicated table takes in only so many above the watermark. */
  hasRoom(): boolean {
    return this.#last + 1 - this.#acked < SESSION_WINDOW && this.#bytes < BYTES_IN_FLIGHT
  }

  add(call: Call): void {
    call.localId = ++this.#last
    this.pending.set(call.localId, call)
    this.#bytes += call.op.length
  }

  remove(call: Call): void {
    if (!this.pending.delete(call.localId)) return
    this.#bytes -= call.op.length
    while (this.#acked < this.#last && !this.pending.has(this.#acked + 1)) this.#acked++
  }
}
