/** How a server may stand, for tests of whatever carries or shows it. */
import type { ServerStatus } from '@synod/paxos'

export function statusOf(fields: Partial<ServerStatus> = {}): ServerStatus {
  return {
    id: 1,
    address: '127.0.0.1:10001',
    service: 'kvstore',
    clusterId: null,
    role: 'follower',
    progress: null,
    leader: null,
    ballot: '0.0',
    applied: 0,
    logBytes: 0,
    collected: 0,
    snapshot: { slot: 0, bytes: 0 },
    fetching: null,
    installed: 0,
    life: 0,
    audit: { slot: 0, hash: '0000000000000000' },
    reached: [],
    syncs: 0,
    sessions: 0,
    uptimeMs: 1,
    connected: [],
    executed: 0,
    commandsPerSecond: 0,
    latency: null,
    clients: 0,
    feeds: 0,
    reads: { answered: 0, stale: 0, waiting: 0, indexes: { underLease: 0, confirmed: 0 } },
    oldestEvent: 1,
    elections: [],
    ready: false,
    reason: 'no leader is known',
    ...fields,
  }
}
