/** `npm run mutants`: tries all mutants, and prints the table of docs/TESTING.md. Names of mutants may be given. */
import type { Mutant } from './mutant.js'
import { rowOf } from './mutant.js'
import { MUTANTS } from './mutants.js'
import { tryMutant } from './trial.js'

const JOBS = 2

const wanted = process.argv.slice(2)
const left = MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
const rows = new Map<Mutant, string>()
const one = async (): Promise<void> => {
  for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
    const began = performance.now()
    const { by, detail } = await tryMutant(mutant)
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    process.stderr.write(`${mutant.name}: ${by ?? 'NOT CAUGHT'}, after ${seconds} s: ${detail}\n`)
    rows.set(mutant, `${rowOf(mutant)} ${by ?? '**nothing**'} |`)
    if (by === null) process.exitCode = 1
  }
}
await Promise.all(Array.from({ length: JOBS }, one))
const table = MUTANTS.flatMap((mutant) => rows.get(mutant) ?? [])
process.stdout.write(`| mutant | what is broken | caught by |\n|---|---|---|\n${table.join('\n')}\n`)
