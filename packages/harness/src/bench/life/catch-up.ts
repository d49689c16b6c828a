/** What clients get done while a server is brought up by a snapshot, beside what they get done before and after it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../process.js'
import type { Load } from '../load.js'
import type { Bench, Measured } from './bench.js'
import { loaded, median, statusOf } from './bench.js'

interface Round {
  readonly round: number
  /** Sets a second: with all servers, with one down, while that is brought up, and with all again. */
  readonly all: number
  readonly down: number
  readonly catchingUp: number
  readonly after: number
  /** From its start to when it has executed what the others had, and to when the first bytes came (s). */
  readonly seconds: number
  readonly firstBytes: number
  /** Of the snapshot. */
  readonly bytes: number
}

export async function catchUp(bench: Bench): Promise<Measured> {
  const rounds: Round[] = []
  for (let round = 1; round <= bench.options.rounds; round++) {
    bench.say(`catch-up, round ${round}`)
    rounds.push(await one(bench, round))
  }
  const share = median(rounds.map(({ catchingUp, down }) => catchingUp / down)) * 100
  return {
    title: 'Sets a second while a server is brought up by a snapshot',
    heads: [
      'round',
      'all up',
      'one down',
      'catching up',
      'of one down',
      'all up again',
      'snapshot MiB',
      'first bytes s',
      'up s',
    ],
    rows: rounds.map((round) => [
      ...[round.round, round.all, round.down, round.catchingUp].map((value) => value.toFixed(0)),
      `${((round.catchingUp / round.down) * 100).toFixed(0)} %`,
      ...[
        round.after.toFixed(0),
        (round.bytes / 2 ** 20).toFixed(0),
        round.firstBytes.toFixed(1),
        round.seconds.toFixed(1),
      ],
    ]),
    notes: [
      `While it is brought up, clients get done ${share.toFixed(0)} % of what they do while it is down (median; the goal: at least 80 %). All of it is on one machine: the server that comes up takes its processor time from the others.`,
    ],
    data: rounds,
  }
}

async function one(bench: Bench, round: number): Promise<Round> {
  const { cluster, options } = bench
  const leader = await cluster.serving()
  const victim = [...cluster.addresses.keys()].find((id) => id !== leader) ?? 0
  const load = loaded(bench)
  try {
    const all = await rateOver(load, options.seconds)
    await cluster.kill(victim)
    await sleep(500)
    const missed = load.operations + MISSED
    const down = await rateOver(load, options.seconds)
    await until('enough is written', () => load.operations >= missed, { patience: 300_000 })
    const began = { time: performance.now(), operations: load.operations }
    cluster.startServer(victim)
    const seen = { first: 0, bytes: 0 }
    await until(
      'the server is brought up by a snapshot',
      async () => {
        const status = await statusOf(bench, victim)
        if (status?.fetching && seen.first === 0) seen.first = performance.now()
        seen.bytes = Math.max(seen.bytes, status?.fetching?.bytes ?? 0)
        return (
          status !== null && status.installed > 0 && status.fetching === null && (await isLevel(bench, victim, leader))
        )
      },
      { patience: 300_000 },
    )
    const seconds = (performance.now() - began.time) / 1000
    const catchingUp = (load.operations - began.operations) / seconds
    const after = await rateOver(load, options.seconds)
    const firstBytes = seen.first === 0 ? NaN : (seen.first - began.time) / 1000
    return { round, all, down, catchingUp, after, seconds, firstBytes, bytes: seen.bytes }
  } finally {
    await load.stop()
  }
}

/** Commands that it misses: more than the others keep for it. */
const MISSED = 80_000
/** It is as far as the leader, but for what is on its way (slots). */
const CLOSE = 2_000

async function isLevel(bench: Bench, victim: number, leader: number): Promise<boolean> {
  const [own, other] = await Promise.all([statusOf(bench, victim), statusOf(bench, leader)])
  return own !== null && other !== null && own.applied > other.applied - CLOSE
}

async function rateOver(load: Load, seconds: number): Promise<number> {
  const from = { time: performance.now(), operations: load.operations }
  await sleep(seconds * 1000)
  return ((load.operations - from.operations) / (performance.now() - from.time)) * 1000
}
