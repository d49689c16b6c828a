/** Faults at random: for each kind the steps that begin one, and those that end it. */
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Fault, Step, Who } from '../scenario/schema.js'
import { DRIFT } from '../sim/drawn.js'
import type { World } from '../world/world.js'
import { corrupt, misdirect, repair, snapshot } from './disk-faults.js'
import { shuffled } from './shuffled.js'

/** A fault, as steps of a scenario. What ends by itself has no steps that end it. */
export interface DrawnFault {
  readonly begin: readonly Step[]
  readonly end: readonly Step[]
}

export interface FaultOptions {
  /** The simulator can do more: take a machine's power, and crash amid a disk operation or after a message. */
  readonly world: World['name']
  /**
   * The servers whose disks may be damaged, the same in one run. By default the last ones, fewer than a majority. They may be
   * all of them where somebody sees to it that no more than a minority is damaged at a time, as the simulator does.
   */
  readonly frail?: readonly number[]
  /** Leaders have leases: clocks do not jump, and are wrong by no more than leases bear in the simulator. */
  readonly steady?: boolean
}

/** What a fault is drawn from. */
export interface Draw {
  readonly prng: Prng
  readonly servers: number
  readonly simulated: boolean
  readonly frail: readonly number[]
  readonly steady: boolean
}

const NOTHING: DrawnFault = { begin: [], end: [] }

/** Draws a fault of this kind; one without steps where the cluster is too small for it. */
export function drawFault(prng: Prng, servers: number, kind: Fault, options: FaultOptions): DrawnFault {
  const frail = options.frail ?? Array.from({ length: minority(servers) }, (_, place) => servers - 1 - place)
  const { world, steady = false } = options
  return DRAW[kind]({ prng, servers, simulated: world === 'simulator', frail, steady })
}

/** As many servers as may be lost at a time. */
function minority(servers: number): number {
  return Math.ceil(servers / 2) - 1
}

const DRAW: Readonly<Record<Fault, (draw: Draw) => DrawnFault>> = {
  Crash: crash,
  Restart: ({ prng, servers }) => ({ begin: [{ type: 'Restart', id: someone(prng, servers) }], end: [] }),
  Pause: pause,
  Partition: partition,
  Cut: ({ prng, servers }) => {
    const [from, to] = shuffled(prng, servers)
    if (from === undefined || to === undefined) return NOTHING
    const oneWay = prng.chance(0.5)
    return { begin: [{ type: 'Cut', from, to, ...(oneWay && { oneWay }) }], end: [{ type: 'Heal', from, to }] }
  },
  Delay: (draw) => {
    const [ms, jitter] = [draw.prng.pick([1, 10, 50, 200]), draw.prng.pick([0, 10, 100])]
    return onLinks(draw, { type: 'Delay', ms, ...(jitter > 0 && { jitter }) })
  },
  Drop: (draw) => onLinks(draw, { type: 'Drop', rate: draw.prng.pick([0.05, 0.2, 0.5, 0.9]) }),
  Duplicate: (draw) => onLinks(draw, { type: 'Duplicate', rate: draw.prng.pick([0.1, 0.5, 1]) }),
  Reorder: (draw) => onLinks(draw, { type: 'Reorder', ...reorder(draw.prng) }),
  Throttle: (draw) => onLinks(draw, { type: 'Throttle', bytesPerSecond: draw.prng.pick([2_000, 20_000, 200_000]) }),
  Clog: clog,
  SlowDisk: onDisk(({ prng }, id) => ({ type: 'SlowDisk', id, ms: prng.pick([5, 20, 100, 400]) })),
  DiskFull: onDisk(({ prng }, id) => ({ type: 'DiskFull', id, room: prng.pick([0, 500, 5_000]) })),
  FsyncError: ({ prng, servers }) => {
    const id = prng.below(servers)
    const always = prng.chance(0.3)
    return {
      begin: [{ type: 'FsyncError', id, ...(always && { always }) }],
      end: [
        { type: 'Heal', id },
        { type: 'Start', id }, // it ended by itself
      ],
    }
  },
  Corrupt: corrupt,
  Misdirect: misdirect,
  Snapshot: snapshot,
  Repair: repair,
  // Far forth, but not far back: until a server's clock says again what it said before the jump, that server waits.
  ClockJump: ({ prng, servers, steady }) => {
    const [id, ms] = [prng.below(servers), prng.pick([-1_000, -100, 100, 1_000, 60_000, 3_600_000])]
    return steady ? NOTHING : { begin: [{ type: 'ClockJump', id, ms }], end: [] }
  },
  ClockRate: onDisk(({ prng, steady }, id) => {
    const rate = prng.pick(steady ? [1 - DRIFT, 0.9, 1.1, 1 + DRIFT] : [0.1, 0.5, 0.9, 1.1, 2, 10])
    return { type: 'ClockRate', id, rate }
  }),
  Transfer: transfer,
  Sever: sever,
}

/** One server, several, or all at once; at once, or (in the simulator) at a moment that hurts. */
function crash({ prng, servers, simulated }: Draw): DrawnFault {
  const how = { type: 'Crash' as const, ...(simulated && prng.chance(0.5) && { powerLoss: true }) }
  if (prng.chance(0.3)) {
    const count = prng.chance(0.5) ? servers : 1 + prng.below(servers)
    const ids = shuffled(prng, servers).slice(0, count)
    return { begin: ids.map((id) => ({ ...how, id })), end: [{ type: 'Start' }] }
  }
  if (simulated && prng.chance(0.2)) return crashThenPowerLoss(prng, servers)
  const ambush = simulated && prng.chance(0.6)
  const on = ambush && { on: prng.pick(['io', 'io', 'p1a', 'p1b', 'p2a', 'p2a', 'p2b', 'fetch', 'piece'] as const) }
  if (ambush && prng.chance(0.3)) {
    // Whoever leads next dies as it begins to, and whoever comes after it.
    return { begin: shuffled(prng, servers).map((id) => ({ ...how, id, ...on })), end: [{ type: 'Start' }] }
  }
  const id = someone(prng, servers)
  return { begin: [{ ...how, id, ...on }], end: [{ type: 'Start', ...(typeof id === 'number' && { id }) }] }
}

/** The machine follows its process, which may have come back: what that read was in the page cache, and perhaps only there. */
function crashThenPowerLoss(prng: Prng, servers: number): DrawnFault {
  const id = prng.below(servers)
  const back: Step[] = prng.chance(0.7) ? [{ type: 'Start', id }] : []
  const meanwhile: Step = { type: 'Sleep', ms: prng.pick([1, 5, 20, 100]) }
  const begin: Step[] = [{ type: 'Crash', id }, ...back, meanwhile, { type: 'Crash', id, powerLoss: true }]
  return { begin, end: [{ type: 'Start', id }] }
}

/** To a server that can take it, or to one that dies as it does, stands still, or does not hear of it. */
function transfer({ prng, servers, simulated }: Draw): DrawnFault {
  const id = prng.below(servers)
  const step: Step = { type: 'Transfer', id }
  const trouble = prng.chance(0.5) ? 'none' : prng.pick(['crash', 'pause', 'cut'] as const)
  if (trouble === 'crash' && simulated) {
    const on = prng.pick(['p1a', 'p1a', 'p1b', 'p2a', 'io'] as const)
    const crash: Step = { type: 'Crash', id, on, ...(prng.chance(0.3) && { powerLoss: true }) }
    return { begin: [crash, step], end: [{ type: 'Start', id }] }
  }
  if (trouble === 'pause') {
    return { begin: [{ type: 'Pause', id }, step, { type: 'Resume', id }], end: [] }
  }
  if (trouble === 'cut') {
    const oneWay = prng.chance(0.5)
    return { begin: [{ type: 'Cut', from: id, ...(oneWay && { oneWay }) }, step], end: [{ type: 'Heal', from: id }] }
  }
  return { begin: [prng.chance(0.5) ? step : { type: 'Transfer', id: 'follower' }], end: [] }
}

/** One pair of servers, all connections of one, or all there are; perhaps again before they are all back. */
function sever({ prng, servers }: Draw): DrawnFault {
  const [from, to] = shuffled(prng, servers)
  if (from === undefined || to === undefined) return NOTHING
  const where = prng.pick([{ from, to }, { from }, { from: 'leader' }, {}] as const)
  const step: Step = { type: 'Sever', ...where }
  const again: Step[] = prng.chance(0.3) ? [{ type: 'Sleep', ms: prng.pick([1, 5, 50, 300]) }, step] : []
  return { begin: [step, ...again], end: [] }
}

function pause({ prng, servers }: Draw): DrawnFault {
  const count = prng.chance(0.8) ? 1 : 1 + prng.below(servers)
  const ids = shuffled(prng, servers).slice(0, count)
  return { begin: ids.map((id) => ({ type: 'Pause', id })), end: ids.map((id) => ({ type: 'Resume', id })) }
}

/** Whole and partial partitions; the last three are those of Omni-Paxos (Ng, Haridi, Carbone, EuroSys '23). */
function partition({ prng, servers }: Draw): DrawnFault {
  if (servers < 2) return NOTHING
  const ids = shuffled(prng, servers)
  const [hub = 0, ...others] = ids
  const some = 1 + prng.below(servers - 1)
  const spokes = others.map((id) => [hub, id])
  const shapes: readonly (() => number[][])[] = [
    () => [ids.slice(0, some), ids.slice(some)], // two halves
    () => [[hub], others], // one server alone
    () => [ids.slice(0, some + 1), ids.slice(some)], // two halves, and a server that reaches both
    () => spokes, // quorum loss: only one server reaches a majority
    () => [...spokes.slice(1), others.slice(0, 1)], // constrained: likewise, and another one is alone
    () => others.map((id, place) => [ids[place] ?? 0, id]), // chained
  ]
  if (prng.chance(0.2)) return oneWay(prng, ids.slice(0, some), ids.slice(some))
  if (prng.chance(0.3)) return leaderAlone(prng, ids)
  const drawn = prng.pick(shapes)()
  const groups = apart(ids, drawn).length > 0 ? drawn : [[hub], others] // two or three servers have not all shapes
  const sorted = groups.map((group) => group.toSorted((a, b) => a - b))
  return { begin: [{ type: 'Partition', groups: sorted }], end: healed(apart(ids, groups)) }
}

/** The links between servers that are in no group together. */
function apart(ids: readonly number[], groups: readonly (readonly number[])[]): (readonly [number, number])[] {
  const together = (a: number, b: number): boolean => groups.some((group) => group.includes(a) && group.includes(b))
  return ids.flatMap((a) => ids.filter((b) => a < b && !together(a, b)).map((b) => [a, b] as const))
}

/** Whoever leads is cut off, or heard by nobody, or hears nobody. */
function leaderAlone(prng: Prng, ids: readonly number[]): DrawnFault {
  const how = prng.pick([{ from: 'leader' }, { from: 'leader', oneWay: true }, { to: 'leader', oneWay: true }] as const)
  return { begin: [{ type: 'Cut', ...how }], end: healed(apart(ids, [])) }
}

/**
 * A disputed succession among three servers, again and again: the leader is cut off with what it has proposed, and whoever
 * leads next dies as it begins to. So the two that are left hold commands of several ballots for one slot. (Of more servers
 * a majority would go on without the one that was cut off.) For the simulator.
 */
export function drawSuccession(prng: Prng, rounds: number): Step[] {
  const steps: Step[] = []
  for (let round = 0; round < rounds; round++) {
    const oneWay = prng.chance(0.5)
    const how = { type: 'Crash', on: 'p2a', ...(prng.chance(0.3) && { powerLoss: true }) } as const
    steps.push(
      { type: 'Cut', from: 'leader', ...(oneWay && { oneWay }) },
      { type: 'Sleep', ms: 30 },
      ...shuffled(prng, 3).map((id): Step => ({ ...how, id })),
      { type: 'Sleep', ms: prng.pick([200, 300]) },
      { type: 'Heal', from: 0 },
      { type: 'Heal', from: 1 },
      { type: 'Sleep', ms: prng.pick([200, 400]) },
      { type: 'Start' },
      { type: 'Sleep', ms: prng.pick([200, 500]) },
    )
  }
  return steps
}

/** What some servers send does not reach the others, but they hear them. */
function oneWay(prng: Prng, mute: readonly number[], deaf: readonly number[]): DrawnFault {
  const [alone] = prng.chance(0.5) ? mute : deaf
  if (prng.chance(0.5) && alone !== undefined) {
    const side = prng.chance(0.5) ? { from: alone } : { to: alone }
    return { begin: [{ type: 'Cut', ...side, oneWay: true }], end: [{ type: 'Heal', from: alone }] }
  }
  const cut = mute.flatMap((from) => deaf.map((to) => [from, to] as const))
  return { begin: cut.map(([from, to]) => ({ type: 'Cut', from, to, oneWay: true })), end: healed(cut) }
}

/** Heals these links, and with them as few others as can be told in a word: all those of a server. */
function healed(links: readonly (readonly [number, number])[]): Step[] {
  const steps: Step[] = []
  for (let left = [...links]; left.length > 0;) {
    const counts = new Map<number, number>()
    for (const id of left.flat()) counts.set(id, (counts.get(id) ?? 0) + 1)
    const [from] = [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))
    steps.push({ type: 'Heal', from })
    left = left.filter((link) => !link.includes(from))
  }
  return steps
}

/** Some links stand still, each for a time of its own: so they are free again in any order. */
function clog({ prng, servers }: Draw): DrawnFault {
  const links = shuffled(prng, servers * servers)
    .map((number) => ({ from: Math.floor(number / servers), to: number % servers }))
    .filter(({ from, to }) => from !== to)
  const begin = links
    .slice(0, 1 + prng.below(links.length))
    .map((link): Step => ({ type: 'Clog', ...link, ms: prng.pick([50, 100, 200, 500, 1_000]) }))
  return { begin, end: [] }
}

type LinkStep = Extract<Step, { type: 'Delay' | 'Drop' | 'Duplicate' | 'Reorder' | 'Throttle' }>

/** On all links, on those from a server or to it, or on one. */
function onLinks({ prng, servers }: Draw, step: LinkStep): DrawnFault {
  const [a, b] = shuffled(prng, servers)
  if (a === undefined || b === undefined) return NOTHING
  const where = prng.pick([{}, { from: a }, { to: a }, { from: a, to: b }])
  const all = Object.keys(where).length === 0
  const end = all ? Array.from({ length: servers - 1 }, (_, from): Step => ({ type: 'Heal', from })) : null
  return { begin: [{ ...step, ...where }], end: end ?? [{ type: 'Heal', ...where }] }
}

/** What holds for one server's machine until that is healed. */
function onDisk(step: (draw: Draw, id: number) => Step): (draw: Draw) => DrawnFault {
  return (draw) => {
    const id = draw.prng.below(draw.servers)
    return { begin: [step(draw, id)], end: [{ type: 'Heal', id }] }
  }
}

function reorder(prng: Prng): { rate: number; ms: number } {
  return { rate: prng.pick([0.1, 0.5, 1]), ms: prng.pick([20, 50, 200]) }
}

function someone(prng: Prng, servers: number): Who {
  return prng.chance(0.4) ? 'leader' : prng.below(servers)
}
