/** A cluster under load that servers are taken from, and what it tells of its leader. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServerStatus } from '@synod/paxos'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { ProcessCluster, until } from '../../process.js'
import { Proxies } from '../../processes/proxies.js'
import { Questions } from '../../processes/questions.js'
import { Links } from '../../world/links.js'
import { Writers } from './writers.js'

export interface FailoverOptions {
  readonly servers: number
  readonly clients: number
  readonly outstanding: number
  readonly valueSize: number
  readonly rounds: number
  readonly seconds: number
}

export interface Bench {
  readonly options: FailoverOptions
  readonly cluster: ProcessCluster
  /** Of the network between the servers; nothing happens to it in a cluster without proxies. */
  readonly links: Links
  readonly writers: Writers
  readonly questions: Questions
  /** Starts a server, and waits until it serves and has executed what the others have. */
  start(id: number): Promise<void>
  say(line: string): void
}

/** How long a server may take to answer (ms). */
const PATIENCE = 1_000
/** Acknowledgements to each client before anything is measured: V8 has compiled what is hot by then. */
const WARM_UP = 2_000

export function everyId({ cluster }: Pick<Bench, 'cluster'>): number[] {
  return [...cluster.addresses.keys()]
}

export async function statuses({ cluster, questions }: Bench, ids: readonly number[]): Promise<ServerStatus[]> {
  const answers = await Promise.all(ids.map((id) => questions.status(cluster.address(id), PATIENCE)))
  return answers.filter((answer) => answer !== null)
}

/** Waits until these servers follow one leader that is among them. */
export async function leaderAmong(bench: Bench, ids: readonly number[]): Promise<number> {
  let found = -1
  await until(`servers ${ids.join()} follow one of them`, async () => {
    const leaders = new Set((await statuses(bench, ids)).map(({ leader }) => leader))
    const [leader = null] = leaders
    found = leader ?? -1
    return leaders.size === 1 && ids.includes(found)
  })
  return found
}

/** Starts a cluster and its load, has it warm up, and ends both. */
export async function withCluster(
  options: FailoverOptions,
  say: Bench['say'],
  { proxied }: { readonly proxied: boolean },
  work: (bench: Bench) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'synod-bench-'))
  const questions = new Questions()
  const links = new Links(options.servers, new Prng(1), () => performance.now())
  let proxies: Proxies | undefined
  let cluster: ProcessCluster | undefined
  let writers: Writers | undefined
  try {
    cluster = await ProcessCluster.prepare({ directory, count: options.servers })
    const { addresses } = cluster
    const failed = (error: Error): void => say(`a proxy failed: ${error.message}`)
    if (proxied) proxies = await Proxies.listen(addresses, links, failed)
    writers = new Writers({ ...options, addresses, discover: !proxied })
    const bench = { options, cluster, links, writers, questions, say, start: starter(cluster, proxies, questions) }
    await Promise.all(everyId(bench).map((id) => bench.start(id)))
    await writers.flow(WARM_UP / options.clients)
    await work(bench)
  } finally {
    await writers?.stop()
    await questions.close()
    await cluster?.stop('SIGKILL')
    await proxies?.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

function starter(cluster: ProcessCluster, proxies: Proxies | undefined, questions: Questions): Bench['start'] {
  return async (id) => {
    cluster.startServer(id, proxies === undefined ? [] : ['--peers', proxies.seenFrom(id).join(',')])
    await until(`server ${id} serves`, async () => {
      const status = await questions.status(cluster.address(id), PATIENCE)
      if (status?.ready !== true || status.leader === null) return false
      const leader = await questions.status(cluster.address(status.leader), PATIENCE)
      return leader !== null && status.applied >= leader.applied - LEVEL
    })
  }
}

/** A server is level with the leader when it is behind by no more slots than the load passes in a moment. */
const LEVEL = 2_000
