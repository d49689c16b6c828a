/** Proof that the tests can fail: each deliberate bug turns one red, the simulator's within a stated number of seeds. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Mutant } from './mutants.js'
import { MUTANTS } from './mutants.js'

t.setTimeout(480_000)
t.jobs = 2

/** The simulator must find a mutant within so many seeds. */
const SEEDS = 300

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** Runs a file with the mutant in place; gives its exit code and what it printed. */
function runBroken(mutant: Mutant, file: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const env = { ...process.env, SYNOD_MUTANT: mutant.name }
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--import', path('./register.js'), path(file), ...args],
      { env },
      (_, stdout, stderr) => {
        resolve({ code: child.exitCode ?? -1, output: stdout + stderr })
      },
    )
  })
}

for (const mutant of MUTANTS) {
  t.test(`a test goes red when it is broken that ${mutant.breaks}`, async (t) => {
    if (mutant.test === undefined) {
      const { code, output } = await runBroken(mutant, './hunt.js', String(SEEDS))
      t.equal(code, 0, output)
      const caught = JSON.parse(output) as { seed: number; by: string } | null
      t.not(caught, null, `${mutant.name} survived ${SEEDS} seeds`)
      t.comment(`${mutant.name}: the simulator, ${caught?.by ?? ''}`)
    } else {
      const { code, output } = await runBroken(mutant, `../${mutant.test}.js`)
      const red = output.split('\n').find((line) => line.startsWith('not ok'))
      t.equal(code, 1)
      t.ok(red, `${mutant.test} stayed green`)
      t.comment(`${mutant.name}: ${mutant.test}, ${red ?? ''}`)
    }
  })
}
