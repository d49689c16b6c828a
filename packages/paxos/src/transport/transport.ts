/**
 * The delivery contract: connections that carry whole frames. Servers dial each other, clients dial servers; who speaks
 * what over a connection is settled by its first frame (the handshake), above this layer.
 */

/** The largest frame that is taken in (bytes); a larger one closes its connection before anything is allocated for it. */
export const MAX_FRAME = 16 << 20

/** What its owner hears of a connection. Nothing is called after `closed`, nor from within the owner's own calls. */
export interface ConnectionHandlers {
  /** The connection is up (at once for an accepted one). */
  opened(): void
  /** A whole frame, in the order sent. Its bytes belong to the receiver, who may keep views of them. */
  frame(bytes: Uint8Array): void
  /** It ended, or could not be opened; `reason` is for a log line. Called exactly once, also after one's own `close`. */
  closed(reason: string): void
}

/** One end of a connection. */
export interface Connection {
  /** The other end's address, for log lines. */
  readonly remote: string
  /** Bytes that were sent and have not left yet. */
  readonly buffered: number
  /** Sends a whole frame. It may be lost with the connection, never in part. Does nothing when not open. */
  send(frame: Uint8Array): void
  /** Ends the connection; frames sent before are delivered first where possible. `reason` is told to the other end. */
  close(reason: string): void
}

/** How connections are made. */
export interface Dialer {
  /** Opens a connection to `host:port`. */
  dial(address: string, handlers: ConnectionHandlers): Connection
}

/** A server's way in and out. */
export interface Transport extends Dialer {
  /** Begins to listen; each connection that comes in gets its handlers from `accept`. Throws SynodError (`ADDRESS_IN_USE`, `ADDRESS_UNUSABLE`). */
  listen(accept: (connection: Connection) => ConnectionHandlers): Promise<void>
  /** Stops listening and closes all connections. */
  close(): Promise<void>
}
