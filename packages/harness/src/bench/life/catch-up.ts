/** What clients get done while a server is brought up by a snapshot, beside what they get done before and after it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../process.js'
import { median } from '../compare.js'
import { faultless } from '../load.js'
import type { Load } from '../load.js'
import type { Bench, Measured } from './bench.js'
import { loaded, statusOf } from './bench.js'

interface Round {
  readonly round: number
  /** Sets a second: with all servers, with one down, while that reads its directory, while it is brought up, and with all again. */
  readonly all: number
  readonly down: number
  readonly starting: number
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
  const share = (of: 'all' | 'down'): string =>
    `${(median(rounds.map((round) => round.catchingUp / round[of])) * 100).toFixed(0)} %`
  return {
    title: 'Sets a second while a server is brought up by a snapshot',
    heads: [
      'round',
      'all up',
      'one down',
      'it starts',
      'catching up',
      'of all up',
      'all up again',
      'snapshot MiB',
      'first bytes s',
      'up s',
    ],
    rows: rounds.map((round) => [
      ...[round.round, round.all, round.down, round.starting, round.catchingUp].map((value) => value.toFixed(0)),
      `${((round.catchingUp / round.all) * 100).toFixed(0)} %`,
      ...[
        round.after.toFixed(0),
        (round.bytes / 2 ** 20).toFixed(0),
        round.firstBytes.toFixed(1),
        round.seconds.toFixed(1),
      ],
    ]),
    notes: [
      `While it is brought up (from the first bytes of the snapshot until it is level), clients get done ${share('all')} of what they do when all servers are up (median; the goal: at least 80 %), and ${share('down')} of what they do while it is down. All of it is on one machine: a server that is up takes its processor time from the others, and it votes.`,
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
    const seen = { first: 0, operations: 0, bytes: 0 }
    await until(
      'the server is brought up by a snapshot',
      async () => {
        const status = await statusOf(bench, victim)
        if (status?.fetching && seen.first === 0) {
          seen.first = performance.now()
          seen.operations = load.operations
        }
        seen.bytes = Math.max(seen.bytes, status?.fetching?.bytes ?? 0)
        return (
          status !== null && status.installed > 0 && status.fetching === null && (await isLevel(bench, victim, leader))
        )
      },
      { patience: 300_000 },
    )
    const level = performance.now()
    const seconds = (level - began.time) / 1000
    const starting = ((seen.operations - began.operations) / (seen.first - began.time)) * 1000
    const catchingUp = ((load.operations - seen.operations) / (level - seen.first)) * 1000
    const after = await rateOver(load, options.seconds)
    const firstBytes = (seen.first - began.time) / 1000
    return { round, all, down, starting, catchingUp, after, seconds, firstBytes, bytes: seen.bytes }
  } finally {
    faultless(await load.stop())
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
