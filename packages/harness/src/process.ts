/** Real servers: processes on free ports of 127.0.0.1, each with its data directory and its log in one directory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectKvstore } from '@synod/kvstore'
import { makeDirectories } from '@synod/paxos/internal/storage/real-disk'
import type { ServerStatus } from '@synod/paxos'
import { freePorts } from './processes/ports.js'

export { freePorts } from './processes/ports.js'

/** The directory of the commands `kvstore-server.js` and `kvstore-client.js`. */
export const COMMANDS = fileURLToPath(new URL('../bin/', import.meta.resolve('@synod/kvstore')))

/** How long servers may take to serve, or anything else to come true (ms). */
const PATIENCE = 30_000

/** Polls until the condition holds. Throws when it does not within `patience` ms, with what `describe` then says. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { patience = PATIENCE, describe = () => '' }: { patience?: number; describe?: () => string } = {},
): Promise<void> {
  const deadline = performance.now() + patience
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${patience} ms: ${what} ${describe()}`)
    await sleep(20)
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

export interface ProcessClusterOptions {
  /** Holds each server's data directory and log; made if it is not there. Left in place, and data in it is used again. */
  readonly directory: string
  readonly count: number
  /** More flags for every server. */
  readonly flags?: readonly string[]
  /** Flags for Node itself. */
  readonly nodeFlags?: readonly string[]
  /** Whether Ctrl-C on the terminal leaves the servers alone; whoever started them must then end them. */
  readonly detached?: boolean
}

/** N kvstore servers. Each can be killed and started again by its id. */
export class ProcessCluster {
  readonly #children = new Map<number, ChildProcess>()
  readonly #options: ProcessClusterOptions
  /** What was in each log before: a kept directory has former runs' (bytes). */
  readonly #logged: number[] = []

  private constructor(
    options: ProcessClusterOptions,
    /** In id order. */
    readonly addresses: readonly string[],
  ) {
    this.#options = options
  }

  /** Finds free ports; no server runs yet. */
  static async prepare(options: ProcessClusterOptions): Promise<ProcessCluster> {
    await makeDirectories(options.directory)
    const addresses = (await freePorts(options.count)).map((port) => `127.0.0.1:${port}`)
    const cluster = new ProcessCluster(options, addresses)
    for (const id of addresses.keys()) cluster.#logged.push(sizeOf(cluster.#logFile(id)))
    return cluster
  }

  /** Starts the servers and waits until they serve; if they do not, ends them and throws. */
  static async start(options: ProcessClusterOptions): Promise<ProcessCluster> {
    const cluster = await ProcessCluster.prepare(options)
    try {
      await cluster.startAll()
    } catch (error) {
      await cluster.stop('SIGKILL')
      throw error
    }
    return cluster
  }

  get directory(): string {
    return this.#options.directory
  }

  /** All addresses, as `--servers` and `--peers` want them. */
  get servers(): string {
    return this.addresses.join(',')
  }

  address(id: number): string {
    const address = this.addresses[id]
    if (address === undefined) throw new RangeError(`there is no server ${id}`)
    return address
  }

  dataDir(id: number): string {
    return join(this.directory, `server-${id}`)
  }

  /** All that the server wrote to its log, over all its starts by this object. */
  log(id: number): string {
    return readFileSync(this.#logFile(id)).toString('utf8', this.#logged[id])
  }

  /** The server's process; undefined when it does not run. */
  child(id: number): ChildProcess | undefined {
    return this.#children.get(id)
  }

  /** Starts all servers and waits until they serve. Throws, with their logs, when they do not. */
  async startAll(): Promise<void> {
    for (const id of this.addresses.keys()) this.startServer(id)
    await this.serving()
  }

  /** Starts one server, again after it ended; `more`: flags for this start. Does not wait for anything. */
  startServer(id: number, more: readonly string[] = []): ChildProcess {
    if (this.#children.has(id)) throw new Error(`server ${id} runs already`)
    const { flags = [], nodeFlags = [], detached = false } = this.#options
    const log = openSync(this.#logFile(id), 'a')
    const place = ['--id', String(id), '--peers', this.servers, '--data-dir', this.dataDir(id)]
    const all = [...nodeFlags, join(COMMANDS, 'kvstore-server.js'), ...place, ...flags, ...more]
    const child = spawn(process.execPath, all, { stdio: ['ignore', log, log], detached })
    closeSync(log)
    this.#children.set(id, child)
    const gone = (): void => {
      if (this.#children.get(id) === child) this.#children.delete(id)
    }
    child.once('exit', gone)
    child.once('error', gone)
    return child
  }

  /** Sends the signal, and waits until the process is gone. */
  async kill(id: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#children.get(id)
    if (child === undefined) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  /** Ends all servers; after `SIGTERM` those that have not ended within 5 s are killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const ids = [...this.#children.keys()]
    const all = Promise.all(ids.map((id) => this.kill(id, signal)))
    await Promise.race([all, sleep(5_000, undefined, { ref: false })])
    await Promise.all(ids.map((id) => this.kill(id)))
    await all
  }

  /** Waits until every server that runs serves, and all of them follow the same leader; answers with its id. */
  async serving(patience = PATIENCE): Promise<number> {
    let followed = -1
    await this.#all('follow one leader', patience, (all) => {
      const leader = all[0]?.leader ?? null
      followed = leader ?? -1
      return (
        this.#children.has(followed) && all.every((status) => status?.role !== 'forming' && status?.leader === leader)
      )
    })
    return followed
  }

  /** Waits until every server that runs has executed the same commands; answers with the last one's slot. */
  async caughtUp(patience = PATIENCE): Promise<number> {
    let slot = -1
    await this.#all('have executed the same', patience, (all) => {
      slot = Math.max(...all.map((status) => status?.applied ?? -1))
      return all.every((status) => status?.applied === slot)
    })
    return slot
  }

  /** Polls the servers that run until what they answer is as wanted; undefined stands for no answer. */
  async #all(
    what: string,
    patience: number,
    wanted: (all: readonly (ServerStatus | undefined)[]) => boolean,
  ): Promise<void> {
    const store = connectKvstore({ servers: this.addresses, timeout: 1000 })
    const ids = [...this.#children.keys()]
    const condition = async (): Promise<boolean> => {
      const ended = ids.find((id) => !this.#children.has(id))
      if (ended !== undefined) throw new Error(`server ${ended} ended\n\n${this.log(ended)}`)
      const answers = await Promise.allSettled(ids.map((id) => store.connection.status(this.address(id))))
      return wanted(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : undefined)))
    }
    const describe = (): string => ids.map((id) => `\n\nserver ${id}:\n${this.log(id).slice(-2000)}`).join('')
    try {
      await until(`servers ${ids.join()} ${what}`, condition, { patience, describe })
    } finally {
      await store.close()
    }
  }

  #logFile(id: number): string {
    return join(this.directory, `server-${id}.log`)
  }
}
