/** A client of real servers, which keeps to those that it is given. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ClientError, connect } from '@synod/paxos'
import type { Client } from '@synod/paxos'
import { z } from 'zod'
import type { AnyService } from '../subject/subject.js'
import type { WorldClient } from '../world/world.js'

/** How often a server is asked what it serves (ms). */
const ASK_AGAIN = 50

/** What a client needs of a service; learnt from a server where the harness does not know it. */
export type KnownService = Pick<AnyService, 'name' | 'op' | 'state'>

/** Any operation, for the servers to judge. */
export function unknownService(name: string): KnownService {
  const state = (): never => {
    throw new Error(`the state of ${name} is not known here`)
  }
  return { name, op: z.unknown(), state }
}

export class ProcessClient implements WorldClient {
  readonly #servers: readonly string[]
  readonly #service: () => Promise<KnownService | null>
  #client: Client<unknown, unknown> | null = null
  /** One question at a time: so operations go out in the order in which they were submitted. */
  #asking: Promise<KnownService | null> | null = null
  #closed = false

  /**
   * @param servers their addresses
   * @param service asks what the cluster serves; null if no server has answered yet
   */
  constructor(servers: readonly string[], service: () => Promise<KnownService | null>) {
    this.#servers = servers
    this.#service = service
  }

  async submit(op: unknown, timeout: number): Promise<unknown> {
    const deadline = performance.now() + timeout
    while (this.#client === null) {
      this.#asking ??= this.#service().finally(() => (this.#asking = null))
      const service = await this.#asking
      if (this.#closed) throw new ClientError('CLOSED', 'the client was closed')
      if (service !== null) this.#client ??= connect(service, { servers: this.#servers, discover: false })
      else if (performance.now() > deadline)
        throw new ClientError('UNAVAILABLE', `no server was reached in ${timeout} ms`)
      else await sleep(ASK_AGAIN)
    }
    return this.#client.submit(op, { timeout: Math.max(1, deadline - performance.now()) })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#client?.close()
  }
}
