/** Opens WebSocket connections; all that a client needs of the transport. */
import { WebSocket } from 'ws'
import type { Connection, ConnectionHandlers, Dialer } from './transport.js'
import { WS_OPTIONS } from './ws-connection.js'
import { WebSocketConnections } from './ws-connections.js'

/** A connection that is not up after this time (ms) is given up. */
export const DIAL_TIMEOUT = 5_000

/**
 * A mask of zeros spares both ends the masking (5 ms of CPU a MiB). Masks keep scripts in browsers from writing what a proxy
 * takes for HTTP (RFC 6455, section 10.3); this end is no browser.
 */
function generateMask(mask: Buffer): void {
  mask.fill(0)
}

export class WebSocketDialer implements Dialer {
  readonly #connections = new WebSocketConnections()

  dial(address: string, handlers: ConnectionHandlers): Connection {
    if (!/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+):\d+$/i.test(address) || !URL.canParse(`ws://${address}/`)) {
      return deaf(address, handlers)
    }
    const ws = new WebSocket(`ws://${address}/`, { ...WS_OPTIONS, generateMask, handshakeTimeout: DIAL_TIMEOUT })
    const connection = this.#connections.add(ws, address)
    ws.on('upgrade', (response) => connection.attach(response.socket))
    connection.serve(handlers)
    return connection
  }

  /** Ends all connections that it opened; resolves when they have ended, within half a second. */
  close(reason: string): Promise<void> {
    return this.#connections.close(reason)
  }
}

/** To an address that cannot even be tried. */
function deaf(address: string, handlers: ConnectionHandlers): Connection {
  setImmediate(() => handlers.closed(`"${address}" is not an address of the form host:port`))
  return { remote: address, buffered: 0, send: () => undefined, close: () => undefined }
}
