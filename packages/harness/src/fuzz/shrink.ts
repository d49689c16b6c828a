/** Makes a failing scenario smaller: fewer servers, fewer steps, fewer operations, shorter pauses; as long as it still fails. */
import { isDeepStrictEqual } from 'node:util'
import type { Expectation, Scenario, Step } from '../scenario/schema.js'

export interface ShrinkOptions {
  /** So many runs at most (300). */
  readonly runs?: number
  /** No new run is begun after so long (ms of real time). */
  readonly ms?: number
  /** So many seeds are tried for each smaller scenario (3), since what is left out shifts all chance behind it. */
  readonly seeds?: number
}

/** The smallest scenario that was found to fail. `fails` should tell whether it fails in the same way. */
export async function shrink(
  scenario: Scenario,
  fails: (scenario: Scenario) => Promise<boolean>,
  options: ShrinkOptions = {},
): Promise<Scenario> {
  const shrinker = new Shrinker(scenario, fails, options)
  await shrinker.run()
  const { best } = shrinker
  return isDeepStrictEqual(best, scenario) ? scenario : { ...best, description: `shrunk from: ${scenario.description}` }
}

class Shrinker {
  best: Scenario
  readonly #fails: (scenario: Scenario) => Promise<boolean>
  readonly #seeds: number
  readonly #deadline: number
  #runs: number
  /** Whether clients send something: then that stays so, for a run without operations means nothing, even once it holds. */
  readonly #sends: boolean
  /** What was tried already, without its seed. */
  readonly #tried = new Set<string>()

  constructor(
    scenario: Scenario,
    fails: (scenario: Scenario) => Promise<boolean>,
    { runs = 300, ms = Infinity, seeds = 3 }: ShrinkOptions,
  ) {
    this.best = scenario
    this.#sends = sends(scenario)
    this.#fails = fails
    this.#seeds = seeds
    this.#runs = runs
    this.#deadline = performance.now() + ms
  }

  async run(): Promise<void> {
    for (let before: Scenario | null = null; before !== this.best;) {
      before = this.best
      await this.#servers()
      await this.#steps()
      await this.#numbers()
    }
  }

  async #servers(): Promise<void> {
    for (let id = this.best.servers - 1; id >= 0 && this.best.servers > 1; id--) await this.#try(without(this.best, id))
  }

  /** Leaves out parts of the steps, at first large ones (Zeller and Hildebrandt's ddmin). */
  async #steps(): Promise<void> {
    for (let size = Math.ceil(removable(this.best.steps) / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < removable(this.best.steps);) {
        const { steps } = this.best
        const rest = [...steps.slice(0, at), ...steps.slice(Math.min(at + size, removable(steps)))]
        if (!(await this.#try({ ...this.best, steps: rest }))) at += size
      }
    }
  }

  async #numbers(): Promise<void> {
    for (let index = 0; index < this.best.steps.length; index++) {
      const step = this.best.steps[index]
      for (const [field, least] of step === undefined ? [] : fieldsOf(step)) await this.#lower(index, field, least)
    }
  }

  /** Lowers a number of a step: to the least that makes sense, or else halfway again and again. */
  async #lower(index: number, field: string, least: number): Promise<void> {
    const with_ = (value: number): Scenario => {
      return { ...this.best, steps: this.best.steps.with(index, { ...this.best.steps[index], [field]: value } as Step) }
    }
    const value = (): number => Number(this.best.steps[index]?.[field as keyof Step])
    if (value() <= least || (await this.#try(with_(least)))) return
    for (;;) {
      const half = round((value() + least) / 2)
      if (half >= value() || half <= least || !(await this.#try(with_(half)))) return
    }
  }

  /** Whether the candidate fails, too, at one seed or another: then it is the best from now on. */
  async #try(candidate: Scenario): Promise<boolean> {
    if (candidate.steps.length === 0 || (this.#sends && !sends(candidate))) return false
    const { seed, ...rest } = candidate
    const key = JSON.stringify(rest)
    if (this.#tried.has(key)) return false
    this.#tried.add(key)
    for (let shift = 0; shift < this.#seeds; shift++) {
      if (this.#runs <= 0 || performance.now() > this.#deadline) return false
      this.#runs--
      const shifted = { ...candidate, seed: seed + shift }
      if (!(await this.#fails(shifted))) continue
      this.best = shifted
      return true
    }
    return false
  }
}

function sends({ steps }: Scenario): boolean {
  return steps.some(({ type }) => SENDING.includes(type))
}

const SENDING: readonly Step['type'][] = [
  ...(['Workload', 'Get', 'Set', 'Delete', 'Cas', 'List', 'Submit'] as const),
  ...(['Put', 'Edit', 'Erase', 'Join', 'Leave', 'Who'] as const),
]

/** Numbers that may be lower, and how low. */
function fieldsOf(step: Step): readonly (readonly [field: string, least: number])[] {
  const fields = FIELDS[step.type] ?? []
  return fields.filter(([field]) => typeof step[field as keyof Step] === 'number')
}

const FIELDS: Partial<Record<Step['type'], readonly (readonly [string, number])[]>> = {
  Workload: [
    ['operations', 1],
    ['clients', 1],
    ['keys', 1],
  ],
  Nemesis: [['duration', 0]],
  Sleep: [['ms', 0]],
  Delay: [
    ['ms', 0],
    ['jitter', 0],
  ],
  Drop: [['rate', 0]],
  Duplicate: [['rate', 0]],
  Reorder: [['rate', 0]],
  Clog: [['ms', 0]],
  SlowDisk: [['ms', 0]],
}

/** Whole from 1 on, else with two digits. */
function round(value: number): number {
  return value >= 1 ? Math.floor(value) : Math.floor(value * 100) / 100
}

/** So many steps, from the first on, may be left out: those that heal everything in the end, and wait, are what liveness means. */
function removable(steps: readonly Step[]): number {
  const heal = steps.findLastIndex(
    (step) => step.type === 'Heal' && step.from === undefined && step.to === undefined && step.id === undefined,
  )
  const ending = heal >= 0 && steps.slice(heal + 1).every(({ type }) => ENDING.includes(type))
  return ending ? heal : steps.length
}

const ENDING: readonly Step['type'][] = ['Resume', 'Sleep', 'Start', 'Wipe', 'Workload', 'Wait', 'Expect']

/** The scenario without a server: those above it move down by one, and the steps that are about it are left out. */
function without(scenario: Scenario, gone: number): Scenario {
  const { expect, ...rest } = scenario
  const kept = expect === undefined ? null : renumbered(expect, gone)
  const servers = scenario.servers - 1
  const steps = scenario.steps.flatMap((step) => {
    const changed = renumbered(step, gone)
    if (changed === null) return []
    return changed.type === 'Start' && changed.count !== undefined ? [{ ...changed, count: servers }] : [changed]
  })
  return { ...rest, servers, steps, ...(kept !== null && { expect: kept }) }
}

/** null if it is about that server. */
function renumbered<T extends Step | Expectation>(step: T, gone: number): T | null {
  const lists = (list: readonly number[]): number[] =>
    list.filter((id) => id !== gone).map((id) => (id > gone ? id - 1 : id))
  const changed: Record<string, unknown> = { ...step }
  // A feed's id is its own, and it begins with a slot.
  const isFeed = 'type' in step && (step.type === 'Subscribe' || step.type === 'Unsubscribe')
  for (const field of isFeed ? [] : ['id', 'from', 'to']) {
    const id = changed[field]
    if (id === gone) return null
    if (typeof id === 'number' && id > gone) changed[field] = id - 1
  }
  for (const field of ['equal', 'ended', 'servers']) {
    if (Array.isArray(changed[field])) changed[field] = lists(changed[field] as number[])
  }
  if (Array.isArray(changed['servers']) && changed['servers'].length === 0) return null
  if (Array.isArray(changed['groups'])) {
    changed['groups'] = (changed['groups'] as number[][]).map(lists).filter((group) => group.length > 0)
    if ((changed['groups'] as number[][]).length === 0) return null
  }
  return changed as T
}
