/**
 * Scenarios at random: the same seed draws the same one. Each seed turns some kinds of fault off entirely, so that those
 * that are left get deeper (swarm testing: Groce, Zhang, Eide, Chen, Regehr, ISSTA '12).
 */
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Fault, Scenario, Step, StepOf } from '../scenario/schema.js'
import { FAULTS } from '../scenario/schema.js'
import type { DrawnFault } from './faults.js'
import { drawFault, drawSuccession } from './faults.js'

export interface DrawOptions {
  /** How many servers there may be. */
  readonly servers?: readonly number[]
  /** Only these kinds of fault; by default the seed chooses. */
  readonly faults?: readonly Fault[]
  readonly service?: 'kvstore' | 'chatroom'
  /** Operations in all; by default the seed chooses (20 to 200). */
  readonly operations?: number
}

/** Keeps a scenario's own chance apart from that of the run, which has the same seed. */
const SALT = 0x5eed_0000_0000
const LISTENERS = 0x0feed_0000_0000
const PEOPLE = 0x0face_0000_0000
const LEASES = 0x1ea5e_0000_0000
const LATER = 0x1a7e_0000_0000
const STALE = 0x057a1e_0000_0000
const SIZES: readonly number[] = [3, 3, 3, 3, 4, 5, 5]
/** How long chaos lasts, and within what time all must be well again afterwards (ms). */
const CHAOS = 8_000
const HEALING = 60_000
/** A leader's lease, in the seeds that have them (ms): a little less than an election takes. */
const LEASE = 80
/** What the whole network may have, for as long as chaos lasts. */
const BASE: readonly Fault[] = ['Delay', 'Drop', 'Duplicate', 'Reorder']
/** These are on in more seeds than others, and drawn more often. */
const LIKELY: readonly Fault[] = ['Crash', 'Partition']
/** What is lost by these has to be repaired: fewer seeds have all of them. */
const DAMAGE: readonly Fault[] = ['Corrupt', 'Misdirect']
/** These are on in most seeds. */
const USUAL: readonly Fault[] = ['Snapshot', 'Repair']
/** These are drawn apart from the others, which are the same with them and without. */
const APART: readonly Fault[] = ['Transfer', 'Sever']

/** Draws the scenario of a seed. */
export function drawScenario(seed: number, options: DrawOptions = {}): Scenario {
  const prng = new Prng(seed + SALT)
  const servers = prng.pick(options.servers ?? SIZES)
  const lease = part(seed, LEASES).chance(0.3) ? LEASE : 0
  const kinds = (options.faults ?? drawKinds(prng)).filter((kind) => lease === 0 || kind !== 'ClockJump')
  const operations = options.operations ?? 20 + prng.below(181)
  const service = options.service ?? 'kvstore'
  // An eighth comes after healing, so that each run has something to show for itself.
  const late = Math.min(operations - 1, Math.ceil(operations / 8))
  const base = drawBase(prng, kinds)
  const timeline = new Timeline()
  // Some seeds are about leaders that succeed one another, and little else.
  const disputed = servers === 3 && LIKELY.every((kind) => kinds.includes(kind)) && prng.chance(0.6)
  const windows = disputed ? [{ at: 0, lasts: 2_000 }] : drawWindows(prng, operations - late)
  const stale = service === 'kvstore' && part(seed, STALE).chance(0.2)
  const load = { servers, crowded: disputed, operations: operations - late, service, stale }
  addWorkloads(timeline, prng, windows, load)
  const faults = { servers, kinds, base, lease, count: prng.pick(disputed ? [0, 3] : [3, 6, 12, 20]) }
  if (kinds.length > 0) addFaults(timeline, prng, windows, faults)
  const apart = options.faults === undefined ? addApart(timeline, part(seed, LATER), { servers, base, lease }) : []
  addListeners(timeline, part(seed, LISTENERS), servers)
  if (service === 'chatroom') addPeople(timeline, part(seed, PEOPLE), servers)
  if (disputed) timeline.add(prng.below(300), [...drawSuccession(prng, 3 + prng.below(4)), ...base])
  // A server that is damaged before the cluster is formed would keep it from being formed.
  const damages = kinds.some((kind) => kind === 'Repair' || DAMAGE.includes(kind))
  const calm = disputed || damages || prng.chance(0.5)
  const start: Step[] = [{ type: 'Start' }, ...(calm ? [{ type: 'Wait', for: 'leader' } as const] : []), ...base]
  const description = `${servers} servers, ${operations} operations, ${kinds.length + apart.length === 0 ? 'no faults' : [...kinds, ...apart].join(', ')}${lease > 0 ? ', leases' : ''}`
  const steps = [...start, ...timeline.steps(CHAOS), ...healing(timeline.paused, damages ? servers : 0, late, service)]
  return { name: `seed ${seed}`, description, servers, seed, small: true, ...(lease > 0 && { lease }), steps }
}

/** Chance of its own, so that what is drawn by it changes nothing else of a seed. */
function part(seed: number, salt: number): Prng {
  return new Prng(seed + salt)
}

/** Which kinds are on: few, some, or most of them. */
function drawKinds(prng: Prng): Fault[] {
  const most = prng.pick([0.15, 0.35, 0.6])
  const chanceOf = (kind: Fault): number => {
    if (USUAL.includes(kind)) return 0.7
    return DAMAGE.includes(kind) ? most / 2 + 0.1 : LIKELY.includes(kind) ? most + 0.25 : most
  }
  return FAULTS.filter((kind) => !APART.includes(kind) && prng.chance(chanceOf(kind)))
}

/** What the whole network is like. */
function drawBase(prng: Prng, kinds: readonly Fault[]): Step[] {
  const on = BASE.filter((kind) => kinds.includes(kind) && prng.chance(0.7))
  return on.map((kind): Step => {
    if (kind === 'Delay') return { type: 'Delay', ms: prng.pick([0, 1, 5]), jitter: prng.pick([1, 10, 30]) }
    if (kind === 'Reorder') return { type: 'Reorder', rate: rate(prng), ms: prng.pick([10, 50]) }
    return kind === 'Drop' ? { type: 'Drop', rate: rate(prng) } : { type: 'Duplicate', rate: rate(prng) }
  })
}

/** 0.01 to 0.2. */
function rate(prng: Prng): number {
  return (1 + prng.below(20)) / 100
}

/** When operations are sent (ms). */
interface Window {
  readonly at: number
  readonly lasts: number
}

function drawWindows(prng: Prng, most: number): Window[] {
  const count = Math.min(prng.pick([1, 1, 2, 3]), most)
  return Array.from({ length: count }, () => {
    return { at: prng.pick([0, prng.below(CHAOS - 2_000)]), lasts: prng.pick([500, 1_000, 2_000, 8_000]) }
  })
}

interface Load {
  readonly servers: number
  /** Many clients, and some at every server. */
  readonly crowded: boolean
  readonly operations: number
  readonly service: 'kvstore' | 'chatroom'
  /** Some reads may be stale. */
  readonly stale: boolean
}

/** Bursts of operations; between them, and where few clients send little, sessions are idle for long enough to be evicted. */
function addWorkloads(timeline: Timeline, prng: Prng, windows: readonly Window[], load: Load): void {
  const { servers, crowded, operations, service, stale } = load
  const bursts = windows.length
  const keys = prng.pick([1, 2, 3, 5])
  for (const [burst, { at, lasts }] of windows.entries()) {
    const share = Math.floor((operations * (burst + 1)) / bursts) - Math.floor((operations * burst) / bursts)
    const pinned = !crowded && prng.chance(0.3) ? { id: prng.below(servers) } : {}
    timeline.add(at, [
      {
        type: 'Workload',
        clients: prng.pick(crowded ? [5, 8] : [1, 2, 3, 5, 8]),
        operations: share,
        rate: Math.ceil((share * 1_000) / lasts),
        ...(service === 'kvstore' && { keys }),
        mix: { ...drawMix(prng, service), ...(stale && { stale: 2 }) },
        timeout: prng.pick([1_000, 10_000, 20_000]),
        ...pinned,
      },
    ])
  }
}

function drawMix(prng: Prng, service: Load['service']): NonNullable<StepOf<'Workload'>['mix']> {
  if (service === 'chatroom') return drawChatMix(prng)
  const mix = { read: prng.pick([1, 3]), write: prng.pick([1, 3]) }
  const [cas, remove, list] = [prng.pick([0, 1, 3]), prng.pick([0, 1]), prng.pick([0, 0, 0, 1])]
  return { ...mix, ...(cas > 0 && { cas }), ...(remove > 0 && { delete: remove }), ...(list > 0 && { list }) }
}

/** Half of the seeds only post and read. */
function drawChatMix(prng: Prng): NonNullable<StepOf<'Workload'>['mix']> {
  const mix = { append: prng.pick([1, 3]), read: prng.pick([1, 3]) }
  if (prng.chance(0.5)) return mix
  const [edit, erase, people] = [prng.pick([1, 3]), prng.pick([0, 1]), prng.pick([0, 1])]
  return { ...mix, edit, ...(erase > 0 && { erase }), ...(people > 0 && { join: 2, leave: 1, who: 2 }) }
}

interface Faults {
  readonly servers: number
  readonly kinds: readonly Fault[]
  /** What healing a link takes away with it. */
  readonly base: readonly Step[]
  readonly lease: number
  /** How many. */
  readonly count: number
}

/** Faults for random times, most of them while operations are sent. */
function addFaults(
  timeline: Timeline,
  prng: Prng,
  windows: readonly Window[],
  { servers, kinds, base, lease, count }: Faults,
): void {
  const add = ({ begin, end }: DrawnFault, lasts: number): void => {
    const busy = prng.pick(windows)
    const at = prng.chance(0.8) ? busy.at + prng.below(busy.lasts) : prng.below(CHAOS)
    timeline.add(at, begin)
    timeline.add(at + lasts, [...end, ...(healsLinks(end) ? base : [])])
  }
  const weighted = [
    ...kinds,
    ...kinds.filter((kind) => LIKELY.includes(kind)),
    ...kinds.filter((kind) => kind === 'Crash'),
  ]
  for (let number = 0; number < count; number++) {
    // Any server may be damaged: the simulator spares those that would be too many at a time.
    const frail = Array.from({ length: servers < 3 ? 0 : servers }, (_, id) => id)
    const fault = drawFault(prng, servers, prng.pick(weighted), { world: 'simulator', frail, steady: lease > 0 })
    add(fault, prng.float() * prng.pick([20, 200, 1_500, 4_000]))
  }
}

/** What the whole network has goes with that. */
function healsLinks(steps: readonly Step[]): boolean {
  return steps.some((step) => step.type === 'Heal' && step.id === undefined)
}

/** Each of these kinds is in two seeds of five; gives those that are. */
function addApart(timeline: Timeline, prng: Prng, faults: Pick<Faults, 'servers' | 'base' | 'lease'>): Fault[] {
  const { servers, base, lease } = faults
  const kinds = APART.filter(() => prng.chance(0.4))
  for (const kind of kinds) {
    for (let count = prng.pick([1, 2, 4, 8]); count > 0; count--) {
      const { begin, end } = drawFault(prng, servers, kind, { world: 'simulator', steady: lease > 0 })
      const at = prng.below(CHAOS)
      timeline.add(at, begin)
      timeline.add(at + prng.float() * prng.pick([20, 200, 1_500]), [...end, ...(healsLinks(end) ? base : [])])
    }
  }
  return kinds
}

/** Two seeds in five have subscribers: some that begin with the first slot, some now; some know one server, some all. */
function addListeners(timeline: Timeline, prng: Prng, servers: number): void {
  if (!prng.chance(0.4)) return
  const count = 1 + prng.below(4)
  for (let id = 0; id < count; id++) {
    const at = prng.pick([0, prng.below(CHAOS)])
    const known = prng.chance(0.4) ? prng.below(servers) : null
    const from = prng.pick(['now', 1, 1] as const)
    timeline.add(at, [{ type: 'Subscribe', id, ...(known !== null && { servers: [known] }), from }])
    if (prng.chance(0.2)) timeline.add(at + prng.below(4_000), [{ type: 'Unsubscribe', id }])
  }
}

/** One seed in three has people who come into a room, and leave it in one way or another. */
function addPeople(timeline: Timeline, prng: Prng, servers: number): void {
  if (!prng.chance(0.35)) return
  const all = Array.from({ length: servers }, (_, id) => id)
  const count = 1 + prng.below(servers)
  for (let id = 0; id < count; id++) {
    for (let at = prng.below(3_000), stay = 0; at < CHAOS - 2_000 && stay < 3; stay++) {
      const lasts = prng.pick([0, 100, 2_000, CHAOS])
      const end = prng.pick(['Vanish', 'Vanish', 'Disconnect', 'Leave'] as const)
      timeline.add(at, [
        { type: 'Connect', id, servers: all, timeout: 1_000 },
        { type: 'Join', id },
      ])
      timeline.add(at + lasts / 2, [{ type: 'Who', id, timeout: 500 }])
      timeline.add(at + lasts, [{ type: end, id }])
      at += lasts + prng.pick([10, 1_000])
    }
  }
}

/**
 * Everything ends, and all must be well again: the clients get their answers, and the servers agree.
 *
 * @param damaged so many servers may have lost something
 */
function healing(paused: readonly number[], damaged: number, operations: number, service: Load['service']): Step[] {
  const mix = service === 'kvstore' ? { read: 1, write: 1 } : { read: 1, append: 1 }
  const last: Step = { type: 'Workload', clients: 2, operations, mix, timeout: 20_000 }
  const all = Array.from({ length: damaged }, (_, id) => id)
  return [
    { type: 'Heal' },
    ...paused.map((id): Step => ({ type: 'Resume', id })),
    // A server whose disk has just failed is still ending: it must be down to be started.
    { type: 'Sleep', ms: 1_000 },
    { type: 'Start' },
    ...repairs(all),
    ...(operations > 0 ? [last] : []),
    { type: 'Wait', for: 'workload', timeout: HEALING },
    // A disk that failed while nothing was written was found out only now.
    ...(damaged > 0 ? ([{ type: 'Sleep', ms: 1_000 }, { type: 'Start' }] as const) : []),
    ...all.map((id): Step => ({ type: 'Wait', for: 'serving', id, timeout: HEALING })),
    { type: 'Wait', for: 'convergence', timeout: HEALING },
  ]
}

/** Who has not come back by itself is repaired; also from damage that nobody could tell from a torn write. */
function repairs(ids: readonly number[]): Step[] {
  if (ids.length === 0) return []
  const starts = ids.map((id): Step => ({ type: 'Start', id, repair: true }))
  const wiped = ids.flatMap((id): Step[] => [
    { type: 'Wipe', id },
    { type: 'Start', id, repair: true },
  ])
  const pause: Step = { type: 'Sleep', ms: 2_000 }
  return [pause, ...starts, pause, ...wiped]
}

/** Steps at their moments (ms), which become a list with Sleeps in between. */
class Timeline {
  readonly #events: { readonly at: number; readonly steps: readonly Step[] }[] = []

  add(at: number, steps: readonly Step[]): void {
    this.#events.push({ at: Math.round(at / 10) * 10, steps })
  }

  /** The servers that are paused at any time. */
  get paused(): number[] {
    const steps = this.#events.flatMap((event) => event.steps)
    return [
      ...new Set(steps.flatMap((step) => (step.type === 'Pause' && typeof step.id === 'number' ? [step.id] : []))),
    ]
  }

  /** What would be later than the end comes at the end. */
  steps(end: number): Step[] {
    const steps: Step[] = []
    let now = 0
    for (const event of this.#events.toSorted((a, b) => a.at - b.at)) {
      if (event.steps.length === 0) continue
      const at = Math.min(event.at, end)
      if (at > now) steps.push({ type: 'Sleep', ms: at - now })
      steps.push(...event.steps)
      now = at
    }
    if (now < end) steps.push({ type: 'Sleep', ms: end - now })
    return steps
  }
}
