/** A client of a simulated cluster: the real one, over the simulated network and time. */
import type { Feed, StaleRead } from '@synod/paxos'
import { Client } from '@synod/paxos/internal/client/client'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import { decodeServerFrame, encodeFrame } from '@synod/paxos/internal/transport/codec'
import type { Connection, ConnectionHandlers, Dialer } from '@synod/paxos/internal/transport/transport'
import type { MemoryNetwork } from '@synod/paxos/internal/transport/memory-transport'
import type { AnyService } from '../subject/subject.js'
import { MortalDialer } from '../world/mortal-dialer.js'
import type { WorldClient } from '../world/world.js'
import { ProcessLife } from './life.js'
import type { VirtualTime } from './time.js'

/** When a client's machine dies with it, nobody hangs up: the server finds out after one of these times (ms). */
const SILENCES = [0.5, 100, 1_000]

export class SimClient implements WorldClient {
  readonly #name: string
  readonly #network: MemoryNetwork
  readonly #prng: Prng
  readonly #life: ProcessLife
  readonly #dialer: MortalDialer
  readonly #client: Client<unknown, unknown, unknown>

  /**
   * @param name its address, which no other client has
   * @param servers the addresses that it knows, and it learns no others
   */
  constructor(
    service: AnyService,
    name: string,
    servers: readonly string[],
    network: MemoryNetwork,
    time: VirtualTime,
    prng: Prng,
  ) {
    this.#name = name
    this.#network = network
    this.#prng = prng
    this.#life = new ProcessLife(time, prng)
    this.#dialer = new MortalDialer(new PinnedDialer(network.dialer(name), servers), () => undefined)
    this.#client = new Client(service, { servers }, this.#dialer, this.#life.clock)
  }

  submit(op: unknown, timeout: number): Promise<unknown> {
    return this.#client.submit(op, { timeout })
  }

  readStale(op: unknown, timeout: number): Promise<StaleRead<unknown>> {
    return this.#client.readStale(op, { timeout })
  }

  subscribe(from: number | 'now'): Feed<unknown> {
    return this.#client.subscribe({ from })
  }

  async close(): Promise<void> {
    await this.#client.close()
    this.#life.end()
  }

  async vanish(): Promise<void> {
    this.#dialer.die()
    void this.#client.close() // its calls and feeds fail; nothing leaves any more, so this may never be over
    this.#network.crash(this.#name, this.#prng.pick(SILENCES))
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
