/**
 * The network between servers: for each pair a port that one of them takes for the other. What comes in there goes on to
 * the other server, frame by frame, as the links allow.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { decodeHello } from '@synod/paxos/internal/transport/codec'
import { MAX_FRAME } from '@synod/paxos/internal/transport/transport'
import { WebSocket, WebSocketServer } from 'ws'
import type { RawData } from 'ws'
import type { Links } from '../world/links.js'
import { Way } from './way.js'
import type { Traffic } from './way.js'

/** Pings are passed on, not answered here: whoever is cut off is to notice it. */
const OPTIONS = { perMessageDeflate: false, maxPayload: MAX_FRAME, autoPong: false, closeTimeout: 2_000 }
/** A server that does not answer a connection in this time (ms) is out of reach. */
const DIAL_TIMEOUT = 10_000

export class Proxies {
  readonly #addresses: readonly string[]
  readonly #links: Links
  readonly #upgrader = new WebSocketServer({ ...OPTIONS, noServer: true, clientTracking: false })
  readonly #listeners: Server[] = []
  readonly #open = new Set<WebSocket>()
  readonly #passing = new Set<Passing>()
  /** By `from` and `to`: where `from` finds `to`. */
  readonly #entrances = new Map<string, string>()

  private constructor(addresses: readonly string[], links: Links) {
    this.#addresses = addresses
    this.#links = links
  }

  /**
   * @param addresses of the servers, in id order; they need not run yet
   * @param failed told when a proxy cannot go on
   */
  static async listen(addresses: readonly string[], links: Links, failed: (error: Error) => void): Promise<Proxies> {
    const proxies = new Proxies(addresses, links)
    const ids = [...addresses.keys()]
    const pairs = ids.flatMap((from) => ids.filter((to) => to !== from).map((to) => [from, to] as const))
    try {
      await Promise.all(pairs.map(([from, to]) => proxies.#listen(from, to, failed)))
    } catch (error) {
      await proxies.close()
      throw error
    }
    return proxies
  }

  /** All servers' addresses as one of them is to know them: its own, and the proxies of the others. */
  seenFrom(id: number): string[] {
    return this.#addresses.map((address, to) => (to === id ? address : (this.#entrances.get(`${id} ${to}`) ?? '')))
  }

  /** Breaks the connections between two servers, as a network does that resets them. Clients' stay. */
  sever(a: number, b: number): void {
    for (const { ends, near, far, traffic } of this.#passing) {
      if (traffic.links === null || !ends.includes(a) || !ends.includes(b)) continue
      near.terminate()
      far.terminate()
    }
  }

  /** Ends all connections; the ports are free when it resolves. */
  async close(): Promise<void> {
    const closed = this.#listeners.map((listener) => new Promise((resolve) => listener.close(resolve)))
    for (const socket of this.#open) socket.terminate()
    for (const listener of this.#listeners) listener.closeAllConnections()
    await Promise.all(closed)
  }

  #listen(from: number, to: number, failed: (error: Error) => void): Promise<void> {
    const listener = createServer((_request, response) => response.writeHead(426).end())
    this.#listeners.push(listener)
    listener.on('upgrade', (request, socket, head) => this.#upgrade(from, to, request, socket, head))
    return new Promise((resolve, reject) => {
      listener.once('error', reject)
      listener.listen({ port: 0, host: '127.0.0.1' }, () => {
        listener.off('error', reject).on('error', failed)
        this.#entrances.set(`${from} ${to}`, `127.0.0.1:${(listener.address() as AddressInfo).port}`)
        resolve()
      })
    })
  }

  /** `from` dials `to`: it is connected once `to` has answered. */
  #upgrade(from: number, to: number, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined)
    // A server would look where a browser's page came from; behind the proxy it could not.
    if (request.headers.origin !== undefined) return refuse(socket, '403 Forbidden')
    if (this.#links.isCut(from, to) || this.#links.isCut(to, from)) return refuse(socket, '503 Cut')
    const options = { ...OPTIONS, handshakeTimeout: DIAL_TIMEOUT, generateMask }
    const far = this.#track(new WebSocket(`ws://${this.#addresses[to] ?? ''}/`, options))
    const gone = (): void => far.terminate()
    const unreachable = (): void => refuse(socket, '502 Out of reach')
    socket.once('close', gone)
    far.once('error', unreachable).once('open', () => {
      far.off('error', unreachable)
      this.#upgrader.handleUpgrade(request, socket, head, (near) => {
        socket.off('close', gone)
        const passing = connect(this.#track(near), far, from, to, this.#links)
        this.#passing.add(passing)
        near.once('close', () => this.#passing.delete(passing))
      })
    })
  }

  #track(socket: WebSocket): WebSocket {
    this.#open.add(socket)
    socket.on('error', () => undefined) // `close` follows
    socket.once('close', () => this.#open.delete(socket))
    return socket
  }
}

/** A connection from one server to another, in its two parts. */
interface Passing {
  readonly ends: readonly number[]
  readonly near: WebSocket
  readonly far: WebSocket
  readonly traffic: Traffic
}

/** Frames go both ways from now on; as the links allow, unless it was a client that dialed. */
function connect(near: WebSocket, far: WebSocket, from: number, to: number, links: Links): Passing {
  const traffic: Traffic = { links }
  near.once('message', (data) => {
    if (isClientHello(data)) traffic.links = null
  })
  new Way(near, far, from, to, traffic)
  new Way(far, near, to, from, traffic)
  return { ends: [from, to], near, far, traffic }
}

function isClientHello(data: RawData): boolean {
  try {
    return data instanceof Uint8Array && decodeHello(data).type === 'client'
  } catch {
    return false // the server will say so
  }
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}

/** A mask of zeros spares both ends the masking, as between servers themselves. */
function generateMask(mask: Buffer): void {
  mask.fill(0)
}
