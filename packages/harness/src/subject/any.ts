/** Any other service: its operations go as they are, and its own state class is the model, where it is known. */
import { isDeepStrictEqual } from 'node:util'
import { packValue } from '@synod/paxos/internal/codec/values'
import { admitOp, machineOf } from '@synod/paxos/internal/service/service-codec'
import { serviceModel } from '../checker/models/service.js'
import type { HistoryEvent } from '../history/history.js'
import type { AnyService, Draw, Subject, Task } from './subject.js'

/** @param service undefined: only a server command is known; its answers cannot be judged, its states can be compared */
export function anySubject(name: string, service: AnyService | undefined): Subject {
  return {
    name,
    service,
    model: service === undefined ? undefined : serviceModel(service),
    task: (step): Task | string =>
      step.type === 'Submit'
        ? taskOf(service, step.op, 'op')
        : `${name} has no ${step.type}: send its operations with Submit`,
    probe: null,
    workload: ({ ops, keys, bytes, mix }): Draw | string => {
      if (ops === undefined) return `ops: the operations of ${name} are not known: give a list to draw from`
      const foreign = Object.entries({ keys, bytes, mix }).find(([, given]) => given !== undefined)
      if (foreign !== undefined) return `${foreign[0]}: of ${name} only the ops are drawn`
      const tasks: Task[] = []
      for (const [place, op] of ops.entries()) {
        const task = taskOf(service, op, `ops.${place}`)
        if (typeof task === 'string') return task
        tasks.push(task)
      }
      return (prng) => prng.pick(tasks)
    },
    finalReads: (entries, history) =>
      service === undefined || knowsMore(service, history)
        ? []
        : [{ f: 'read', key: null, value: restored(service, entries) }],
    log: () => null,
    here: () => null,
    announced: () => null,
    review: null,
  }
}

/** The operation as a task, or what is wrong with it. */
function taskOf(service: AnyService | undefined, op: unknown, field: string): Task | string {
  const checked = service?.op.safeParse(op)
  if (checked?.success === false) {
    const [issue] = checked.error.issues
    const path = [field, ...(issue?.path ?? [])].map(String).join('.')
    return `${path}: ${issue?.message ?? 'not an operation of this service'}`
  }
  return { f: 'submit', value: op, reads: false, run: async (submit) => ({ type: 'ok', value: await submit(op) }) }
}

/** As the model has it, whose state is restored before each operation. */
function restored(service: AnyService, entries: readonly unknown[]): unknown[] {
  const state = service.state()
  state.restore(entries)
  return [...state.snapshot()]
}

/** Whether the state tells of slots or client ids: those of the servers are not known here, so their state cannot be judged. */
function knowsMore(service: AnyService, history: readonly HistoryEvent[]): boolean {
  const asked = history.filter(({ type }) => type === 'invoke')
  const stateAfter = (salt: number): unknown[] => {
    const { machine, holder } = machineOf(service)
    asked.forEach(({ process, value }, at) => {
      machine.execute(salt * (at + 1), `${salt} ${process}`, admitOp(service, packValue(value)), () => undefined)
    })
    return [...holder.snapshot().entries]
  }
  try {
    return !isDeepStrictEqual(stateAfter(1), stateAfter(2))
  } catch {
    return true // it fails in this order; what it would know in another is not known
  }
}
