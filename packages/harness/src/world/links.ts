/** The faults of the network between servers: which frames arrive, when, and how often. One instance rules one cluster. */
import type { Prng } from '@synod/paxos/internal/protocol/prng'

/** What one direction of one link does to frames. */
export interface LinkFaults {
  readonly cut: boolean
  /** ms, at least and up to so much more. */
  readonly delay: number
  readonly jitter: number
  /** Probabilities. */
  readonly drop: number
  readonly duplicate: number
  readonly reorder: number
  /** A re-ordered frame comes up to so much later (ms). */
  readonly reorderBy: number
  readonly bytesPerSecond: number
  /** What is sent before this moment arrives after it (ms). */
  readonly cloggedUntil: number
}

export const WHOLE: LinkFaults = {
  cut: false,
  delay: 0,
  jitter: 0,
  drop: 0,
  duplicate: 0,
  reorder: 0,
  reorderBy: 50,
  bytesPerSecond: Infinity,
  cloggedUntil: 0,
}

/** When a link unclogs, what was held back arrives within so many ms, in any order. */
const UNCLOGGING = 20

export class Links {
  readonly #prng: Prng
  readonly #now: () => number
  readonly #servers: number
  readonly #links = new Map<number, LinkFaults>()
  /** When a throttled link has sent all that it was given (ms). */
  readonly #busyUntil = new Map<number, number>()

  /** @param now ms, the clock that `cloggedUntil` is read by */
  constructor(servers: number, prng: Prng, now: () => number) {
    this.#servers = servers
    this.#prng = prng
    this.#now = now
  }

  of(from: number, to: number): LinkFaults {
    return this.#links.get(this.#key(from, to)) ?? WHOLE
  }

  isCut(from: number, to: number): boolean {
    return this.of(from, to).cut
  }

  /** Changes one direction of links; without `from` those from all, without `to` those to all. */
  set(from: number | undefined, to: number | undefined, faults: Partial<LinkFaults>): void {
    for (const [a, b] of this.#directions(from, to)) this.#links.set(this.#key(a, b), { ...this.of(a, b), ...faults })
  }

  /** Cuts every link between servers that are in no group together, and mends the cuts of all others. */
  partition(groups: readonly (readonly number[])[]): void {
    for (const [a, b] of this.#directions(undefined, undefined)) {
      const cut = !groups.some((group) => group.includes(a) && group.includes(b))
      if (cut !== this.isCut(a, b)) this.set(a, b, { cut })
    }
  }

  /** Whether nothing is wrong with these links. */
  areWhole(from?: number, to?: number): boolean {
    for (const [a, b] of this.#directions(from, to)) if (this.#links.has(this.#key(a, b))) return false
    return true
  }

  /** Ends all faults of one direction; without `from` and `to` of all links. */
  heal(from?: number, to?: number): void {
    for (const [a, b] of this.#directions(from, to)) {
      this.#links.delete(this.#key(a, b))
      this.#busyUntil.delete(this.#key(a, b))
    }
  }

  /** After how many ms the copies of a frame arrive, besides what the way takes anyhow; none if it is lost. */
  deliver(from: number, to: number, bytes: number): number[] {
    const faults = this.#links.get(this.#key(from, to))
    if (faults === undefined) return [0]
    if (faults.cut || this.#prng.chance(faults.drop)) return []
    const waits = this.#wait(from, to, bytes, faults)
    const delays = [waits + this.#delay(faults)]
    if (this.#prng.chance(faults.duplicate)) delays.push(waits + this.#delay(faults))
    return delays
  }

  /** What a slow or clogged link adds. */
  #wait(from: number, to: number, bytes: number, faults: LinkFaults): number {
    const now = this.#now()
    if (now < faults.cloggedUntil) return faults.cloggedUntil - now + this.#prng.float() * UNCLOGGING
    if (faults.bytesPerSecond === Infinity) return 0
    const key = this.#key(from, to)
    const free = Math.max(now, this.#busyUntil.get(key) ?? 0) + (bytes / faults.bytesPerSecond) * 1000
    this.#busyUntil.set(key, free)
    return free - now
  }

  #delay({ delay, jitter, reorder, reorderBy }: LinkFaults): number {
    const late = this.#prng.chance(reorder) ? this.#prng.float() * reorderBy : 0
    return delay + (jitter > 0 ? this.#prng.float() * jitter : 0) + late
  }

  *#directions(from: number | undefined, to: number | undefined): Iterable<readonly [number, number]> {
    for (let a = 0; a < this.#servers; a++) {
      for (let b = 0; b < this.#servers; b++) {
        if (a !== b && (from ?? a) === a && (to ?? b) === b) yield [a, b]
      }
    }
  }

  #key(from: number, to: number): number {
    return from * this.#servers + to
  }
}
