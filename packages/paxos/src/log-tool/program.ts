/** The log tool's command line. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { SynodError } from '../protocol/error.js'
import { codeOf } from '../storage/failure.js'
import { dump } from './dump.js'
import { inspect } from './inspect.js'
import { restore } from './restore.js'
import { EXIT_DAMAGED, EXIT_USAGE, EXIT_WHOLE, UsageError } from './usage.js'
import { verify } from './verify.js'

const EXAMPLES = `
Examples:
  $ synod-log inspect data/kvstore-0
  $ synod-log verify data/kvstore-0 && echo whole
  $ synod-log dump data/kvstore-0 --from 1000 --to 1010
  $ synod-log dump data/kvstore-0/snapshot-4711.paxos --json | head
  $ synod-log restore backup.paxos new/server-0 new/server-1 new/server-2

All but restore only read; a server may run on the directory meanwhile.
Exit codes: 0 whole, or done; 1 damaged, or not done; 2 usage.`

/** Does what the arguments say (as in `process.argv`); answers with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const complain = (code: string, message: string): void => {
    const json = argv.includes('--json')
    process.stderr.write(json ? `${JSON.stringify({ error: { code, message } })}\n` : `synod-log: ${message}\n`)
  }
  let code = EXIT_WHOLE
  const program = logProgram(async (work) => {
    code = await work
  })
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      outputError: (message) => {
        complain(
          'USAGE',
          message
            .trim()
            .replace(/^error: /, '')
            .replace(/\n\(Did (you mean .*)\)/, '; did $1'),
        )
      },
    })
  }
  try {
    await program.parseAsync([...argv])
    return code
  } catch (error) {
    // Commander has said it already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_WHOLE : EXIT_USAGE
    const isOurs = error instanceof SynodError
    if (!isOurs && codeOf(error) === '') throw error
    complain(isOurs ? error.code : codeOf(error), (error as Error).message)
    return error instanceof UsageError ? EXIT_USAGE : EXIT_DAMAGED
  }
}

interface DumpFlags {
  readonly json?: true
  readonly from?: number
  readonly to?: number
}

interface JsonFlag {
  readonly json?: true
}

/** @param run is given the exit code of what is to be done, when that is done */
function logProgram(run: (code: Promise<number>) => Promise<void>): Command {
  const program = new Command('synod-log')
    .description("Reads servers' data directories and snapshots: what is in them, and whether it is whole.")
    .version(version())
    .addHelpText('after', EXAMPLES)
  const json = 'prints JSON, an object a line'
  program
    .command('inspect')
    .description('what is in a directory or a snapshot: whose it is, the records by kind and slot, where the bytes are')
    .argument('<path...>', 'data directories, or snapshot files')
    .option('--json', json)
    .action((paths: string[], flags: JsonFlag) => run(inspect(paths, flags.json === true)))
  program
    .command('verify')
    .description('whether all is whole: every checksum, what ties the files together, the snapshots')
    .argument('<path...>', 'data directories, or snapshot files')
    .option('--json', json)
    .action((paths: string[], flags: JsonFlag) => run(verify(paths, flags.json === true)))
  program
    .command('dump')
    .description('the records of a log, or the entries of a snapshot, in order')
    .argument('<path>', 'a data directory, or a file in one')
    .option('--from <slot>', 'only what concerns slots from this one on', slot)
    .option('--to <slot>', 'only what concerns slots up to this one', slot)
    .option('--json', json)
    .action((path: string, { json, from, to }: DumpFlags) =>
      run(dump(path, { json: json === true, ...range(from, to) })),
    )
  program
    .command('restore')
    .description(
      'makes the directories of a new cluster from a snapshot, one for each of its servers, in the order of their ids',
    )
    .argument('<snapshot>', 'the snapshot file, or a copy of one')
    .argument('<directory...>', 'as many as the new cluster has servers; each empty, or not there yet')
    .option('--json', json)
    .action((snapshot: string, directories: string[], flags: JsonFlag) => {
      return run(restore(snapshot, directories, flags.json === true))
    })
  return program
}

/** Of a range that is open at an end, the other end is all that was said. */
function range(from: number | undefined, to: number | undefined): { slots: readonly [number, number] | null } {
  if (from === undefined && to === undefined) return { slots: null }
  if (from !== undefined && to !== undefined && from > to) throw new UsageError(`--from ${from} is behind --to ${to}`)
  return { slots: [from ?? 0, to ?? Number.MAX_SAFE_INTEGER] }
}

function slot(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) throw new InvalidArgumentError('It must be a whole number.')
  return number
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
