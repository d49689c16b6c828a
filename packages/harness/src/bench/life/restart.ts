/** How long a server with a long life takes to be there again after it was killed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { diskOf } from '../../soak/gauge.js'
import { median } from '../compare.js'
import { cpuOf } from '../processes.js'
import type { Bench, Measured } from './bench.js'
import { everyId, snapshots, statusOf, write } from './bench.js'

interface Restart {
  readonly round: number
  /** What was there to be read (bytes). */
  readonly snapshot: number
  readonly log: number
  readonly disk: number
  /** After the start of the process (ms): the first answer to a status, and all executed that was before. */
  readonly answered: number
  readonly applied: number
  /** Of those answers that tell of it: how much was read at the last one, from 0 to 1; null: none did. */
  readonly progress: number | null
  readonly answers: number
  /** Its processor time until all was executed (s): on a machine that has other things to do, that tells more than the clock. */
  readonly cpu: number
}

/** Bytes of a large value; and of the log, about, that a small set takes beside its value. */
const LARGE = 65_536
const OVERHEAD = 110
/** The log is filled up to so much of what a snapshot would be made at: a restart that is as long as any. */
const FULL = 0.9
/** Between two looks (ms), and how long a restart may take. */
const LOOK = 20
const PATIENCE = 120_000

export async function restart(bench: Bench): Promise<Measured> {
  await fill(bench)
  const { cluster, options } = bench
  const leader = await cluster.serving()
  const victim = [...cluster.addresses.keys()].find((id) => id !== leader) ?? leader
  const restarts: Restart[] = []
  for (let round = 1; round <= options.rounds; round++) {
    bench.say(`restart, round ${round}`)
    restarts.push(await one(bench, round, victim))
  }
  const all = (field: 'answered' | 'applied'): number => median(restarts.map((each) => each[field]))
  return {
    title: `Restart of a server with ${options.keys} keys and ${options.written} MiB written in its life`,
    heads: [
      'round',
      'snapshot MiB',
      'log MiB',
      'disk MiB',
      'status answered ms',
      'all applied ms',
      'processor s',
      'answers meanwhile',
      'last progress',
    ],
    rows: restarts.map((each) => [
      String(each.round),
      ...[each.snapshot, each.log, each.disk].map((bytes) => (bytes / 2 ** 20).toFixed(0)),
      ...[each.answered, each.applied].map((value) => value.toFixed(0)),
      each.cpu.toFixed(1),
      each.answers.toFixed(0),
      each.progress === null ? '-' : `${(each.progress * 100).toFixed(0)} %`,
    ]),
    notes: [
      `Median: a status is answered after ${all('answered').toFixed(0)} ms, and all is executed again after ${all('applied').toFixed(0)} ms (the goal: under 5,000 ms).`,
    ],
    data: restarts,
  }
}

/** Writes what is missing, the most of it in large values, and ends with a log of small sets, as long as they come. */
async function fill(bench: Bench): Promise<void> {
  const { keys, valueSize, written } = bench.options
  const large = Math.max(0, Math.ceil((written * 2 ** 20 - 2 * keys * valueSize) / LARGE))
  bench.say(`restart: ${large} sets of ${LARGE} bytes`)
  await write(bench, large, { valueSize: LARGE, keys: 16 })
  await write(bench, 16, { keys: 16 })
  bench.say('restart: a snapshot, and as many small sets as the log takes before the next one')
  await snapshots(bench, everyId(bench))
  const limit = (await statusOf(bench, 0))?.snapshot.bytes ?? 0
  await write(bench, Math.floor((FULL * Math.max(32 << 20, limit)) / (valueSize + OVERHEAD)))
}

async function one(bench: Bench, round: number, victim: number): Promise<Restart> {
  const { cluster } = bench
  await cluster.caughtUp()
  const before = await statusOf(bench, victim)
  if (before === null) throw new Error(`server ${victim} does not answer`)
  await cluster.kill(victim)
  const disk = diskOf(cluster.dataDir(victim))
  const began = performance.now()
  const { pid = 0 } = cluster.startServer(victim)
  const seen = { answered: 0, answers: 0, progress: null as number | null }
  for (;;) {
    const status = await statusOf(bench, victim)
    const now = performance.now() - began
    if (status !== null) {
      seen.answers++
      if (seen.answered === 0) seen.answered = now
      seen.progress = status.progress ?? seen.progress
      if (status.role !== 'starting' && status.applied >= before.applied)
        return {
          round,
          snapshot: before.snapshot.bytes,
          log: before.logBytes,
          disk,
          ...seen,
          applied: now,
          cpu: cpuOf(pid),
        }
    }
    if (now > PATIENCE)
      throw new Error(`server ${victim} was not there after ${PATIENCE} ms:\n${cluster.log(victim).slice(-2000)}`)
    await sleep(LOOK)
  }
}
