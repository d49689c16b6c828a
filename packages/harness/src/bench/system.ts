/** What is measured: a cluster, ours or another's, that this bench started, or that ran already. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KvClient } from '@synod/kvstore'
import { connectKvstore } from '@synod/kvstore'
import type { ServerStatus } from '@synod/paxos'
import { ProcessCluster } from '../process.js'
import { Guard } from '../processes/guard.js'
import { Questions } from '../processes/questions.js'
import { UsageError } from '../cli/usage.js'
import { keyOf } from './keys.js'
import type { Store } from './load.js'

/** A server's process on this machine. */
export interface Member {
  readonly role: 'leader' | 'follower'
  readonly pid: number
}

/** Counted since the start. */
export interface Tally {
  /** Of the leader: operations that its log brought it, and synchronous writes. */
  readonly commands: number
  readonly syncs: number
}

export interface System {
  readonly name: string
  /** The leader first; empty if they are not this bench's. */
  members(): Promise<Member[]>
  tally(): Promise<Tally>
  /** So many connections; those of the last time, if they were as many. */
  connect(connections: number): Promise<readonly Store[]>
  /** Ends the connections, and what was started. */
  close(): Promise<void>
}

/** How long a server may take to say how it stands (ms): one with thousands of clients first hears what all of them have sent. */
const PATIENCE = 30_000
/** So many connections are opened at a time: a server that has not welcomed a client within 5 s is given up. */
const AT_ONCE = 100

/** Synod's key-value servers. */
export class SynodSystem implements System {
  readonly name = 'synod'
  readonly #questions = new Questions()
  readonly #addresses: readonly string[]
  readonly #cluster: ProcessCluster | undefined
  readonly #guard: Guard | undefined
  #clients: KvClient[] = []

  private constructor(addresses: readonly string[], cluster?: ProcessCluster, guard?: Guard) {
    this.#addresses = addresses
    this.#cluster = cluster
    this.#guard = guard
  }

  /** Servers of a cluster that runs. Throws UsageError if none of them says that it leads. */
  static async against(addresses: readonly string[]): Promise<SynodSystem> {
    const system = new SynodSystem(addresses)
    try {
      await system.#leader()
      return system
    } catch (error) {
      await system.close()
      throw error
    }
  }

  /** Starts a cluster of this many processes in a directory of its own. */
  static async start(count: number): Promise<SynodSystem> {
    const directory = mkdtempSync(join(tmpdir(), 'synod-bench-'))
    const guard = new Guard(directory, () => undefined)
    const cluster = await ProcessCluster.prepare({ directory, count, detached: true })
    const system = new SynodSystem(cluster.addresses, cluster, guard)
    try {
      for (const id of cluster.addresses.keys()) {
        const { pid } = cluster.startServer(id)
        if (pid !== undefined) guard.watch(pid)
      }
      await cluster.serving()
      return system
    } catch (error) {
      await system.close()
      throw error
    }
  }

  async members(): Promise<Member[]> {
    const cluster = this.#cluster
    if (cluster === undefined) return []
    const leader = await cluster.serving()
    const pid = (id: number): number => cluster.child(id)?.pid ?? 0
    const followers = [...cluster.addresses.keys()].filter((id) => id !== leader)
    return [
      { role: 'leader', pid: pid(leader) },
      ...followers.map((id) => ({ role: 'follower' as const, pid: pid(id) })),
    ]
  }

  async tally(): Promise<Tally> {
    const { executed: commands, syncs } = await this.#leader()
    return { commands, syncs }
  }

  async connect(connections: number): Promise<readonly Store[]> {
    if (this.#clients.length !== connections) await this.#disconnect()
    const servers = this.#addresses
    while (this.#clients.length < connections) {
      const some = Array.from({ length: Math.min(AT_ONCE, connections - this.#clients.length) }, () =>
        connectKvstore({ servers }),
      )
      this.#clients.push(...some)
      await Promise.all(some.map((client) => client.get(keyOf(0))))
    }
    return this.#clients
  }

  async close(): Promise<void> {
    await this.#disconnect()
    await this.#questions.close()
    await this.#cluster?.stop()
    await this.#guard?.close()
  }

  async #leader(): Promise<ServerStatus> {
    const answers = await Promise.all(this.#addresses.map((address) => this.#questions.status(address, PATIENCE)))
    const leader = answers.find((status) => status?.role === 'leader')
    if (leader == null) throw new UsageError(`no server of ${this.#addresses.join(',')} says that it leads`)
    return leader
  }

  async #disconnect(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()))
  }
}
