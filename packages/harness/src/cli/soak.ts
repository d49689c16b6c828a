/** `harness soak`: whether a cluster of real processes stays as large as its state, for as long as it is told. */
import { Command } from 'commander'
import type { SoakSample } from '../soak/soak.js'
import { soak } from '../soak/soak.js'
import { lineOf, resultText } from '../soak/words.js'
import { EXIT_FAILED, EXIT_HELD, UsageError, whole } from './usage.js'

interface Flags {
  readonly seconds: number
  readonly servers: number
  readonly keys: number
  readonly valueSize: number
  readonly clients: number
  readonly outstanding: number
  readonly rate?: number
  readonly sessions?: number
  readonly gc?: true
  readonly json?: true
}

/** Sessions an hour, if it is not said how many. */
const SESSIONS = 400_000
/** So many lines are printed over a run, and not more than one in this time (ms). */
const LINES = 30
const LINE = 5_000

export function soakCommand(): Command {
  return new Command('soak')
    .description(
      'Runs key-value servers under constant load, with one of them down for a third of the time, and tells whether memory, disk and file descriptors stay flat, and whether all that was acknowledged is there in the end.',
    )
    .requiredOption('--seconds <number>', 'how long', whole)
    .option('--servers <number>', 'servers in the cluster', whole, 3)
    .option('--keys <number>', 'keys that are overwritten, round after round', whole, 100_000)
    .option('--value-size <bytes>', 'bytes of a value', whole, 100)
    .option('--clients <number>', 'clients that write', whole, 4)
    .option('--outstanding <number>', 'operations under way at once, of all clients together', whole, 64)
    .option('--rate <number>', 'sets a second, at most, of all clients together', whole)
    .option('--sessions <number>', 'sessions of short-lived clients, in all (default: 200,000 in half an hour)', whole)
    .option('--gc', 'have servers collect their garbage before each look: a short run can tell, too')
    .option('--json', 'print what it came to as JSON; the lines go to standard error')
    .action(async (flags: Flags) => {
      process.exitCode = await run(flags)
    })
}

async function run(flags: Flags): Promise<number> {
  const { seconds, rate = Infinity, sessions = Math.ceil((SESSIONS * seconds) / 3600), json, gc, ...rest } = flags
  for (const [flag, value] of Object.entries({ seconds, ...rest, rate, sessions }))
    if (value < 1) throw new UsageError(`--${flag === 'valueSize' ? 'value-size' : flag} must be 1 at least`)
  const output = json === true ? process.stderr : process.stdout
  const every = Math.max(LINE, (seconds * 1000) / LINES)
  let before: SoakSample | undefined
  const told = (sample: SoakSample): void => {
    if (before !== undefined && sample.time - before.time < every) return
    output.write(`${lineOf(sample, before)}\n`)
    before = sample
  }
  const result = await soak({ ...rest, seconds, rate, sessions, gc: gc === true }, told)
  process.stdout.write(json === true ? `${JSON.stringify(result, null, 2)}\n` : `\n${resultText(result)}`)
  return result.ok ? EXIT_HELD : EXIT_FAILED
}
