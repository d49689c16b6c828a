/** What the page reads of `/status.json`. The server's own types have more, and say what it means (`transport/wire.ts`). */

export interface ClusterView {
  readonly server: ServerView
  readonly servers: readonly EntryView[]
}

export interface EntryView {
  readonly id: number
  readonly address: string
  readonly status: ServerView | null
  readonly error: string | null
  readonly lagSlots: number | null
}

export interface ServerView {
  readonly id: number
  readonly service: string
  readonly clusterId: string | null
  readonly role: 'starting' | 'forming' | 'repairing' | 'follower' | 'candidate' | 'leader'
  readonly progress: number | null
  readonly leader: number | null
  readonly ballot: string
  readonly applied: number
  readonly executed: number
  readonly commandsPerSecond: number
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number } | null
  readonly logBytes: number
  readonly collected: number
  readonly snapshot: { readonly slot: number; readonly bytes: number }
  readonly fetching: { readonly from: number; readonly received: number; readonly bytes: number } | null
  readonly life: number
  readonly audit: { readonly slot: number; readonly hash: string }
  readonly reached: readonly (number | null)[]
  readonly syncs: number
  readonly sessions: number
  readonly clients: number
  readonly feeds: number
  readonly reads: { readonly answered: number; readonly waiting: number }
  readonly uptimeMs: number
  readonly connected: readonly number[]
  readonly elections: readonly ElectionView[]
  readonly ready: boolean
  readonly reason: string | null
}

/** How far a server has come (from 0 to 1) that reads its directory, or fetches a snapshot; null if it does neither. */
export function progressOf({ progress, fetching }: ServerView): number | null {
  if (progress !== null || fetching === null) return progress
  return fetching.bytes === 0 ? 0 : fetching.received / fetching.bytes
}

/** A leader that a server has seen come (`leader` null: go). */
export interface ElectionView {
  readonly agoMs: number
  readonly leader: number | null
  readonly ballot: string
}
