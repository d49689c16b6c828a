/** A process of the pool: simulates what it is sent, one scenario after the other, until its parent is gone. */
import type { Job } from './pool.js'
import { runJob } from './run-job.js'

process.on('message', (job: Job) => {
  void runJob(job).then((outcome) => process.send?.(outcome))
})
process.once('disconnect', () => process.exit(0))
