/**
 * Watches one process's replica: what it executes, from which state on. A snapshot that it installs takes the place of all
 * that was executed up to the snapshot's slot. Every method throws {@link Violation} when a rule is broken.
 */
import type { ServerId } from '@synod/paxos/internal/protocol/ballot'
import type { Slot } from '@synod/paxos/internal/protocol/command'
import { stateDiffers } from './image.js'
import type { Reference } from './reference.js'
import { Violation } from './violation.js'

export class ReplicaWatch {
  readonly #server: ServerId
  readonly #reference: Reference
  /** How many of the reference's executions lie behind it. */
  #position = 0
  /** The last slot that it executed. */
  #last: Slot = 0
  /** Of the snapshot that was read into the present state; 0 without one. */
  #installed: Slot = 0

  constructor(server: ServerId, reference: Reference) {
    this.#server = server
    this.#reference = reference
  }

  /** A new, empty state takes the place of the one before. */
  made(): void {
    this.#installed = 0
    this.#position = 0
  }

  /** A snapshot was read to its end: it is what is in the state now. */
  read(slot: Slot): void {
    this.#installed = slot
    this.#position = this.#reference.positionBehind(slot)
  }

  /** The state is about to execute for the first time, and holds this: what the snapshot says that was read into it. */
  begins(entries: readonly unknown[]): void {
    if (this.#installed > 0 && stateDiffers(entries, this.#reference.image(this.#installed).entries))
      throw new Violation(
        'installation',
        `server ${this.#server} goes on behind slot ${this.#installed} from another state than the one after that slot`,
      )
  }

  /** It executes an operation; `outcome` as the observed service tells it. */
  executed(slot: Slot, clientId: string, op: unknown, outcome: Uint8Array): void {
    if (slot <= this.#installed)
      throw new Violation(
        'exactly-once',
        `server ${this.#server} executed slot ${slot}, which is in the snapshot through slot ${this.#installed} already`,
      )
    if (slot < this.#last)
      throw new Violation('R4', `server ${this.#server} executed slot ${slot} after slot ${this.#last}`)
    this.#last = slot
    this.#reference.compare(this.#server, this.#position++, slot, clientId, op, outcome)
  }
}
