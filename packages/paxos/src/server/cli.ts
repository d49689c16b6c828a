/** The command line of every service's server. */
import { Command, CommanderError } from 'commander'
import type { z } from 'zod'
import { realClock } from '../clock.js'
import { SynodError } from '../protocol/error.js'
import type { Service } from '../service/service.js'
import { badOption, nameServers, readHostFile } from './addresses.js'
import { setVerbosity } from './log.js'
import { Narrator } from './narrator.js'
import { begin } from './serve.js'
import type { RunningServer, ServeOptions } from './serve.js'

/** The end of the help. */
const PAGES = `
Over HTTP, each server has on its port:
  /status        how all servers of the cluster stand, live, for a browser
  /status.json   the same for programs
  /healthz       200 if this server takes commands now, 503 and why if not`

interface Flags {
  readonly id: number
  readonly count?: number
  readonly port?: number
  readonly peers?: string
  readonly hostfile?: string
  readonly dataDir?: string
  readonly bind?: string
  readonly insecureBind?: true
  readonly repair?: true
  readonly heartbeat?: number
  readonly electionTimeout?: number
  readonly lease?: number
  readonly verbose: number
}

/**
 * Runs a service's server as a command: reads its options, serves until a signal ends it, and says in one line whatever
 * goes wrong. It ends the process: 0 after SIGTERM or SIGINT (a second one ends it at once), 1 if the server could not
 * start or go on, 2 for options that cannot be used.
 *
 * @param argv as in `process.argv`
 * @param own what the service adds: `web`, its web page (see {@link ServeOptions})
 */
export async function runServer<Schema extends z.ZodType, Value>(
  service: Service<Schema, Value, unknown>,
  argv: readonly string[],
  own: Pick<ServeOptions, 'web'> = {},
): Promise<void> {
  const name = `${service.name}-server`
  // Whoever reads what it says may go away (`… | head -1`): the server does not end for that.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  try {
    const options = parse(name, argv)
    if (options !== null) await run(service, { ...options, ...own })
  } catch (error) {
    if (!(error instanceof SynodError)) throw error
    process.stderr.write(`${name}: ${oneLine(error.message)}\n`)
    if (error.cause instanceof Error) process.stderr.write(`${error.cause.stack ?? ''}\n`) // whose bug that is, it shows where
    await exit(error.code === 'BAD_OPTION' ? 2 : 1)
  }
}

async function run<Schema extends z.ZodType, Value>(
  service: Service<Schema, Value, unknown>,
  options: ServeOptions,
): Promise<void> {
  let server: RunningServer | null = null
  let signals = 0
  const onSignal = (): void => {
    if (++signals > 1 || server === null) process.exit(signals > 1 ? 1 : 0)
    void server.close()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  const who = `${service.name} server ${options.id}`
  const narrator = new Narrator(realClock, (line) => {
    process.stdout.write(`${who} ${line}\n`)
  })
  const started = await narrator.start(begin(service, options))
  server = started
  const task = options.repair === true ? ', to be repaired' : ''
  const missing = started.missing.length === 0 ? '' : `, waits for ${nameServers(started.missing)}`
  process.stdout.write(`${who} listens on ${started.address}, data in ${started.dataDir}${task}${missing}\n`)
  narrator.run(started, `${started.address}/${options.web === undefined ? 'status' : ''}`)
  const error = await started.stopped
  narrator.stop()
  if (error !== null) throw error
  process.stdout.write(`${who} has stopped\n`)
  await exit(0)
}

/** Reads the options; null if help was asked for, and given. Throws `BAD_OPTION`. */
function parse(name: string, argv: readonly string[]): ServeOptions | null {
  const command = new Command(name)
    .description('Runs one server of a cluster.')
    .requiredOption('--id <number>', "this server's number, from 0", wholeNumber('--id'))
    .option('--count <number>', 'how many servers the cluster has', wholeNumber('--count'))
    .option(
      '--port <number>',
      'the port to listen on; if no addresses are given, server J is on this port − id + J of 127.0.0.1',
      wholeNumber('--port'),
    )
    .option('--peers <addresses>', 'host:port of all servers, in id order, with commas between')
    .option('--hostfile <file>', 'a file with the host:port of all servers, one a line, in id order')
    .option(
      '--data-dir <directory>',
      `where this server keeps its data (default: ./data/${name.replace(/-server$/, '')}-<id>)`,
    )
    .option('--bind <address>', 'the address to listen on (default: 127.0.0.1)')
    .option('--insecure-bind', 'allow a --bind that other machines can reach; peers and clients are not authenticated')
    .option(
      '--repair',
      'rebuild a damaged or emptied directory from the other servers: its files are set aside, and the server votes again once it is safe',
    )
    .option('--heartbeat <ms>', 'a leader is heard from this often (default: 50)', wholeNumber('--heartbeat'))
    .option(
      '--election-timeout <ms>',
      'a leader that is silent for this long is taken for gone; the same on all servers (default: 400)',
      wholeNumber('--election-timeout'),
    )
    .option(
      '--lease <ms>',
      'a leader answers reads without asking the others for so long after it heard them; needs good clocks, and the same on all servers (default: none)',
      wholeNumber('--lease'),
    )
    .option(
      '-v, --verbose',
      'tell of elections and connections; -vv of messages, -vvv of everything',
      (_, so) => so + 1,
      0,
    )
    .addHelpText('after', PAGES)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  try {
    command.parse(argv)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return null
    throw badOption(`${error.message.replace(/^error: /, '').replace(/\.$/, '')}; see ${name} --help`)
  }
  return optionsOf(command.opts<Flags>())
}

function optionsOf({
  id,
  count,
  port,
  peers,
  hostfile,
  dataDir,
  bind,
  insecureBind,
  repair,
  heartbeat,
  electionTimeout,
  lease,
  verbose,
}: Flags): ServeOptions {
  if (peers !== undefined && hostfile !== undefined)
    throw badOption('--peers and --hostfile say the same thing: give one of them')
  setVerbosity(verbose)
  const list = hostfile === undefined ? peers?.split(',').map((address) => address.trim()) : readHostFile(hostfile)
  return {
    id,
    ...(count !== undefined && { count }),
    ...(port !== undefined && { port }),
    ...(list !== undefined && { peers: list }),
    ...(dataDir !== undefined && { dataDir }),
    ...(bind !== undefined && { bind }),
    ...(insecureBind && { insecureBind }),
    ...(repair && { repair }),
    ...(heartbeat !== undefined && { heartbeat }),
    ...(electionTimeout !== undefined && { electionTimeout }),
    ...(lease !== undefined && { lease }),
  }
}

function wholeNumber(flag: string): (text: string) => number {
  return (text) => {
    if (!/^\d{1,9}$/.test(text)) throw badOption(`${flag} must be a whole number, not "${text}"`)
    return Number(text)
  }
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ')
}

/** Ends the process once what was written is out. */
function exit(code: number): Promise<never> {
  return new Promise(() => {
    process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
  })
}
