/**
 * A worker of the pool that does what the seed says: 1 and 2 die, 3 hangs, 4 tells its options; from 1,000 on a scenario
 * fails that has a crash in it, and the others succeed.
 */
import type { Job } from '@synod/harness/internal/fuzz/pool'
import type { Failure, Outcome } from '@synod/harness/internal/fuzz/outcome'

process.on('message', ({ scenario: { seed, steps } }: Job) => {
  if (seed === 1) {
    process.stderr.write('the last words', () => process.exit(3))
    return
  }
  if (seed === 2) process.kill(process.pid, 'SIGKILL')
  if (seed === 3) for (;;);
  let failure: Failure | null = null
  if (seed === 4) failure = { check: 'options', detail: process.execArgv.join(' ') }
  if (seed >= 1_000 && steps.some(({ type }) => type === 'Crash')) failure = { check: 'A5', detail: `A5: seed ${seed}` }
  const outcome: Outcome = { failure, elapsed: 1_000, operations: seed, crashes: 2, events: process.pid }
  process.send?.(outcome)
})
process.once('disconnect', () => process.exit(0))
