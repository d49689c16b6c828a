/** The client's command line. */
import { readFileSync } from 'node:fs'
import { SynodError } from '@synod/paxos'
import { Command, CommanderError } from 'commander'
import { connectKvstore } from '../client.js'
import { describeError, EXIT_DONE, EXIT_USAGE, exitCodeOf, UsageError } from './exit.js'
import { Interpreter } from './interpreter.js'
import { note } from './output.js'
import { addCommands, addresses, positive } from './program.js'
import { prompt } from './prompt.js'
import { script } from './script.js'
import type { Action, Session } from './session.js'

/** How long an answer may take unless the user says otherwise, in ms. */
const TIMEOUT = 10_000

interface Options {
  readonly servers?: readonly string[]
  readonly json?: boolean
  readonly timeout: number
}

const EXAMPLES = `
Without a command it is a prompt; with standard input that is not a terminal it runs
the commands that it reads there, a line each.

Examples:
  $ kvstore-client --servers 127.0.0.1:10000,127.0.0.1:10001,127.0.0.1:10002 set colour blue
  $ kvstore-client --servers 127.0.0.1:10000 get colour
  $ kvstore-client --servers 127.0.0.1:10000 cas --absent lock mine

Exit codes: 0 done; 1 no (no such key, another value); 2 usage; 3 cluster unavailable.`

/** Does what the arguments say; answers with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let json = argv.includes('--json')
  const complain = (error: SynodError): void => {
    note(json ? describeError(error, true) : `kvstore-client: ${describeError(error, false)}`)
  }
  let code = EXIT_DONE
  const program = clientProgram(complain, async (action) => {
    const options = program.opts<Options>()
    json = options.json ?? false
    code = await withSession(options, action)
  })
  try {
    await program.parseAsync(argv)
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_DONE : EXIT_USAGE
    const failed = exitCodeOf(error)
    if (failed === undefined || !(error instanceof SynodError)) throw error
    complain(error)
    return failed
  }
}

function clientProgram(complain: (error: SynodError) => void, run: (action: Action) => Promise<void>): Command {
  const program = new Command('kvstore-client')
    .description('Talks to a cluster of kvstore servers.')
    .version(version())
    .exitOverride()
    .configureOutput({
      outputError: (message) => {
        complain(new SynodError('USAGE', message.trim().replace(/^error: /, '')))
      },
    })
    .option('--servers <addresses>', "the servers' host:port, with commas between (needed)", addresses)
    .option('--timeout <ms>', 'how long an answer may take', positive, TIMEOUT)
    .option('--json', 'answer in JSON')
    .addHelpText('after', EXAMPLES)
  addCommands(program, run)
  program.allowExcessArguments().action(async () => {
    const [unknown] = program.args
    if (unknown !== undefined) throw new UsageError(`"${unknown}" is not a command; --help shows them`)
    await run(converse)
  })
  return program
}

/** The prompt, or the script that standard input is. */
function converse(session: Session): Promise<number> {
  const interpreter = new Interpreter({ ...session, inputTaken: true })
  return process.stdin.isTTY ? prompt(interpreter) : script(interpreter)
}

async function withSession({ servers, timeout, json }: Options, action: Action): Promise<number> {
  if (servers === undefined) {
    throw new UsageError('--servers is needed: the addresses of the servers, such as 127.0.0.1:10000,127.0.0.1:10001')
  }
  const store = connectKvstore({ servers, timeout })
  try {
    const { signal } = new AbortController()
    return await action({ store, servers, timeout, json: json ?? false, inputTaken: false, signal })
  } finally {
    await store.close()
  }
}

function version(): string {
  const file = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  return file.version
}
