/** Faults of what is on the disks: damage, snapshots at bad moments, and the loss and repair of a server's memory. */
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import type { Step } from '../scenario/schema.js'
import type { Moment } from '../world/world.js'
import type { Draw, DrawnFault } from './faults.js'
import { shuffled } from './shuffled.js'

const NOTHING: DrawnFault = { begin: [], end: [] }

/**
 * Damage to what was durable for sure: the log is sealed when the server stops. Of what is damaged in a last write that
 * is not sealed, nobody can say that it was not torn (docs/ARCHITECTURE.md).
 */
export function corrupt({ prng, frail }: Draw): DrawnFault {
  if (frail.length === 0) return NOTHING
  const id = prng.pick(frail)
  const damage: readonly Step[] = [
    { type: 'Corrupt', id },
    { type: 'Corrupt', id, file: 'first', offset: prng.below(512) },
    { type: 'Corrupt', id, file: 'last', tail: 1 + prng.below(100) },
    { type: 'Truncate', id, file: 'last', bytes: 1 + prng.below(8) },
    { type: 'Corrupt', id, file: 'snapshot', offset: prng.below(512) },
    { type: 'Corrupt', id, file: 'snapshot', tail: 1 + prng.below(1_000) },
    { type: 'Wipe', id },
  ]
  const begin = [...steady(id), { type: 'Stop', id } as const, prng.pick(damage)]
  return { begin, end: broughtBack(prng, id) }
}

/** A write goes astray, and others follow it. */
export function misdirect({ prng, frail }: Draw): DrawnFault {
  if (frail.length === 0) return NOTHING
  const id = prng.pick(frail)
  const begin: Step[] = [...steady(id), { type: 'Misdirect', id }, { type: 'Sleep', ms: 200 }, { type: 'Stop', id }]
  return { begin, end: broughtBack(prng, id) }
}

/** Snapshots that are asked for, and (in the simulator) crashes amid them; or a server that lags until it needs one. */
export function snapshot({ prng, servers, simulated }: Draw): DrawnFault {
  const id = prng.below(servers)
  if (prng.chance(0.3)) return { begin: [{ type: 'Snapshot', ...(prng.chance(0.5) && { id }) }], end: [] }
  const power = prng.chance(0.5) && { powerLoss: true }
  if (simulated && prng.chance(0.4)) {
    const begin: Step[] = [
      { type: 'Crash', id, on: 'io', ...power },
      { type: 'Snapshot', id },
    ]
    return { begin, end: [{ type: 'Start', id }] }
  }
  const ambush = simulated && prng.chance(0.6) ? ambushes(prng, servers, id, ['fetch', 'piece', 'io']) : []
  const end: Step[] = [{ type: 'Snapshot' }, ...ambush, { type: 'Start', id }]
  if (ambush.length > 0) end.push({ type: 'Sleep', ms: prng.pick([50, 200, 500]) }, { type: 'Start' })
  return { begin: [{ type: 'Crash', id, ...(simulated && power) }], end }
}

/** A server loses its memory, and is repaired from the others; they, or itself, may die meanwhile (in the simulator). */
export function repair({ prng, servers, simulated, frail }: Draw): DrawnFault {
  if (frail.length === 0) return NOTHING
  const id = prng.pick(frail)
  const loss: readonly Step[] = simulated
    ? [{ type: 'Crash', id, powerLoss: prng.chance(0.5) }]
    : [...steady(id), { type: 'Stop', id }]
  const begin: Step[] = [...loss, { type: 'Wipe', id }]
  const start: Step = { type: 'Start', id, repair: true }
  const pause: Step = { type: 'Sleep', ms: prng.pick([1, 5, 20, 100]) }
  if (!simulated || prng.chance(0.4)) return { begin, end: [start] }
  if (prng.chance(0.3)) {
    // The new directory is lost, too, before it is worth anything.
    const again: Step[] = [{ type: 'Crash', id }, { type: 'Wipe', id }, start]
    return { begin, end: [start, pause, ...again] }
  }
  const ambush = ambushes(prng, servers, id, ['io', 'askLife', 'revive', 'revived', 'fetch', 'piece'])
  // It goes on by itself if it had begun; else it has to be told once more.
  const end: Step[] = [...ambush, start, { type: 'Sleep', ms: prng.pick([50, 200, 500]) }, { type: 'Start' }]
  return { begin, end: [...end, { type: 'Sleep', ms: 300 }, start] }
}

/** The server, or another one that helps it, is to crash at such a moment. */
function ambushes(prng: Prng, servers: number, id: number, moments: readonly Moment[]): Step[] {
  const [first = id] = shuffled(prng, servers)
  const victim = prng.chance(0.6) ? id : first
  return [{ type: 'Crash', id: victim, on: prng.pick(moments), ...(prng.chance(0.5) && { powerLoss: true }) }]
}

/** Started; and if it refuses, as it should where it lost something, repaired. */
function broughtBack(prng: Prng, id: number): Step[] {
  const plain: Step[] = prng.chance(0.5)
    ? [
        { type: 'Start', id },
        { type: 'Sleep', ms: 500 },
      ]
    : []
  return [...plain, { type: 'Start', id, repair: true }, { type: 'Sleep', ms: 100 }, { type: 'Start', id }]
}

/** Brings a server up, and back to health, whatever was done to it before. */
function steady(id: number): Step[] {
  return [
    { type: 'Heal', id },
    { type: 'Resume', id },
    { type: 'Start', id },
    { type: 'Sleep', ms: 1_000 },
  ]
}
