/** What a soak came to: how memory, disk and descriptors of each server went, and whether they were flat. */
import { MAX_SESSIONS } from '@synod/paxos/internal/protocol/session'
import { DEFAULT_SNAPSHOTS } from '@synod/paxos/internal/server/snapshotter'
import type { SoakOptions, SoakSample, ServerSample } from './soak.js'
import type { Point, Trend } from './trend.js'
import { trendOf } from './trend.js'

/** What was seen, and counted. */
export interface SoakRecord {
  readonly options: SoakOptions
  readonly samples: readonly SoakSample[]
  /** How often a server was killed, and came back. */
  readonly outages: number
  readonly acknowledged: number
  /** Operations whose outcome is unknown. */
  readonly unknown: number
  /** Sessions that were opened, beside those of the clients. */
  readonly sessions: number
  /** What was lost, or differs between the servers, in sentences. */
  readonly problems: readonly string[]
}

export interface SoakResult extends Omit<SoakRecord, 'samples'> {
  readonly ok: boolean
  readonly servers: readonly ServerResult[]
}

/** Memory and disk in bytes. */
export interface ServerResult {
  readonly id: number
  readonly memory: Trend
  readonly disk: Trend
  /** What the disk may hold at most, by the largest snapshot that was seen. */
  readonly diskBound: number
  readonly descriptors: Trend
  readonly sessions: Trend
  /** Snapshots of others that it installed. */
  readonly installed: number
  /** Why it was not flat; none: it was. */
  readonly problems: readonly string[]
}

/** The first part of the run is warm-up. */
const WARM_UP = 1 / 3
/**
 * Over the second half memory may grow by so much, of its mean or in bytes, whichever is more: a heap comes and goes. And by a
 * log that waits for its snapshot, of which a server holds a part: the shorter the run, the more one of these teeth tilts a line.
 */
const MEMORY_SHARE = 0.1
const MEMORY_BYTES = 24 << 20
const TOOTH = 60_000
/** So is a tail that is held for a server that was down, until that is level (bytes beyond what a tail has anyway). */
const HELD_TAIL = 48 << 20
/** Visitors come and go: so many descriptors more or less are none that stay. */
const DESCRIPTORS = 32
/** Room that logs reserve ahead, and whole files of the log that wait until all in them is superfluous (bytes). */
const RESERVED = 192 << 20
const MEBIBYTE = 1 << 20

export function judged({ samples, ...record }: SoakRecord): SoakResult {
  const { options, problems } = record
  const servers = Array.from({ length: options.servers }, (_, id) => serverResult(id, samples, options.seconds * 1000))
  const ok = problems.length === 0 && servers.every((server) => server.problems.length === 0)
  return { ...record, ok, servers }
}

function serverResult(id: number, samples: readonly SoakSample[], duration: number): ServerResult {
  const trend = (field: 'memory' | 'disk' | 'descriptors' | 'sessions'): Trend =>
    trendOf(points(samples, id, field), duration * WARM_UP, duration / 2)
  const most = (field: 'snapshot' | 'installed'): number =>
    points(samples, id, field).reduce((max, { value }) => Math.max(max, value), 0)
  const snapshot = most('snapshot')
  const found = {
    ...{ id, memory: trend('memory'), disk: trend('disk'), diskBound: boundOf(snapshot) },
    ...{ descriptors: trend('descriptors'), sessions: trend('sessions'), installed: installs(samples, id) },
  }
  return { ...found, problems: problemsOf(found, (logOf(snapshot) + HELD_TAIL) * Math.min(1, TOOTH / (duration / 2))) }
}

/** It counts from 0 at each start. */
function installs(samples: readonly SoakSample[], id: number): number {
  const counts = points(samples, id, 'installed')
  return counts.reduce((sum, { value }, at) => sum + Math.max(0, value - (counts[at - 1]?.value ?? 0)), 0)
}

/**
 * The log since the last snapshot grows to what the policy allows, and on while the next snapshot is written; two snapshots
 * are there then, a third one while a peer still gets it.
 */
function boundOf(snapshot: number): number {
  return 2 * logOf(snapshot) + 3 * snapshot + RESERVED
}

/** Bytes of a log for which a snapshot is made. */
function logOf(snapshot: number): number {
  return Math.max(DEFAULT_SNAPSHOTS.minBytes, DEFAULT_SNAPSHOTS.multiple * snapshot)
}

function problemsOf(
  { memory, disk, diskBound, descriptors, sessions }: Omit<ServerResult, 'problems'>,
  tooth: number,
): string[] {
  const problems: string[] = []
  const tolerance = Math.max(MEMORY_BYTES, (MEMORY_SHARE * (memory.first + memory.last)) / 2) + tooth
  if (memory.growth > tolerance)
    problems.push(`memory grew by ${mib(memory.growth)} MiB in the second half, and ${mib(tolerance)} are allowed`)
  if (disk.max > diskBound) problems.push(`the disk held ${mib(disk.max)} MiB, and ${mib(diskBound)} are allowed`)
  if (descriptors.growth > DESCRIPTORS)
    problems.push(`descriptors grew by ${descriptors.growth.toFixed(0)} in the second half`)
  if (sessions.max > MAX_SESSIONS) problems.push(`there were ${sessions.max} sessions, and ${MAX_SESSIONS} are allowed`)
  return problems
}

function points(samples: readonly SoakSample[], id: number, field: keyof ServerSample): Point[] {
  return samples.flatMap(({ time, servers }) => {
    const value = servers[id]?.[field] ?? null
    return value === null ? [] : [{ time, value }]
  })
}

function mib(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(1)
}
