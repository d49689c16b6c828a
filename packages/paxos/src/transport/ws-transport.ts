/** A server's way in and out: one port for WebSocket connections and plain HTTP requests. */
import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import { SynodError } from '../protocol/error.js'
import { isAllowedOrigin } from './origin.js'
import type { Connection, ConnectionHandlers, Transport } from './transport.js'
import { WS_OPTIONS } from './ws-connection.js'
import { WebSocketConnections } from './ws-connections.js'
import { WebSocketDialer } from './ws-dialer.js'

/** Whoever connects has so long to say what it wants (ms). */
const REQUEST_TIMEOUT = 5_000
/** Connections of all kinds at one time: strangers must not use up the files that the log needs. */
const MAX_CONNECTIONS = 8_192

export interface WebSocketTransportOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** The address to bind. Default: 127.0.0.1, which is reached from this machine only. */
  readonly bind?: string
  /** `host:port`s by which the server is known, besides the one that it is bound to: browsers may ask for them. */
  readonly advertised?: readonly string[]
}

export class WebSocketTransport implements Transport {
  readonly #options: Required<WebSocketTransportOptions>
  readonly #dialer = new WebSocketDialer()
  readonly #accepted = new WebSocketConnections()
  /** Sockets that came in and have not become WebSocket connections. */
  readonly #strangers = new Set<Socket>()
  readonly #http: Server
  readonly #upgrader = new WebSocketServer({ ...WS_OPTIONS, noServer: true, clientTracking: false })
  #accept: ((connection: Connection) => ConnectionHandlers) | undefined

  constructor(options: WebSocketTransportOptions) {
    this.#options = { bind: '127.0.0.1', advertised: [], ...options }
    this.#http = createServer({
      headersTimeout: REQUEST_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 8 << 10,
    })
    this.#http.maxConnections = MAX_CONNECTIONS
    this.#http.on('connection', (socket) => {
      this.#strangers.add(socket)
      socket.on('close', () => this.#strangers.delete(socket))
    })
    this.#http.on('upgrade', (request, _socket, head) => this.#upgrade(request, head))
    this.#http.on('request', (_request, response) => {
      response.writeHead(426, {
        'content-type': 'text/plain; charset=utf-8',
        connection: 'close, upgrade',
        upgrade: 'websocket',
      })
      response.end('This is a Synod server. It is spoken to over WebSocket, by its clients.\n')
    })
  }

  /** The port that it listens on. */
  get port(): number {
    const address = this.#http.address()
    return address !== null && typeof address === 'object' ? address.port : this.#options.port
  }

  /** Throws SynodError `ADDRESS_IN_USE` or `ADDRESS_UNUSABLE`. */
  listen(accept: (connection: Connection) => ConnectionHandlers): Promise<void> {
    this.#accept = accept
    const { port, bind } = this.#options
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(listenError(error, bind, port))
      this.#http.once('error', failed)
      this.#http.listen({ port, host: bind }, () => {
        this.#http.off('error', failed)
        // From now on an error is about one connection that could not be taken in (too many open files): it is lost.
        this.#http.on('error', () => undefined)
        resolve()
      })
    })
  }

  dial(address: string, handlers: ConnectionHandlers): Connection {
    return this.#dialer.dial(address, handlers)
  }

  async close(): Promise<void> {
    this.#accept = undefined
    const stopped = new Promise<void>((resolve) => {
      this.#http.close(() => resolve()) // calls back with an error when it did not listen: just as well
    })
    for (const socket of this.#strangers) socket.destroy()
    const reason = 'the server stops'
    await Promise.all([stopped, this.#accepted.close(reason), this.#dialer.close(reason)])
  }

  #upgrade(request: IncomingMessage, head: Buffer): void {
    const { socket } = request
    const { origin, host } = request.headers
    if (this.#accept === undefined) return refuse(socket, '503 Service Unavailable')
    if (!isAllowedOrigin(origin, host, this.#options)) return refuse(socket, '403 Forbidden')
    const remote = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? '?'}`
    this.#upgrader.handleUpgrade(request, socket, head, (ws) => {
      this.#strangers.delete(socket)
      const connection = this.#accepted.add(ws, remote)
      connection.attach(socket)
      if (this.#accept === undefined) connection.close('the server stops')
      else connection.serve(this.#accept(connection))
    })
  }
}

function refuse(socket: Socket, status: string): void {
  socket.on('error', () => undefined)
  // No timeout applies to it any more, and the other end need not close: so it is not left half open.
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}

function listenError(error: NodeJS.ErrnoException, bind: string, port: number): SynodError {
  const data = { bind, port, cause: error.code ?? error.message }
  if (error.code === 'EADDRINUSE') {
    return new SynodError(
      'ADDRESS_IN_USE',
      `port ${port} of ${bind} is in use: stop the process that listens on it, or take another port`,
      data,
    )
  }
  return new SynodError('ADDRESS_UNUSABLE', `cannot listen on port ${port} of ${bind}: ${error.message}`, data)
}
