/** The model that any service brings along: its own state class, which the servers run. */
import { isDeepStrictEqual } from 'node:util'
import { SynodError } from '@synod/paxos'
import { packValue, unpackValue } from '@synod/paxos/internal/codec/values'
import { admitOp, decodeRefusal, decodeValue, machineOf } from '@synod/paxos/internal/service/service-codec'
import type { AnyService } from '../../subject/subject.js'
import type { Model, Operation } from '../model.js'
import { show } from './values.js'

/**
 * A service as a model of its operations (`submit`), and of a `read` of its whole state: what the snapshot yields. A
 * state is what the service's snapshot yields, packed. The service meets a history's process as its `clientId`, and
 * every operation in slot 1: results that hang on either cannot be judged. It must restore its whole state for every
 * step, so large states take their time.
 */
export function serviceModel(service: AnyService): Model<string> {
  return {
    name: service.name,
    initial: textOf([...service.state().snapshot()]),
    step: (state, operation) => step(service, state, operation),
    id: (state) => state,
    partition: (operations) => [{ key: null, operations }],
    show: (state, operation) => shown(service, state, operation),
    misfit: (operation) => misfit(service, operation),
  }
}

function step(service: AnyService, before: string, operation: Operation): string | null {
  if (operation.f === 'read') return textOf(operation.result as unknown[]) === before ? before : null
  const done = execute(service, before, operation)
  if (done === null) return null
  if (operation.outcome !== 'info' && !isDeepStrictEqual(done.outcome, outcomeOf(operation))) return null
  return done.after
}

/** `ok`: the result; `fail`: `{refused: code}`. */
interface Outcome {
  readonly type: 'ok' | 'fail'
  readonly value: unknown
}

/** Executes the operation as a server does; null if a server would have stopped. */
function execute(
  service: AnyService,
  before: string,
  { process, argument }: Operation,
): { readonly outcome: Outcome; readonly after: string } | null {
  const { machine, holder } = machineOf(service)
  holder.restore(unpackValue(Buffer.from(before, 'latin1')) as unknown[])
  try {
    const { status, value } = machine.execute(
      1,
      String(process),
      admitOp(service, packValue(argument)),
      () => undefined,
    )
    const outcome: Outcome =
      status === 'ok'
        ? { type: 'ok', value: decodeValue(value) }
        : { type: 'fail', value: { refused: decodeRefusal(value).code } }
    return { outcome, after: textOf([...holder.snapshot().entries]) }
  } catch (error) {
    if (error instanceof SynodError && error.code === 'STATE_FAILED') return null
    throw error
  }
}

/** What the history says, as it would have come from a server. */
function outcomeOf({ outcome, result }: Operation): Outcome {
  return { type: outcome === 'fail' ? 'fail' : 'ok', value: unpackValue(packValue(result)) }
}

function shown(service: AnyService, state: string, operation: Operation): string {
  if (operation.f === 'read') return show(unpackValue(Buffer.from(state, 'latin1')))
  const done = execute(service, state, operation)
  return done === null ? 'nothing, as the server stops' : show(done.outcome.value)
}

function misfit(service: AnyService, { f, argument, outcome, result }: Operation): string | null {
  if (f === 'read') return Array.isArray(result) ? null : 'value: of a read must be all that the snapshot yields'
  if (f !== 'submit') return `${service.name} has no ${f}, only submit, and read of its whole state`
  if (outcome === 'fail' && typeof (result as { readonly refused?: unknown } | null)?.refused !== 'string')
    return 'value: of a submit that failed must be {"refused": code}'
  try {
    admitOp(service, packValue(argument))
    return null
  } catch (error) {
    if (error instanceof SynodError) return `value: ${error.message}`
    throw error
  }
}

function textOf(entries: readonly unknown[]): string {
  return Buffer.from(packValue(entries)).toString('latin1')
}
