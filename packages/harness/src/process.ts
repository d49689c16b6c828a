/** Real servers: processes on free ports of 127.0.0.1, each with its data directory and its log in one directory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectKvstore } from '@synod/kvstore'

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

/** Ports of 127.0.0.1 that nobody listens on, below those that the kernel gives to outgoing connections. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => {
      resolve(false)
    })
    probe.listen(port, '127.0.0.1', () => {
      probe.close(() => {
        resolve(true)
      })
    })
  })
}

export interface ProcessClusterOptions {
  /** Holds each server's data directory and log; made if it is not there. Left in place. */
  readonly directory: string
  readonly count: number
  /** More flags for every server. */
  readonly flags?: readonly string[]
  /** Flags for Node itself. */
  readonly nodeFlags?: readonly string[]
}

/** N kvstore servers. Each can be killed and started again by its id. */
export class ProcessCluster {
  readonly #children = new Map<number, ChildProcess>()
  readonly #options: ProcessClusterOptions

  private constructor(
    options: ProcessClusterOptions,
    /** In id order. */
    readonly addresses: readonly string[],
  ) {
    this.#options = options
  }

  /** Finds free ports; no server runs yet. */
  static async prepare(options: ProcessClusterOptions): Promise<ProcessCluster> {
    mkdirSync(options.directory, { recursive: true })
    const addresses = (await freePorts(options.count)).map((port) => `127.0.0.1:${port}`)
    return new ProcessCluster(options, addresses)
  }

  /** Starts the servers and waits until they serve; if they do not, ends them and throws. */
  static async start(options: ProcessClusterOptions): Promise<ProcessCluster> {
    const cluster = await ProcessCluster.prepare(options)
    try {
      for (let id = 0; id < options.count; id++) cluster.startServer(id)
      await cluster.serving()
    } catch (error) {
      await cluster.stop('SIGKILL')
      throw error
    }
    return cluster
  }

  get directory(): string {
    return this.#options.directory
  }

  address(id: number): string {
    const address = this.addresses[id]
    if (address === undefined) throw new RangeError(`there is no server ${id}`)
    return address
  }

  dataDir(id: number): string {
    return join(this.directory, `server-${id}`)
  }

  /** All that the server wrote to its log, over all its starts. */
  log(id: number): string {
    return readFileSync(join(this.directory, `server-${id}.log`), 'utf8')
  }

  /** The server's process; undefined when it does not run. */
  child(id: number): ChildProcess | undefined {
    return this.#children.get(id)
  }

  /** Starts one server, again after it ended. Does not wait for anything. */
  startServer(id: number): ChildProcess {
    if (this.#children.has(id)) throw new Error(`server ${id} runs already`)
    const { flags = [], nodeFlags = [] } = this.#options
    const log = openSync(join(this.directory, `server-${id}.log`), 'a')
    const place = ['--id', String(id), '--peers', this.addresses.join(','), '--data-dir', this.dataDir(id)]
    // In a group of their own: Ctrl-C on the terminal is for whoever started them.
    const child = spawn(process.execPath, [...nodeFlags, join(COMMANDS, 'kvstore-server.js'), ...place, ...flags], {
      stdio: ['ignore', log, log],
      detached: true,
    })
    closeSync(log)
    this.#children.set(id, child)
    child.once('exit', () => {
      if (this.#children.get(id) === child) this.#children.delete(id)
    })
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
    const store = connectKvstore({ servers: this.addresses, timeout: 1000 })
    const ids = [...this.#children.keys()]
    let leader = -1
    const describe = (): string => ids.map((id) => `\nserver ${id}: ${this.log(id).slice(-2000)}`).join('')
    const agreed = async (): Promise<boolean> => {
      const ended = ids.find((id) => !this.#children.has(id))
      if (ended !== undefined) throw new Error(`server ${ended} ended:\n${this.log(ended)}`)
      const found = await Promise.allSettled(ids.map((id) => store.connection.status(this.address(id))))
      const leaders = found.map((answer) =>
        answer.status === 'fulfilled' && answer.value.role !== 'forming' ? answer.value.leader : null,
      )
      leader = leaders[0] ?? -1
      return ids.includes(leader) && leaders.every((other) => other === leader)
    }
    try {
      await until(`servers ${ids.join()} follow one leader`, agreed, { patience, describe })
    } finally {
      await store.close()
    }
    return leader
  }
}
