/** Tries whether a mutant is caught: by the fuzzer, or by the test that is named for it. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Catch } from './hunt.js'
import type { Mutant } from './mutant.js'

/** The fuzzer must catch a mutant within so many seeds, from 1 on. */
export const SEEDS = 300
/** How long one trial may take (ms). */
const LIMIT = 300_000

/** By what a mutant was caught, in a few words for a table, and in full; a survivor by nothing. */
export interface Trial {
  readonly by: string | null
  readonly detail: string
}

export async function tryMutant(mutant: Mutant): Promise<Trial> {
  return mutant.test === undefined ? hunt(mutant) : test(mutant, mutant.test)
}

async function hunt(mutant: Mutant): Promise<Trial> {
  const { code, output } = await runBroken(mutant, './hunt.js', String(SEEDS), mutant.service ?? 'kvstore')
  if (code !== 0) return { by: null, detail: `the hunt ended with code ${code}: ${output}` }
  const caught = JSON.parse(output) as Catch | null
  if (caught === null) return { by: null, detail: `it survived ${SEEDS} seeds` }
  const seed = mutant.service === 'chatroom' ? `chatroom, seed ${caught.seed}` : `seed ${caught.seed}`
  return { by: `${seed}: *${caught.check}*`, detail: caught.detail }
}

async function test(mutant: Mutant, name: string): Promise<Trial> {
  const { code, output } = await runBroken(mutant, `../${name}.js`)
  const red = /^not ok \d+ - (.*?)( # time=.*)?$/m.exec(output)?.[1]
  if (code !== 1 || red === undefined) return { by: null, detail: `${name} stayed green` }
  return { by: `\`${name}\`: ‘${red}’`, detail: red }
}

/** Runs a file with the mutant in place; gives its exit code (null if it was killed) and what it printed. */
function runBroken(mutant: Mutant, file: string, ...args: string[]): Promise<{ code: number | null; output: string }> {
  const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
  const env = { ...process.env, SYNOD_MUTANT: mutant.name }
  const words = ['--import', path('./register.js'), path(file), ...args]
  return new Promise((resolve) => {
    const child = execFile(process.execPath, words, { env, timeout: LIMIT }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, output: stdout + stderr })
    })
  })
}
