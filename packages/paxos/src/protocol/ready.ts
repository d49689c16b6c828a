/** What goes into the core and what comes out of it, with the host's duties. */
import type { AuditMark } from './audit.js'
import type { Ballot, ServerId } from './ballot.js'
import type { Command, Reply, Run, Slot } from './command.js'
import type { Lives, Message } from './message.js'
import type { IndexesNamed } from './read-index.js'

/**
 * One thing that happened. `now` is a monotonic reading in ms, taken after the thing arrived, the same or later with
 * every input.
 */
export type Input =
  | { readonly type: 'message'; readonly from: ServerId; readonly message: Message; readonly now: number }
  | { readonly type: 'submit'; readonly commands: readonly Command[]; readonly now: number }
  /** So many more reads of this server's clients have arrived; `now` was read after that. See {@link Ready.readable}. */
  | { readonly type: 'read'; readonly count: number; readonly now: number }
  | { readonly type: 'tick'; readonly now: number }
  /** Some of what this server is behind by is to be executed now. To be said again as long as it is behind. */
  | { readonly type: 'goOn'; readonly now: number }
  /** A snapshot of this server through this slot is durable, its own or one that was installed: what lies below may go. */
  | { readonly type: 'snapshot'; readonly slot: Slot; readonly now: number }
  /** The clients of these sessions are connected to this server. To be said again before a session's time is over. */
  | { readonly type: 'alive'; readonly clientIds: readonly string[]; readonly now: number }
  /** The connections to this server broke, both ways. Others may know more: it is a hint, which costs nothing if it is wrong. */
  | { readonly type: 'unreachable'; readonly server: ServerId; readonly now: number }
  /** A leader is to hand its leadership over: to this server, or (null) to whichever is the furthest. It need not work out. */
  | { readonly type: 'handOver'; readonly to: ServerId | null; readonly now: number }
  /**
   * The host is about to end: this server does not come to lead any more, and a leader hands its leadership over. It is to
   * go on until it leads no more, which takes no longer than `patience`.
   */
  | { readonly type: 'stop'; readonly now: number }

/** A message and the servers that it goes to; the sender may be among them. */
export interface Envelope {
  readonly to: readonly ServerId[]
  readonly message: Message
}

/**
 * What must survive a crash. Replayed in order into a new core, records rebuild the acceptor and the replica.
 * - `promise`: the acceptor adopted a ballot.
 * - `accept`: it accepted a run (and adopted the run's ballot, if that was higher).
 * - `decide`: every slot below `decided` is decided at or below the ballot. A hint that saves work at the next start:
 *   nothing waits for it.
 * - `learn`: decided commands that came from a peer's replica, with the ballot at or below which they were.
 * - `base`: a snapshot through `collected` is durable; this repeats what must survive when all older records go: the
 *   acceptor's ballot, the decision as {@link Decision} tells it, and the lives of all servers.
 * - `lives`: other servers were repaired, so often.
 * - `lease`: it grants leaders leases of so many ms at most; 0: none of them lasts any more.
 * - `repairing`: this directory lost its votes (it was empty, or damaged): until `repaired` this server must not vote.
 * - `repaired`: it is in this life now, and may vote: all that counts of its former lives stands before this.
 */
export type LogRecord =
  | { readonly type: 'promise'; readonly ballot: Ballot }
  | { readonly type: 'accept'; readonly run: Run }
  | { readonly type: 'decide'; readonly ballot: Ballot; readonly decided: Slot }
  | { readonly type: 'learn'; readonly ballot: Ballot; readonly first: Slot; readonly commands: readonly Command[] }
  | {
      readonly type: 'base'
      readonly collected: Slot
      readonly ballot: Ballot
      readonly decidedBallot: Ballot
      readonly decided: Slot
      readonly lives: Lives
    }
  | { readonly type: 'lives'; readonly lives: Lives }
  | { readonly type: 'lease'; readonly ms: number }
  | { readonly type: 'repairing' }
  | { readonly type: 'repaired'; readonly life: number }

/** What the host must do after a step. Each field says what must be durable before what may leave. */
export interface Ready {
  /** May leave at once: they tell nothing that this server could forget. */
  readonly messages: readonly Envelope[]
  /**
   * Must be appended in this order, behind those of every earlier Ready, and made durable. If that fails, the host sends
   * nothing more, and ends.
   */
  readonly records: readonly LogRecord[]
  /**
   * Promises and votes. May leave (or, to this server itself, come back as an input) only after the appends of this and
   * of **every earlier** Ready are durable, also when this Ready has no records: a p2a that came twice must not be
   * answered while its first record is still being written.
   */
  readonly messagesAfterSync: readonly Envelope[]
  /** Outcomes for clients, may leave at once: what they tell is decided, so durable at a majority. */
  readonly replies: readonly Reply[]
  /**
   * Of the reads that have arrived since the start, in their order, so many may be answered, from the state as it is now or
   * later: it holds everything that anybody was told of as decided before they arrived. It only grows.
   */
  readonly readable: number
  /** A snapshot is wanted as soon as possible: a peer needs decisions that are not in memory any more. */
  readonly snapshotWanted: boolean
  /** This server is too far behind to be told decisions: a snapshot of this peer's is to be fetched and installed. */
  readonly fetch: ServerId | null
}

/** How the core of one server stands. */
export interface PaxosStatus {
  readonly role: 'follower' | 'candidate' | 'leader'
  /** The active leader, as far as this server knows. */
  readonly leader: ServerId | null
  /** What the acceptor has adopted. */
  readonly ballot: Ballot
  /** The last slot that was executed; 0 if none. */
  readonly applied: Slot
  /** The last slot that is known to be decided. */
  readonly decided: Slot
  readonly sessions: number
  /** Operations that were executed in this life, those of the log at the start included. */
  readonly executed: number
  /** The log at or below it is collected; 0 if it is whole. */
  readonly collected: Slot
  /** How often this server was repaired. */
  readonly life: number
  /** It has lost its votes, and does not vote yet. */
  readonly repairing: boolean
  /** The last block of its chain. */
  readonly audit: AuditMark
  /** Of a leader: the last slot that each server has executed (index: id), as it told; null: it has not. Else empty. */
  readonly reached: readonly (Slot | null)[]
  /** Since its start, while it led: how often it has named the index of a server's reads, which stands for all that waited there. */
  readonly indexes: IndexesNamed
  /** Of a leader that hands its leadership over: to whom. */
  readonly handingOverTo: ServerId | null
  /** A leader found that the clocks are not as its lease needs them to be, and relies on none any more. */
  readonly clocksMistrusted: boolean
}
