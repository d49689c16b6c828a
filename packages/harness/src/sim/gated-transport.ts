/** A transport whose owner hears nothing while it is paused: what came meanwhile comes when it goes on. */
import type { Connection, ConnectionHandlers, Transport } from '@synod/paxos/internal/transport/transport'
import type { ProcessLife } from './life.js'

export class GatedTransport implements Transport {
  readonly #inner: Transport
  readonly #life: ProcessLife

  constructor(inner: Transport, life: ProcessLife) {
    this.#inner = inner
    this.#life = life
  }

  listen(accept: (connection: Connection) => ConnectionHandlers): Promise<void> {
    return this.#inner.listen((connection) => {
      // The system takes connections in, and the process hears of them when it runs.
      let handlers: ConnectionHandlers | undefined
      this.#life.enter(() => {
        handlers = accept(connection)
      })
      return this.#gated(() => handlers)
    })
  }

  dial(address: string, handlers: ConnectionHandlers): Connection {
    return this.#inner.dial(
      address,
      this.#gated(() => handlers),
    )
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#inner.close().then(() => {
        this.#life.enter(resolve)
      }, reject)
    })
  }

  #gated(handlers: () => ConnectionHandlers | undefined): ConnectionHandlers {
    return {
      opened: () => this.#life.enter(() => handlers()?.opened()),
      frame: (bytes) => this.#life.enter(() => handlers()?.frame(bytes)),
      closed: (reason) => this.#life.enter(() => handlers()?.closed(reason)),
    }
  }
}
