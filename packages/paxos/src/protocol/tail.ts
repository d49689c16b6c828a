/** The last decisions: what a replica can tell those that lag (the paper's 4.1), bounded (4.2). */
import type { Command, Slot } from './command.js'
import { commandBytes, NOOP } from './command.js'
import type { Limits } from './config.js'

/**
 * While it is held for a server that installs a snapshot, it may grow to so many times its bounds. That need not do: meanwhile
 * that server's own acceptor takes in what is proposed, so a second snapshot, if it comes to that, joins on to what is there.
 */
const HELD = 4

export class Tail {
  readonly #limits: Pick<Limits, 'tailCommands' | 'tailBytes'>
  #commands: Command[] = []
  /** Commands before this index are dropped; they leave the array in bulk. */
  #head = 0
  /** The slot of the command at the head. */
  #first: Slot = 1
  #bytes = 0

  constructor(limits: Pick<Limits, 'tailCommands' | 'tailBytes'>) {
    this.#limits = limits
  }

  /** The oldest slot that is here; {@link next} if none is. */
  get first(): Slot {
    return this.#first
  }

  /** The slot behind the last one. */
  get next(): Slot {
    return this.#first + this.#commands.length - this.#head
  }

  at(slot: Slot): Command | undefined {
    return slot < this.#first ? undefined : this.#commands[this.#head + slot - this.#first]
  }

  /**
   * Adds the command of the next slot, and drops the oldest ones that are too many.
   *
   * @param held what is not to be dropped if it can be avoided: this slot and those behind it
   */
  push(command: Command, held: Slot): void {
    this.#commands.push(command)
    this.#bytes += commandBytes(command)
    const { tailCommands, tailBytes } = this.#limits
    for (;;) {
      const bound = this.#first < held ? 1 : HELD
      const tooMany = this.#commands.length - this.#head > tailCommands * bound || this.#bytes > tailBytes * bound
      if (!tooMany) break
      const oldest = this.#commands[this.#head]
      if (oldest === undefined) break
      this.#bytes -= commandBytes(oldest)
      this.#commands[this.#head] = NOOP // it may be large
      this.#head++
      this.#first++
    }
    if (this.#head > 1024 && this.#head * 2 > this.#commands.length) {
      this.#commands = this.#commands.slice(this.#head)
      this.#head = 0
    }
  }

  /** Forgets everything: the next command is that of this slot. */
  reset(next: Slot): void {
    this.#commands = []
    this.#head = this.#bytes = 0
    this.#first = next
  }
}
