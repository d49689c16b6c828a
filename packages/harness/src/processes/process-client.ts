/** A client of real servers, which keeps to those that it is given. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ClientError } from '@synod/paxos'
import type { Feed, FeedEvent, StaleRead } from '@synod/paxos'
import { Client } from '@synod/paxos/internal/client/client'
import { realClock } from '@synod/paxos/internal/clock'
import { WebSocketConnection } from '@synod/paxos/internal/transport/ws-connection'
import { WebSocketDialer } from '@synod/paxos/internal/transport/ws-dialer'
import { z } from 'zod'
import type { AnyService } from '../subject/subject.js'
import { MortalDialer } from '../world/mortal-dialer.js'
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
  readonly #dialer = new MortalDialer(new WebSocketDialer(), (connection) => {
    if (connection instanceof WebSocketConnection) connection.terminate()
  })
  #client: Client<unknown, unknown, unknown> | null = null
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

  submit(op: unknown, timeout: number): Promise<unknown> {
    return this.#ask(timeout, (client, left) => client.submit(op, { timeout: left }))
  }

  readStale(op: unknown, timeout: number): Promise<StaleRead<unknown>> {
    return this.#ask(timeout, (client, left) => client.readStale(op, { timeout: left }))
  }

  subscribe(from: number | 'now'): Feed<unknown> {
    if (this.#client !== null) return this.#client.subscribe({ from })
    const connected = this.#connect(Infinity).then((client) => {
      if (client === null) throw new ClientError('CLOSED', 'the client was closed')
      return client.subscribe({ from })
    })
    return new LateFeed(connected)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#client?.close()
  }

  async vanish(): Promise<void> {
    this.#dialer.die()
    await this.close()
  }

  async #ask<T>(
    timeout: number,
    ask: (client: Client<unknown, unknown, unknown>, left: number) => Promise<T>,
  ): Promise<T> {
    const deadline = performance.now() + timeout
    const client = this.#client ?? (await this.#connect(deadline))
    if (client === null) throw new ClientError('UNAVAILABLE', `no server was reached in ${timeout} ms`)
    return ask(client, Math.max(1, deadline - performance.now()))
  }

  /** Learns what the cluster serves; null if that was not told by the deadline. */
  async #connect(deadline: number): Promise<Client<unknown, unknown, unknown> | null> {
    while (this.#client === null) {
      this.#asking ??= this.#service().finally(() => (this.#asking = null))
      const service = await this.#asking
      if (this.#closed) throw new ClientError('CLOSED', 'the client was closed')
      if (service !== null)
        this.#client ??= new Client(service, { servers: this.#servers, discover: false }, this.#dialer, realClock)
      else if (performance.now() > deadline) return null
      else await sleep(ASK_AGAIN)
    }
    return this.#client
  }
}

/** A feed of a client that does not know yet what is served. */
class LateFeed implements Feed<unknown> {
  readonly started: Promise<number>
  readonly #feed: Promise<Feed<unknown>>

  constructor(feed: Promise<Feed<unknown>>) {
    this.#feed = feed
    this.started = feed.then(({ started }) => started)
    this.started.catch(() => undefined) // whoever reads the feed is told, too
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FeedEvent<unknown>> {
    yield* await this.#feed
  }

  close(): void {
    this.#feed.then(
      (feed) => feed.close(),
      () => undefined,
    )
  }
}
