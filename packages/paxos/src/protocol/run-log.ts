/** Runs in slot order, at most one pvalue a slot: what an acceptor remembers. */
import type { Run, Slot } from './command.js'
import { commandBytes, lastSlot } from './command.js'

export class RunLog {
  readonly #runs: Run[] = []
  #bytes = 0

  /** Bytes of all commands in it. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds a run; where it overlaps older ones, it replaces them. */
  put(run: Run): void {
    this.#bytes += runBytes(run)
    const last = this.#runs.at(-1)
    if (last === undefined || lastSlot(last) < run.first) {
      this.#runs.push(run)
      return
    }
    const end = lastSlot(run)
    const begin = this.#search(run.first)
    const pieces: Run[] = [run]
    let overlapping = 0
    for (let old = this.#runs[begin]; old !== undefined && old.first <= end; old = this.#runs[begin + ++overlapping]) {
      this.#bytes -= runBytes(old)
      if (old.first < run.first) pieces.unshift(clip(old, old.first, run.first - 1))
      if (lastSlot(old) > end) pieces.push(clip(old, end + 1, lastSlot(old)))
    }
    for (const piece of pieces) if (piece !== run) this.#bytes += runBytes(piece)
    this.#runs.splice(begin, overlapping, ...pieces)
  }

  /** The run that holds this slot. */
  find(slot: Slot): Run | undefined {
    const index = this.#search(slot)
    const run = this.#runs[index]
    return run !== undefined && run.first <= slot ? run : undefined
  }

  /** All runs that end at or above this slot; the first of them may begin below it. */
  *from(slot: Slot): Iterable<Run> {
    for (let index = this.#search(slot); ; index++) {
      const run = this.#runs[index]
      if (run === undefined) return
      yield run
    }
  }

  /** Forgets the runs that lie below this slot. */
  trim(below: Slot): void {
    let count = 0
    for (let run = this.#runs[0]; run !== undefined && lastSlot(run) < below; run = this.#runs[++count])
      this.#bytes -= runBytes(run)
    this.#runs.splice(0, count)
  }

  /** Index of the first run that ends at or above the slot. */
  #search(slot: Slot): number {
    let low = 0
    let high = this.#runs.length
    const first = this.#runs[low]
    if (first !== undefined && lastSlot(first) >= slot) return low // nearly always: the replica asks in slot order
    while (low < high) {
      const middle = (low + high) >> 1
      const run = this.#runs[middle]
      if (run !== undefined && lastSlot(run) < slot) low = middle + 1
      else high = middle
    }
    return low
  }
}

function runBytes({ commands }: Run): number {
  let bytes = 0
  for (const command of commands) bytes += commandBytes(command)
  return bytes
}

/** The part of a run from slot `first` to slot `last`. */
export function clip(run: Run, first: Slot, last: Slot): Run {
  if (first <= run.first && last >= lastSlot(run)) return run
  return { ballot: run.ballot, first, commands: run.commands.slice(first - run.first, last - run.first + 1) }
}
