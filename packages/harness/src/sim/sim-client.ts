/** A client of a simulated cluster: the real one, over the simulated network and time. */
import { Client } from '@synod/paxos/internal/client/client'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import { decodeServerFrame, encodeFrame } from '@synod/paxos/internal/transport/codec'
import type { Connection, ConnectionHandlers, Dialer } from '@synod/paxos/internal/transport/transport'
import type { AnyService } from '../subject/subject.js'
import type { WorldClient } from '../world/world.js'
import { ProcessLife } from './life.js'
import type { VirtualTime } from './time.js'

export class SimClient implements WorldClient {
  readonly #life: ProcessLife
  readonly #client: Client<unknown, unknown>

  /** @param servers the addresses that it knows, and it learns no others */
  constructor(service: AnyService, servers: readonly string[], dialer: Dialer, time: VirtualTime, prng: Prng) {
    this.#life = new ProcessLife(time, prng)
    this.#client = new Client<unknown, unknown>(
      service,
      { servers },
      new PinnedDialer(dialer, servers),
      this.#life.clock,
    )
  }

  submit(op: unknown, timeout: number): Promise<unknown> {
    return this.#client.submit(op, { timeout })
  }

  async close(): Promise<void> {
    await this.#client.close()
    this.#life.end()
  }

  /** The simulation is over. */
  end(): void {
    this.#life.end()
  }
}

/** Takes from each welcome the servers that the client is not to know. */
class PinnedDialer implements Dialer {
  readonly #inner: Dialer
  readonly #servers: readonly string[]

  constructor(inner: Dialer, servers: readonly string[]) {
    this.#inner = inner
    this.#servers = servers
  }

  dial(address: string, handlers: ConnectionHandlers): Connection {
    let first = true
    return this.#inner.dial(address, {
      opened: () => handlers.opened(),
      frame: (bytes) => {
        handlers.frame(first ? this.#withoutOthers(bytes) : bytes)
        first = false
      },
      closed: (reason) => handlers.closed(reason),
    })
  }

  #withoutOthers(bytes: Uint8Array): Uint8Array {
    const frame = decodeServerFrame(bytes)
    return frame.type === 'welcome' ? encodeFrame({ ...frame, servers: this.#servers }) : bytes
  }
}
