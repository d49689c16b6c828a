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
  readonly role: 'forming' | 'follower' | 'candidate' | 'leader'
  readonly leader: number | null
  readonly ballot: string
  readonly applied: number
  readonly executed: number
  readonly commandsPerSecond: number
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number } | null
  readonly logBytes: number
  readonly syncs: number
  readonly sessions: number
  readonly clients: number
  readonly feeds: number
  readonly uptimeMs: number
  readonly connected: readonly number[]
  readonly elections: readonly ElectionView[]
  readonly ready: boolean
  readonly reason: string | null
}

/** A leader that a server has seen come (`leader` null: go). */
export interface ElectionView {
  readonly agoMs: number
  readonly leader: number | null
  readonly ballot: string
}
