/** The service under test: how a scenario's steps become its operations, and what its answers are judged by. */
import type { FeedEvent, Service, StaleRead } from '@synod/paxos'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import type { z } from 'zod'
import type { Model, Operation } from '../checker/model.js'
import type { HistoryEvent, Kind } from '../history/history.js'
import type { StepOf } from '../scenario/schema.js'

/** The steps by which clients send operations. */
export type DataStep = StepOf<
  'Put' | 'Get' | 'Edit' | 'Erase' | 'Join' | 'Leave' | 'Who' | 'Set' | 'Delete' | 'Cas' | 'List' | 'Submit'
>

/** Any service's description. */
export type AnyService = Service<z.ZodType, unknown, unknown>

/** What an operation came to, as a history tells it. */
export interface Answer {
  /** `fail`: there was another value (of a cas). */
  readonly type: 'ok' | 'fail'
  readonly value?: unknown
  /** Why a `fail` says nothing of the state: a stable code. */
  readonly error?: string
}

/** Reads as one server has it. */
export type ReadStale = (op: unknown) => Promise<StaleRead<unknown>>

/** One operation that a client can be given. */
export interface Task {
  readonly f: Kind
  readonly key?: string | null
  /** What a history says of it at its begin. */
  readonly value?: unknown
  /** Whether it changes nothing, so that it has surely not happened when it failed. */
  readonly reads: boolean
  /** Has it done; rejects as `submit` and `readStale` do. */
  run(submit: (op: unknown) => Promise<unknown>, readStale: ReadStale): Promise<Answer>
}

/** Draws an operation for a client of a workload; `number` counts all of them. */
export type Draw = (prng: Prng, number: number, client: string) => Task

/** Which operations a workload draws. */
export type WorkloadShape = Pick<StepOf<'Workload'>, 'keys' | 'bytes' | 'mix' | 'ops'>

/** What an acknowledged operation has emitted: what a feed must have in its slot. */
export interface Announcement {
  readonly slot: number
  /** For people: `message 3 of "lobby"`. */
  readonly what: string
  /** Whether this is its event; null: it emits none. */
  readonly isEvent: ((value: unknown) => boolean) | null
}

/** All that is known of a run by which a service may judge what no single answer shows. */
export interface Evidence {
  readonly history: readonly HistoryEvent[]
  /** By event of the history: the client that it is of, which has one session at a time; null: it is the judge's own. */
  readonly owners: readonly (object | null)[]
  /** The clients that were closed, or died. */
  readonly gone: ReadonlySet<object>
  /** The whole feed from this slot on, in order. */
  readonly from: number
  readonly feed: readonly FeedEvent<unknown>[]
  /** The final state of all servers, and the last slot that is in it; null if they have not come to one. */
  readonly final: { readonly slot: number; readonly entries: readonly unknown[] } | null
  /** Nothing was done to the cluster. */
  readonly calm: boolean
}

/** What a judge complains of. */
export interface Complaint {
  readonly what: string
  /** It may come right with time. */
  readonly mayPass: boolean
}

/** What else a service is judged by, under a name of its own. */
export interface Review {
  readonly check: string
  /** Whether the run has anything to judge. */
  concerns(history: readonly HistoryEvent[]): boolean
  /** Nothing: all is well. */
  complaints(evidence: Evidence): readonly Complaint[]
  /** What held, for the report. */
  held(evidence: Evidence): string
}

export interface Subject {
  /** As in `--server`. */
  readonly name: string
  /** undefined: a server command whose service is not known here. */
  readonly service: AnyService | undefined
  /** undefined: nothing is known of what its answers should be. */
  readonly model: Model | undefined
  /** The step as an operation; a sentence if this service has none such. */
  task(step: DataStep): Task | string
  /** An operation that changes nothing; null if none is known. */
  readonly probe: Task | null
  /** Makes operations at random, each time another; `number` counts them, so that no two write the same. A sentence if it cannot. */
  workload(shape: WorkloadShape): Draw | string
  /** What a final, converged state says, as reads at the end of a history. */
  finalReads(
    entries: readonly unknown[],
    history: readonly HistoryEvent[],
  ): readonly Pick<HistoryEvent, 'f' | 'key' | 'value'>[]
  /** The messages of a log, as a read of it answered; null if this service has no log. */
  log(value: unknown): readonly string[] | null
  /** The names of those who are in a room, as `who` answered; null if this service has no rooms. */
  here(value: unknown): readonly string[] | null
  /** What an operation that was acknowledged has emitted; null if that is not known. */
  announced(operation: Operation): Announcement | null
  readonly review: Review | null
}
