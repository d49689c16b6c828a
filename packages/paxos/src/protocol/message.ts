/**
 * The messages between servers. docs/PROTOCOL.md has them in a table, by sender, receiver and duty.
 * `decided` is always the sender's slotOut: every slot below it is decided.
 */
import type { Ballot } from './ballot.js'
import type { Command, Run, Slot } from './command.js'

/** Scout → acceptor: adopt my ballot, and tell what you accepted from slot `from` on (2.2; `from`: 4.1). */
export interface P1a {
  readonly type: 'p1a'
  readonly ballot: Ballot
  readonly from: Slot
}

/**
 * Acceptor → scout, after its promise is durable: I adopted your ballot, and this is a chunk of what I accepted (2.2).
 * `next` is where the next chunk begins, null after the last.
 */
export interface P1b {
  readonly type: 'p1b'
  readonly ballot: Ballot
  readonly from: Slot
  readonly accepted: readonly Run[]
  readonly next: Slot | null
  readonly decided: Slot
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
}

/** Acceptor → leader: I hear you; my ballot is this. */
export interface HeartbeatReply {
  readonly type: 'heartbeatReply'
  readonly ballot: Ballot
  readonly sequence: number
  readonly decided: Slot
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

/** Leader → all: I have lost touch with a majority and lead no more; do not wait for me (Omni-Paxos, 2023). */
export interface StepDown {
  readonly type: 'stepDown'
  readonly ballot: Ballot
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
