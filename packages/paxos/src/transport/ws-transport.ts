/** A server's way in and out: one port for WebSocket connections and plain HTTP requests. */
import { createServer, ServerResponse } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import { SynodError } from '../protocol/error.js'
import { mostConnections } from './open-files.js'
import { isAllowedOrigin, isOwnName } from './origin.js'
import { answerPlain, refuse } from './plain-answer.js'
import type { Connection, ConnectionHandlers, Transport } from './transport.js'
import { WS_OPTIONS } from './ws-connection.js'
import { WebSocketConnections } from './ws-connections.js'
import { WebSocketDialer } from './ws-dialer.js'

/** Whoever connects has so long to say what it wants (ms). */
const REQUEST_TIMEOUT = 5_000
/** Who takes nothing of an answer for so long, or twice as long (ms), does not get the rest. Longer: who is late is to be told. */
const STALLED_TIMEOUT = 6_000
/** Connections that the system takes in before this process gets round to them; Linux has its own bound, 4,096 by default. */
const BACKLOG = 4_096
/** HTTP connections that are kept open for their next request: others are closed after each. */
const MAX_KEPT_ALIVE = 256
/** HTTP requests that are being answered at one time. */
const MAX_REQUESTS = 1_024

/** Answers plain HTTP requests. It is asked only by those who asked for this server by one of its names. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void

export interface WebSocketTransportOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** The address to bind. Default: 127.0.0.1, which is reached from this machine only. */
  readonly bind?: string
  /** `host:port`s by which the server is known, besides the one that it is bound to: browsers may ask for them. */
  readonly advertised?: readonly string[]
  /** `host:port`s of all servers of the cluster, whose web pages may connect. Default: none. */
  readonly cluster?: readonly string[]
  /** What answers plain HTTP requests. Default: they are told that WebSocket is spoken here (426). */
  readonly http?: HttpHandler
}

export class WebSocketTransport implements Transport {
  readonly #options: Required<WebSocketTransportOptions>
  readonly #dialer = new WebSocketDialer()
  readonly #accepted = new WebSocketConnections()
  /** Sockets that came in and have not become WebSocket connections. */
  readonly #strangers = new Set<Socket>()
  /** Those that have made an HTTP request. */
  readonly #browsers = new Set<Socket>()
  #requests = 0
  readonly #http: Server
  readonly #upgrader = new WebSocketServer({ ...WS_OPTIONS, noServer: true, clientTracking: false })
  #accept: ((connection: Connection) => ConnectionHandlers) | undefined

  constructor(options: WebSocketTransportOptions) {
    this.#options = { bind: '127.0.0.1', advertised: [], cluster: [], http: onlyWebSocket, ...options }
    this.#http = createServer({
      headersTimeout: REQUEST_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      keepAliveTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: 500,
      maxHeaderSize: 8 << 10,
    })
    this.#http.maxConnections = mostConnections()
    this.#http.timeout = STALLED_TIMEOUT // of any socket; WebSocket connections are freed of it
    this.#http.on('connection', (socket) => {
      this.#strangers.add(socket)
      socket.on('close', () => {
        this.#strangers.delete(socket)
        this.#browsers.delete(socket)
      })
    })
    this.#http.on('upgrade', (request, _socket, head) => this.#upgrade(request, head))
    this.#http.on('request', (request, response) => this.#request(request, response))
    this.#http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const [status, sentence] = unreadable(error.code)
      if (socket.writable && error.code !== 'ECONNRESET') refuse(socket, status, sentence)
      else socket.destroy()
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
      this.#http.listen({ port, host: bind, backlog: BACKLOG }, () => {
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

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { host, 'content-length': length, 'transfer-encoding': encoding } = request.headers
    this.#browsers.add(request.socket)
    // What else would come over this connection: more requests than there is room for, or a body that nobody reads.
    const isLast = this.#browsers.size > MAX_KEPT_ALIVE || encoding !== undefined || (length ?? '0') !== '0'
    if (isLast) response.shouldKeepAlive = false
    this.#requests++
    response.on('close', () => this.#requests--)
    if (this.#requests > MAX_REQUESTS) {
      answerPlain(response, 503, 'This server answers too many requests at once: try again later.')
    } else if (host !== undefined && !isOwnName(host, this.#options)) {
      // Every browser says whom it asked for. Who does not (HTTP/1.0) is none.
      answerPlain(response, 421, 'This server is not known by the name that you asked for: use its own address.')
    } else {
      this.#options.http(request, response)
    }
  }

  /** Whoever would rather speak another protocol (HTTP/2, as Java's clients offer) is answered in this one, and hung up on. */
  #answerOnce(request: IncomingMessage): void {
    const { socket } = request
    socket.on('error', () => undefined)
    socket.setTimeout(STALLED_TIMEOUT, () => socket.destroy())
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.on('finish', () => socket.end(() => socket.destroy()))
    this.#request(request, response)
  }

  #upgrade(request: IncomingMessage, head: Buffer): void {
    const { socket } = request
    const { origin, host, upgrade = '' } = request.headers
    if (upgrade.toLowerCase() !== 'websocket') return this.#answerOnce(request)
    if (this.#accept === undefined) return refuse(socket, 503, 'This server stops.')
    if (!isAllowedOrigin(origin, host, this.#options))
      return refuse(
        socket,
        403,
        "This page is no page of this server's cluster, or asked for the server by a foreign name.",
      )
    const remote = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? '?'}`
    this.#upgrader.handleUpgrade(request, socket, head, (ws) => {
      this.#strangers.delete(socket)
      this.#browsers.delete(socket)
      const connection = this.#accepted.add(ws, remote)
      connection.attach(socket)
      if (this.#accept === undefined) connection.close('the server stops')
      else connection.serve(this.#accept(connection))
    })
  }
}

function onlyWebSocket(_request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('upgrade', 'websocket')
  response.setHeader('connection', 'close, upgrade')
  answerPlain(response, 426, 'This is a Synod server. It is spoken to over WebSocket, by its clients.')
}

/** What is told to somebody whose request could not be read, by the reason's code. */
function unreadable(code: string | undefined): readonly [status: number, sentence: string] {
  if (code === 'HPE_HEADER_OVERFLOW') return [431, "The request's headers are too large."]
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'The request did not come in time.']
  return [400, 'This is no HTTP request that can be read.']
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
