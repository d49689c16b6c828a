/** Plays one step after the other. */
import { nameStep } from '../scenario/load.js'
import type { Step } from '../scenario/schema.js'
import type { StepRecord } from '../report/report.js'
import type { DataStep } from '../subject/subject.js'
import { expect, wait } from './conditions.js'
import { nemesis } from './nemesis.js'
import { degrade, heal, partition, sever } from './network-steps.js'
import type { Run } from './run.js'
import { resume, snapshot, start, strike, transfer } from './server-steps.js'
import { workload } from './workload.js'

export class Steps {
  readonly records: StepRecord[] = []
  readonly #run: Run

  constructor(run: Run) {
    this.#run = run
  }

  async play(): Promise<void> {
    const { scenario, world, observer } = this.#run
    for (const [index, step] of scenario.steps.entries()) {
      if (this.#run.stopped) return
      const from = world.now()
      observer.step?.(index + 1, step)
      const notDone = await this.#step(step, index)
      if (notDone !== null) this.#run.note(`${nameStep(index, step)} was not done: ${notDone}`)
      this.records.push({ number: index + 1, step, from, to: world.now(), notDone })
    }
  }

  /** Does it; the answer tells why it was not done. */
  async #step(step: Step, index: number): Promise<string | null> {
    const run = this.#run
    switch (step.type) {
      case 'Start':
        return start(run, step)
      case 'Resume':
        return resume(run, step)
      case 'Snapshot':
        return snapshot(run, step)
      case 'Transfer':
        return transfer(run, step)
      case 'Sleep':
        await run.world.sleep(step.ms)
        return null
      case 'Partition':
        return partition(run, step)
      case 'Cut':
      case 'Delay':
      case 'Drop':
      case 'Duplicate':
      case 'Reorder':
      case 'Throttle':
      case 'Clog':
        return degrade(run, step)
      case 'Sever':
        return sever(run, step)
      case 'Heal':
        return heal(run, step)
      case 'Connect':
        return run.clients.connect(step.id, step.servers, step.timeout)
      case 'Disconnect':
        return run.clients.disconnect(step.id)
      case 'Vanish':
        return run.clients.vanish(step.id)
      case 'Subscribe':
        return run.subscribers.subscribe(step)
      case 'Unsubscribe':
        return run.subscribers.unsubscribe(step.id)
      case 'Put':
      case 'Get':
      case 'Edit':
      case 'Erase':
      case 'Join':
      case 'Leave':
      case 'Who':
      case 'Set':
      case 'Delete':
      case 'Cas':
      case 'List':
      case 'Submit':
        return this.#data(step)
      case 'Nemesis':
        run.start(
          'nemesis',
          nemesis(run, step, (fault) => this.#random(fault)),
        )
        return null
      case 'Workload':
        run.start('workload', workload(run, step, index + 1))
        return null
      case 'Wait':
        return wait(run, step, nameStep(index, step))
      case 'Expect':
        return expect(run, step, nameStep(index, step))
      default:
        return strike(run, step)
    }
  }

  async #data(step: DataStep): Promise<string | null> {
    const task = this.#run.subject.task(step)
    if (typeof task === 'string') return task
    const sent = this.#run.clients.send(step.id, task, step.timeout)
    if (typeof sent === 'string') return sent
    const waits = task.reads || ('wait' in step && step.wait === true)
    if (waits) await sent
    return null
  }

  /** A step that a nemesis drew. */
  async #random(step: Step): Promise<void> {
    const notDone = await this.#step(step, this.#run.scenario.steps.length)
    this.#run.note(`nemesis: ${JSON.stringify(step)}${notDone === null ? '' : ` was not done: ${notDone}`}`)
  }
}
