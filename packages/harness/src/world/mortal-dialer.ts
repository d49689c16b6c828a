/** What lets a client die as its process would: from one moment on nothing of it reaches a server any more. */
import type { Connection, ConnectionHandlers, Dialer } from '@synod/paxos/internal/transport/transport'

export class MortalDialer implements Dialer {
  readonly #inner: Dialer
  readonly #breakOff: (connection: Connection) => void
  readonly #open = new Set<Connection>()
  #alive = true

  /** @param breakOff breaks a connection as the system does for a process that was killed */
  constructor(inner: Dialer, breakOff: (connection: Connection) => void) {
    this.#inner = inner
    this.#breakOff = breakOff
  }

  /** What is closed or sent from now on is heard by nobody. */
  die(): void {
    this.#alive = false
    for (const connection of this.#open) this.#breakOff(connection)
  }

  dial(address: string, handlers: ConnectionHandlers): Connection {
    if (!this.#alive) return { remote: address, buffered: 0, send: () => undefined, close: () => undefined }
    const inner = this.#inner.dial(address, {
      opened: () => handlers.opened(),
      frame: (bytes) => handlers.frame(bytes),
      closed: (reason) => {
        this.#open.delete(inner)
        handlers.closed(reason)
      },
    })
    this.#open.add(inner)
    return {
      remote: inner.remote,
      get buffered() {
        return inner.buffered
      },
      send: (frame) => {
        if (this.#alive) inner.send(frame)
      },
      close: (reason) => {
        if (this.#alive) inner.close(reason)
      },
    }
  }
}
