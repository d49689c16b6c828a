/**
 * One life of a simulated process: what it scheduled, and what reaches it from outside. It can be paused, as by SIGSTOP,
 * and ended, as by SIGKILL; its clock can jump, and run at another speed than the others'.
 */
import type { Cancel, Clock } from '@synod/paxos/internal/clock'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Life, VirtualTime } from './time.js'

interface Timer {
  /** By the process's own clock (ms). */
  due: number
  readonly call: () => void
  cancelled: boolean
  cancelEvent: Cancel
}

export class ProcessLife implements Life {
  readonly clock: Clock
  readonly #time: VirtualTime
  readonly #timers = new Set<Timer>()
  #state: 'running' | 'paused' | 'resuming' | 'ended' = 'running'
  /** What waits for the process to go on, in order. */
  #held: (() => void)[] = []
  /** The process's clock was at this reading … */
  #reading: number
  /** … at this virtual time (ms), and has run at this many times its speed since. */
  #since: number
  #rate: number

  constructor(time: VirtualTime, prng: Prng, rate = 1) {
    this.#time = time
    this.#rate = rate
    this.#since = time.now
    this.#reading = prng.float() * 1000 // no two processes' clocks begin alike
    this.clock = {
      now: () => this.#now(),
      after: (ms, call) => this.#after(ms, call),
      defer: (call) => {
        time.after(0, () => this.enter(call))
      },
      random: (bytes) => {
        const drawn = new Uint8Array(bytes)
        for (let i = 0; i < bytes; i++) drawn[i] = prng.below(256)
        return drawn
      },
    }
  }

  get paused(): boolean {
    return this.#state === 'paused'
  }

  /** Something happens to the process: now, or once it goes on, and then in the order in which it came; never after its end. */
  enter(call: () => void): void {
    if (this.#state === 'running') call()
    else if (this.#state !== 'ended') this.#held.push(call)
  }

  pause(): void {
    if (this.#state !== 'ended') this.#state = 'paused'
  }

  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'resuming'
    this.#catchUp()
  }

  end(): void {
    this.#state = 'ended'
    this.#held = []
    for (const timer of this.#timers) timer.cancelEvent()
    this.#timers.clear()
  }

  /**
   * Moves the clock by so many ms. Forward: what is due by then happens at once. Back: what was asked for still happens
   * after the time that it was asked for, as with a timer of the kernel's.
   */
  jump(ms: number): void {
    this.#setClock(this.#now() + ms, this.#rate)
    if (ms < 0) for (const timer of this.#timers) timer.due += ms
    else this.#reschedule()
  }

  /** Lets the clock run at so many times its speed from now on. */
  setRate(rate: number): void {
    this.#setClock(this.#now(), rate)
    this.#reschedule()
  }

  #now(): number {
    return this.#reading + (this.#time.now - this.#since) * this.#rate
  }

  #setClock(reading: number, rate: number): void {
    this.#reading = reading
    this.#since = this.#time.now
    this.#rate = rate
  }

  #after(ms: number, call: () => void): Cancel {
    if (this.#state === 'ended') return () => undefined
    const timer: Timer = { due: this.#now() + ms, call, cancelled: false, cancelEvent: () => undefined }
    this.#timers.add(timer)
    this.#schedule(timer, ms / this.#rate)
    return () => {
      timer.cancelled = true
      timer.cancelEvent()
      this.#timers.delete(timer)
    }
  }

  #schedule(timer: Timer, ms: number): void {
    timer.cancelEvent = this.#time.after(ms, () => {
      this.#timers.delete(timer)
      this.enter(() => {
        if (!timer.cancelled) timer.call()
      })
    })
  }

  #reschedule(): void {
    const now = this.#now()
    for (const timer of [...this.#timers].sort((a, b) => a.due - b.due)) {
      timer.cancelEvent()
      this.#schedule(timer, (timer.due - now) / this.#rate)
    }
  }

  /** What was held happens one after the other, each an event of its own; what comes meanwhile waits behind it. */
  #catchUp(): void {
    this.#time.after(0, () => {
      if (this.#state !== 'resuming') return
      const next = this.#held.shift()
      if (next === undefined) {
        this.#state = 'running'
        return
      }
      next()
      this.#catchUp()
    })
  }
}
