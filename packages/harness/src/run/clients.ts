/** The clients that steps name: each is pinned to the server whose number it has. */
import type { Task } from '../subject/subject.js'
import type { World, WorldClient } from '../world/world.js'
import { poll } from './poll.js'
import type { Outcome, Recorder } from './recorder.js'

/** How long a server may take to answer a client that connects (ms), unless the step says otherwise. */
const CONNECT_TIMEOUT = 5_000
/** How long an operation may take (ms), likewise. */
export const OPERATION_TIMEOUT = 10_000

interface Pinned {
  readonly connection: WorldClient
  /** Operations without an outcome. */
  pending: number
  last: Promise<Outcome> | undefined
  /** It is to be closed once nothing is pending. */
  retired: boolean
}

export class Clients {
  readonly #world: World
  readonly #recorder: Recorder
  readonly #clients = new Map<number, Pinned>()
  readonly #failed: (error: unknown) => void

  /** @param failed takes what is a bug */
  constructor(world: World, recorder: Recorder, failed: (error: unknown) => void) {
    this.#world = world
    this.#recorder = recorder
    this.#failed = failed
  }

  /** Connects the client of a server, anew if it was connected. Returns why it could not. */
  async connect(id: number, timeout = CONNECT_TIMEOUT): Promise<string | null> {
    if (this.#world.standing(id) !== 'up') return `server ${id} is ${this.#world.standing(id)}`
    const answers = async (): Promise<boolean> => (await this.#world.status(id, timeout)) !== null
    if (!(await poll(this.#world, answers, timeout))) return `server ${id} did not answer within ${timeout} ms`
    this.#retire(id)
    this.#clients.set(id, { connection: this.#world.client([id]), pending: 0, last: undefined, retired: false })
    return null
  }

  /** Ends the connection; operations under way are left without an outcome. */
  async disconnect(id: number): Promise<string | null> {
    const client = this.#clients.get(id)
    if (client === undefined) return `client ${id} is not connected`
    this.#clients.delete(id)
    await client.connection.close()
    return null
  }

  /** Begins an operation; its outcome, or why it was not begun. */
  send(id: number, task: Task, timeout = OPERATION_TIMEOUT): Promise<Outcome> | string {
    const client = this.#clients.get(id)
    if (client === undefined) return `client ${id} is not connected`
    const standing = this.#world.standing(id)
    if (standing === 'down' || standing === 'ended') return `server ${id} is ${standing}`
    client.pending++
    const outcome = this.#recorder.perform(String(id), task, (op) => client.connection.submit(op, timeout))
    client.last = outcome
    outcome
      .catch(this.#failed)
      .finally(() => {
        client.pending--
        if (client.retired && client.pending === 0) void client.connection.close()
      })
      .catch(this.#failed)
    return outcome
  }

  /** The outcome of the client's last operation. */
  last(id: number): Promise<Outcome> | undefined {
    return this.#clients.get(id)?.last
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.keys()].map((id) => this.disconnect(id)))
  }

  #retire(id: number): void {
    const client = this.#clients.get(id)
    if (client === undefined) return
    client.retired = true
    this.#clients.delete(id)
    if (client.pending === 0) void client.connection.close()
  }
}
