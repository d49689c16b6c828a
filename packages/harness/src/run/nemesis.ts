/** Faults at random, one after the other, each with its end. */
import { Prng } from '@synod/paxos/internal/protocol/prng'
import { drawFault } from '../fuzz/faults.js'
import type { Step, StepOf } from '../scenario/schema.js'
import type { Run } from './run.js'

const EVERY = 1_000

/** Ends when its time is over and the last fault has ended. Faults may overlap: one in three begins before the last has ended. */
export async function nemesis(run: Run, step: StepOf<'Nemesis'>, play: (step: Step) => Promise<void>): Promise<void> {
  const { duration, every = EVERY } = step
  const prng = new Prng(step.seed ?? run.prng.below(2 ** 31))
  const ends = run.world.now() + duration
  const left = (): number => (run.stopped ? 0 : Math.max(0, ends - run.world.now()))
  const lasting: Promise<void>[] = []
  while (left() > 0) {
    await run.world.sleep(Math.min(left(), every * 2 * prng.float()))
    if (left() === 0) break
    const options = { world: run.world.name, steady: run.scenario.lease !== undefined }
    const { begin, end } = drawFault(prng, run.world.servers, prng.pick(step.faults), options)
    const whole = async (): Promise<void> => {
      for (const fault of begin) await play(fault)
      await run.world.sleep(Math.min(left(), every * 2 * prng.float()))
      for (const healing of end) await play(healing)
    }
    const fault = whole()
    if (prng.chance(1 / 3)) lasting.push(fault)
    else await fault
  }
  await Promise.all(lasting)
}
