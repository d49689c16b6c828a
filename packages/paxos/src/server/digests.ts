/**
 * What this server's state came to at each mark of the log: servers whose states are the same have the same digest there,
 * in whatever order their states yield their entries.
 */
import { hash } from 'node:crypto'
import type { Clock } from '../clock.js'
import { packValue } from '../codec/values.js'
import type { Slot } from '../protocol/command.js'
import type { StateHolder } from '../service/state-holder.js'
import type { StateDigest } from '../transport/wire.js'
import { Slices } from './slices.js'

/** Digests that are kept, of the last marks. */
const KEPT = 16
/** Marks whose digests are not made yet, at most: each holds a view of the state. */
const MAX_WAITING = 4
/** No turn is held longer than about `longest`. */
const SLICES = { longest: 4, steps: 32, rest: 1 }
/** Entries of one step. */
const ENTRIES = 128

/** A mark's digest, known or under way; null if there will be none. */
type Known = Promise<StateDigest | null>

const NONE: Known = Promise.resolve(null)

export class Digests {
  readonly #holder: StateHolder
  readonly #clock: Clock
  readonly #warn: (text: string) => void
  /** By slot, the oldest first. */
  readonly #known = new Map<Slot, Known>()
  #waiting = 0
  /** The end of what is under way. */
  #last: Promise<unknown> = Promise.resolve()
  #stopped = false

  constructor(holder: StateHolder, clock: Clock, warn: (text: string) => void) {
    this.#holder = holder
    this.#clock = clock
    this.#warn = warn
  }

  /** From here on digests are made. (Before, old marks of the log are executed again.) */
  begin(): void {
    this.#holder.onMark = (slot, chain) => this.#mark(slot, chain)
  }

  stop(): void {
    this.#stopped = true
    this.#holder.onMark = null
  }

  /** The digest at a mark, once it is known; null if it never will be here. */
  digest(slot: Slot): Promise<StateDigest | null> {
    return this.#known.get(slot) ?? Promise.resolve(null)
  }

  #mark(slot: Slot, chain: string): void {
    this.#known.set(slot, this.#make(chain))
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT) return
      this.#known.delete(oldest)
    }
  }

  #make(chain: string): Known {
    const sum = new Sum()
    try {
      const { entries, pieces } = this.#holder.snapshot()
      if (pieces) return this.#waiting < MAX_WAITING ? this.#makeLater(entries, sum, chain) : NONE
      const iterator = entries[Symbol.iterator]()
      while (sum.addSome(iterator));
      return Promise.resolve(sum.digest(chain))
    } catch (error) {
      return this.#none(error)
    }
  }

  /** Digests are made one after the other, each of a view that is fixed. */
  #makeLater(entries: Iterable<unknown>, sum: Sum, chain: string): Known {
    this.#waiting++
    const before = this.#last
    const made = this.#inSlices(before, entries, sum)
      .then(
        (whole) => (whole ? sum.digest(chain) : null),
        (error: unknown) => this.#none(error),
      )
      .finally(() => this.#waiting--)
    this.#last = made
    return made
  }

  /** False if it was stopped. */
  async #inSlices(before: Promise<unknown>, entries: Iterable<unknown>, sum: Sum): Promise<boolean> {
    await before
    const slices = new Slices(this.#clock, SLICES)
    await slices.rest()
    const iterator = entries[Symbol.iterator]()
    while (slices.do(() => sum.addSome(iterator))) {
      if (slices.over) await slices.rest()
      if (this.#stopped) return false
    }
    return true
  }

  /** The state was only read: the server can go on. */
  #none(error: unknown): Known {
    this.#warn(`there is no digest of the state: ${error instanceof Error ? error.message : String(error)}`)
    return NONE
  }
}

/** The sum of the entries' hashes, whatever their order. */
class Sum {
  #high = 0
  #low = 0
  #entries = 0

  /** Adds some more entries; false if there are no more. */
  addSome(entries: Iterator<unknown>): boolean {
    for (let left = ENTRIES; left > 0; left--) {
      const next = entries.next()
      if (next.done === true) return false
      this.#add(next.value)
    }
    return true
  }

  #add(entry: unknown): void {
    const digest = hash('sha1', packValue(entry), 'buffer')
    this.#high = (this.#high + digest.readUInt32BE(0)) >>> 0
    this.#low = (this.#low + digest.readUInt32BE(4)) >>> 0
    this.#entries++
  }

  digest(chain: string): StateDigest {
    return { chain, state: hex(this.#high) + hex(this.#low), entries: this.#entries }
  }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}
