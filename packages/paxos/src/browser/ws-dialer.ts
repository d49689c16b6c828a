/** In the place of transport/ws-dialer.ts: opens connections with the browser's own WebSocket. */
import type { Connection, ConnectionHandlers, Dialer } from '../transport/transport.js'
import { realClock } from './clock.js'
import { WebSocketConnection } from './ws-connection.js'

export class WebSocketDialer implements Dialer {
  dial(address: string, handlers: ConnectionHandlers): Connection {
    // A page that came by TLS may not open a connection without it.
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const isAddress = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+):\d+$/i.test(address) && URL.canParse(`${scheme}://${address}/`)
    if (!isAddress) return deaf(address, `"${address}" is not an address of the form host:port`, handlers)
    try {
      return new WebSocketConnection(new WebSocket(`${scheme}://${address}/`), address, handlers)
    } catch (error) {
      // The page's own policy may forbid it.
      return deaf(address, error instanceof Error ? error.message : String(error), handlers)
    }
  }
}

/** To an address that cannot even be tried. */
function deaf(address: string, reason: string, handlers: ConnectionHandlers): Connection {
  realClock.defer(() => handlers.closed(reason))
  return { remote: address, buffered: 0, send: () => undefined, close: () => undefined }
}
