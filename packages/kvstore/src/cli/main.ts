/** The client's command line. */
import {
  addConnectionOptions,
  describeError,
  EXIT_DONE,
  exitCodeFrom,
  givenTimeout,
  neededServers,
  note,
  programOf,
  UsageError,
  versionIn,
  type Complain,
  type ConnectionOptions,
} from '@synod/terminal'
import type { Command } from 'commander'
import { connectKvstore } from '../client.js'
import { Interpreter } from './interpreter.js'
import { addCommands } from './program.js'
import { prompt } from './prompt.js'
import { script } from './script.js'
import type { Action, Session } from './session.js'

interface Options extends ConnectionOptions {
  readonly json?: boolean
}

const EXAMPLES = `
Without a command it is a prompt; with standard input that is not a terminal it runs
the commands that it reads there, a line each.

Examples:
  $ kvstore-client --servers 127.0.0.1:10000,127.0.0.1:10001,127.0.0.1:10002 set colour blue
  $ kvstore-client --servers 127.0.0.1:10000 get colour
  $ kvstore-client --servers 127.0.0.1:10000 cas --absent lock mine

Exit codes: 0 done; 1 no (no such key, another value, changes that are gone, servers that differ);
2 usage; 3 cluster unavailable.`

/** Does what the arguments say; answers with the exit code. */
export function main(argv: readonly string[]): Promise<number> {
  let json = argv.includes('--json')
  const complain: Complain = (error) => {
    note(json ? describeError(error, true) : `kvstore-client: ${describeError(error, false)}`)
  }
  let code = EXIT_DONE
  const program = clientProgram(complain, async (action) => {
    const options = program.opts<Options>()
    json = options.json ?? false
    code = await withSession(options, givenTimeout(program), action)
  })
  return exitCodeFrom(async () => {
    await program.parseAsync(argv)
    return code
  }, complain)
}

function clientProgram(complain: Complain, run: (action: Action) => Promise<void>): Command {
  const program = addConnectionOptions(
    programOf('kvstore-client', complain)
      .description('Talks to a cluster of kvstore servers.')
      .version(versionIn(new URL('../../package.json', import.meta.url))),
  )
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

async function withSession(options: Options, given: number | undefined, action: Action): Promise<number> {
  const servers = neededServers(options)
  const { timeout, json = false } = options
  const store = connectKvstore({ servers, timeout })
  try {
    const { signal } = new AbortController()
    return await action({ store, servers, timeout, givenTimeout: given, json, inputTaken: false, signal })
  } finally {
    await store.close()
  }
}
