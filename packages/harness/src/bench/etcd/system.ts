/** etcd as the other system: servers on free ports, in a directory of their own, with etcd's defaults. */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../../cli/usage.js'
import { until } from '../../process.js'
import { Guard } from '../../processes/guard.js'
import { freePorts } from '../../processes/ports.js'
import type { Store } from '../load.js'
import type { Member, System, Tally } from '../system.js'
import { EtcdStore } from './store.js'

/** Bytes. etcd keeps every version of every key, and its default of 2 GiB is reached within minutes of load. */
const QUOTA = 8 * 2 ** 30
/** How long a server may take to answer (ms). */
const PATIENCE = 5_000

const STATUS = z.object({
  header: z.object({ member_id: z.string() }),
  leader: z.string().optional(),
  raftIndex: z.string().optional(),
})

interface Server {
  readonly child: ChildProcess
  /** `host:port` for clients. */
  readonly address: string
  readonly log: string
}

/** Whether there is such a command. */
export function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined
}

export class EtcdSystem implements System {
  readonly name = 'etcd'
  readonly #guard: Guard
  readonly #servers: readonly Server[]
  #stores: EtcdStore[] = []

  private constructor(guard: Guard, servers: readonly Server[]) {
    this.#guard = guard
    this.#servers = servers
  }

  /** Starts as many servers, and waits for their leader. Throws UsageError if etcd is not installed. */
  static async start(count: number): Promise<EtcdSystem> {
    if (!isInstalled('etcd'))
      throw new UsageError(
        '--peer etcd needs etcd: install it (Debian: apt-get install etcd-server), and have it on the PATH',
      )
    const directory = mkdtempSync(join(tmpdir(), 'synod-bench-etcd-'))
    const guard = new Guard(directory, () => undefined)
    const ports = await freePorts(2 * count)
    const urls = ports.map((port) => `http://127.0.0.1:${port}`)
    const [clients, peers] = [urls.slice(0, count), urls.slice(count)]
    const cluster = peers.map((url, id) => `${id}=${url}`).join()
    const servers = clients.map((url, id) => startServer(directory, id, url, peers[id] ?? '', cluster))
    for (const { child } of servers) if (child.pid !== undefined) guard.watch(child.pid)
    const system = new EtcdSystem(guard, servers)
    try {
      await until('the etcd servers have a leader', async () => (await system.#leader()) !== null, {
        describe: () => servers.map(({ log }) => `\n\n${log}:\n${readFileSync(log, 'utf8').slice(-2000)}`).join(''),
      })
      return system
    } catch (error) {
      await system.close()
      throw error
    }
  }

  /** The address of the leader. */
  async endpoint(): Promise<string> {
    return (await this.#led()).server.address
  }

  async members(): Promise<Member[]> {
    const { server: leader } = await this.#led()
    const followers = this.#servers.filter((server) => server !== leader)
    return [leader, ...followers].map(({ child }, index) => ({
      role: index === 0 ? 'leader' : 'follower',
      pid: child.pid ?? 0,
    }))
  }

  async tally(): Promise<Tally> {
    const { server, commands } = await this.#led()
    const metrics = await (await ask(`http://${server.address}/metrics`)).text()
    const syncs = /^etcd_disk_wal_fsync_duration_seconds_count (\S+)$/m.exec(metrics)?.[1]
    return { commands, syncs: Number(syncs) }
  }

  /** All lead to the leader. */
  async connect(connections: number): Promise<readonly Store[]> {
    await this.#disconnect()
    const endpoint = await this.endpoint()
    this.#stores = Array.from({ length: connections }, () => new EtcdStore(endpoint))
    return this.#stores
  }

  async close(): Promise<void> {
    await this.#disconnect()
    await Promise.all(this.#servers.map(({ child }) => ended(child)))
    await this.#guard.close()
  }

  async #disconnect(): Promise<void> {
    await Promise.all(this.#stores.splice(0).map((store) => store.close()))
  }

  async #led(): Promise<{ server: Server; commands: number }> {
    const leader = await this.#leader()
    if (leader === null) throw new Error('the etcd servers have no leader')
    return leader
  }

  /** null: there is none, or none answers. */
  async #leader(): Promise<{ server: Server; commands: number } | null> {
    for (const server of this.#servers) {
      try {
        const answer = await ask(`http://${server.address}/v3/maintenance/status`, { method: 'POST', body: '{}' })
        const { header, leader, raftIndex } = STATUS.parse(await answer.json())
        if (leader === header.member_id) return { server, commands: Number(raftIndex) }
      } catch {
        // It does not listen yet.
      }
    }
    return null
  }
}

function startServer(directory: string, id: number, client: string, peer: string, cluster: string): Server {
  const log = join(directory, `${id}.log`)
  const file = openSync(log, 'a')
  const flags = {
    name: String(id),
    'data-dir': join(directory, String(id)),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': cluster,
    'quota-backend-bytes': String(QUOTA),
    'log-level': 'error',
  }
  const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)
  const child = spawn('etcd', args, { stdio: ['ignore', file, file], detached: true })
  closeSync(file)
  return { child, address: client.slice('http://'.length), log }
}

function ask(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE) })
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
