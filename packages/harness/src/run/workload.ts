/** Many clients at once, each with one operation after the other, drawn at random. */
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { StepOf } from '../scenario/schema.js'
import { OPERATION_TIMEOUT } from './clients.js'
import { isAnswer } from './recorder.js'
import type { Run } from './run.js'
import { serversOf } from './survey.js'

const CLIENTS = 4
/** What failed is not followed at once (ms): a server that refuses everything would be asked without end. */
const PAUSE = 20
/** A client that was held up catches up on so much of its time (ms), and no more. */
const ARREARS = 1_000

/** Ends when its operations are done, its time is over, or the run ends it. */
export async function workload(run: Run, step: StepOf<'Workload'>, number: number): Promise<void> {
  const { world, subject } = run
  const { clients = CLIENTS, operations = Infinity, duration = Infinity, timeout = OPERATION_TIMEOUT } = step
  const prng = new Prng(step.seed ?? run.prng.below(2 ** 31))
  const draw = subject.workload(step)
  if (typeof draw === 'string') throw new Error(draw)
  const ends = world.now() + duration
  let begun = 0
  const begin = (): number | null => (begun < operations && world.now() < ends && !run.stopped ? ++begun : null)
  const work = async (client: number): Promise<void> => {
    const name = `w${number}-${client}`
    const connection = world.client(serversFor(run, step, prng))
    const own = new Prng(prng.below(2 ** 31))
    let due = world.now()
    for (let count = begin(); count !== null; count = begin()) {
      const task = draw(own, number * 1_000_000 + count, name)
      const outcome = await run.recorder.perform(name, task, connection, timeout)
      const now = world.now()
      const pause = step.rate === undefined ? 0 : (clients / step.rate) * 2000 * own.float()
      due = Math.max(due + pause, isAnswer(outcome) ? now - ARREARS : now + PAUSE)
      const wait = Math.min(due, ends) - now
      if (wait > 0) await world.sleep(wait)
    }
    await connection.close()
    run.gone.add(connection)
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => work(client)))
}

/** In an order of their own, so that not all clients begin with the same server. */
function serversFor(run: Run, { id }: StepOf<'Workload'>, prng: Prng): number[] {
  if (id !== undefined) return [id]
  const all = serversOf(run.world)
  const first = prng.below(all.length)
  return [...all.slice(first), ...all.slice(0, first)]
}
