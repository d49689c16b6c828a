/** The service under test: how a scenario's steps become its operations, and what its answers are judged by. */
import type { Service } from '@synod/paxos'
import type { Prng } from '@synod/paxos/internal/protocol/prng'
import type { z } from 'zod'
import type { Model } from '../checker/model.js'
import type { HistoryEvent, Kind } from '../history/history.js'
import type { StepOf } from '../scenario/schema.js'

/** The steps by which clients send operations. */
export type DataStep = StepOf<'Put' | 'Get' | 'Set' | 'Delete' | 'Cas' | 'List' | 'Submit'>

/** Any service's description. */
export type AnyService = Service<z.ZodType, unknown>

/** What an operation came to, as a history tells it. */
export interface Answer {
  /** `fail`: there was another value (of a cas). */
  readonly type: 'ok' | 'fail'
  readonly value?: unknown
  /** Why a `fail` says nothing of the state: a stable code. */
  readonly error?: string
}

/** One operation that a client can be given. */
export interface Task {
  readonly f: Kind
  readonly key?: string | null
  /** What a history says of it at its begin. */
  readonly value?: unknown
  /** Whether it changes nothing, so that it has surely not happened when it failed. */
  readonly reads: boolean
  /** Has it done; rejects as `submit` does. */
  run(submit: (op: unknown) => Promise<unknown>): Promise<Answer>
}

export type Draw = (prng: Prng, number: number) => Task

/** Which operations a workload draws. */
export type WorkloadShape = Pick<StepOf<'Workload'>, 'keys' | 'mix'>

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
}
