/** Real kvstore servers for tests: processes on free ports of 127.0.0.1, with data in a directory that is removed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { kvstore } from '@synod/kvstore'
import { connect, type ServerStatus } from '@synod/paxos'

/** The directory of the commands `kvstore-server.js` and `kvstore-client.js`. */
export const COMMANDS = fileURLToPath(new URL('../bin/', import.meta.resolve('@synod/kvstore')))

/** How long servers may take to serve, or anything else to come true, in ms. */
const PATIENCE = 30_000

/** Polls until the condition holds. Throws when it does not within the time, with what `describe` then says. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  {
    patience = PATIENCE,
    describe = () => '',
  }: { patience?: number | undefined; describe?: (() => string) | undefined } = {},
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
    const probe = createServer()
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => {
        resolve(false)
      })
      probe.listen(port, '127.0.0.1', () => {
        probe.close(() => {
          resolve(true)
        })
      })
    })
    if (free) ports.add(port)
  }
  return [...ports]
}

/** What ends with the test; a tap test is one. */
export interface Owner {
  teardown(work: () => Promise<void> | void): void
}

/** N servers. Each can be killed and started again by its id. */
export class Cluster {
  readonly #children = new Map<number, ChildProcess>()

  private constructor(
    /** In id order. */
    readonly addresses: readonly string[],
    /** Holds each server's data directory and log. */
    readonly directory: string,
    readonly flags: readonly string[],
  ) {}

  /** Starts the servers and waits until they serve. They end, and their data goes, with the owner. */
  static async start(
    owner: Owner,
    { count = 3, flags = [] }: { count?: number | undefined; flags?: readonly string[] | undefined } = {},
  ): Promise<Cluster> {
    const cluster = await Cluster.prepare(owner, { count, flags })
    for (let id = 0; id < count; id += 1) cluster.startServer(id)
    await cluster.serving()
    return cluster
  }

  /** As {@link start}, but no server runs yet. */
  static async prepare(
    owner: Owner,
    { count = 3, flags = [] }: { count?: number | undefined; flags?: readonly string[] | undefined } = {},
  ): Promise<Cluster> {
    const directory = mkdtempSync(join(tmpdir(), 'synod-test-'))
    const addresses = (await freePorts(count)).map((port) => `127.0.0.1:${port}`)
    const cluster = new Cluster(addresses, directory, flags)
    owner.teardown(async () => {
      await Promise.all(addresses.map((_, id) => cluster.kill(id)))
      rmSync(directory, { recursive: true, force: true })
    })
    return cluster
  }

  /** As `--servers` and `--peers` want them. */
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

  /** All that the server wrote, over all its starts. */
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
    const log = openSync(join(this.directory, `server-${id}.log`), 'a')
    const place = ['--id', String(id), '--peers', this.servers, '--data-dir', this.dataDir(id)]
    const child = spawn(process.execPath, [join(COMMANDS, 'kvstore-server.js'), ...place, ...this.flags], {
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    this.#children.set(id, child)
    child.once('exit', () => {
      if (this.#children.get(id) === child) this.#children.delete(id)
    })
    return child
  }

  /** Sends the signal, by default `SIGKILL`, and waits until the process is gone. */
  async kill(id: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#children.get(id)
    if (child === undefined) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  /** Waits until every server that runs serves, and all of them follow the same leader; answers with its id. */
  async serving(patience = PATIENCE): Promise<number> {
    let followed = -1
    await this.#all('follow one leader', patience, (all) => {
      const leader = all[0]?.leader ?? null
      followed = leader ?? -1
      return leader !== null && this.#children.has(leader) && all.every((status) => serves(status, leader))
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
    const client = connect(kvstore, { servers: this.addresses, timeout: 1000 })
    const ids = [...this.#children.keys()]
    const condition = async (): Promise<boolean> => {
      const ended = ids.find((id) => !this.#children.has(id))
      if (ended !== undefined) throw new Error(`server ${ended} ended:\n${this.log(ended)}`)
      const answers = await Promise.allSettled(ids.map((id) => client.status(this.address(id))))
      return wanted(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : undefined)))
    }
    const describe = (): string => ids.map((id) => `\nserver ${id}: ${this.log(id).slice(-2000)}`).join('')
    try {
      await until(`servers ${ids.join()} ${what}`, condition, { patience, describe })
    } finally {
      await client.close()
    }
  }
}

function serves(
  status: { role: string; leader: number | null } | undefined,
  leader: number | null | undefined,
): boolean {
  return status !== undefined && status.role !== 'forming' && status.leader === leader
}
