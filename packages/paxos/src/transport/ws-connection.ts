/** One end of a connection, over a WebSocket. */
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import type { RawData } from 'ws'
import { MAX_FRAME } from './transport.js'
import type { Connection, ConnectionHandlers } from './transport.js'

/** Of both ends. `closeTimeout`: how long the other end has to answer a close, and to take what was sent before it (ms). */
export const WS_OPTIONS = { perMessageDeflate: false, maxPayload: MAX_FRAME, closeTimeout: 2_000 }
/** So often nothing was heard when it was looked at: then it is probed; and then it is given up. */
const PROBE_AT = 1
const GIVE_UP_AT = 4

/** Codes of RFC 6455, section 7.4.1. */
const NORMAL = 1000
const UNSUPPORTED = 1003

export class WebSocketConnection implements Connection {
  readonly remote: string
  readonly #ws: WebSocket
  #handlers: ConnectionHandlers | undefined
  #socket: Socket | undefined
  #corked = false
  /** Something came since it was looked at last, and how often before nothing had come. */
  #heard = true
  #silences = 0
  /** Why it ends, as this end knows it. */
  #reason: string | undefined
  /** This end wants to hear nothing more but that it is closed. */
  #closing = false

  constructor(ws: WebSocket, remote: string) {
    this.#ws = ws
    this.remote = remote
    ws.on('message', (data, isBinary) => this.#received(data, isBinary))
    for (const sign of ['ping', 'pong'] as const) {
      ws.on(sign, () => {
        this.#heard = true
      })
    }
    ws.on('error', (error: NodeJS.ErrnoException) => {
      this.#reason ??= error.message === '' ? String(error.code) : error.message
    })
    ws.on('close', (code, reason) => this.#ended(code, reason.toString()))
  }

  /** Begins to tell the handlers what happens. */
  serve(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
    if (this.#ws.readyState === WebSocket.OPEN) handlers.opened()
    else this.#ws.on('open', () => this.#handlers?.opened())
  }

  /** Makes the socket below known. */
  attach(socket: Socket): void {
    this.#socket = socket
  }

  /**
   * To be called from time to time. A network that loses everything says nothing, and TCP waits for minutes: so one end
   * asks when nothing comes, and gives the connection up when nothing comes for longer.
   */
  look(): void {
    this.#silences = this.#heard ? 0 : this.#silences + 1
    this.#heard = false
    if (this.#silences >= GIVE_UP_AT) {
      this.#reason ??= 'the other end is silent'
      this.terminate()
    } else if (this.#silences >= PROBE_AT && this.#ws.readyState === WebSocket.OPEN) {
      this.#ws.ping(undefined, undefined, () => undefined)
    }
  }

  get buffered(): number {
    return this.#ws.bufferedAmount
  }

  send(frame: Uint8Array): void {
    if (this.#closing || this.#ws.readyState !== WebSocket.OPEN) return
    this.#cork()
    // The callback takes the error, which `close` tells, too.
    this.#ws.send(frame, { binary: true }, () => undefined)
  }

  close(reason: string): void {
    if (this.#closing) return
    this.#closing = true
    this.#reason ??= reason
    if (this.#ws.readyState === WebSocket.CONNECTING) this.#ws.terminate()
    else this.#ws.close(NORMAL, shortened(reason))
  }

  /** Ends it without waiting for the other end. */
  terminate(): void {
    this.#closing = true
    this.#ws.terminate()
  }

  /** Frames that are sent in one turn leave in one write. */
  #cork(): void {
    const socket = this.#socket
    if (this.#corked || socket === undefined) return
    this.#corked = true
    socket.cork()
    process.nextTick(() => {
      this.#corked = false
      socket.uncork()
    })
  }

  #received(data: RawData, isBinary: boolean): void {
    this.#heard = true
    if (this.#closing) return
    if (isBinary && data instanceof Uint8Array) {
      this.#handlers?.frame(data)
    } else {
      this.#closing = true
      this.#reason ??= 'the other end sent text, but frames are binary'
      this.#ws.close(UNSUPPORTED, 'frames are binary')
    }
  }

  #ended(code: number, told: string): void {
    const handlers = this.#handlers
    this.#handlers = undefined
    this.#closing = true
    handlers?.closed(this.#reason ?? (told || `the connection was lost (code ${code})`))
  }
}

/** A close frame has room for 123 bytes of reason. */
function shortened(reason: string): string {
  const bytes = Buffer.from(reason)
  return bytes.length <= 123 ? reason : `${bytes.toString('utf8', 0, 117).replace(/\uFFFD+$/, '')}…`
}
