/** The world of real processes: servers on free ports of 127.0.0.1, with proxies between them, and files in one directory. */
import { access, constants, mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ServerStatus } from '@synod/paxos'
import { SynodError } from '@synod/paxos'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { makeDirectories } from '@synod/paxos/internal/storage/real-disk'
import type { AnyService } from '../subject/subject.js'
import { Links } from '../world/links.js'
import type { Standing, World, WorldClient } from '../world/world.js'
import { serverCommand } from './command.js'
import { Guard } from './guard.js'
import { freePorts } from './ports.js'
import { ProcessClient, unknownService } from './process-client.js'
import type { KnownService } from './process-client.js'
import { Proxies } from './proxies.js'
import { Questions } from './questions.js'
import { ServerProcess } from './server-process.js'

/** How long a server may take to tell what it serves (ms). */
const ASK_TIMEOUT = 1_000
/** How long a server may take to write a snapshot (ms). */
const SNAPSHOT_TIMEOUT = 60_000
/** How long handing leadership over may take (ms). */
const HANDOVER_TIMEOUT = 10_000

export interface ProcessWorldOptions {
  /** `kvstore`, `chatroom`, or the path of a server command that takes `--id`, `--peers` and `--data-dir`. */
  readonly command: string
  /** What the command serves; left out where that is not known here. */
  readonly service?: AnyService | undefined
  readonly servers: number
  readonly seed: number
  /** How long the leaders' leases last (ms); the servers' command must take `--lease`. */
  readonly lease?: number | undefined
  /** Gets each server's data directory and log, and is kept. Without it there is a temporary one, which is removed. */
  readonly directory?: string | undefined
  /** So many `-v` are given to the servers. */
  readonly verbosity: number
}

/** What a world is made of. */
interface Parts {
  readonly began: number
  readonly broken: Promise<never>
  readonly links: Links
  readonly addresses: readonly string[]
  readonly guard: Guard
  readonly proxies: Proxies
  readonly processes: readonly ServerProcess[]
  readonly questions: Questions
}

export class ProcessWorld implements World {
  readonly name = 'processes'
  readonly links: Links
  readonly broken: Promise<never>
  readonly #parts: Parts
  readonly #clients = new Set<ProcessClient>()
  readonly #sleeping = new Set<NodeJS.Timeout>()
  #service: KnownService | null
  #closing: Promise<void> | null = null

  private constructor(parts: Parts, service: AnyService | undefined) {
    this.#parts = parts
    this.links = parts.links
    this.broken = parts.broken
    this.#service = service ?? null
  }

  /**
   * Finds free ports and puts the proxies up; no server runs yet.
   *
   * @throws SynodError `BAD_OPTION` for a command that cannot be run, or a directory that holds another run's data
   */
  static async prepare(options: ProcessWorldOptions): Promise<ProcessWorld> {
    const { servers, seed, lease, verbosity } = options
    const command = serverCommand(options.command)
    const directory = await directoryOf(options)
    let broke = (_error: Error): void => undefined
    const broken = new Promise<never>((_, reject) => {
      broke = reject
    })
    broken.catch(() => undefined) // nobody may be waiting for it
    const guard = new Guard(options.directory === undefined ? directory : null, broke)
    try {
      const began = performance.now()
      const links = new Links(servers, new Prng(seed), () => performance.now() - began)
      const addresses = (await freePorts(servers)).map((port) => `127.0.0.1:${port}`)
      const proxies = await Proxies.listen(addresses, links, broke)
      const prng = new Prng(seed + 1)
      const questions = new Questions()
      const processes = addresses.map((address, id) => {
        const dataDir = join(directory, `server-${id}`)
        const flags = ['--id', `${id}`, '--peers', proxies.seenFrom(id).join(','), '--data-dir', dataDir]
        if (lease !== undefined) flags.push('--lease', `${lease}`)
        if (verbosity > 0) flags.push(`-${'v'.repeat(verbosity)}`)
        const snapshot = (): Promise<string | null> => questions.snapshot(address, SNAPSHOT_TIMEOUT)
        const handOver = (to: number): Promise<string | null> => questions.handOver(address, to, HANDOVER_TIMEOUT)
        const log = `${dataDir}.log`
        return new ServerProcess({ id, command, flags, dataDir, log, snapshot, handOver, guard, prng, failed: broke })
      })
      const parts = { began, broken, links, addresses, guard, proxies, processes, questions }
      return new ProcessWorld(parts, options.service)
    } catch (error) {
      await guard.close()
      throw error
    }
  }

  get servers(): number {
    return this.#parts.processes.length
  }

  now(): number {
    return performance.now() - this.#parts.began
  }

  /** Never resolves once the world is closed: nothing goes on in it, and nothing of it keeps this process alive. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closing !== null) return
      const timer = setTimeout(() => {
        this.#sleeping.delete(timer)
        resolve()
      }, ms)
      this.#sleeping.add(timer)
    })
  }

  server(id: number): ServerProcess {
    const process = this.#parts.processes[id]
    if (process === undefined) throw new RangeError(`there is no server ${id}`)
    return process
  }

  sever(a: number, b: number): void {
    this.#parts.proxies.sever(a, b)
  }

  standing(id: number): Standing {
    return this.server(id).standing
  }

  output(id: number): string {
    return this.server(id).output
  }

  client(servers: readonly number[]): WorldClient {
    const addresses = servers.map((id) => this.#address(id))
    const client = new ProcessClient(addresses, () => this.#learn(servers))
    this.#clients.add(client)
    return {
      submit: (op, timeout) => client.submit(op, timeout),
      readStale: (op, timeout) => client.readStale(op, timeout),
      subscribe: (from) => client.subscribe(from),
      close: () => {
        this.#clients.delete(client)
        return client.close()
      },
      vanish: () => {
        this.#clients.delete(client)
        return client.vanish()
      },
    }
  }

  async status(id: number, timeout: number): Promise<ServerStatus | null> {
    return this.#runs(id) ? this.#parts.questions.status(this.#address(id), timeout) : null
  }

  async dump(id: number, timeout: number): Promise<{ slot: number; entries: unknown[] } | null> {
    return this.#runs(id) ? this.#parts.questions.dump(this.#address(id), timeout) : null
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { guard, processes, proxies, questions } = this.#parts
    for (const timer of this.#sleeping) clearTimeout(timer)
    // At once: a server that is paused would keep its clients waiting for a farewell.
    await Promise.all([...this.#clients, ...processes].map((each) => each.close()))
    await Promise.all([questions.close(), proxies.close()])
    await guard.close()
  }

  #address(id: number): string {
    const address = this.#parts.addresses[id]
    if (address === undefined) throw new RangeError(`there is no server ${id}`)
    return address
  }

  /** Nobody else may be asked on the port of a server that is down. */
  #runs(id: number): boolean {
    const standing = this.standing(id)
    return standing === 'up' || standing === 'paused'
  }

  /** What the cluster serves; null if none of these servers tells. */
  async #learn(servers: readonly number[]): Promise<KnownService | null> {
    if (this.#service === null) {
      const answers = await Promise.all(servers.map((id) => this.status(id, ASK_TIMEOUT)))
      const told = answers.find((answer) => answer !== null)
      if (told !== undefined) this.#service ??= unknownService(told.service)
    }
    return this.#service
  }
}

/** The directory of a run, made if need be. Throws SynodError `BAD_OPTION`. */
async function directoryOf({ directory }: ProcessWorldOptions): Promise<string> {
  if (directory === undefined) return mkdtemp(join(tmpdir(), 'synod-harness-'))
  let names: string[]
  try {
    await makeDirectories(resolve(directory))
    await access(directory, constants.W_OK)
    names = await readdir(directory)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new SynodError('BAD_OPTION', `${directory} cannot keep the servers' data: ${why}`, { directory })
  }
  const found = names.find((name) => name.startsWith('server-'))
  if (found === undefined) return resolve(directory)
  throw new SynodError('BAD_OPTION', `${directory} holds ${found}, of another run: name an empty directory`, {
    directory,
  })
}
