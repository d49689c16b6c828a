/** Any other service: its operations go as they are, and its own state class is the model, where it is known. */
import { serviceModel } from '../checker/models/service.js'
import type { AnyService, Subject, Task } from './subject.js'

/** @param service undefined: only a server command is known; its answers cannot be judged, its states can be compared */
export function anySubject(name: string, service: AnyService | undefined): Subject {
  return {
    name,
    service,
    model: service === undefined ? undefined : serviceModel(service),
    task: (step): Task | string => {
      if (step.type !== 'Submit') return `${name} has no ${step.type}: send its operations with Submit`
      const checked = service?.op.safeParse(step.op)
      if (checked?.success === false) {
        const [issue] = checked.error.issues
        return `op.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not an operation of this service'}`
      }
      return {
        f: 'submit',
        value: step.op,
        reads: false,
        run: async (submit) => ({ type: 'ok', value: await submit(step.op) }),
      }
    },
    probe: null,
    workload: () => null,
    finalReads: () => [],
    log: () => null,
  }
}
