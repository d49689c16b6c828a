/** Many scenarios at random, in many processes; each kind of failure that turns up is shrunk once. */
import type { Scenario } from '../scenario/schema.js'
import type { DrawOptions } from './draw.js'
import { drawScenario } from './draw.js'
import type { Failure, Outcome } from './outcome.js'
import type { Pool } from './pool.js'
import { shrink } from './shrink.js'

export interface FuzzOptions extends DrawOptions {
  /** In the order in which they are begun. */
  readonly seeds: Iterable<number>
  readonly pool: Pool
  /** No new seed is begun after so long (ms of real time). */
  readonly ms?: number
  /** How long a failure may be shrunk (ms of real time, 60,000); 0: not at all. */
  readonly shrinking?: number
}

/** A seed that failed. */
export interface Found {
  readonly seed: number
  readonly failure: Failure
  /** The smallest scenario that fails in the same way; as drawn, where another seed has that kind of failure already. */
  readonly scenario: Scenario
  /** That other seed. */
  readonly like: number | null
}

export interface FuzzObserver {
  /** A seed is done. */
  seed?(totals: Totals): void
  /** A failure turned up; it is going to be shrunk. */
  failed?(seed: number, failure: Failure): void
  /** It was shrunk, or needs not be. Fuzzing ends if this rejects. */
  found?(found: Found): Promise<void>
}

export interface Totals {
  seeds: number
  operations: number
  crashes: number
  events: number
  /** ms of virtual time, all seeds together. */
  simulated: number
  readonly found: Found[]
}

/** Hanging or dying processes are not worth shrinking: each try would cost as much as the first. */
const UNSHRINKABLE: readonly string[] = ['hang', 'process']

export async function fuzz(options: FuzzOptions, observer: FuzzObserver = {}): Promise<Totals> {
  const { pool, ms = Infinity } = options
  const server = options.service ?? 'kvstore'
  const totals: Totals = { seeds: 0, operations: 0, crashes: 0, events: 0, simulated: 0, found: [] }
  const deadline = performance.now() + ms
  const seeds = options.seeds[Symbol.iterator]()
  /** By check: the first seed that failed it. */
  const known = new Map<string, number>()
  const one = async (seed: number): Promise<void> => {
    const scenario = drawScenario(seed, options)
    const outcome = await pool.run(scenario, server)
    add(totals, outcome)
    observer.seed?.(totals)
    const { failure } = outcome
    if (failure === null) return
    observer.failed?.(seed, failure)
    const like = known.get(failure.check) ?? null
    if (like === null) known.set(failure.check, seed)
    const smaller = like === null ? await shrunk(scenario, failure, options, server) : scenario
    const found = { seed, failure, scenario: smaller, like }
    totals.found.push(found)
    await observer.found?.(found)
  }
  const work = async (): Promise<void> => {
    for (let next = seeds.next(); next.done !== true; next = seeds.next()) {
      await one(next.value)
      if (performance.now() > deadline) return
    }
  }
  await Promise.all(Array.from({ length: pool.jobs }, work))
  return totals
}

async function shrunk(scenario: Scenario, failure: Failure, options: FuzzOptions, server: string): Promise<Scenario> {
  const { shrinking = 60_000, pool } = options
  if (shrinking === 0 || UNSHRINKABLE.includes(failure.check)) return scenario
  const fails = async (candidate: Scenario): Promise<boolean> => {
    const outcome = await pool.run(candidate, server)
    return outcome.failure?.check === failure.check
  }
  return shrink(scenario, fails, { ms: shrinking })
}

function add(totals: Totals, { operations, crashes, events, elapsed }: Outcome): void {
  totals.seeds++
  totals.operations += operations
  totals.crashes += crashes
  totals.events += events
  totals.simulated += elapsed
}
