/** Proof that the tests can fail: each deliberate bug is caught, by the fuzzer within a stated number of seeds. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { rowOf } from './mutant.js'
import { MUTANTS } from './mutants.js'
import { tryMutant } from './trial.js'

t.setTimeout(900_000)
t.jobs = 2

t.test('the table in docs/TESTING.md tells of every mutant, and of no other', async (t) => {
  const text = readFileSync(new URL('../../../docs/TESTING.md', import.meta.url), 'utf8')
  const [, after = ''] = text.split('| mutant | what is broken | caught by |\n|---|---|---|\n')
  const rows = after.split('\n\n')[0]?.split('\n') ?? []
  for (const mutant of MUTANTS)
    t.ok(
      rows.some((row) => row.startsWith(rowOf(mutant))),
      mutant.name,
    )
  t.equal(rows.length, MUTANTS.length, 'npm run mutants prints the table')
})

for (const mutant of MUTANTS) {
  t.test(`it is caught that ${mutant.broken}`, async (t) => {
    const { by, detail } = await tryMutant(mutant)
    t.not(by, null, detail)
    t.comment(`${mutant.name}: ${by}, ${detail}`)
  })
}
