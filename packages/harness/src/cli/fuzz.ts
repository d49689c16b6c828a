/** `harness fuzz`: scenarios drawn by many seeds, in many processes; what fails is shrunk, and kept as a scenario. */
import { access, constants, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { makeDirectories } from '@synod/paxos/internal/storage/real-disk'
import type { Found } from '../fuzz/fuzz.js'
import { fuzz } from '../fuzz/fuzz.js'
import { Pool } from '../fuzz/pool.js'
import { FuzzProgress } from '../fuzz/progress.js'
import { addDrawOptions, drawOptions, typed } from './drawing.js'
import type { DrawFlags } from './drawing.js'
import { EXIT_FAILED, EXIT_HELD, UsageError } from './usage.js'

interface Flags extends DrawFlags {
  readonly seeds?: Range
  readonly minutes?: number
  readonly jobs: number
  readonly out: string
}

interface Range {
  readonly from: number
  readonly to: number
}

export function fuzzCommand(): Command {
  const command = new Command('fuzz')
    .description(
      'Simulates scenarios drawn by seeds: clusters, clients and faults at random, then healing, after which all must be ' +
        'well again. A failure is shrunk, and printed as a command that replays it.',
    )
    .option('--seeds <from-to>', 'these seeds: 1-1000', range)
    .option(
      '--minutes <number>',
      'for so long (alone: from a seed that the clock gives; with --seeds: at most)',
      minutes,
    )
    .option('--jobs <number>', 'processes at once', jobs, availableParallelism())
    .option('--out <directory>', 'where scenarios that fail are written', '.')
  return addDrawOptions(command).action(async (flags: Flags) => {
    process.exitCode = await run(flags)
  })
}

async function run(flags: Flags): Promise<number> {
  const { seeds, minutes: most, out } = flags
  if (seeds === undefined && most === undefined) throw new UsageError('give --seeds FROM-TO, or --minutes M')
  const drawing = drawOptions(flags)
  await checkDirectory(out)
  const from = seeds?.from ?? Date.now()
  const pool = new Pool({ jobs: flags.jobs })
  const progress = new FuzzProgress(seeds === undefined ? null : seeds.to - seeds.from + 1)
  try {
    const ms = most === undefined ? Infinity : most * 60_000
    const totals = await fuzz(
      { ...drawing, pool, ms, seeds: numbers(from, seeds?.to ?? Infinity) },
      {
        seed: (totals) => {
          progress.update(totals)
        },
        failed: (seed, { detail }) => {
          progress.note(`seed ${seed} failed: ${detail}`)
        },
        found: async (found) => {
          const file = await keep(found, out, flags.server)
          progress.note(tellOf(found, file, flags))
        },
      },
    )
    process.stdout.write(`${progress.end(totals)}; the first seed was ${from}\n`)
    return totals.found.length === 0 ? EXIT_HELD : EXIT_FAILED
  } finally {
    pool.close()
  }
}

/** A directory that cannot be written is found out before hours are spent. */
async function checkDirectory(directory: string): Promise<void> {
  try {
    await makeDirectories(directory)
    await access(directory, constants.W_OK)
  } catch (error) {
    throw new UsageError(
      `--out ${directory} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** Writes the scenario of a failure; gives the file's name. */
async function keep({ seed, scenario }: Found, directory: string, server: string): Promise<string> {
  const file = join(directory, `seed-${seed}${server === 'kvstore' ? '' : `-${server}`}.json`)
  try {
    await writeFile(file, `${readable(scenario)}\n`)
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
  return file
}

/** JSON with a line for each step. */
function readable({ steps, ...rest }: Found['scenario']): string {
  const head = JSON.stringify(rest, null, 2).slice(0, -2)
  return `${head},\n  "steps": [\n${steps.map((step) => `    ${JSON.stringify(step)}`).join(',\n')}\n  ]\n}`
}

function tellOf({ seed, scenario, like }: Found, file: string, flags: DrawFlags): string {
  const service = flags.server === 'kvstore' ? '' : ` --server ${flags.server}`
  return (
    `seed ${seed}: replay it with: npx harness simulate --seed ${seed}${typed(flags)} --trace\n` +
    `  ${size(scenario, like)}: npx harness simulate${service} --file ${file} --trace`
  )
}

/** How much is left of it; only the first of those that fail in the same way is shrunk. */
function size({ servers, steps }: Found['scenario'], like: number | null): string {
  const counted = `${servers} ${servers === 1 ? 'server' : 'servers'}, ${steps.length} steps`
  return like === null ? `shrunk to ${counted}` : `not shrunk (${counted}), for it fails like seed ${like}`
}

function* numbers(from: number, to: number): Iterable<number> {
  for (let seed = from; seed <= to; seed++) yield seed
}

function range(text: string): Range {
  const [, from, to = from] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(text) ?? []
  if (from === undefined || Number(from) > Number(to)) throw new InvalidArgumentError('Give a seed, or two: 1-1000.')
  return { from: Number(from), to: Number(to) }
}

function minutes(text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new InvalidArgumentError('It must be a number above 0.')
  return number
}

function jobs(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, from 1 to 999.')
  return Number(text)
}
