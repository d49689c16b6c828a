/** The durability contract: what a server asks of its directory. */
import type { ServerId } from '../protocol/ballot.js'
import type { Slot } from '../protocol/command.js'
import { SynodError } from '../protocol/error.js'
import type { Lives } from '../protocol/message.js'
import type { LogRecord } from '../protocol/ready.js'
import type { Snapshots } from './snapshots.js'

/**
 * Where a directory stands on the way into its cluster (docs/PROTOCOL.md, "Formation").
 * - `empty`: nothing was ever written.
 * - `forming`: it knows the cluster's id; nobody may have voted yet.
 * - `formed`: every server was seen forming; from here on it votes and serves.
 * - `repairing`: of a formed cluster, but its votes were lost: it does not vote yet (docs/PROTOCOL.md, "Repair").
 */
export type Formation = 'empty' | 'forming' | 'formed' | 'repairing'

/** A log record of the core's, or one of the server's own. */
export type StoredRecord =
  | LogRecord
  | { readonly type: 'formed' }
  /**
   * The highest durable batch number that each peer has told us of (index: server id; 0: none), and the life of that peer
   * in which it did: what is repaired counts its batches anew. Records without `lives` are of the first lives.
   */
  | { readonly type: 'peers'; readonly batches: readonly number[]; readonly lives: Lives }

/** Who the directory belongs to. It is fixed by the first write. */
export interface Owner {
  /** The service's name: another one could not execute what is in the log. */
  readonly service: string
  readonly id: ServerId
  readonly count: number
}

/** What {@link Storage.open} found. */
export interface Opened {
  readonly formation: Formation
  /** 32 hexadecimal digits; null while empty. */
  readonly clusterId: string | null
  /**
   * What was appended in former lives and is not collected, in order, and is durable now: some records at a time, with a
   * turn of the event loop between. Can be read once. Throws StorageError CORRUPT or DISK_FAILED.
   */
  readonly records: AsyncIterable<FoundRecords>
  /** The log at or below this slot is collected: a snapshot through it was durable, be it damaged now or not; 0: none. */
  readonly collected: Slot
  /** Bytes of the log that {@link records} go through. */
  readonly logBytes: number
  /** What is worth a line in the server's log, such as a torn write that was cut off. */
  readonly notes: readonly string[]
}

/** Some records of the log, and how many of its bytes were read with them and before (see {@link Opened.logBytes}). */
export interface FoundRecords {
  readonly records: readonly StoredRecord[]
  readonly read: number
}

/** How a directory is opened. */
export interface OpenOptions {
  /**
   * The directory may be damaged: what is in it is set aside then (each file under its name and `.damaged`), and it is empty.
   * One that is whole is refused (NOT_DAMAGED), unless it is empty, or its repair was begun and not ended.
   */
  readonly repair: boolean
}

/** Counted since the process began. */
export interface StorageStatistics {
  /** Bytes of the log's files, as used (not as reserved). */
  readonly logBytes: number
  /** Those that were appended since the last `base` record: what a new snapshot would make superfluous. */
  readonly sinceBase: number
  /** Appended batches, each of them one synchronous write. */
  readonly syncs: number
  readonly bytesWritten: number
}

/**
 * Keeps records through crashes. Calls must not overlap but for `append`. Every failure is a {@link StorageError}; after
 * a failed `append` every later one fails too, and the owner must end.
 */
export interface Storage {
  /** Locks the directory and recovers it. Nothing that it returns could be lost by a crash any more. */
  open(owner: Owner, options?: OpenOptions): Promise<Opened>
  /**
   * The first write into an empty directory: it joins this cluster, as `forming`; or as `repairing`, in one with a record
   * that says so, if it was opened to be repaired. Durable when resolved.
   */
  form(clusterId: string): Promise<void>
  /**
   * Appends records behind all those of earlier calls; resolves when they are durable, in the order of the calls. What is
   * appended while a write is under way forms the next write, together.
   *
   * A `base` record collects: once it is durable, files are deleted that hold nothing but promises, hints, and commands of
   * slots at or below its `collected`; and so are older snapshots. So what else must survive (`formed`, `peers`) is to be
   * appended again before it, in the same call. While the directory is `repairing`, none of its files is deleted.
   */
  append(records: readonly StoredRecord[]): Promise<void>
  /** The number of the last durable batch. It only grows, through restarts too; 0 in an empty directory. */
  readonly batch: number
  readonly snapshots: Snapshots
  /**
   * What failed while nobody waited for it (a seal, room ahead, a collection), or at an append: nothing can be appended any
   * more, and the owner must end. Null as long as all is well. A full disk is no failure.
   */
  readonly failure: StorageError | null
  statistics(): StorageStatistics
  /** Waits for the appends that are under way, seals the log, releases the lock. */
  close(): Promise<void>
}

/** Stable codes of {@link StorageError}. */
export type StorageCode =
  /** Damage in what was durable once: refuse to start. */
  | 'CORRUPT'
  /** A file of the log is gone, or all of them are, and other files tell that there was a log. */
  | 'MISSING_FILE'
  /** Another server's or another service's directory, or another number of servers. */
  | 'WRONG_OWNER'
  /** Written by a newer version. */
  | 'NEWER_FORMAT'
  /** Another process holds the directory. */
  | 'LOCKED'
  /** A write or a sync failed: what is on the disk is unknown. */
  | 'DISK_FAILED'
  /** No room to reserve: nothing was written, later appends may succeed. */
  | 'DISK_FULL'
  /** A snapshot is damaged, or not of this cluster. */
  | 'BAD_SNAPSHOT'
  /** A repair was asked for, of a directory that is whole. */
  | 'NOT_DAMAGED'
  /** The directory cannot be used at all (not a directory, no permission). */
  | 'UNUSABLE'

/** An owner, for a sentence. */
export function showOwner({ service, id, count }: Owner): string {
  return `server ${id} of ${count} of the service "${service}"`
}

export function sameOwner(a: Owner, b: Owner): boolean {
  return a.service === b.service && a.id === b.id && a.count === b.count
}

export class StorageError extends SynodError {
  declare readonly code: StorageCode
  constructor(code: StorageCode, message: string, data: Readonly<Record<string, unknown>> = {}) {
    super(code, message, data)
    this.name = 'StorageError'
  }
}
