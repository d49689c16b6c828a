/** The WebSocket connections of one end, so that all of them can be ended. */
import type { WebSocket } from 'ws'
import { WebSocketConnection } from './ws-connection.js'

/** How long connections may take to deliver what was sent, when all of them are ended (ms). */
const GRACE = 500
/** Each connection is looked at this often (ms): one that is silent for 8 s, though it was asked, is given up. */
const LOOK = 2_000
/** Some of them at a time, so often in that time; of thousands only so many at a time: each has its turn more rarely then. */
const SLICES = 20
const AT_ONCE = 100

export class WebSocketConnections {
  readonly #open = new Set<WebSocketConnection>()
  #emptied: (() => void) | undefined
  #looking: NodeJS.Timeout | undefined
  /** Where the round through all of them is, how many it had at its begin, and how many of its slices were looked at. */
  #round = this.#open.values()
  #size = 0
  #slices = SLICES

  add(ws: WebSocket, remote: string): WebSocketConnection {
    const connection = new WebSocketConnection(ws, remote)
    this.#open.add(connection)
    this.#looking ??= setInterval(() => this.#look(), LOOK / SLICES).unref()
    // After the connection's own listener: it has told its handlers.
    ws.on('close', () => {
      this.#open.delete(connection)
      if (this.#open.size > 0) return
      clearInterval(this.#looking)
      this.#looking = undefined
      this.#emptied?.()
    })
    return connection
  }

  /** The next slice of a look at all of them. */
  #look(): void {
    if (this.#slices >= Math.max(SLICES, this.#size / AT_ONCE)) {
      this.#round = this.#open.values()
      this.#size = this.#open.size
      this.#slices = 0
    }
    this.#slices++
    for (let left = Math.min(AT_ONCE, Math.ceil(this.#size / SLICES)); left > 0; left--)
      this.#round.next().value?.look()
  }

  /** Ends all of them; resolves when they have ended, within half a second. */
  close(reason: string): Promise<void> {
    return new Promise((resolve) => {
      const force = setTimeout(() => {
        for (const connection of this.#open) connection.terminate()
      }, GRACE)
      this.#emptied = () => {
        clearTimeout(force)
        resolve()
      }
      if (this.#open.size === 0) this.#emptied()
      for (const connection of this.#open) connection.close(reason)
    })
  }
}
