/** Faults at random: each kind has a begin, and the end that goes with it. */
import { isDeepStrictEqual } from 'node:util'
import { drawFault } from '@synod/harness/internal/fuzz/faults'
import type { Fault, Step, StepOf } from '@synod/harness/internal/scenario/schema'
import { FAULTS, stepSchema } from '@synod/harness/internal/scenario/schema'
import { Links, WHOLE } from '@synod/harness/internal/world/links'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import t from 'tap'

const DRAWS = 100

function draws(kind: Fault, servers: number, world: 'simulator' | 'processes' = 'simulator') {
  const prng = new Prng(1)
  return Array.from({ length: DRAWS }, () => drawFault(prng, servers, kind, { world }))
}

const isLinkStep = (step: Step): step is StepOf<'Cut' | 'Delay' | 'Drop' | 'Duplicate' | 'Reorder' | 'Throttle'> =>
  ['Cut', 'Delay', 'Drop', 'Duplicate', 'Reorder', 'Throttle'].includes(step.type)

const number = (who: unknown): number | undefined => (typeof who === 'number' ? who : undefined)

/** What a step does to the links, as the runner does it. */
function apply(links: Links, step: Step): void {
  if (step.type === 'Partition') links.partition(step.groups)
  if (step.type === 'Heal' && step.id === undefined) {
    links.heal(number(step.from), number(step.to))
    links.heal(number(step.to), number(step.from))
  }
  if (!isLinkStep(step)) return
  links.set(number(step.from), number(step.to), { cut: true })
  if (step.type === 'Cut' && step.oneWay !== true) links.set(number(step.to), number(step.from), { cut: true })
}

function faulty(links: Links, servers: number): string[] {
  const found: string[] = []
  for (let from = 0; from < servers; from++) {
    for (let to = 0; to < servers; to++) if (from !== to && links.of(from, to) !== WHOLE) found.push(`${from}>${to}`)
  }
  return found
}

t.test('every fault of every kind is made of steps that a scenario may have', async (t) => {
  for (const kind of FAULTS) {
    for (const servers of [1, 2, 3, 5]) {
      for (const { begin, end } of draws(kind, servers)) {
        const wrong = [...begin, ...end].find((step) => !stepSchema.safeParse(step).success)
        if (wrong !== undefined) t.fail(`${JSON.stringify(wrong)} is no step`)
      }
    }
    t.ok(
      draws(kind, 3).every(({ begin }) => begin.length > 0),
      `${kind} does something to three servers`,
    )
  }
})

t.test('what a fault of the network does to links is over when it ends', async (t) => {
  for (const kind of ['Partition', 'Cut', 'Delay', 'Drop', 'Duplicate', 'Reorder', 'Throttle'] as const) {
    for (const servers of [2, 3, 4, 5]) {
      for (const { begin, end } of draws(kind, servers)) {
        const links = new Links(servers, new Prng(1), () => 0)
        for (const step of begin) apply(links, step)
        if (faulty(links, servers).length === 0) t.fail(`${JSON.stringify(begin)} does nothing`)
        for (const step of end) apply(links, step)
        if (faulty(links, servers).length > 0) t.fail(`${JSON.stringify(end)} does not end ${JSON.stringify(begin)}`)
      }
    }
    t.pass(kind)
  }
})

t.test('partitions come in all their shapes, the partial ones of Omni-Paxos too', async (t) => {
  const shapes = new Set<string>()
  for (const { begin } of draws('Partition', 5)) {
    const links = new Links(5, new Prng(1), () => 0)
    for (const step of begin) apply(links, step)
    const reached = Array.from(
      { length: 5 },
      (_, a) => Array.from({ length: 5 }, (_, b) => a !== b && !links.isCut(a, b)).filter((open) => open).length,
    )
    shapes.add(reached.sort((a, b) => a - b).join(' '))
  }
  for (const [shape, degrees] of Object.entries({
    'two halves': '1 1 2 2 2',
    'one server alone': '0 3 3 3 3',
    'a bridge between two halves': '2 2 2 2 4',
    'quorum loss: one server reaches all, the others only that': '1 1 1 1 4',
    'constrained: likewise, and one is alone': '0 1 1 1 3',
    chained: '1 1 2 2 2',
    'a mute server': '0 4 4 4 4',
    'a deaf server': '3 3 3 3 4',
  })) {
    t.ok(shapes.has(degrees), shape)
  }
})

t.test('a server that a fault stops or makes end is started again', async (t) => {
  for (const kind of ['Crash', 'FsyncError', 'Corrupt', 'Misdirect', 'Repair'] as const) {
    for (const { begin, end } of draws(kind, 5)) {
      const victims = new Set(begin.flatMap((step) => ('id' in step && step.type !== 'Heal' ? [step.id] : [])))
      const started = end.flatMap((step) => (step.type === 'Start' ? [step.id] : []))
      const all = started.includes(undefined) || [...victims].every((id) => started.includes(number(id)))
      if (!all) t.fail(`${JSON.stringify(begin)} is followed by ${JSON.stringify(end)} alone`)
    }
    t.pass(kind)
  }
  for (const { begin, end } of draws('Pause', 5)) {
    const ids = (steps: readonly Step[]) => steps.map((step) => ('id' in step ? step.id : undefined))
    if (!isDeepStrictEqual(ids(end), ids(begin))) t.fail(`${JSON.stringify(end)} after ${JSON.stringify(begin)}`)
  }
})

t.test('real processes are given no fault that only the simulator has', async (t) => {
  for (const { begin } of draws('Crash', 3, 'processes')) {
    if (!begin.every((step) => isDeepStrictEqual(Object.keys(step).sort(), ['id', 'type'])))
      t.fail(JSON.stringify(begin))
  }
  const simulated = draws('Crash', 3).flatMap(({ begin }) => begin as StepOf<'Crash'>[])
  t.ok(simulated.some(({ powerLoss }) => powerLoss === true))
  t.strictSame(
    new Set(simulated.map(({ on }) => on)),
    new Set([undefined, 'io', 'p1a', 'p1b', 'p2a', 'p2b', 'fetch', 'piece']),
  )
})

t.test('only the servers that may be damaged are: by default the last ones, and fewer than a majority', async (t) => {
  const prng = new Prng(3)
  for (const kind of ['Corrupt', 'Misdirect', 'Repair'] as const) {
    const ids = (steps: readonly Step[]) => steps.flatMap((step) => ('id' in step ? [step.id] : []))
    t.strictSame(new Set(draws(kind, 5).flatMap(({ begin }) => ids(begin))), new Set([3, 4]))
    t.strictSame(new Set(draws(kind, 4).flatMap(({ begin }) => ids(begin))), new Set([3]))
    t.strictSame(drawFault(prng, 2, kind, { world: 'simulator' }), { begin: [], end: [] })
    t.strictSame(new Set(ids(drawFault(prng, 5, kind, { world: 'simulator', frail: [1] }).begin)), new Set([1]))
  }
})

t.test('a server that lost its memory is started to be repaired, whatever else happens meanwhile', async (t) => {
  for (const kind of ['Corrupt', 'Misdirect', 'Repair'] as const) {
    for (const { begin, end } of draws(kind, 3)) {
      const victim = begin.flatMap((step) => (step.type === 'Wipe' || step.type === 'Stop' ? [step.id] : []))[0]
      const repaired = end.some((step) => step.type === 'Start' && step.repair === true && step.id === victim)
      if (!repaired) t.fail(`${JSON.stringify(begin)} is followed by ${JSON.stringify(end)}`)
    }
    t.pass(kind)
  }
  const moments = draws('Repair', 5).flatMap(({ end }) =>
    end.flatMap((step) => (step.type === 'Crash' ? [step.on] : [])),
  )
  t.ok(['askLife', 'revive', 'revived', 'fetch', 'piece', 'io'].every((on) => moments.some((other) => other === on)))
})

t.test('damage is done to a server in health that was stopped in order', async (t) => {
  for (const { begin } of draws('Corrupt', 3)) {
    const types = begin.map(({ type }) => type)
    if (!/^Heal Resume Start Sleep Stop (Corrupt|Truncate|Wipe)$/.test(types.join(' '))) t.fail(types.join(' '))
  }
  t.pass('always')
})
