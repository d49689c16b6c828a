/** What goes wrong in a simulation: drawn by its seed, some kinds switched off entirely (swarm testing, Groce et al., ISSTA '12). */
import type { Prng } from '@synod/paxos/internal/protocol/prng'

/** Rates and sizes of one simulation's faults. */
export interface FaultMix {
  /** Probability that a frame between servers is lost. */
  readonly loss: number
  /** Probability that one arrives twice. */
  readonly duplication: number
  /** Delay of a frame (ms): at least, and up to as much more. Unequal delays re-order frames. */
  readonly delay: number
  readonly jitter: number
  /** Mean time between two new partitions (ms); 0: none. */
  readonly partitions: number
  /** Mean time between two crashes (ms); 0: none. */
  readonly crashes: number
  /** Probability that a crash takes the machine's power, and with it what was not synced; else the process alone dies. */
  readonly powerLoss: number
  /** Probability that a server that sends a p1a or a p2a crashes soon after: while its own promise or vote is being written. */
  readonly ambush: number
  /** How long a disk operation takes (ms): up to. */
  readonly diskDelay: number
  /** Probability that a server's disk is ten times as slow. */
  readonly slowDisks: number
}

/** Draws a mix; each kind is off with a probability of its own. */
export function drawFaults(prng: Prng): FaultMix {
  const maybe = (probability: number, value: () => number): number => (prng.chance(probability) ? value() : 0)
  return {
    loss: maybe(0.6, () => prng.float() * 0.2),
    duplication: maybe(0.5, () => prng.float() * 0.2),
    delay: 0.1 + prng.float() * 2,
    jitter: maybe(0.7, () => prng.float() * 30),
    partitions: maybe(0.6, () => 300 + prng.float() * 3000),
    crashes: maybe(0.7, () => 200 + prng.float() * 3000),
    powerLoss: prng.pick([0, 0.5, 1]),
    ambush: maybe(0.4, () => prng.float() * 0.1),
    diskDelay: prng.pick([0.2, 2, 20]),
    slowDisks: maybe(0.4, () => prng.float()),
  }
}

/** Which links between servers carry frames, and how. Endpoints are addresses. */
export class Links {
  readonly #prng: Prng
  readonly #mix: FaultMix
  readonly #cut = new Set<string>()
  #calm = false

  constructor(prng: Prng, mix: FaultMix) {
    this.#prng = prng
    this.#mix = mix
  }

  /** Cuts the way from one endpoint to another; the way back stays. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`)
  }

  /** All links carry again what they are given, with the usual loss. */
  heal(): void {
    this.#cut.clear()
  }

  /** From now on nothing is lost or doubled any more. */
  calm(): void {
    this.heal()
    this.#calm = true
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from}>${to}`)
  }

  /** When the copies of a frame between servers arrive (ms from now): none if it is lost. */
  deliver(from: string, to: string): number[] {
    if (this.isCut(from, to)) return []
    if (this.#calm) return [this.#mix.delay]
    if (this.#prng.chance(this.#mix.loss)) return []
    const delays = [this.#delay()]
    if (this.#prng.chance(this.#mix.duplication)) delays.push(this.#delay())
    return delays
  }

  #delay(): number {
    return this.#mix.delay + this.#prng.float() * this.#mix.jitter
  }

  /** Draws a partition: two halves, one server alone, one link, in both directions or in one; several may add up. */
  partition(addresses: readonly string[]): void {
    const kind = this.#prng.below(4)
    const oneWay = this.#prng.chance(0.3)
    const sides = addresses.map(() => this.#prng.chance(0.5))
    const alone = this.#prng.below(addresses.length)
    const other = (alone + 1 + this.#prng.below(addresses.length - 1)) % addresses.length
    addresses.forEach((from, i) => {
      addresses.forEach((to, j) => {
        const apart =
          kind === 0 ? sides[i] === true && sides[j] === false : kind === 1 ? i === alone : i === alone && j === other
        if (i === j || !apart) return
        this.cut(from, to)
        if (!oneWay) this.cut(to, from)
      })
    })
  }
}
