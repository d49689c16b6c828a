/** The last decisions: what a replica can tell those that lag (the paper's 4.1), bounded (4.2). */
import type { Command, Slot } from './command.js'
import { commandBytes, NOOP } from './command.js'
import type { Limits } from './config.js'
import { Slab } from './slab.js'

/**
 * While it is held for a server that installs a snapshot, it may grow to so many times its bounds. That need not do: meanwhile
 * that server's own acceptor takes in what is proposed, so a second snapshot, if it comes to that, joins on to what is there.
 */
const HELD = 4

/** Bytes of operations in a part, and commands, at most. */
const PART_BYTES = 64 << 10
const PART_COMMANDS = 1024
/** Operations of more bytes are kept as they are. */
const SMALL = 1024

/** Commands one behind the other, small operations in one piece of memory; no other would keep all that alive which came with it. */
interface Part {
  /** The slot of its first command. */
  first: Slot
  /** Their operations; empty ones for those that are kept as they are. */
  readonly ops: Slab
  /** Of each command: its client, if it is a small operation; else the command itself. */
  readonly whose: (string | Command)[]
  readonly localIds: number[]
  readonly acked: number[]
}

const NOTHING = new Uint8Array(0)

export class Tail {
  readonly #limits: Pick<Limits, 'tailCommands' | 'tailBytes'>
  #parts: Part[] = []
  /** The part that was emptied last, to be filled again. */
  #spare: Part | undefined
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
    let [low, high] = [0, this.#parts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#parts[middle]?.first ?? 0) <= slot) low = middle
      else high = middle - 1
    }
    const part = this.#parts[low]
    return part === undefined ? undefined : commandAt(part, slot - part.first)
  }

  /**
   * Adds the command of the next slot, and drops the oldest ones that are too many.
   *
   * @param held what is not to be dropped if it can be avoided: this slot and those behind it
   */
  push(command: Command, held: Slot): void {
    const isSmall = command.kind === 'op' && command.op.length <= SMALL
    const part = this.#partWith(isSmall ? command.op.length : 0)
    const index = part.ops.count
    part.whose[index] = isSmall ? command.clientId : command
    part.localIds[index] = isSmall ? command.localId : 0
    part.acked[index] = isSmall ? command.acked : 0
    part.ops.push(isSmall ? command.op : NOTHING)
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
    this.#parts = []
    this.#bytes = 0
    this.#first = this.#next = next
  }

  /** The last part, if there is room in it for one more command with so many bytes; else a new one. */
  #partWith(bytes: number): Part {
    const last = this.#parts.at(-1)
    if (last !== undefined && last.ops.count < PART_COMMANDS && last.ops.fits(bytes)) return last
    const part = this.#spare ?? { first: 0, ops: new Slab(PART_BYTES), whose: [], localIds: [], acked: [] }
    this.#spare = undefined
    part.first = this.#next
    this.#parts.push(part)
    return part
  }

  #dropOldest(): void {
    const part = this.#parts[0]
    if (part === undefined) return
    const index = this.#first - part.first
    const whose = part.whose[index] ?? NOOP
    this.#bytes -= typeof whose === 'string' ? part.ops.lengthOf(index) + commandBytes(NOOP) : commandBytes(whose)
    part.whose[index] = NOOP // it may be large
    this.#first++
    if (index + 1 < part.ops.count) return
    this.#parts.shift()
    if (part.ops.clear()) this.#spare = part
  }
}

function commandAt({ ops, whose, localIds, acked }: Part, index: number): Command | undefined {
  const clientId = whose[index]
  if (typeof clientId !== 'string') return clientId
  return { kind: 'op', clientId, localId: localIds[index] ?? 0, acked: acked[index] ?? 0, op: ops.at(index) }
}
