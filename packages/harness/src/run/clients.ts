/** The clients that steps name: each is pinned to the server whose number it has, or knows several. */
import { ClientError, FeedError } from '@synod/paxos'
import type { Task } from '../subject/subject.js'
import type { World, WorldClient } from '../world/world.js'
import { poll } from './poll.js'
import type { Outcome, Recorder } from './recorder.js'

/** How long a server may take to answer a client that connects (ms), unless the step says otherwise. */
const CONNECT_TIMEOUT = 5_000
/** How long an operation may take (ms), likewise. */
export const OPERATION_TIMEOUT = 10_000

interface Connected {
  /** The servers that it knows. */
  readonly servers: readonly number[]
  readonly connection: WorldClient
  /** Operations without an outcome. */
  pending: number
  last: Promise<Outcome> | undefined
  /** It has a feed, too, which keeps its connection up. */
  listens: boolean
}

export class Clients {
  readonly #world: World
  readonly #recorder: Recorder
  /** By the number that steps know them by. */
  readonly #clients = new Map<number, Connected>()
  /** Those that another one has replaced, until nothing of theirs is pending. */
  readonly #replaced = new Set<Connected>()
  /** Those that were closed, or died. */
  readonly #gone: Set<object>
  readonly #failed: (error: unknown) => void

  /**
   * @param gone gets those that are closed, or die
   * @param failed takes what is a bug
   */
  constructor(world: World, recorder: Recorder, gone: Set<object>, failed: (error: unknown) => void) {
    this.#world = world
    this.#recorder = recorder
    this.#gone = gone
    this.#failed = failed
  }

  /**
   * Connects the client of a server, anew if it was connected. Returns why it could not.
   *
   * @param servers those that it knows, if it is not to know that server alone
   */
  async connect(id: number, servers = [id], timeout = CONNECT_TIMEOUT): Promise<string | null> {
    const up = servers.filter((server) => this.#world.standing(server) === 'up')
    if (up.length === 0) return this.#down(servers)
    const deadline = this.#world.now() + timeout
    const left = (): number => Math.max(1, deadline - this.#world.now())
    const answers = async (): Promise<boolean> => {
      const all = await Promise.all(up.map((server) => this.#world.status(server, left())))
      return all.some((status) => status !== null)
    }
    if (!(await poll(this.#world, answers, timeout)))
      return `server ${up.join(', ')} did not answer within ${timeout} ms`
    const before = this.#clients.get(id)
    this.#clients.set(id, {
      servers,
      connection: this.#world.client(servers),
      pending: 0,
      last: undefined,
      listens: false,
    })
    if (before !== undefined) {
      this.#replaced.add(before)
      this.#closeIfIdle(before)
    }
    return null
  }

  /** Ends the connection; operations under way are left without an outcome. */
  disconnect(id: number): string | null {
    const client = this.#clients.get(id)
    if (client === undefined) return `client ${id} is not connected`
    this.#clients.delete(id)
    this.#close(client) // a server that is out of reach says no farewell: nobody waits for it
    return null
  }

  /** Lets the client's process die; operations under way are left without an outcome. */
  async vanish(id: number): Promise<string | null> {
    const client = this.#clients.get(id)
    if (client === undefined) return `client ${id} is not connected`
    this.#clients.delete(id)
    this.#gone.add(client.connection)
    await client.connection.vanish()
    return null
  }

  /** Begins an operation; its outcome, or why it was not begun. */
  send(id: number, task: Task, timeout = OPERATION_TIMEOUT): Promise<Outcome> | string {
    const client = this.#clients.get(id)
    if (client === undefined) return `client ${id} is not connected: a Connect with that id comes before what it sends`
    if (this.#isDead(client)) return this.#down(client.servers)
    if (task.f === 'join') this.#listen(client)
    client.pending++
    const outcome = this.#recorder.perform(String(id), task, client.connection, timeout)
    client.last = outcome
    outcome
      .catch(this.#failed)
      .finally(() => {
        client.pending--
        this.#closeIfIdle(client)
      })
      .catch(this.#failed)
    return outcome
  }

  /** The outcome of the client's last operation. */
  last(id: number): Promise<Outcome> | undefined {
    return this.#clients.get(id)?.last
  }

  /** Ends those whose servers are down: no outcome can come to them any more. */
  async leaveDead(): Promise<void> {
    const dead = [...this.#clients.values(), ...this.#replaced].filter((client) => this.#isDead(client))
    for (const { connection } of dead) this.#gone.add(connection)
    await Promise.all(dead.map(({ connection }) => connection.close()))
  }

  async close(): Promise<void> {
    const all = [...this.#clients.values(), ...this.#replaced]
    await Promise.all(all.map(({ connection }) => connection.close()))
  }

  /** Whoever is in a room listens there: an idle client would not look for another server when its own dies. */
  #listen(client: Connected): void {
    if (client.listens) return
    client.listens = true
    const feed = client.connection.subscribe('now')
    const drain = async (): Promise<void> => {
      for await (const event of feed) void event
    }
    drain().catch((error: unknown) => {
      if (!(error instanceof ClientError || error instanceof FeedError)) this.#failed(error)
    })
  }

  #isDead({ servers }: Connected): boolean {
    return servers.every((id) => ['down', 'ended'].includes(this.#world.standing(id)))
  }

  #down(servers: readonly number[]): string {
    return servers.map((id) => `server ${id} is ${this.#world.standing(id)}`).join(', ')
  }

  #close({ connection }: Connected): void {
    this.#gone.add(connection)
    connection.close().catch(this.#failed)
  }

  #closeIfIdle(client: Connected): void {
    if (client.pending > 0 || !this.#replaced.delete(client)) return
    this.#close(client)
  }
}
