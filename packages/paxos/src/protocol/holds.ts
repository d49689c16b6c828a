/** For servers that are far behind: decisions that are to be there when they have installed a snapshot. */
import type { ServerId } from './ballot.js'
import type { Slot } from './command.js'

/** Decisions are held for a server while it was heard of within so long (ms). */
const HOLD = 30_000

export class Holds {
  readonly #holds = new Map<ServerId, { readonly from: Slot; readonly at: number }>()

  /** The first slot that is held for any of them; Infinity if none is. */
  get first(): Slot {
    let first = Infinity
    for (const { from } of this.#holds.values()) first = Math.min(first, from)
    return first
  }

  /** This slot and those behind it are held for a server. */
  hold(server: ServerId, from: Slot, now: number): void {
    this.#holds.set(server, { from, at: now })
  }

  /** A server for which some are held asks for those from this slot on. */
  asked(server: ServerId, from: Slot, now: number): void {
    if (this.#holds.has(server)) this.hold(server, from, now)
  }

  /** A server has executed all slots below: what lies there is not held for it any more, nor anything once it is level. */
  reached(server: ServerId, decided: Slot, isLevel: boolean): void {
    const hold = this.#holds.get(server)
    if (hold === undefined || decided <= hold.from) return
    if (isLevel) this.#holds.delete(server)
    else this.#holds.set(server, { ...hold, from: decided })
  }

  /** Lets go what is held for servers that were not heard of for long. */
  expire(now: number): void {
    for (const [server, { at }] of this.#holds) if (now - at > HOLD) this.#holds.delete(server)
  }
}
