/** A clock that a test turns by hand; its random bytes come from a seed. */
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Clock } from '@synod/paxos/internal/clock'

interface Timer {
  readonly at: number
  readonly call: () => void
}

export class ManualClock implements Clock {
  #now = 1000
  #deferred: (() => void)[] = []
  #timers: Timer[] = []
  readonly #prng = new Prng(7)

  now(): number {
    return this.#now
  }

  defer(call: () => void): void {
    this.#deferred.push(call)
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#now + ms, call }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  random(bytes: number): Uint8Array {
    return Uint8Array.from({ length: bytes }, () => this.#prng.below(256))
  }

  /** Lets everything happen that happens now, promises' continuations included. */
  async settle(): Promise<void> {
    for (;;) {
      for (let i = 0; i < 20; i++) await Promise.resolve()
      const deferred = this.#deferred
      if (deferred.length === 0) return
      this.#deferred = []
      for (const call of deferred) call()
    }
  }

  /** Lets everything happen that happens now, until the promise is settled. */
  async settling<T>(promise: Promise<T>): Promise<T> {
    await this.settle()
    return promise
  }

  /** Lets time pass, one timer after the other. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    await this.settle()
    for (;;) {
      const next = this.#timers.reduce<Timer | undefined>(
        (soonest, timer) => (timer.at <= end && (soonest === undefined || timer.at < soonest.at) ? timer : soonest),
        undefined,
      )
      if (next === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.#now = next.at
      next.call()
      await this.settle()
    }
    this.#now = end
  }
}
