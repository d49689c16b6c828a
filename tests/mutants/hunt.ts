/** Simulates what the seeds draw, from 1 on, until one fails: what a mutant's process does. Prints a line of JSON. */
import { drawScenario } from '@synod/harness/internal/fuzz/draw'
import { runJob } from '@synod/harness/internal/fuzz/run-job'
import type { Failure } from '@synod/harness/internal/fuzz/outcome'

/** The first seed that failed, and how. */
export interface Catch extends Failure {
  readonly seed: number
}

const seeds = Number(process.argv[2])
const service = process.argv[3] === 'chatroom' ? 'chatroom' : 'kvstore'
let caught: Catch | null = null
for (let seed = 1; seed <= seeds && caught === null; seed++) {
  const { failure } = await runJob({ scenario: drawScenario(seed, { service }), server: service })
  if (failure !== null) caught = { seed, ...failure }
}
process.stdout.write(`${JSON.stringify(caught)}\n`, () => process.exit(0))
