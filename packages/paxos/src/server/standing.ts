/** How a server stands: what it answers to who asks for its status, and what it tells people of elections. */
import type { ServerId } from '../protocol/ballot.js'
import { showBallot } from '../protocol/ballot.js'
import type { PaxosStatus } from '../protocol/ready.js'
import type { StorageStatistics } from '../storage/storage.js'
import { MAX_ELECTIONS } from '../transport/wire.js'
import type { ServerStatus } from '../transport/wire.js'
import type { Log } from './log.js'
import type { ReadCounts } from './reads.js'

/** What the server tells of itself for {@link Standing.status}. */
export interface Standpoint {
  readonly id: ServerId
  readonly address: string
  readonly service: string
  readonly clusterId: string | null
  /** Why it takes no commands in, besides having no leader; null if it would. */
  readonly obstacle: string | null
  /** Whether its core takes part in the cluster. */
  readonly takesPart: boolean
  /** How much of its directory it has read; null when it has started. */
  readonly progress: number | null
  readonly core: PaxosStatus
  readonly storage: StorageStatistics
  readonly keeper: Pick<ServerStatus, 'snapshot' | 'fetching' | 'installed'>
  readonly connected: readonly ServerId[]
  readonly clients: number
  readonly feeds: number
  readonly reads: ReadCounts
  readonly latency: ServerStatus['latency']
  readonly oldestEvent: number
}

/** The rate of commands is taken over so many samples, this long apart (ms). */
const SAMPLES = 10
const SAMPLE_EVERY = 1_000

export class Standing {
  readonly #log: Log
  readonly #startedAt: number
  /** As of the last turn. */
  #leader: ServerId | null = null
  #leads = false
  /** Since when no leader is known (ms). */
  #leaderless: number
  /** The latest first. */
  #elections: { readonly at: number; readonly leader: ServerId | null; readonly ballot: string }[] = []
  #toldOfClocks = false
  /** How many operations were executed, the latest last. */
  #samples: { readonly at: number; readonly executed: number }[] = []

  constructor(log: Log, now: number) {
    this.#log = log
    this.#startedAt = now
    this.#leaderless = now
  }

  /** For how long (ms) no leader is known; 0 if one is. */
  leaderless(now: number): number {
    return this.#leader === null ? Math.max(0, now - this.#leaderless) : 0
  }

  /** To be called after each turn: notices elections. */
  watch({ role, leader, ballot }: PaxosStatus, now: number): void {
    const leads = role === 'leader'
    if (leads !== this.#leads)
      this.#log.write('leader', leads ? `leads at ballot ${showBallot(ballot)}` : 'leads no more')
    if (leader !== this.#leader) {
      if (!leads) this.#log.write('leader', leader === null ? 'knows no leader' : `follows server ${leader}`)
      if (leader === null) this.#leaderless = now
      this.#elections = [{ at: now, leader, ballot: showBallot(ballot) }, ...this.#elections].slice(0, MAX_ELECTIONS)
    }
    this.#leads = leads
    this.#leader = leader
  }

  /** To be called from time to time. */
  sample({ executed, clocksMistrusted }: PaxosStatus, now: number): void {
    if (clocksMistrusted && !this.#toldOfClocks) {
      this.#toldOfClocks = true
      this.#log.warn(
        'the clocks of the servers differ by more than leases bear: until it is started again this server asks the others at each read',
      )
    }
    const last = this.#samples.at(-1)
    if (last !== undefined && now - last.at < SAMPLE_EVERY) return
    this.#samples = [...this.#samples, { at: now, executed }].slice(-SAMPLES - 1)
  }

  status({ core, storage, keeper, obstacle, takesPart, ...told }: Standpoint, now: number): ServerStatus {
    const { leader, applied, sessions, executed, ballot, collected, life, audit, reached } = core
    const reason =
      obstacle ?? (leader === null ? 'no leader is known: perhaps a majority of the servers is out of reach' : null)
    return {
      ...told,
      ...keeper,
      reads: { ...told.reads, indexes: core.indexes },
      role: told.progress !== null ? 'starting' : takesPart ? roleOf(core) : 'forming',
      leader,
      ballot: showBallot(ballot),
      applied,
      logBytes: storage.logBytes,
      collected,
      life,
      audit,
      reached,
      syncs: storage.syncs,
      sessions,
      uptimeMs: Math.round(Math.max(0, now - this.#startedAt)), // a machine's clock may have jumped back
      executed,
      commandsPerSecond: this.#rate(executed, now),
      elections: this.#elections.map(({ at, ...election }) => ({
        ...election,
        agoMs: Math.round(Math.max(0, now - at)),
      })),
      ready: reason === null,
      reason,
    }
  }

  #rate(executed: number, now: number): number {
    const [first] = this.#samples
    return first === undefined || now <= first.at ? 0 : ((executed - first.executed) * 1000) / (now - first.at)
  }
}

function roleOf({ repairing, role }: PaxosStatus): ServerStatus['role'] {
  return repairing ? 'repairing' : role
}
