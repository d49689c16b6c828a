/** Virtual time: events in order of their moment, and in order of their making where the moments are equal. */
import type { Clock } from '@synod/paxos/internal/clock'
import type { Prng } from '@synod/paxos/internal/protocol/prng'

interface Event {
  readonly at: number
  readonly order: number
  readonly call: () => void
  cancelled: boolean
}

/** What one life of a process scheduled: it ends with that life. */
export interface Life {
  readonly clock: Clock
  /** The process is gone: nothing that it scheduled happens any more. */
  end(): void
}

export class VirtualTime {
  readonly #prng: Prng
  readonly #heap: Event[] = []
  #now = 0
  #order = 0

  constructor(prng: Prng) {
    this.#prng = prng
  }

  /** In ms since the simulation began. */
  get now(): number {
    return this.#now
  }

  /** Events that were handled so far. */
  #handled = 0
  get handled(): number {
    return this.#handled
  }

  /** Calls after `ms` of virtual time; returns what cancels it. */
  after(ms: number, call: () => void): () => void {
    const event: Event = { at: this.#now + Math.max(0, ms), order: this.#order++, call, cancelled: false }
    this.#push(event)
    return () => {
      event.cancelled = true
    }
  }

  /** A clock for one life of a process. */
  life(): Life {
    let alive = true
    const guarded = (call: () => void) => () => {
      if (alive) call()
    }
    const clock: Clock = {
      now: () => this.#now,
      after: (ms, call) => this.after(ms, guarded(call)),
      defer: (call) => {
        this.after(0, guarded(call))
      },
      random: (bytes) => Uint8Array.from({ length: bytes }, () => this.#prng.below(256)),
    }
    return {
      clock,
      end: () => {
        alive = false
      },
    }
  }

  /** Handles events until the condition holds, or until the given moment; true if the condition held. */
  async runUntil(condition: () => boolean, deadline: number): Promise<boolean> {
    for (;;) {
      await settled()
      if (condition()) return true
      const event = this.#pop()
      if (event === undefined || event.at > deadline) {
        if (event !== undefined) this.#push(event)
        this.#now = Math.max(this.#now, deadline)
        return false
      }
      if (event.cancelled) continue
      this.#now = event.at
      this.#handled++
      event.call()
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    heap.push(event)
    let index = heap.length - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || before(above, event)) break
      heap[index] = above
      index = parent
    }
    heap[index] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let index = 0
    for (;;) {
      let child = index * 2 + 1
      const [left, right] = [heap[child], heap[child + 1]]
      if (left === undefined) break
      if (right !== undefined && before(right, left)) child++
      const below = heap[child]
      if (below === undefined || before(last, below)) break
      heap[index] = below
      index = child
    }
    heap[index] = last
    return top
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** Every promise that could go on has gone on: what is left waits for a later event. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
