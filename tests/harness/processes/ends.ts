/** The two ends of proxied connections: server 0 dials server 1, and a test speaks for both. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { encodeFrame } from '@synod/paxos/internal/transport/codec'
import type { Frame } from '@synod/paxos/internal/transport/codec'
import { WIRE_VERSION } from '@synod/paxos/internal/transport/wire'
import { Proxies } from '@synod/harness/internal/processes/proxies'
import { Links } from '@synod/harness/internal/world/links'
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { WebSocket, WebSocketServer } from 'ws'
import { until } from '../../support/cluster.js'
import type { Owner } from '../../support/cluster.js'

/** One end of a connection, and what it heard. */
export interface End {
  readonly socket: WebSocket
  readonly frames: Buffer[]
  readonly pings: Buffer[]
  /** `code reason`, when it was closed. */
  closed: string | null
}

function endOf(socket: WebSocket): End {
  const end: End = { socket, frames: [], pings: [], closed: null }
  socket.on('message', (data) => end.frames.push(data as Buffer))
  socket.on('ping', (data) => end.pings.push(data))
  socket.on('error', () => undefined)
  socket.on('close', (code, reason) => (end.closed = `${code} ${reason.toString()}`))
  return end
}

export class Ends {
  readonly links = new Links(2, new Prng(1), () => performance.now())
  /** Failures of the proxies. */
  readonly failures: Error[] = []
  readonly #accepted: End[] = []
  /** What each dial's request said. */
  readonly headers: Readonly<Record<string, unknown>>[] = []
  #proxies: Proxies | undefined

  static async of(owner: Owner): Promise<Ends> {
    const ends = new Ends()
    const listener = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(listener, 'listening')
    listener.on('connection', (socket, request) => {
      ends.headers.push(request.headers)
      ends.#accepted.push(endOf(socket))
    })
    const addresses = ['127.0.0.1:1', `127.0.0.1:${(listener.address() as AddressInfo).port}`]
    const proxies = await Proxies.listen(addresses, ends.links, (error) => ends.failures.push(error))
    ends.#proxies = proxies
    owner.teardown(async () => {
      for (const { socket } of ends.#accepted) socket.terminate()
      await proxies.close()
      await new Promise((resolve) => listener.close(resolve))
    })
    return ends
  }

  /** Where one server finds the other. */
  entrance(from: number, to: number): string {
    return this.#proxies?.seenFrom(from)[to] ?? ''
  }

  /** Server 0's connection to server 1, and server 1's end of it. */
  async connect(): Promise<readonly [End, End]> {
    const before = this.#accepted.length
    const near = await this.dial()
    await until('the connection is up', () => near.socket.readyState === WebSocket.OPEN)
    const far = this.#accepted[before]
    if (far === undefined) throw new Error('connected to nobody')
    return [near, far]
  }

  /** Server 0 dials; it may be refused. */
  async dial(headers: Readonly<Record<string, string>> = {}): Promise<End> {
    const end = endOf(new WebSocket(`ws://${this.entrance(0, 1)}/`, { headers }))
    await until('the dial has an outcome', () => end.closed !== null || end.socket.readyState === WebSocket.OPEN)
    return end
  }
}

export const HELLO = encodeFrame({
  type: 'peer',
  version: WIRE_VERSION,
  service: 'kvstore',
  from: 0,
  to: 1,
  count: 2,
  formation: 'empty',
  repair: false,
  clusterId: null,
  life: 0,
  lifeSeen: 0,
  batchSeen: 0,
})
export const CLIENT_HELLO = encodeFrame({ type: 'client', version: WIRE_VERSION, service: null })

/** Messages of one peer to another, told apart by a number. */
export function messages(number: number): Uint8Array {
  const frame: Frame = { type: 'messages', batch: number, messages: [{ type: 'catchUp', from: 1 }] }
  return encodeFrame(frame)
}

/** Messages of about so many bytes. */
export function bulk(bytes: number): Uint8Array {
  const op = { kind: 'op', clientId: '1.a', localId: 1, acked: 0, op: Buffer.alloc(bytes) } as const
  return encodeFrame({ type: 'messages', batch: 1, messages: [{ type: 'forward', commands: [op] }] })
}
