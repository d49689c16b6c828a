/** What servers may answer at `/status.json`. */
import type { ClusterView, EntryView, ServerView } from '@synod/paxos/internal/status-page/view'
import { statusOf } from '../../support/status.js'

/** A server that works and follows server 0. */
export function working(id: number, fields: Partial<ServerView> = {}): ServerView {
  return {
    ...statusOf({ id, leader: 0, ready: true, reason: null, role: id === 0 ? 'leader' : 'follower' }),
    ...fields,
  }
}

/** The cluster as its first server that answers sees it; an Error stands for one that does not answer. */
export function clusterOf(...all: readonly (ServerView | Error)[]): ClusterView {
  const servers = all.map((status, id): EntryView => {
    const address = `127.0.0.1:${10_000 + id}`
    return status instanceof Error
      ? { id, address, status: null, error: status.message, lagSlots: null }
      : { id, address, status, error: null, lagSlots: 0 }
  })
  const server = servers.find(({ status }) => status !== null)?.status
  if (server == null) throw new Error('somebody must have answered')
  return { server, servers }
}
