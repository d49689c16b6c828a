/** How late the event loops of servers are, as the shim in each of them measures it (delay-shim.ts). */
import type { ProcessCluster } from '../../process.js'
import { until } from '../../process.js'

/** What the shim's lines begin with. */
export const MARK = '[event loop] '

/** ms that a turn of the event loop came late. */
export interface LoopDelay {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** A flag for Node that loads the shim. */
export const DELAY_SHIM = `--import=${import.meta.resolve('./delay-shim.js')}`

/** By server: since this was last asked. */
export async function delaysOf(cluster: ProcessCluster): Promise<LoopDelay[]> {
  const ids = [...cluster.addresses.keys()]
  const before = ids.map((id) => linesOf(cluster, id).length)
  for (const id of ids) cluster.child(id)?.kill('SIGUSR2')
  await until('the servers tell how late their event loops are', () =>
    ids.every((id, index) => linesOf(cluster, id).length > (before[index] ?? 0)),
  )
  return ids.map((id) => JSON.parse(linesOf(cluster, id).at(-1)?.slice(MARK.length) ?? '') as LoopDelay)
}

function linesOf(cluster: ProcessCluster, id: number): string[] {
  return cluster
    .log(id)
    .split('\n')
    .filter((line) => line.startsWith(MARK))
}
