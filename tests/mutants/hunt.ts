/** Runs seeds until one fails: what a mutant's process does. Prints one line of JSON. */
import { simulate } from '@synod/harness'

const seeds = Number(process.argv[2])
let caught: { seed: number; by: string } | null = null
for (let seed = 1; seed <= seeds && caught === null; seed++) {
  try {
    await simulate(seed)
  } catch (error) {
    caught = { seed, by: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) }
  }
}
console.log(JSON.stringify(caught))
process.exit(0)
