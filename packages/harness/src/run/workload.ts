/** Many clients at once, each with one operation after the other, drawn at random. */
import { Prng } from '@synod/paxos/internal/protocol/prng'
import type { StepOf } from '../scenario/schema.js'
import { OPERATION_TIMEOUT } from './clients.js'
import type { Run } from './run.js'
import { serversOf } from './survey.js'

const KEYS = 5
const CLIENTS = 4
/** What failed is not followed at once (ms): a server that refuses everything would be asked without end. */
const PAUSE = 20

/** Ends when its operations are done, or its time is over. */
export async function workload(run: Run, step: StepOf<'Workload'>, number: number): Promise<void> {
  const { clients = CLIENTS, operations = Infinity, keys = KEYS } = step
  const prng = new Prng(step.seed ?? run.prng.below(2 ** 31))
  const draw = run.subject.workload({ keys, mix: step.mix })
  if (draw === null) throw new Error(`operations of ${run.subject.name} cannot be drawn`)
  const ends = run.world.now() + (step.duration ?? Infinity)
  let begun = 0
  const begin = (): number | null => (begun < operations && run.world.now() < ends ? ++begun : null)
  const work = async (client: number): Promise<void> => {
    const connection = run.world.client(serversFor(run, step, prng))
    const own = new Prng(prng.below(2 ** 31))
    for (let count = begin(); count !== null; count = begin()) {
      const task = draw(own, number * 1_000_000 + count)
      const { type } = await run.recorder.perform(`w${number}-${client}`, task, (op) =>
        connection.submit(op, step.timeout ?? OPERATION_TIMEOUT),
      )
      await pace(run, step, clients, own, type === 'ok')
    }
    await connection.close()
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

/** Between two operations of one client. */
async function pace(run: Run, { rate }: StepOf<'Workload'>, clients: number, prng: Prng, went: boolean): Promise<void> {
  if (rate !== undefined) await run.world.sleep((clients / rate) * 2000 * prng.float())
  else if (!went) await run.world.sleep(PAUSE)
}
