/** Virtual time: events in order of their moment, and in order of their making where the moments are equal. */
import type { Clock } from '@synod/paxos/internal/clock'
import type { Prng } from '@synod/paxos/internal/protocol/prng'

/** What is later is later by this at least (ms): a rest of 10⁻¹³ ms would vanish in the sum, and be asked for without end. */
const RESOLUTION = 0.001

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

/**
 * Events for which Node is asked at once. Between two callbacks of `setImmediate` it lets every promise go on that can,
 * as after any event; asking for many of them at a time saves a turn of its loop for each.
 */
const AT_ONCE = 64

export class VirtualTime {
  readonly #prng: Prng
  readonly #heap: Event[] = []
  /** Events of this moment, in the order of their making: most are, so they need no heap. */
  #due: Event[] = []
  #nextDue = 0
  #now = 0
  #order = 0
  #handled = 0

  constructor(prng: Prng) {
    this.#prng = prng
  }

  /** In ms since the simulation began. */
  get now(): number {
    return this.#now
  }

  /** Events that were handled so far. */
  get handled(): number {
    return this.#handled
  }

  /** Calls after `ms` of virtual time; returns what cancels it. */
  after(ms: number, call: () => void): () => void {
    const event: Event = {
      at: this.#now + (ms > 0 ? Math.max(ms, RESOLUTION) : 0),
      order: this.#order++,
      call,
      cancelled: false,
    }
    if (event.at === this.#now) this.#due.push(event)
    else this.#push(event)
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

  /**
   * Handles events until the condition holds, or until the given moment; true if the condition held. After each event every
   * promise that can go on goes on, before the condition is looked at and the next event is handled.
   */
  runUntil(condition: () => boolean, deadline: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let over = false
      const end = (held: boolean): void => {
        over = true
        resolve(held)
      }
      const step = (): void => {
        if (over) return
        try {
          if (condition()) end(true)
          else if (!this.#handle(deadline)) end(false)
        } catch (error) {
          over = true
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
      const steps = (): void => {
        if (over) return
        for (let i = 0; i < AT_ONCE; i++) setImmediate(step)
        setImmediate(steps)
      }
      steps()
    })
  }

  /** Handles the next event; false if there is none until the deadline, which it is then. */
  #handle(deadline: number): boolean {
    const event = this.#take(deadline)
    if (event === undefined) {
      if (deadline < Infinity) this.#now = Math.max(this.#now, deadline)
      return false
    }
    this.#now = event.at
    this.#handled++
    event.call()
    return true
  }

  #take(deadline: number): Event | undefined {
    for (;;) {
      const due = this.#due[this.#nextDue]
      const later = this.#heap[0]
      const first = due !== undefined && (later === undefined || before(due, later)) ? due : later
      if (first === undefined || first.at > deadline) return undefined
      if (first === due) this.#shift()
      else this.#pop()
      if (!first.cancelled) return first
    }
  }

  #shift(): void {
    if (++this.#nextDue < this.#due.length) return
    this.#due = []
    this.#nextDue = 0
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

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
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
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
