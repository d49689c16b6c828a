/** What a {@link Network} keeps of each server, and what happens to one. */
import type { ServerId } from '@synod/paxos/internal/protocol/ballot'
import type { Message } from '@synod/paxos/internal/protocol/message'
import type { Paxos } from '@synod/paxos/internal/protocol/paxos'
import type { Envelope, LogRecord } from '@synod/paxos/internal/protocol/ready'
import type { Saved } from './saved.js'
import type { Journal } from './transcript.js'

/** Without the time, which the cluster adds. */
export type Event =
  | { type: 'tick' }
  | { type: 'goOn' }
  | { type: 'stop' }
  | { type: 'unreachable'; server: ServerId }
  | { type: 'handOver'; to: ServerId | null }
  | { type: 'submit'; commands: string }
  | { type: 'read'; count: number }
  | { type: 'alive'; clientIds: readonly string[] }
  | { type: 'snapshot'; slot: number }
  | { type: 'message'; from: ServerId; message: Message }

/** An append that is not durable yet, and the messages that wait for it. */
export interface Append {
  readonly records: readonly LogRecord[]
  readonly messages: readonly Envelope[]
}

export interface Server {
  core: Paxos
  machine: Journal
  durable: LogRecord[]
  writing: Append[]
  /** The newest that is durable. */
  snapshot: Saved | null
  /** What the core wants of its host, until {@link Network.serve}. */
  snapshotWanted: boolean
  fetch: ServerId | null
  /** Of its reads, so many may be answered. */
  readable: number
  starts: number
  up: boolean
  /** Its host has no time to have it execute what it is behind by. */
  busy: boolean
}
