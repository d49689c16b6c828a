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
  readonly id: number
  readonly connection: WorldClient
  /** Operations without an outcome. */
  pending: number
  last: Promise<Outcome> | undefined
}

export class Clients {
  readonly #world: World
  readonly #recorder: Recorder
  /** By the number that steps know them by. */
  readonly #clients = new Map<number, Pinned>()
  /** Those that another one has replaced, until nothing of theirs is pending. */
  readonly #replaced = new Set<Pinned>()
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
    const deadline = this.#world.now() + timeout
    const left = (): number => Math.max(1, deadline - this.#world.now())
    const answers = async (): Promise<boolean> => (await this.#world.status(id, left())) !== null
    if (!(await poll(this.#world, answers, timeout))) return `server ${id} did not answer within ${timeout} ms`
    const before = this.#clients.get(id)
    this.#clients.set(id, { id, connection: this.#world.client([id]), pending: 0, last: undefined })
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
    client.connection.close().catch(this.#failed) // a server that is out of reach says no farewell: nobody waits for it
    return null
  }

  /** Begins an operation; its outcome, or why it was not begun. */
  send(id: number, task: Task, timeout = OPERATION_TIMEOUT): Promise<Outcome> | string {
    const client = this.#clients.get(id)
    if (client === undefined) return `client ${id} is not connected: a Connect with that id comes before what it sends`
    if (this.#isDead(client)) return `server ${id} is ${this.#world.standing(id)}`
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
    const all = [...this.#clients.values(), ...this.#replaced]
    await Promise.all(all.filter((client) => this.#isDead(client)).map(({ connection }) => connection.close()))
  }

  async close(): Promise<void> {
    const all = [...this.#clients.values(), ...this.#replaced]
    await Promise.all(all.map(({ connection }) => connection.close()))
  }

  #isDead({ id }: Pinned): boolean {
    return ['down', 'ended'].includes(this.#world.standing(id))
  }

  #closeIfIdle(client: Pinned): void {
    if (client.pending > 0 || !this.#replaced.delete(client)) return
    client.connection.close().catch(this.#failed)
  }
}
