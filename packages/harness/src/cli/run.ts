/** `harness run`: plays a scenario on real processes. */
import { Command } from 'commander'
import { ProcessWorld } from '../processes/process-world.js'
import { summary } from '../report/summary.js'
import { play } from '../run/play.js'
import { misfits } from '../scenario/fit.js'
import { loadScenario, ScenarioError } from '../scenario/load.js'
import { addFileOptions, writeFiles } from './files.js'
import type { FileFlags } from './files.js'
import { Live } from './live.js'
import { subjectOf } from './subjects.js'
import { EXIT_FAILED, EXIT_HELD, UsageError, whole } from './usage.js'

interface Flags extends FileFlags {
  readonly server: string
  readonly service?: string
  readonly file?: string
  readonly seed?: number
  readonly keep?: string
  readonly verbose: number
}

export function runCommand(): Command {
  const command = new Command('run')
    .description(
      'Plays a scenario on real server processes, with real sockets, disks and signals, and judges what happened.',
    )
    .option('--server <name>', 'kvstore, chatroom, or the path to a server command', 'kvstore')
    .option('--service <module>', 'a module that exports the service of that command: then its answers are judged too')
    .option('--file <file.json>', 'the scenario (needed)')
    .option('--seed <number>', "of all chance in the run (default: the file's, or 1)", whole)
    .option('--keep <directory>', "keep the servers' data directories and logs there")
    .option('-v, --verbose', 'print steps; -vv operations; -vvv what servers say', (_, so: number) => so + 1, 0)
  return addFileOptions(command)
    .allowExcessArguments()
    .action(async (flags: Flags, { args: [unknown] }: Command) => {
      if (unknown !== undefined) throw new UsageError(`"${unknown}" is not a command; harness --help shows them`)
      const { file } = flags
      if (file === undefined) throw new UsageError('--file is missing: which scenario? harness --help tells more')
      process.exitCode = await run({ ...flags, file })
    })
}

async function run(flags: Flags & { readonly file: string }): Promise<number> {
  const subject = await subjectOf(flags.server, flags.service)
  const loaded = await loadScenario(flags.file)
  const scenario = flags.seed === undefined ? loaded : { ...loaded, seed: flags.seed }
  const problems = misfits(scenario, 'processes', subject)
  if (problems.length > 0) throw new ScenarioError(flags.file, problems)
  const world = await ProcessWorld.prepare({
    command: flags.server,
    ...(subject.service !== undefined && { service: subject.service }),
    servers: scenario.servers,
    seed: scenario.seed,
    lease: scenario.lease,
    ...(flags.keep !== undefined && { directory: flags.keep }),
    verbosity: flags.verbose >= 3 ? 2 : 0,
  })
  const end = (signal: NodeJS.Signals): void => {
    void world.close().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143))
  }
  process.once('SIGINT', end).once('SIGTERM', end)
  const live = new Live(scenario, flags.verbose)
  try {
    const report = { ...(await play(scenario, world, subject, live)), command: commandOf(flags) }
    live.end()
    if (flags.verbose >= 3) process.stdout.write(outputs(world))
    process.stdout.write(summary(report, process.stdout.isTTY))
    await writeFiles(report, flags)
    return report.ok ? EXIT_HELD : EXIT_FAILED
  } finally {
    live.end()
    await world.close()
    process.off('SIGINT', end).off('SIGTERM', end)
  }
}

/** The same run, as it is typed. */
function commandOf({ server, service, file, seed }: Flags & { readonly file: string }): string {
  const words = ['--server', server]
  if (service !== undefined) words.push('--service', service)
  words.push('--file', file)
  if (seed !== undefined) words.push('--seed', String(seed))
  return `npx harness ${words.map(quoted).join(' ')}`
}

/** For a shell. */
function quoted(word: string): string {
  return /^[\w./:@=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** All that the servers wrote. */
function outputs(world: ProcessWorld): string {
  const all = Array.from({ length: world.servers }, (_, id) => `server ${id}:\n${world.output(id)}\n`)
  return all.join('')
}
