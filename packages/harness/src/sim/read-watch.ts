/** Judges what servers read from their states: it must be what the service as it should be answers after the same slot. */
import type { ServerId } from '@synod/paxos/internal/protocol/ballot'
import type { Slot } from '@synod/paxos/internal/protocol/command'
import type { Reference } from './reference.js'
import { Violation } from './violation.js'

export class ReadWatch {
  readonly #reference: Reference
  /** By server: one that stood where the server did when it read last. A server that lags is no hurry for the others' ones. */
  readonly #past: Reference[] = []

  constructor(reference: Reference) {
    this.#reference = reference
  }

  /** A server reads, from a state of which it says that this slot is the last in it. Throws {@link Violation}. */
  read(server: ServerId, slot: Slot, op: unknown, outcome: Uint8Array): void {
    const wrong = (what: string): Violation =>
      new Violation('reads', `server ${server} reads ${JSON.stringify(op)} after slot ${slot}, ${what}`)
    if (slot >= this.#reference.next) throw wrong('for which nothing is durable on a majority')
    const reference = this.#reference.after(slot, this.#past[server])
    if (reference !== this.#reference) this.#past[server] = reference
    if (Buffer.compare(outcome, reference.answer(op)) !== 0)
      throw wrong('and it comes to something else than it should')
  }
}
