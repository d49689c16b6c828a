/**
 * Transport without sockets, under the same contract: endpoints in one process, and a network between them that delays,
 * loses, doubles and reorders frames as a policy says. With a simulated {@link Clock} all of it is deterministic.
 */
import { SynodError } from '../protocol/error.js'
import type { Clock } from '../clock.js'
import { MAX_FRAME } from './transport.js'
import type { Connection, ConnectionHandlers, Dialer, Transport } from './transport.js'

/** What the network does to whom. Endpoints are named by their addresses; whoever only dials has a name, too. */
export interface NetworkPolicy {
  /** A frame arrives once for each number, so many ms later: `[]` loses it, two numbers double it. Default: `[0]`. */
  deliver(from: string, to: string, frame: Uint8Array): readonly number[]
  /** How many ms a dial takes each way; null: it finds nobody. Default: 0. */
  connect(from: string, to: string): number | null
}

type Accept = (connection: Connection) => ConnectionHandlers

export class MemoryNetwork {
  readonly policy: NetworkPolicy
  readonly #clock: Clock
  readonly #listeners = new Map<string, Accept>()
  readonly #ends = new Set<MemoryConnection>()
  /** How often each address has crashed: an endpoint from before is dead. */
  readonly #crashes = new Map<string, number>()

  /** What is due at the same time must be called in the order in which the clock was asked. */
  constructor(clock: Clock, policy: Partial<NetworkPolicy> = {}) {
    this.#clock = clock
    this.policy = { deliver: () => [0], connect: () => 0, ...policy }
  }

  /** A server's endpoint. After a crash of its address, a new one is needed. */
  transport(address: string): Transport {
    return new MemoryTransport(this, address)
  }

  /** The endpoint of someone who only dials. */
  dialer(name: string): Dialer {
    return new MemoryTransport(this, name)
  }

  /** Kills the endpoint: nothing of it is ever called again. The other ends hear of it `delay` ms later. */
  crash(address: string, delay = 0): void {
    this.#crashes.set(address, this.lives(address) + 1)
    this.#listeners.delete(address)
    for (const end of this.#ends) {
      if (end.local !== address) continue
      end.die()
      end.other?.end(`${address} is gone`, delay)
    }
  }

  /** Breaks all connections between two endpoints; both hear of it. */
  sever(a: string, b: string): void {
    for (const end of this.#ends) {
      if ((end.local === a && end.remote === b) || (end.local === b && end.remote === a))
        end.end('the connection broke', 0)
    }
  }

  /** @internal */
  lives(address: string): number {
    return this.#crashes.get(address) ?? 0
  }

  /** @internal */
  now(): number {
    return this.#clock.now()
  }

  /** @internal Never at once: nobody is called from within a call of its own. */
  later(ms: number, call: () => void): void {
    if (ms > 0) this.#clock.after(ms, call)
    else this.#clock.defer(call)
  }

  /** @internal */
  listen(address: string, accept: Accept): void {
    if (this.#listeners.has(address)) throw new SynodError('ADDRESS_IN_USE', `${address} is in use`, { address })
    this.#listeners.set(address, accept)
  }

  /** @internal Ends all that this endpoint has. */
  close(address: string): void {
    this.#listeners.delete(address)
    for (const end of this.#ends) if (end.local === address) end.close('the server stops')
  }

  /** @internal */
  dial(from: string, to: string, handlers: ConnectionHandlers): Connection {
    const end = this.#add(from, to)
    end.serve(handlers)
    const delay = this.policy.connect(from, to)
    this.later(delay ?? 0, () => {
      const accept = delay === null ? undefined : this.#listeners.get(to)
      if (end.state !== 'connecting') return
      if (accept === undefined) return end.end(`nobody listens on ${to}`, delay ?? 0)
      const accepted = this.#add(to, from)
      end.other = accepted
      accepted.other = end
      this.later(delay ?? 0, () => end.open())
      accepted.serve(accept(accepted))
      accepted.open()
    })
    return end
  }

  #add(local: string, remote: string): MemoryConnection {
    const end = new MemoryConnection(this, local, remote, () => this.#ends.delete(end))
    this.#ends.add(end)
    return end
  }
}

class MemoryTransport implements Transport {
  readonly #network: MemoryNetwork
  readonly #address: string
  readonly #life: number

  constructor(network: MemoryNetwork, address: string) {
    this.#network = network
    this.#address = address
    this.#life = network.lives(address)
  }

  async listen(accept: Accept): Promise<void> {
    if (this.#alive) this.#network.listen(this.#address, accept)
  }

  dial(address: string, handlers: ConnectionHandlers): Connection {
    if (this.#alive) return this.#network.dial(this.#address, address, handlers)
    return { remote: address, buffered: 0, send: () => undefined, close: () => undefined }
  }

  close(): Promise<void> {
    if (this.#alive) this.#network.close(this.#address)
    return new Promise((resolve) => this.#network.later(0, resolve))
  }

  get #alive(): boolean {
    return this.#network.lives(this.#address) === this.#life
  }
}

/** One end of a connection. */
class MemoryConnection implements Connection {
  readonly local: string
  readonly remote: string
  other: MemoryConnection | undefined
  state: 'connecting' | 'open' | 'closing' | 'closed' = 'connecting'
  buffered = 0
  readonly #network: MemoryNetwork
  readonly #gone: () => void
  #handlers: ConnectionHandlers | undefined
  /** When the last of the frames that were sent arrives. */
  #arrival = 0

  constructor(network: MemoryNetwork, local: string, remote: string, gone: () => void) {
    this.#network = network
    this.local = local
    this.remote = remote
    this.#gone = gone
  }

  serve(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
  }

  open(): void {
    if (this.state !== 'connecting') return
    this.state = 'open'
    this.#handlers?.opened()
  }

  send(frame: Uint8Array): void {
    const { other } = this
    if (this.state !== 'open' || other === undefined) return
    if (frame.length > MAX_FRAME) {
      for (const end of [this, other]) end.end(`a frame of ${frame.length} bytes is over the limit of ${MAX_FRAME}`, 0)
      return
    }
    for (const delay of this.#network.policy.deliver(this.local, this.remote, frame)) {
      const copy = Uint8Array.from(frame)
      this.#arrival = Math.max(this.#arrival, this.#network.now() + delay)
      this.buffered += frame.length
      this.#network.later(delay, () => {
        this.buffered -= copy.length
        other.#receive(copy)
      })
    }
  }

  close(reason: string): void {
    if (this.state === 'closing' || this.state === 'closed') return
    this.state = 'closing'
    this.end(reason, 0)
    this.other?.end(reason, Math.max(0, this.#arrival - this.#network.now()))
  }

  /** It ends so much later, unless something ends it sooner. */
  end(reason: string, delay: number): void {
    this.#network.later(delay, () => {
      if (this.state === 'closed') return
      const handlers = this.#handlers
      this.die()
      handlers?.closed(reason)
    })
  }

  /** It ends at once, and nobody is told. */
  die(): void {
    this.state = 'closed'
    this.#handlers = undefined
    this.#gone()
  }

  #receive(frame: Uint8Array): void {
    this.open() // a frame may overtake the news that the dial succeeded
    if (this.state === 'open') this.#handlers?.frame(frame)
  }
}
