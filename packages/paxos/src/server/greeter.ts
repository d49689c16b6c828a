/** Connections that came in and have not said who they are: the first frame settles it, and there is little time for it. */
import { SynodError } from '../protocol/error.js'
import { decodeHello, encodeFrame } from '../transport/codec.js'
import type { Connection, ConnectionHandlers } from '../transport/transport.js'
import type { ClientHello, PeerHello } from '../transport/wire.js'
import type { Clock } from '../clock.js'
import type { Log } from './log.js'

/** A hello comes within this time (ms), or the connection is closed. */
export const HANDSHAKE_TIMEOUT = 5_000
/** Connections that have not said hello yet, at most. */
const MAX_GREETING = 4_096

/** What becomes of a connection whose hello was heard. */
export type Speaker = Pick<ConnectionHandlers, 'frame' | 'closed'>

/** Of a connection that was refused. */
export const NOBODY: Speaker = { frame: () => undefined, closed: () => undefined }

export interface GreeterHost {
  /** A frame has come, and is about to be looked at. */
  arrived(): void
  peer(connection: Connection, hello: PeerHello): Speaker
  client(connection: Connection, hello: ClientHello): Speaker
  /** Something threw that no frame should be able to cause. */
  failed(error: unknown): void
}

export class Greeter {
  readonly #clock: Clock
  readonly #log: Log
  readonly #host: GreeterHost
  #greeting = 0
  #stopped = false

  constructor(clock: Clock, log: Log, host: GreeterHost) {
    this.#clock = clock
    this.#log = log
    this.#host = host
  }

  /** From now on no frame is taken in. */
  stop(): void {
    this.#stopped = true
  }

  accept(connection: Connection): ConnectionHandlers {
    if (this.#greeting >= MAX_GREETING) {
      connection.close('too many connections')
      return { opened: () => undefined, ...NOBODY }
    }
    let speaker: Speaker | null = null
    let greeting = true
    this.#greeting++
    const cancel = this.#clock.after(HANDSHAKE_TIMEOUT, () => {
      connection.close('no hello in time')
    })
    const greeted = (): void => {
      if (greeting) this.#greeting--
      greeting = false
      cancel()
    }
    return {
      opened: () => undefined,
      frame: (bytes) => {
        if (this.#stopped) return
        try {
          this.#host.arrived()
          if (speaker !== null) return speaker.frame(bytes)
          greeted()
          speaker = this.#greet(connection, bytes)
        } catch (error) {
          this.#host.failed(error)
        }
      },
      closed: (reason) => {
        greeted()
        speaker?.closed(reason)
      },
    }
  }

  #greet(connection: Connection, bytes: Uint8Array): Speaker {
    let hello: PeerHello | ClientHello
    try {
      hello = decodeHello(bytes)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.#log.warn(`closed a connection from ${connection.remote}: ${message}`)
      goodbye(connection, new SynodError('BAD_FRAME', message))
      return NOBODY
    }
    return hello.type === 'peer' ? this.#host.peer(connection, hello) : this.#host.client(connection, hello)
  }
}

/** Says why, and closes. */
export function goodbye(connection: Connection, error: SynodError): void {
  connection.send(encodeFrame({ type: 'goodbye', code: error.code, message: error.message }))
  connection.close(error.code)
}
