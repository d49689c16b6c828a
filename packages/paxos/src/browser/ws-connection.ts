/** A client's end of a connection, over the browser's WebSocket. */
import type { Connection, ConnectionHandlers } from '../transport/transport.js'
import { Pulse } from './pulse.js'

/** The other end has so long to answer a close (ms). */
const CLOSE_TIMEOUT = 2_000
/** RFC 6455, section 7.4.1. */
const NORMAL = 1000

export class WebSocketConnection implements Connection {
  readonly remote: string
  readonly #ws: WebSocket
  readonly #pulse: Pulse
  #handlers: ConnectionHandlers | undefined
  /** Why it ends, as this end knows it. */
  #reason: string | undefined
  #closing = false

  constructor(ws: WebSocket, remote: string, handlers: ConnectionHandlers) {
    this.#ws = ws
    this.remote = remote
    this.#handlers = handlers
    this.#pulse = new Pulse({
      ask: (frame) => ws.send(frame),
      stopped: () => {
        this.close('the other end is silent')
        this.#ended()
      },
    })
    ws.binaryType = 'arraybuffer'
    ws.addEventListener('open', () => this.#handlers?.opened())
    ws.addEventListener('message', ({ data }) => this.#received(data))
    ws.addEventListener('close', ({ code, reason }) => {
      this.#reason ??= reason || `the connection was lost (code ${code})`
      this.#ended()
    })
  }

  get buffered(): number {
    return this.#ws.bufferedAmount
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#closing || this.#ws.readyState !== WebSocket.OPEN) return
    this.#pulse.sent(frame)
    this.#ws.send(frame)
  }

  close(reason: string): void {
    if (this.#closing) return
    this.#closing = true
    this.#reason ??= reason
    this.#pulse.end()
    this.#ws.close(NORMAL, shortened(reason))
    // Browsers wait for the other end for as long as they like.
    setTimeout(() => this.#ended(), CLOSE_TIMEOUT)
  }

  #received(data: unknown): void {
    if (this.#closing) return
    if (!(data instanceof ArrayBuffer)) return this.close('the other end sent text, but frames are binary')
    const frame = new Uint8Array(data)
    if (!this.#pulse.heard(frame)) this.#handlers?.frame(frame)
  }

  #ended(): void {
    const handlers = this.#handlers
    this.#handlers = undefined
    this.#closing = true
    this.#pulse.end()
    handlers?.closed(this.#reason ?? 'the connection was lost')
  }
}

/** A close frame has room for 123 bytes of reason. */
function shortened(reason: string): string {
  const bytes = new Uint8Array(120)
  const { read, written } = new TextEncoder().encodeInto(reason, bytes)
  return written === 0 || read === reason.length ? reason : `${reason.slice(0, read)}…`
}
