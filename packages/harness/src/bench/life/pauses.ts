/** How late the servers' event loops are while snapshots are written under load, and under the same load without them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { faultless } from '../load.js'
import type { LoadResult } from '../load.js'
import type { Bench, Measured } from './bench.js'
import { everyId, loaded, snapshots } from './bench.js'
import type { LoopDelay } from './delays.js'
import { delaysOf } from './delays.js'

interface Window {
  readonly round: number
  readonly snapshots: boolean
  readonly seconds: number
  readonly load: LoadResult
  /** By server. */
  readonly delays: readonly LoopDelay[]
}

export async function pauses(bench: Bench): Promise<Measured> {
  const windows: Window[] = []
  await snapshots(bench, everyId(bench)) // none is due soon of itself
  for (let round = 1; round <= bench.options.rounds; round++) {
    for (const taken of [false, true]) {
      bench.say(`event loops, round ${round}: ${taken ? 'while all servers write a snapshot' : 'without snapshots'}`)
      windows.push(await measured(bench, round, taken))
    }
  }
  return {
    title: `Event loop delay (ms) while all servers write a snapshot of ${bench.options.keys} keys, and without`,
    heads: ['round', 'snapshots', 'server', 'p50', 'p99', 'p99.9', 'max', 'window s', 'sets/s', 'set p99 ms'],
    rows: windows.flatMap(rowsOf),
    notes: [noteOf(windows)],
    data: windows,
  }
}

async function measured(bench: Bench, round: number, taken: boolean): Promise<Window> {
  const load = loaded(bench)
  await sleep(500) // it has come to its pace
  await delaysOf(bench.cluster)
  const began = performance.now()
  if (taken) await snapshots(bench, everyId(bench))
  else await sleep(bench.options.seconds * 1000)
  const seconds = (performance.now() - began) / 1000
  const delays = await delaysOf(bench.cluster)
  return { round, snapshots: taken, seconds, load: faultless(await load.stop()), delays }
}

function rowsOf({ round, snapshots: taken, seconds, load, delays }: Window): string[][] {
  return delays.map(({ p50, p99, p999, max }, server) => [
    ...[String(round), taken ? 'yes' : 'no', String(server)],
    ...[p50, p99, p999, max].map((ms) => ms.toFixed(1)),
    ...(server === 0 ? [seconds.toFixed(1), load.rate.toFixed(0), load.p99.toFixed(1)] : ['', '', '']),
  ])
}

function noteOf(windows: readonly Window[]): string {
  const worst = (taken: boolean): number =>
    Math.max(
      ...windows.filter((window) => window.snapshots === taken).flatMap(({ delays }) => delays.map(({ p999 }) => p999)),
    )
  const [without, by] = [worst(false), worst(true)]
  return `The worst p99.9 is ${by.toFixed(1)} ms with snapshots and ${without.toFixed(1)} ms without (the goal: at most 50 ms that come from them).`
}
