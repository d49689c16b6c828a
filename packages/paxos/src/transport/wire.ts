/**
 * What travels over a connection, above frames: a handshake, then peers' or clients' frames, never both on one
 * connection. `codec.ts` turns them into bytes and back, and checks everything that comes in.
 */
import type { ServerId } from '../protocol/ballot.js'
import type { Reply, Result, Slot } from '../protocol/command.js'
import type { AuditMark } from '../protocol/audit.js'
import type { SlotEvents } from '../protocol/event-ring.js'
import type { Message } from '../protocol/message.js'

/** Both ends must speak the same version. */
export const WIRE_VERSION = 3

/** Server ids are below it. */
export const MAX_SERVERS = 1000
/** How often a server can have been repaired, at most. */
export const MAX_LIFE = 0xffff_ffff
/** Bytes of a snapshot that one message carries, at most. */
export const MAX_PIECE = 1 << 20
/** Reads that one frame carries, at most. */
export const MAX_READS = 4_096

/** What a server tells of itself when it meets another: the first frame each way between servers. */
export interface PeerHello {
  readonly type: 'peer'
  readonly version: number
  readonly service: string
  readonly from: ServerId
  readonly to: ServerId
  readonly count: number
  readonly formation: 'empty' | 'forming' | 'formed' | 'repairing'
  /** It was started to be repaired: though it is empty, it does not take itself for a new one. */
  readonly repair: boolean
  /** null while empty. */
  readonly clusterId: string | null
  /** How often the sender was repaired. */
  readonly life: number
  /** The life of the receiver, as far as the sender knows. */
  readonly lifeSeen: number
  /** The highest durable batch number that the sender has ever heard from that life of the receiver (0: none). */
  readonly batchSeen: number
}

/** A client's first frame. */
export interface ClientHello {
  readonly type: 'client'
  readonly version: number
  /** null: it does not know what is served there, and only asks (`status`, `dump`). */
  readonly service: string | null
}

/** The server's first frame to a client. */
export interface Welcome {
  readonly type: 'welcome'
  readonly server: ServerId
  /** The advertised addresses, in id order. */
  readonly servers: readonly string[]
  /** The active leader, as far as the server knows. */
  readonly leader: ServerId | null
}

/** Either end's last frame before it closes: why. */
export interface Goodbye {
  readonly type: 'goodbye'
  readonly code: string
  readonly message: string
}

/** Between servers, after the handshake: all that was queued for the peer. */
export interface PeerFrame {
  readonly type: 'messages'
  /** The sender's last durable batch number. Votes in this frame are in it or in one before. */
  readonly batch: number
  readonly messages: readonly Message[]
}

/** From clients, after the handshake. */
export type ClientFrame =
  /** Opens a session; sent again with the same nonce until answered. 32 hexadecimal digits. */
  | { readonly type: 'open'; readonly nonce: string }
  /**
   * Commands of one session: operations by local id (from 1). The client knows the outcome of all up to `acked`. Without
   * commands it says that the session's client is connected here.
   */
  | {
      readonly type: 'submit'
      readonly clientId: string
      readonly acked: number
      readonly commands: readonly (readonly [localId: number, op: Uint8Array])[]
    }
  /**
   * Operations that only read, answered without the log and without a session, in whatever order. The client numbers them:
   * the first one is `first`, and so on; no number is used twice over a connection. `stale`: at once, from the state as this
   * server has it.
   */
  | { readonly type: 'read'; readonly stale: boolean; readonly first: number; readonly ops: readonly Uint8Array[] }
  /** The session's client needs it no more. */
  | { readonly type: 'end'; readonly clientId: string }
  /** Begins a feed, by a number of the client's: the events of slots from `from` on; null: of those not executed yet. */
  | { readonly type: 'subscribe'; readonly feed: number; readonly from: Slot | null }
  /** All events of a feed up to this slot were taken by whoever reads it: there is room for more. */
  | { readonly type: 'taken'; readonly feed: number; readonly through: Slot }
  | { readonly type: 'unsubscribe'; readonly feed: number }
  | { readonly type: 'status' }
  /** A mark is to be decided, by a nonce as of `open`; answered likewise. */
  | { readonly type: 'mark'; readonly nonce: string }
  /** What this server's state came to at a mark; answered when it is known. */
  | { readonly type: 'digest'; readonly slot: Slot }
  /** The hashes of the chain that this server still knows. */
  | { readonly type: 'chain' }
  /** This server is to write a snapshot now; answered when it is durable. */
  | { readonly type: 'snapshot' }
  /** The leader's server is to hand leadership over to this one; answered when that has been done, or has not. */
  | { readonly type: 'handOver'; readonly to: ServerId }
  /** This server's own state, in chunks; each `dumpMore` asks for the next. */
  | { readonly type: 'dump' }
  | { readonly type: 'dumpMore' }
  /** Who leads? A server that is there answers. */
  | { readonly type: 'leader' }

/** What became of one read. */
export interface Answer {
  /** The client's. */
  readonly number: number
  /**
   * `ok`, `refused` and `busy` as of {@link Result}; or it was not executed here, or failed: then the value tells the code
   * (`BAD_OPERATION`, `NOT_SERVING`, `READ_FAILED`) and a sentence.
   */
  readonly status: Extract<Result['status'], 'ok' | 'refused' | 'busy'> | 'rejected'
  readonly value: Uint8Array
}

/** To clients, after the handshake. */
export type ServerFrame =
  | { readonly type: 'replies'; readonly replies: readonly Reply[] }
  /** Of the state after this slot, which was the last that had been executed. */
  | { readonly type: 'answers'; readonly slot: Slot; readonly answers: readonly Answer[] }
  /** The operation was never proposed by this server: `BAD_OPERATION` (schema), or `NOT_SERVING` (starting or stopping). */
  | {
      readonly type: 'rejected'
      readonly clientId: string
      readonly localId: number
      readonly code: string
      readonly message: string
    }
  /** The feed begins with this slot. */
  | { readonly type: 'subscribed'; readonly feed: number; readonly from: Slot }
  /** What comes next in a feed: slots that have events, each with all of its events. */
  | { readonly type: 'events'; readonly feed: number; readonly slots: readonly SlotEvents[] }
  /** The feed has ended: the events that come next are dropped already. Those of slot `oldest` and behind are there. */
  | { readonly type: 'compacted'; readonly feed: number; readonly oldest: Slot }
  | { readonly type: 'status'; readonly status: ServerStatus }
  /** null: not known (it is behind, the mark is too old, or it was not executed in this life). */
  | { readonly type: 'digest'; readonly slot: Slot; readonly digest: StateDigest | null }
  /** Ends of blocks, the oldest first, and the chain's end. */
  | { readonly type: 'chain'; readonly marks: readonly AuditMark[] }
  /** It is durable, in this file; or why it is not. */
  | { readonly type: 'snapshot'; readonly slot: Slot; readonly path: string; readonly error: string | null }
  /** That server leads; or why it does not. */
  | { readonly type: 'handedOver'; readonly to: ServerId; readonly error: string | null }
  | { readonly type: 'dump'; readonly slot: number; readonly entries: readonly unknown[]; readonly done: boolean }
  /** The active leader, as far as the server knows: told when that changes, too, to all who named a service. */
  | { readonly type: 'leader'; readonly leader: ServerId | null }

/** Feeds that one connection may have at a time. */
export const MAX_FEEDS = 64

/** Elections that a server tells of. */
export const MAX_ELECTIONS = 16

/** A server's state and history at one slot. */
export interface StateDigest {
  /** The chain's hash after this slot. */
  readonly chain: string
  /** Of all entries of the snapshot, in whatever order: 16 hexadecimal digits. */
  readonly state: string
  readonly entries: number
}

/** How one server stands. */
export interface ServerStatus {
  readonly id: ServerId
  readonly address: string
  readonly service: string
  readonly clusterId: string | null
  /**
   * `starting`: it reads its directory. `forming`: not all servers have been seen yet. `repairing`: its votes were lost, and
   * it does not vote yet.
   */
  readonly role: 'starting' | 'forming' | 'repairing' | 'follower' | 'candidate' | 'leader'
  /** While starting: how much of its directory it has read, from 0 to 1. Else null. */
  readonly progress: number | null
  /** The active leader, as far as this server knows. */
  readonly leader: ServerId | null
  /** ⟨round, server⟩ that this server's acceptor has adopted, as `round.server`. */
  readonly ballot: string
  /** The last slot that was executed here. */
  readonly applied: number
  /** Bytes used by the log's files. */
  readonly logBytes: number
  /** The log at or below this slot is collected; 0 if it is whole. */
  readonly collected: number
  /** The last snapshot: through which slot (0: there is none), and the bytes of its file. */
  readonly snapshot: { readonly slot: number; readonly bytes: number }
  /** It is being brought up by a snapshot of this server's: so many bytes of all. Else null. */
  readonly fetching: { readonly from: ServerId; readonly received: number; readonly bytes: number } | null
  /** Snapshots of peers that were installed since the start. */
  readonly installed: number
  /** How often it was repaired. */
  readonly life: number
  /** The last whole block of its chain: two servers that tell one slot must tell one hash. */
  readonly audit: AuditMark
  /** Of a leader: the last slot that each server is known to have executed (index: id), or null. Else empty. */
  readonly reached: readonly (number | null)[]
  /** Synchronous writes since the start. */
  readonly syncs: number
  readonly sessions: number
  readonly uptimeMs: number
  /** The servers that this one has a working connection to. */
  readonly connected: readonly ServerId[]
  /** Operations that this server executed, in its own and other servers' name, since its start. */
  readonly executed: number
  /** The mean of {@link executed} a second, over the last ten seconds or so. */
  readonly commandsPerSecond: number
  /** How long this server's clients waited, from a command's arrival here to its outcome, lately; null if none did. */
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number; readonly count: number } | null
  /** Clients that are connected here. */
  readonly clients: number
  /** Their feeds. */
  readonly feeds: number
  /**
   * Operations that only read, which need no log: how many this server has answered since its start, how many of those were to
   * be answered at once, be the state old (`stale`), and how many wait now. `indexes`: how often it has told a server, while it led, from
   * which slot on its reads may be answered: under its lease, or after a majority had confirmed that it leads. One stands for all
   * reads that waited at that server.
   */
  readonly reads: {
    readonly answered: number
    readonly stale: number
    readonly waiting: number
    readonly indexes: { readonly underLease: number; readonly confirmed: number }
  }
  /** The first slot whose events this server still has. */
  readonly oldestEvent: number
  /** The leaders that this server has seen come and go, the latest first; at most 16. `leader` null: none is known. */
  readonly elections: readonly {
    /** ms before this answer. */
    readonly agoMs: number
    readonly leader: ServerId | null
    /** As `round.server`. */
    readonly ballot: string
  }[]
  /** Whether this server takes in commands now; if not, one sentence that says why. */
  readonly ready: boolean
  readonly reason: string | null
}
