/** What a client's calls fail with. */
import { SynodError } from '../protocol/error.js'

/** Stable codes of {@link ClientError}. */
export type ClientErrorCode =
  /** No outcome within the call's time, though a server was reached. */
  | 'TIMEOUT'
  /** No server was reached within the call's time, or the one that was asked cannot be. */
  | 'UNAVAILABLE'
  /** Too many commands wait, in this client or at the servers; or this client has too many feeds. */
  | 'BUSY'
  /** The cluster has forgotten this client, which was idle for too long, and with it whether the command was executed. */
  | 'SESSION_EXPIRED'
  /** The operation does not fit the service's schema. */
  | 'BAD_OPERATION'
  /** The service failed at an operation that only reads: nothing was changed. The message says why. */
  | 'READ_FAILED'
  /** The client was closed. */
  | 'CLOSED'
  /** The server could not write a snapshot: the message says why. */
  | 'SNAPSHOT_FAILED'
  /** Leadership was not handed over: the message says why. */
  | 'TRANSFER_FAILED'
  /** The servers are of another service or version, or what they sent cannot be read. */
  | 'INCOMPATIBLE'

/** A call that has no result. (A service's own "no" is a `Refusal`, which is a result.) */
export class ClientError extends SynodError {
  declare readonly code: ClientErrorCode
  /** False: the command surely was not executed, and will not be. True: it may have been, or may still be. */
  readonly mayHaveHappened: boolean

  constructor(code: ClientErrorCode, message: string, mayHaveHappened = false) {
    super(code, message, { mayHaveHappened })
    this.name = 'ClientError'
    this.mayHaveHappened = mayHaveHappened
  }
}

/** Why a feed has ended, though nobody closed it. */
export class FeedError extends SynodError {
  declare readonly code: 'LAGGED' | 'COMPACTED'
  /** The first slot whose events can be had: from there a new feed can begin. What came before it is in the state only. */
  readonly slot: number

  /**
   * @param code `LAGGED`: it was read too slowly, or cut off for too long, and the servers have dropped the events that come
   *   next; `COMPACTED`: it was to begin with a slot whose events they had dropped already
   */
  constructor(code: 'LAGGED' | 'COMPACTED', message: string, slot: number) {
    super(code, message, { slot })
    this.name = 'FeedError'
    this.slot = slot
  }
}
