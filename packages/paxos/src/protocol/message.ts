/**
 * The messages between servers. docs/PROTOCOL.md has them in a table, by sender, receiver and duty.
 * `decided` is always the sender's slotOut: every slot below it is decided.
 */
import type { AuditMark } from './audit.js'
import type { Ballot, ServerId } from './ballot.js'
import type { Command, Run, Slot } from './command.js'

/** Scout → acceptor: adopt my ballot, and tell what you accepted from slot `from` on (2.2; `from`: 4.1). */
export interface P1a {
  readonly type: 'p1a'
  readonly ballot: Ballot
  readonly from: Slot
}

/**
 * Acceptor → scout, after its promise is durable: I adopted your ballot, and this is a chunk of what I accepted (2.2).
 * `next` is where the next chunk begins, null after the last. Nothing at or below `collected` can be had from this server's
 * log any more (4.2). `lives`: see {@link Lives}.
 */
export interface P1b {
  readonly type: 'p1b'
  readonly ballot: Ballot
  readonly from: Slot
  readonly accepted: readonly Run[]
  readonly next: Slot | null
  readonly decided: Slot
  readonly collected: Slot
  readonly lives: Lives
}

/** Commander → acceptor: accept this run (2.2). `decided` carries the decisions before it: ⟨ballot, through⟩. */
export interface P2a {
  readonly type: 'p2a'
  readonly run: Run
  readonly decided: Slot
}

/** Acceptor → commander: every slot of the run first … last is durable with me at your ballot (2.2). */
export interface P2b {
  readonly type: 'p2b'
  readonly ballot: Ballot
  readonly first: Slot
  readonly last: Slot
  readonly decided: Slot
  readonly lives: Lives
}

/**
 * Acceptor → scout or commander: I have adopted this ballot, which is above yours (2.2). The paper sends a p1b or p2b with
 * that ballot to the one process that asked. Here all scouts and commanders of a server share an address, and one of a
 * later ballot of that server's must not take the refusal of an earlier one for its own p1b or p2b.
 */
export interface Preempt {
  readonly type: 'preempt'
  readonly ballot: Ballot
}

/**
 * Every slot below `decided` is decided, at this ballot or below it (2.2, 4.1). From the leader when no p2a carries it;
 * and from whoever answers a prescout, whose sender may have missed something.
 */
export interface Decision {
  readonly type: 'decision'
  readonly ballot: Ballot
  readonly decided: Slot
}

/** Active leader → all: I lead (section 3). Also a decision. `sequence` counts up within the ballot. */
export interface Heartbeat {
  readonly type: 'heartbeat'
  readonly ballot: Ballot
  readonly sequence: number
  readonly decided: Slot
  /** The sender's last whole block of the chain (audit.ts). */
  readonly audit: AuditMark
  /** Adopt no other server's ballot for so long from now on, in ms of your clock; 0: no lease is asked for. */
  readonly lease: number
}

/** Acceptor → leader: I hear you, and have adopted no ballot above yours. */
export interface HeartbeatReply {
  readonly type: 'heartbeatReply'
  readonly ballot: Ballot
  readonly sequence: number
  readonly decided: Slot
  readonly audit: AuditMark
}

/** Acceptor → leader, after its log says that it grants such leases: I adopt no other server's ballot for as long as you asked. */
export interface Grant {
  readonly type: 'grant'
  readonly ballot: Ballot
  readonly sequence: number
  /** The sender's clock when the heartbeat came, in whole ms. */
  readonly clock: number
}

/**
 * Server → the active leader: my clients' reads wait for their index. `ballot` is what the acceptor here had adopted after they
 * arrived: a vote for every leader whose ballot is not below that. `sequence` counts up within the sender's life.
 */
export interface AskIndex {
  readonly type: 'askIndex'
  readonly ballot: Ballot
  readonly sequence: number
}

/**
 * Active leader → server, the answer to an askIndex, after a majority has confirmed its ballot: whatever anybody was told of as
 * decided before you asked is at or below slot `index`.
 */
export interface TellIndex {
  readonly type: 'tellIndex'
  readonly sequence: number
  readonly index: Slot
}

/** Would-be leader → all, before it raises its ballot: would you follow me? (As Raft's pre-vote.) */
export interface Prescout {
  readonly type: 'prescout'
  readonly attempt: number
}

/** Answer to a prescout: granted unless I hear a leader. `ballot` is the highest that I know. */
export interface PrescoutReply {
  readonly type: 'prescoutReply'
  readonly attempt: number
  readonly granted: boolean
  readonly ballot: Ballot
}

/**
 * Leader → all: I lead no more; do not wait for me (Omni-Paxos, 2023). `successor`: it has all that I know as decided, and is
 * to send its scout at once, while all others give it a timeout; null: whoever is first.
 */
export interface StepDown {
  readonly type: 'stepDown'
  readonly ballot: Ballot
  readonly successor: ServerId | null
}

/** Replica → the replica beside the active leader: propose my clients' commands. */
export interface Forward {
  readonly type: 'forward'
  readonly commands: readonly Command[]
}

/** Server → the active leader: these sessions' clients are connected to me. */
export interface Alive {
  readonly type: 'alive'
  readonly clientIds: readonly string[]
}

/** Replica → replica: tell me what was decided from slot `from` on (4.1). */
export interface CatchUp {
  readonly type: 'catchUp'
  readonly from: Slot
}

/** Replica → replica: what was decided, in a row from slot `first`; all of it, and all below `decided`, at or below the ballot. */
export interface Decided {
  readonly type: 'decided'
  readonly ballot: Ballot
  readonly first: Slot
  readonly commands: readonly Command[]
  readonly decided: Slot
}

/**
 * Replica → replica, the answer to a catchUp: slot `from` is not in memory here any more; the sender has, or is about to
 * have, a snapshot. `snapshot` is the last slot of the one that it has now (0: none yet: ask again).
 */
export interface Compacted {
  readonly type: 'compacted'
  readonly from: Slot
  readonly snapshot: Slot
  readonly ballot: Ballot
  readonly decided: Slot
}

/**
 * For each server (index: its id) how often it was repaired, as far as the sender knows: its own life among them. Short
 * for many zeros: what is behind the end is 0. See docs/PROTOCOL.md, "Repair".
 */
export type Lives = readonly number[]

/** A server under repair → all: which life of mine do you know of? */
export interface AskLife {
  readonly type: 'askLife'
}

/** Answer to an askLife, by servers that are not under repair themselves. */
export interface TellLife {
  readonly type: 'tellLife'
  readonly life: number
}

/** A server under repair → all: this is my new life; once that is durable with you, tell what you accepted from slot `from` on. */
export interface Revive {
  readonly type: 'revive'
  readonly life: number
  readonly from: Slot
}

/**
 * Answer to a revive, after ‘the sender's life is ≥ `life`’ is durable: a chunk, as in a p1b, of what the acceptor here has
 * accepted, its ballot, and the lives that it knows. All slots below `decided` are decided.
 */
export interface Revived {
  readonly type: 'revived'
  readonly life: number
  readonly from: Slot
  readonly ballot: Ballot
  readonly accepted: readonly Run[]
  readonly next: Slot | null
  readonly decided: Slot
  readonly lives: Lives
}

/** Replica → all, when somebody's chain differs from its own: what is your chain's hash at this slot? */
export interface AskAudit {
  readonly type: 'askAudit'
  readonly slot: Slot
}

/** Answer to an askAudit: the hash at that slot; if that is not known (yet, or any more), the last block's end instead. */
export interface TellAudit {
  readonly type: 'tellAudit'
  readonly slot: Slot
  readonly hash: string
}

/** Server → server: send me bytes of the snapshot `id` through `slot` from `offset` on; `id` empty: whichever you have. */
export interface Fetch {
  readonly type: 'fetch'
  readonly slot: Slot
  readonly id: string
  readonly offset: number
}

/**
 * Answer to a fetch: bytes of a snapshot file, verbatim. If the one that was asked for is gone, the beginning of the one that
 * is there now; `size` 0: there is none.
 */
export interface Piece {
  readonly type: 'piece'
  readonly slot: Slot
  /** 32 hexadecimal digits: tells this file from every other one, of whatever slot. */
  readonly id: string
  /** Who made the snapshot. */
  readonly maker: ServerId
  /** Of the whole file (bytes). */
  readonly size: number
  readonly offset: number
  readonly bytes: Uint8Array
}

export type Message =
  | P1a
  | P1b
  | P2a
  | P2b
  | Preempt
  | Decision
  | Heartbeat
  | HeartbeatReply
  | Prescout
  | PrescoutReply
  | StepDown
  | Forward
  | Alive
  | CatchUp
  | Decided
  | Compacted
  | AskLife
  | TellLife
  | Revive
  | Revived
  | AskAudit
  | TellAudit
  | Fetch
  | Piece
  | AskIndex
  | TellIndex
  | Grant
