/** A client's command line, and how it ends. */
import { readFileSync } from 'node:fs'
import { SynodError } from '@synod/paxos'
import { Command, CommanderError } from 'commander'
import { addresses, positive } from './arguments.js'
import { EXIT_DONE, EXIT_USAGE, exitCodeOf, UsageError } from './exit.js'
import { endQuietlyWithReader } from './output.js'

/** How long an answer may take unless the user says otherwise, in ms. */
const TIMEOUT = 10_000

/** Tells the user what went wrong. */
export type Complain = (error: SynodError) => void

/** Options that every client has. */
export interface ConnectionOptions {
  readonly servers?: readonly string[]
  /** How long an answer may take, ms. */
  readonly timeout: number
}

/** A program of commander's that never ends the process, and has its complaints told by `complain`. */
export function programOf(name: string, complain: Complain): Command {
  return new Command(name).exitOverride().configureOutput({
    outputError: (message) => {
      const sentence = message.replace(/^error: /, '').replace(/\n\(Did (you mean .*)\)/, '; did $1')
      complain(new SynodError('USAGE', sentence.trim()))
    },
  })
}

/** Adds `--servers` and `--timeout`. */
export function addConnectionOptions(program: Command): Command {
  return program
    .option('--servers <addresses>', "the servers' host:port, with commas between (needed)", addresses)
    .option('--timeout <ms>', 'how long an answer may take', positive, TIMEOUT)
}

/** The `--timeout` that the user has given; undefined if there is none: it holds also for what takes a server long. */
export function givenTimeout(program: Command): number | undefined {
  if (program.getOptionValueSource('timeout') === 'default') return undefined
  return program.opts<ConnectionOptions>().timeout
}

/** Throws {@link UsageError} if they are missing. */
export function neededServers({ servers }: ConnectionOptions): readonly string[] {
  if (servers !== undefined) return servers
  throw new UsageError('--servers is needed: the addresses of the servers, such as 127.0.0.1:10000,127.0.0.1:10001')
}

/** The work's answer, or the exit code of the error with which it ends, which is complained of. Throws only what is a bug. */
export async function exitCodeFrom<Code>(work: () => Promise<Code>, complain: Complain): Promise<Code | number> {
  try {
    return await work()
  } catch (error) {
    // Commander has said it already, through `complain`.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_DONE : EXIT_USAGE
    const code = exitCodeOf(error)
    if (code === undefined || !(error instanceof SynodError)) throw error
    complain(error)
    return code
  }
}

/** The version in the package.json at this place. */
export function versionIn(manifest: URL): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}

/** Runs a client as this process, and ends it with the exit code that it answers. */
export async function runClient(main: (argv: readonly string[]) => Promise<number>): Promise<void> {
  endQuietlyWithReader()
  const code = await main(process.argv)
  // Whatever is still open (a connection attempt, standard input) must not hold the process; what is written must be out.
  process.stdout.write('', () => process.exit(code))
}
