/** Proof that the simulator can fail: each deliberate bug is found within a stated number of seeds. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { MUTANTS } from './mutants.js'

t.setTimeout(480_000)
t.jobs = 2

/** Every mutant is to be caught within so many seeds. */
const SEEDS = 300

const run = promisify(execFile)
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

for (const mutant of MUTANTS) {
  t.test(`the simulator finds out when it is broken that ${mutant.breaks}`, async (t) => {
    const { stdout } = await run(
      process.execPath,
      ['--import', path('./register.js'), path('./hunt.js'), String(SEEDS)],
      {
        env: { ...process.env, SYNOD_MUTANT: mutant.name },
      },
    )
    const caught = JSON.parse(stdout) as { seed: number; by: string } | null
    t.not(caught, null, `${mutant.name} survived ${SEEDS} seeds`)
    t.comment(`${mutant.name}: ${caught?.by ?? 'survived'}`)
  })
}
