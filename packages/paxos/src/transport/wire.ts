/**
 * What travels over a connection, above frames: a handshake, then peers' or clients' frames, never both on one
 * connection. `codec.ts` turns them into bytes and back, and checks everything that comes in.
 */
import type { ServerId } from '../protocol/ballot.js'
import type { Reply } from '../protocol/command.js'
import type { Message } from '../protocol/message.js'

/** Both ends must speak the same version. */
export const WIRE_VERSION = 1

/** What a server tells of itself when it meets another: the first frame each way between servers. */
export interface PeerHello {
  readonly type: 'peer'
  readonly version: number
  readonly service: string
  readonly from: ServerId
  readonly to: ServerId
  readonly count: number
  readonly formation: 'empty' | 'forming' | 'formed'
  /** null while empty. */
  readonly clusterId: string | null
  /** The highest durable batch number that the sender has ever heard from the receiver (0: none). */
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
  /** Commands of one session: operations by local id (from 1). The client knows the outcome of all up to `acked`. */
  | {
      readonly type: 'submit'
      readonly clientId: string
      readonly acked: number
      readonly commands: readonly (readonly [localId: number, op: Uint8Array])[]
    }
  | { readonly type: 'status' }
  /** This server's own state, in chunks; each `dumpMore` asks for the next. */
  | { readonly type: 'dump' }
  | { readonly type: 'dumpMore' }

/** To clients, after the handshake. */
export type ServerFrame =
  | { readonly type: 'replies'; readonly replies: readonly Reply[] }
  /** The operation was never proposed by this server: `BAD_OPERATION` (schema), or `NOT_SERVING` (starting or stopping). */
  | {
      readonly type: 'rejected'
      readonly clientId: string
      readonly localId: number
      readonly code: string
      readonly message: string
    }
  | { readonly type: 'status'; readonly status: ServerStatus }
  | { readonly type: 'dump'; readonly slot: number; readonly entries: readonly unknown[]; readonly done: boolean }

/** How one server stands. */
export interface ServerStatus {
  readonly id: ServerId
  readonly address: string
  readonly service: string
  readonly clusterId: string | null
  /** `forming`: not all servers have been seen yet. */
  readonly role: 'forming' | 'follower' | 'candidate' | 'leader'
  /** The active leader, as far as this server knows. */
  readonly leader: ServerId | null
  /** ⟨round, server⟩ that this server's acceptor has adopted, as `round.server`. */
  readonly ballot: string
  /** The last slot that was executed here. */
  readonly applied: number
  /** Bytes used by the log's files. */
  readonly logBytes: number
  /** Synchronous writes since the start. */
  readonly syncs: number
  readonly sessions: number
  readonly uptimeMs: number
  /** The servers that this one has a working connection to. */
  readonly connected: readonly ServerId[]
}
