/** How much memory a server holds when all garbage is collected: the shim in its process tells (live-shim.ts). */
import type { ProcessCluster } from '../process.js'
import { until } from '../process.js'

/** What the shim's lines begin with. */
export const MARK = '[live memory] '

/** A flag for Node that loads the shim. */
export const LIVE_SHIM = `--import=${import.meta.resolve('./live-shim.js')}`

/** How long a server may take to tell (ms). */
const PATIENCE = 10_000

/** Bytes; null if the server is gone. */
export async function liveMemoryOf(cluster: ProcessCluster, id: number): Promise<number | null> {
  const child = cluster.child(id)
  if (child === undefined) return null
  const before = lines(cluster, id).length
  child.kill('SIGUSR2')
  const told = (): boolean => lines(cluster, id).length > before || cluster.child(id) !== child
  await until(`server ${id} tells how much memory it holds`, told, { patience: PATIENCE })
  return cluster.child(id) === child ? Number(lines(cluster, id).at(-1)?.slice(MARK.length)) : null
}

function lines(cluster: ProcessCluster, id: number): string[] {
  return cluster
    .log(id)
    .split('\n')
    .filter((line) => line.startsWith(MARK))
}
