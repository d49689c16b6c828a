/** What happens to the cluster, and what its clients notice of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../compare.js'
import type { Measured } from '../life/bench.js'
import type { Bench } from './cluster.js'
import { everyId, leaderAmong, statuses } from './cluster.js'
import type { Gaps } from './writers.js'

/** Between two faults (ms): all is as it was before. */
const REST = 1_000
/** So many acknowledgements to each client, and ms more: the fault is over. */
const FLOW = 20
const AFTER = 500

interface Fault extends Gaps {
  readonly round: number
  readonly victim: number
  readonly successor: number
}

type Strike = (bench: Bench, victim: number) => Promise<void> | void

/** The leader's process is killed, and started again afterwards. */
export const kill = (bench: Bench): Promise<Measured> =>
  faults(bench, 'SIGKILL of the leader', {
    strike: ({ cluster }, victim) => cluster.kill(victim),
    mend: (_, victim) => bench.start(victim),
  })

/** The leader's process is stopped where it stands, and goes on afterwards. */
export const stop = (bench: Bench): Promise<Measured> =>
  faults(bench, 'SIGSTOP of the leader, SIGCONT when another one leads', {
    strike: ({ cluster }, victim) => void cluster.child(victim)?.kill('SIGSTOP'),
    mend: ({ cluster }, victim) => void cluster.child(victim)?.kill('SIGCONT'),
  })

/** No server hears the leader any more, nor it them; clients reach all. */
export const partition = (bench: Bench): Promise<Measured> =>
  faults(bench, 'The leader is cut off from the other servers, though not from clients', {
    strike: ({ links }, victim) => {
      links.partition([[victim], everyId(bench).filter((id) => id !== victim)])
    },
    mend: ({ links }) => {
      links.heal()
    },
  })

async function faults(bench: Bench, title: string, how: { strike: Strike; mend: Strike }): Promise<Measured> {
  const seen: Fault[] = []
  for (let round = 1; round <= bench.options.rounds; round++) {
    const victim = await leaderAmong(bench, everyId(bench))
    await bench.writers.flow(FLOW)
    await sleep(REST + Math.random() * 100) // at any moment between two heartbeats
    bench.writers.reset()
    await how.strike(bench, victim)
    const successor = await leaderAmong(
      bench,
      everyId(bench).filter((id) => id !== victim),
    )
    await bench.writers.flow(FLOW)
    await sleep(AFTER)
    const gaps = bench.writers.gaps()
    seen.push({ round, victim, successor, ...gaps })
    bench.say(`${title}, round ${round}: ${gaps.any.toFixed(0)} ms, the worst client ${gaps.worst.toFixed(0)} ms`)
    await how.mend(bench, victim)
  }
  return {
    title,
    heads: ['round', 'leader', 'successor', 'gap ms', 'worst client ms', 'sets failed'],
    rows: seen.map(({ round, victim, successor, any, worst, failed }) => [
      ...[round, victim, successor].map(String),
      ...[any, worst, failed].map((value) => value.toFixed(0)),
    ]),
    notes: [summary(seen)],
    data: seen,
  }
}

/** All servers are stopped by SIGTERM and started again, one after the other; of the first round the leader comes first. */
export async function rolling(bench: Bench): Promise<Measured> {
  const seen: (Gaps & { round: number; server: number; led: boolean; down: number; serving: number })[] = []
  for (let round = 1; round <= bench.options.rounds; round++) {
    for (const server of everyId(bench)) {
      const led = (await leaderAmong(bench, everyId(bench))) === server
      await bench.writers.flow(FLOW)
      bench.writers.reset()
      const from = performance.now()
      await bench.cluster.kill(server, 'SIGTERM')
      const down = performance.now() - from
      await bench.start(server)
      const serving = performance.now() - from
      await bench.writers.flow(FLOW)
      await sleep(AFTER)
      const gaps = bench.writers.gaps()
      seen.push({ round, server, led, down, serving, ...gaps })
      const who = `server ${server}${led ? ', the leader,' : ''} restarted`
      bench.say(
        `${who}: ${gaps.any.toFixed(0)} ms (from ${gaps.at.toFixed(0)} ms on), the worst client ${gaps.worst.toFixed(0)} ms`,
      )
    }
  }
  return {
    title: 'Rolling restart: SIGTERM, start, wait until it serves; one server after the other',
    heads: ['round', 'server', 'led', 'ended ms', 'serves ms', 'gap ms', 'after ms', 'worst client ms', 'sets failed'],
    rows: seen.map(({ round, server, led, down, serving, any, at, worst, failed }) => [
      ...[round, server].map(String),
      led ? 'yes' : 'no',
      ...[down, serving, any, at, worst, failed].map((value) => value.toFixed(0)),
    ]),
    notes: [summary(seen)],
    data: seen,
  }
}

/** Nothing happens but the load. */
export async function calm(bench: Bench): Promise<Measured> {
  const { seconds } = bench.options
  await leaderAmong(bench, everyId(bench))
  const before = await statuses(bench, everyId(bench))
  const acknowledged = bench.writers.acknowledged
  bench.writers.reset()
  await sleep(seconds * 1000)
  const gaps = bench.writers.gaps()
  const rate = (bench.writers.acknowledged - acknowledged) / seconds
  const after = await statuses(bench, everyId(bench))
  const elections = roundOf(after) - roundOf(before)
  const changes = after.map((status) => status.elections.filter(({ agoMs }) => agoMs < seconds * 1000).length)
  return {
    title: `Nothing but load for ${seconds} s`,
    heads: ['elections', 'changes of leader that servers saw', 'sets/s', 'gap ms', 'worst client ms', 'sets failed'],
    rows: [
      [
        String(elections),
        changes.join(' '),
        ...[rate, gaps.any, gaps.worst, gaps.failed].map((value) => value.toFixed(0)),
      ],
    ],
    notes: [`${elections} elections in ${seconds} s.`],
    data: { elections, changes, rate, ...gaps },
  }
}

/** The highest round of any ballot that servers have adopted: each election takes a higher one. */
function roundOf(all: readonly { readonly ballot: string }[]): number {
  return Math.max(...all.map(({ ballot }) => Number(ballot.split('.')[0])))
}

function summary(seen: readonly Gaps[]): string {
  const told = (what: string, values: readonly number[]): string =>
    `${what}: median ${median(values).toFixed(0)} ms, longest ${Math.max(...values).toFixed(0)} ms`
  const failed = seen.reduce((sum, gaps) => sum + gaps.failed, 0)
  const any = told(
    'Gap between acknowledgements',
    seen.map((gaps) => gaps.any),
  )
  const worst = told(
    'of the client that waited longest',
    seen.map((gaps) => gaps.worst),
  )
  return `${any}; ${worst}. ${failed} sets failed.`
}
