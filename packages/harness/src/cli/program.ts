/** The harness's command line. */
import { readFileSync } from 'node:fs'
import { SynodError } from '@synod/paxos'
import { Command, CommanderError } from 'commander'
import { benchCommand } from '../bench/command.js'
import { ScenarioError } from '../scenario/load.js'
import { checkHistoryCommand } from './check-history.js'
import { fuzzCommand } from './fuzz.js'
import { runCommand } from './run.js'
import { simulateCommand } from './simulate.js'
import { soakCommand } from './soak.js'
import { EXIT_HELD, EXIT_USAGE, UsageError } from './usage.js'

const EXAMPLES = `
Examples:
  $ harness --server kvstore --file leader-dies.json
  $ harness --server chatroom --file basic.json --report basic.html
  $ harness simulate --seed 17 --file leader-dies.json
  $ harness fuzz --minutes 5
  $ harness check-history history.jsonl --model kv
  $ harness soak --seconds 600
  $ harness bench --clients 1,64,256

Exit codes: 0 all checks held; 1 a check failed; 2 the file or the usage is bad.`

/** Does what the arguments say (as in `process.argv`); answers with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('harness')
    .description(
      'Finds out what breaks a replicated service: plays failure scenarios, simulates, fuzzes, checks histories, soaks, and measures.',
    )
    .version(version())
    .addHelpText('after', EXAMPLES)
    .enablePositionalOptions() // `bench` has options that its own commands have, too
  program.addCommand(runCommand(), { isDefault: true })
  for (const command of [simulateCommand(), fuzzCommand(), checkHistoryCommand(), soakCommand(), benchCommand()])
    program.addCommand(command)
  for (const command of withAllBelow(program)) {
    command.exitOverride().configureOutput({
      outputError: (message) => process.stderr.write(`harness: ${message.replace(/^error: /, '')}`),
    })
  }
  try {
    await program.parseAsync([...argv])
    return Number(process.exitCode ?? EXIT_HELD)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_HELD : EXIT_USAGE
    if (!isUsage(error)) throw error
    process.stderr.write(`harness: ${error.message}\n`)
    return EXIT_USAGE
  }
}

function withAllBelow(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withAllBelow)]
}

/** What the user asked for makes no sense, and the message says so; anything else is a bug. */
function isUsage(error: unknown): error is Error {
  if (error instanceof UsageError || error instanceof ScenarioError) return true
  return error instanceof SynodError && error.code === 'BAD_OPTION'
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
