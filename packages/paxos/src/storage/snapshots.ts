/**
 * The snapshots of a directory: files `snapshot-<slot>.paxos`, each whole and durable under its name, or not there. One is
 * written in pieces while the server goes on, read in pieces, sent to peers as bytes of its file, and received so.
 */
import type { ServerId } from '../protocol/ballot.js'
import type { Slot } from '../protocol/command.js'

/** Names a snapshot file. */
export interface SnapshotInfo {
  /** The last slot that is in it. */
  readonly slot: Slot
  /** 32 hexadecimal digits: the salt of its header, which tells it from every other file. */
  readonly id: string
  /** The server that made it. */
  readonly maker: ServerId
  /** Of the file (bytes). */
  readonly size: number
}

/** What a chunk of a snapshot holds. */
export type Section = 'head' | 'sessions' | 'events' | 'state'

/** A piece of a snapshot: the payload is for the server to understand. */
export interface SnapshotChunk {
  readonly section: Section
  readonly payload: Uint8Array
}

/** A snapshot that is being written. After a failure of any call nothing of it remains, and it is not to be used any more. */
export interface SnapshotWriter {
  /** Adds a chunk; resolves when there is room for the next. Throws DISK_FULL or DISK_FAILED. */
  add(chunk: SnapshotChunk): Promise<void>
  /** Makes it durable, under its name. Throws DISK_FULL or DISK_FAILED. */
  finish(): Promise<SnapshotInfo>
  /** Gives it up: nothing of it remains. */
  abandon(): Promise<void>
}

/** A snapshot that is being received. It survives restarts. */
export interface Incoming {
  readonly info: SnapshotInfo
  /** So many bytes of the file are here, checked as far as whole chunks go: what comes next begins there. */
  readonly received: number
}

export interface Snapshots {
  /** The newest one that is whole as far as is known; null without one. */
  readonly newest: SnapshotInfo | null
  /** Where its file is, for people. */
  pathOf(info: SnapshotInfo): string
  /** Begins to write one, through this slot, which is above that of {@link newest}. One at a time. */
  create(slot: Slot): Promise<SnapshotWriter>
  /**
   * The chunks of the newest one, each checked. Throws StorageError BAD_SNAPSHOT where it is damaged: it is
   * {@link newest} no more then.
   */
  read(info: SnapshotInfo): AsyncIterable<SnapshotChunk>
  /** What it holds is of no use, though it is whole: it is {@link newest} no more. Its file stays where it is. */
  forget(info: SnapshotInfo): void
  /**
   * Bytes of a snapshot's file from an offset on, at most so many; null if it is not there (any more). What a peer was given
   * bytes of is kept for a while, though there is a newer one.
   */
  bytes(slot: Slot, id: string, offset: number, length: number): Promise<Uint8Array | null>
  /** What was begun to be received; null if nothing. */
  readonly incoming: Incoming | null
  /** Begins to receive a snapshot, in place of any other one that was begun; or goes on with it, if it is the same. */
  receive(info: SnapshotInfo): Promise<Incoming>
  /** The next bytes of it. Throws DISK_FULL, DISK_FAILED, or BAD_SNAPSHOT if a chunk is damaged: nothing of it remains then. */
  take(bytes: Uint8Array): Promise<Incoming>
  /** All bytes are here: checks that it is whole and of this cluster, and makes it durable, under its name. Throws as {@link take}. */
  install(): Promise<SnapshotInfo>
}
