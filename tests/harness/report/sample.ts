/** Reports of runs that never were, but could have been: of any size, and the same for the same options. */
import type { HistoryEvent } from '@synod/harness/internal/history/history'
import type { Band, Check, Report, Sample, StepRecord } from '@synod/harness/internal/report/report'
import type { Step } from '@synod/harness/internal/scenario/schema'
import { Prng } from '@synod/paxos/internal/protocol/prng'

export interface SampleOptions {
  readonly servers?: number
  readonly clients?: number
  /** About so many events in the history. */
  readonly events?: number
  /** ms. */
  readonly elapsed?: number
  /** Whether a check fails. */
  readonly failed?: boolean
}

const KEYS = 20
/** How long what fell is down or cut off (ms). */
const BACK_AFTER = 1_500

/** The leader falls, is cut off, and comes back; who leads is whoever is left. */
interface Reign {
  readonly leader: number
  readonly round: number
  readonly from: number
  readonly to: number
}

export function sampleReport(options: SampleOptions = {}): Report {
  const { servers = 3, clients = 4, events = 200, elapsed = 12_000, failed = false } = options
  const prng = new Prng(servers * 1_000 + clients)
  const reigns = reignsOf(servers, elapsed, prng)
  const history = historyOf(clients, events, elapsed, reigns, prng)
  const count = (type: HistoryEvent['type']): number => history.filter((event) => event.type === type).length
  return {
    scenario: {
      name: failed ? 'The leader is paused amid writes' : 'The leader dies, and dies again',
      description: 'Clients write to a few keys while one leader after the other is killed or cut off.',
      servers,
      seed: 42,
      steps: stepsOf(servers, elapsed, reigns).map(({ step }) => step),
    },
    server: 'kvstore',
    world: failed ? 'simulator' : 'processes',
    ok: !failed,
    elapsed,
    realTime: failed ? elapsed / 40 : elapsed,
    operations: { attempted: count('invoke'), ok: count('ok'), fail: count('fail'), info: count('info') },
    checks: checksOf(failed, elapsed, history),
    steps: stepsOf(servers, elapsed, reigns),
    bands: bandsOf(servers, elapsed, reigns),
    samples: samplesOf(servers, reigns),
    feeds: [
      { name: 'all', servers: [0, 1, 2], from: 1, events: 1_234, last: 1_700, ended: null },
      { name: 'slow', servers: [2], from: 40, events: 3, last: 47, ended: 'LAGGED' },
      { name: 'unheard', servers: [1], from: null, events: 0, last: null, ended: null },
    ],
    history,
  }
}

function reignsOf(servers: number, elapsed: number, prng: Prng): Reign[] {
  const count = 5
  let leader = 0
  return Array.from({ length: count }, (_, index) => {
    leader = index === 0 ? prng.below(servers) : (leader + 1 + prng.below(Math.max(1, servers - 1))) % servers
    const part = elapsed / count
    return { leader, round: index + 1, from: index * part + (index === 0 ? 300 : 450), to: (index + 1) * part }
  })
}

function historyOf(clients: number, events: number, elapsed: number, reigns: readonly Reign[], prng: Prng) {
  const found: HistoryEvent[] = []
  const pace = (elapsed * clients * 2) / events
  for (let client = 0; client < clients; client++) {
    let time = 320 + prng.float() * pace
    for (let n = 0; time < elapsed - 300; n++) {
      const reign = reigns.find(({ from, to }) => time >= from && time < to)
      const took = reign === undefined ? 400 : pace * (0.2 + prng.float() * 0.5)
      found.push(...operation(client, n, time, took, reign === undefined, prng))
      time += took + pace * prng.float() * 0.5
    }
  }
  return found.sort((a, b) => a.time - b.time)
}

function operation(client: number, n: number, time: number, took: number, lost: boolean, prng: Prng): HistoryEvent[] {
  const f = prng.pick(['read', 'write', 'write', 'cas', 'delete'] as const)
  const said = { process: `${client}`, f, key: `key-${prng.below(KEYS)}` }
  const argument = {
    write: `c${client}-${n}`,
    cas: [`c${client}-${n - 1}`, `c${client}-${n}`],
    read: undefined,
    delete: undefined,
  }
  const value = argument[f]
  const begin: HistoryEvent = { ...said, type: 'invoke', time, ...(value !== undefined && { value }) }
  const end = time + took
  if (lost) return [begin, { ...said, type: f === 'read' ? 'fail' : 'info', error: 'TIMEOUT', time: end }]
  if (f === 'cas' && prng.chance(0.5)) return [begin, { ...said, type: 'fail', time: end }]
  const result = {
    read: prng.chance(0.2) ? null : `c${client}-${n - 1}`,
    write: undefined,
    cas: undefined,
    delete: true,
  }[f]
  return [begin, { ...said, type: 'ok', time: end, ...(result !== undefined && { value: result }) }]
}

function bandsOf(servers: number, elapsed: number, reigns: readonly Reign[]): Band[] {
  const bands: Band[] = []
  reigns.slice(0, -1).forEach(({ leader, to }, index) => {
    const end = Math.min(elapsed, to + BACK_AFTER)
    if (index % 2 === 0)
      bands.push({ label: `server ${leader} is down`, kind: 'server', server: leader, from: to, to: end })
    else {
      const others = Array.from({ length: servers }, (_, id) => id).filter((id) => id !== leader)
      bands.push({ label: `${leader} | ${others.join(' ')}`, kind: 'network', server: null, from: to, to: end })
    }
  })
  bands.push({
    label: '10 % dropped everywhere',
    kind: 'network',
    server: null,
    from: elapsed * 0.3,
    to: elapsed * 0.55,
  })
  bands.push({ label: 'server 0 has a slow disk', kind: 'disk', server: 0, from: elapsed * 0.15, to: elapsed * 0.5 })
  bands.push({
    label: 'server 0 runs at 1.5 times the speed',
    kind: 'clock',
    server: 0,
    from: elapsed * 0.4,
    to: elapsed * 0.7,
  })
  return bands.sort((a, b) => a.from - b.from)
}

function samplesOf(servers: number, reigns: readonly Reign[]): Sample[] {
  const samples: Sample[] = []
  for (let server = 0; server < servers; server++) {
    samples.push({ time: 0, server, role: 'forming', ballot: '0.0', leader: null, applied: 0 })
    for (const [index, { leader, round, from, to }] of reigns.entries()) {
      const ballot = `${round}.${leader}`
      const role = server === leader ? 'leader' : 'follower'
      const before = reigns[index - 1]
      const back = before?.leader === server && index % 2 === 1 ? before.to + BACK_AFTER : 0
      const time = Math.max(from + server * 20, back)
      samples.push({ time, server, role, ballot, leader, applied: round * 100 })
      const wasLeader = server === leader
      const next = reigns[index + 1]
      if (next === undefined) continue
      const lost = { time: to + 20 + server, server, ballot, leader: null, applied: round * 100 + 99 }
      if (server === next.leader) samples.push({ ...lost, role: 'candidate', ballot: `${next.round}.${server}` })
      else if (wasLeader && index % 2 === 0) samples.push({ ...lost, role: 'down', ballot: '', applied: 0 })
      else samples.push({ ...lost, role: wasLeader ? 'leader' : 'follower' })
    }
  }
  return samples.sort((a, b) => a.time - b.time)
}

function checksOf(failed: boolean, elapsed: number, history: readonly HistoryEvent[]): Check[] {
  const servers = 'servers 0, 1, 2 are equal at slot 599'
  const stale = history.find(({ type, f, time }) => type === 'ok' && f === 'read' && time > elapsed * 0.6)
  const from = (stale?.time ?? elapsed * 0.6) - elapsed / 100
  const linearizable: Check = failed
    ? {
        name: 'linearizable',
        ok: false,
        detail: `key ${stale?.key ?? ''}: the read of "c1-17" by client 1 fits nowhere: "c3-20" was there since before it began`,
        window: { from, to: stale?.time ?? elapsed * 0.61 },
      }
    : { name: 'linearizable', ok: true, detail: `${history.length / 2} operations: none lost, none applied twice` }
  return [
    linearizable,
    { name: 'convergence', ok: true, detail: servers },
    { name: 'expect', ok: failed ? null : true, detail: 'client 1 reads "c3-20" at key-7' },
    { name: 'meaningful', ok: true, detail: `${history.length / 2} operations succeeded` },
  ]
}

function stepsOf(servers: number, elapsed: number, reigns: readonly Reign[]): StepRecord[] {
  const steps: Omit<StepRecord, 'number'>[] = []
  const add = (step: Step, from: number, took = 0, notDone: string | null = null): void => {
    steps.push({ step, from, to: from + took, notDone })
  }
  add({ type: 'Start', count: servers }, 0, 280)
  add({ type: 'Workload', clients: 4, duration: elapsed, keys: KEYS, mix: { read: 1, write: 2, cas: 1 } }, 300)
  reigns.slice(0, -1).forEach(({ leader, to }, index) => {
    add({ type: 'Sleep', ms: elapsed / 5 }, to - elapsed / 5, elapsed / 5)
    if (index % 2 === 0) add({ type: 'Crash', id: leader, powerLoss: true }, to, 3.25)
    else add({ type: 'Partition', groups: [[leader], [(leader + 1) % servers]] }, to)
    if (index === 1) add({ type: 'Set', id: leader, key: 'a', value: 'b' }, to + 1, 0, `server ${leader} is down`)
  })
  add({ type: 'Wait', for: 'workload' }, elapsed - 400, 100)
  return steps.map((step, index) => ({ number: index + 1, ...step }))
}
