/** The last decisions: what a replica can tell those that lag (the paper's 4.1), bounded (4.2). */
import type { Command, Slot } from './command.js'
import { commandBytes, NOOP } from './command.js'
import type { Limits } from './config.js'

/**
 * While it is held for a server that installs a snapshot, it may grow to so many times its bounds. That need not do: meanwhile
 * that server's own acceptor takes in what is proposed, so a second snapshot, if it comes to that, joins on to what is there.
 */
const HELD = 4

/** Bytes of operations in a slab, and commands, at most. */
const SLAB_BYTES = 64 << 10
const SLAB_COMMANDS = 4096
/** Operations of more bytes are kept as they are. */
const SMALL = 1024

/**
 * Commands one behind the other, small operations in one piece of memory: tens of thousands of objects that live for a
 * while would cost more than much of the rest of an operation, and each might keep all that alive which came with it.
 */
interface Slab {
  readonly first: Slot
  readonly bytes: Uint8Array
  /** Of each command: its client, if it is a small operation; else the command itself. */
  readonly whose: (string | Command)[]
  readonly localIds: number[]
  readonly acked: number[]
  /** Where its operation ends. */
  readonly ends: number[]
}

export class Tail {
  readonly #limits: Pick<Limits, 'tailCommands' | 'tailBytes'>
  #slabs: Slab[] = []
  /** The oldest slot that is here. */
  #first: Slot = 1
  #next: Slot = 1
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
    return this.#next
  }

  at(slot: Slot): Command | undefined {
    if (slot < this.#first || slot >= this.#next) return undefined
    let [low, high] = [0, this.#slabs.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#slabs[middle]?.first ?? 0) <= slot) low = middle
      else high = middle - 1
    }
    const slab = this.#slabs[low]
    return slab === undefined ? undefined : commandAt(slab, slot - slab.first)
  }

  /**
   * Adds the command of the next slot, and drops the oldest ones that are too many.
   *
   * @param held what is not to be dropped if it can be avoided: this slot and those behind it
   */
  push(command: Command, held: Slot): void {
    const isSmall = command.kind === 'op' && command.op.length <= SMALL
    const slab = this.#slabWith(isSmall ? command.op.length : 0)
    const start = slab.ends.at(-1) ?? 0
    slab.whose.push(isSmall ? command.clientId : command)
    slab.localIds.push(isSmall ? command.localId : 0)
    slab.acked.push(isSmall ? command.acked : 0)
    slab.ends.push(isSmall ? start + command.op.length : start)
    if (isSmall) slab.bytes.set(command.op, start)
    this.#next++
    this.#bytes += commandBytes(command)
    const { tailCommands, tailBytes } = this.#limits
    for (;;) {
      const bound = this.#first < held ? 1 : HELD
      const tooMany = this.#next - this.#first > tailCommands * bound || this.#bytes > tailBytes * bound
      if (!tooMany || this.#first === this.#next) return
      this.#dropOldest()
    }
  }

  /** Forgets everything: the next command is that of this slot. */
  reset(next: Slot): void {
    this.#slabs = []
    this.#bytes = 0
    this.#first = this.#next = next
  }

  /** The last slab, if there is room in it for one more command with so many bytes; else a new one. */
  #slabWith(bytes: number): Slab {
    const last = this.#slabs.at(-1)
    if (last !== undefined && last.ends.length < SLAB_COMMANDS && (last.ends.at(-1) ?? 0) + bytes <= SLAB_BYTES)
      return last
    const slab = { first: this.#next, bytes: new Uint8Array(SLAB_BYTES), whose: [], localIds: [], acked: [], ends: [] }
    this.#slabs.push(slab)
    return slab
  }

  #dropOldest(): void {
    const slab = this.#slabs[0]
    if (slab === undefined) return
    const index = this.#first - slab.first
    const whose = slab.whose[index] ?? NOOP
    const length = (slab.ends[index] ?? 0) - (slab.ends[index - 1] ?? 0)
    this.#bytes -= typeof whose === 'string' ? length + commandBytes(NOOP) : commandBytes(whose)
    slab.whose[index] = NOOP // it may be large
    this.#first++
    if (index + 1 === slab.ends.length) this.#slabs.shift()
  }
}

function commandAt(slab: Slab, index: number): Command | undefined {
  const whose = slab.whose[index]
  if (typeof whose !== 'string') return whose
  const op = slab.bytes.subarray(slab.ends[index - 1] ?? 0, slab.ends[index])
  return { kind: 'op', clientId: whose, localId: slab.localIds[index] ?? 0, acked: slab.acked[index] ?? 0, op }
}
